from guardrail.text.entities.passport_number import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "AB1234567",
    "123456789",
    "AAA123456",
    "C01X0006H",
    "12AB34567",
    "45 08 123456",
    "E12345678",
    "TK1234567",
    "Ａ１２３４５６７",
    "K1234567",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
