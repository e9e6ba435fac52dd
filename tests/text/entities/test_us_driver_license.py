from guardrail.text.entities.us_driver_license import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "A1234567",
    "D12345678",
    "99999999",
    "G544-061-73-925-0",
    "B7654321",
    "Ｋ１２３４５６７",
    "S99988801",
    "WA123456B",
    "M123456789012",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
