from guardrail.text.entities.us_bank_number import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "000123456789",
    "945456787654",
    "12345678",
    "12345678901",
    "１２３４５６７８９０",
    "9876543210",
    "12345678901234567",
    "4455667788",
    "00112233",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
