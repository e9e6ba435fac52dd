from guardrail.text.entities.uk_nino import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "AB 12 34 56 C",
    "AB123456C",
    "JG 10 37 59 A",
    "jg103759a",
    "AB123456C",
    "ＡＢ １２ ３４ ５６ Ｃ",
    "CE 12 34 56 D",
    "AB-12-34-56-C",
    "AB 12 34 56 C",
    "AB 123456 C",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
