from guardrail.text.entities.sendgrid_key import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "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",
    "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",
    "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",
    "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",
    "ＳＧ．2Trkjc06dpDro9yRXpBcKH．mfD9w8GQCwQIa4yQJ4jrFDqaE6nxF1E1cVi5QIgOGKD",
    "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",
    "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",
    "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",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
