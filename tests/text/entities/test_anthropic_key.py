from guardrail.text.entities.anthropic_key import ENTITY
from tests.text.entities.matching import check

BODY = "aB1cD2eF3_gH4iJ5kL6mN-" * 4 + "wXyZ0AA"

FOUND = (
    "sk-ant-api03-" + BODY,
    "sk-ant-api03-" + BODY,
    "sk-ant-admin01-" + BODY,
    "sk-ant-api03-" + BODY,
    "sk-ant-api03-" + BODY,
    "ｓｋ－ａｎｔ－" + "api03-" + BODY,
    "sk-ant-oat01-" + BODY,
    "sk-ant-api03-" + BODY[:40],
)


def test_examples() -> None:
    check(ENTITY, FOUND)
