from guardrail.text.entities.github_token import ENTITY
from tests.text.entities.matching import check

BODY = "16C7e42F292c6912E7710c838347Ae178B4a"

FOUND = (
    "ghp_" + BODY,
    "gho_" + BODY,
    "ghu_" + BODY,
    "ghs_" + BODY,
    "ghr_" + BODY + BODY,
    "ghp_" + BODY,
    "ｇｈｐ＿" + BODY,
    "ghp_" + BODY,
    "github_pat_" + "11ABCDEFG0aBcDeFgHiJkL_" + "0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABCDEFGHI",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
