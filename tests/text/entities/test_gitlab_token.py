from guardrail.text.entities.gitlab_token import ENTITY
from tests.text.entities.matching import check

BODY = "zY9x8W7v6U5t4S3r2Q1p"

FOUND = (
    "glpat-" + BODY,
    "glpat-" + BODY,
    "gldt-" + BODY,
    "glrt-" + BODY,
    "glpat-" + BODY,
    "ｇｌｐａｔ－" + BODY,
    "glptt-" + BODY + BODY,
    "glpat-" + BODY + "abcDEF0.01.0z1a2b3c4",
    "glpat-" + "zY9x8W7v6U_5t4S3r2Q1p",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
