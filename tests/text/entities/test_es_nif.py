from guardrail.text.entities.es_nif import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "12345678Z",
    "12345678-Z",
    "12.345.678-Z",
    "12345678z",
    "78878384 E",
    "83726167A",
    "１２３４５６７８Ｚ",
    "51361341H",
    "25.242.731 r",
    "67232686Y",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
