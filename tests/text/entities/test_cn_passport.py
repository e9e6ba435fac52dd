from guardrail.text.entities.cn_passport import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "E12345678",
    "G87654321",
    "EA1234567",
    "E12345678",
    "G87654321",
    "C12345678",
    "CA1234567",
    "Ｅ１２３４５６７８",
    "141234567",
    "DE1234567",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
