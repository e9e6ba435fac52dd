from guardrail.text.entities.stripe_key import ENTITY
from tests.text.entities.matching import check

BODY = "4eC39HqLyjWDarjtT1zdp7dc"

FOUND = (
    "sk_live_" + BODY,
    "sk_test_" + BODY,
    "rk_live_" + BODY,
    "sk_live_" + BODY,
    "sk_live_" + BODY,
    "ｓｋ＿ｌｉｖｅ＿" + BODY,
    "sk_test_" + BODY,
    "sk_live_51" + BODY * 4,
    "whsec_" + BODY + BODY[:8],
)


def test_examples() -> None:
    check(ENTITY, FOUND)
