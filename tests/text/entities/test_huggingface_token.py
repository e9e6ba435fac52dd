from guardrail.text.entities.huggingface_token import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "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",
    "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",
    "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",
    "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",
    "ｈｆ＿PVWHcdFGVQzKBgJhBgrQWKvhwUNyqTkRsm",
    "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",
    "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",
    "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",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
