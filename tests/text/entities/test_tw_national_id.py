from guardrail.text.entities.tw_national_id import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "A175391633",
    "B216858525",
    "F142400248",
    "t221920006",
    "A873649050",
    "Ａ１７５３９１６３３",
    "A123456789",
    "B216858525",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
