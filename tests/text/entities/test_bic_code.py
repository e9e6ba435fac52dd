from guardrail.text.entities.bic_code import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "DEUTDEFF",
    "DEUTDEFF500",
    "NEDSZAJJXXX",
    "BOFAUS3N",
    "DEUTDEFF",
    "BKCHCNBJ",
    "ＢＫＣＨＣＮＢＪ",
    "UNCRITMM",
    "HBUKGB4B",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
