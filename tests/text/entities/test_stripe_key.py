from guardrail.text.entities.stripe_key import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "sk_live_qj2XZl9Y2tn82Hlr79mX1m6g",
    "sk_test_qj2XZl9Y2tn82Hlr79mX1m6g",
    "rk_live_qj2XZl9Y2tn82Hlr79mX1m6g",
    "sk_live_qj2XZl9Y2tn82Hlr79mX1m6g",
    "sk_live_qj2XZl9Y2tn82Hlr79mX1m6g",
    "ｓｋ＿ｌｉｖｅ＿qj2XZl9Y2tn82Hlr79mX1m6g",
    "sk_test_qj2XZl9Y2tn82Hlr79mX1m6g",
    "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",
    "whsec_qj2XZl9Y2tn82Hlr79mX1m6gqj2XZl9Y",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
