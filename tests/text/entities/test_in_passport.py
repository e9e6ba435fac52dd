from guardrail.text.entities.in_passport import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "A2096457",
    "J8369854",
    "m1234567",
    "K4512367",
    "Y1234567",
    "Ａ２０９６４５７",
    "T98 76543",
    "A2096457",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
