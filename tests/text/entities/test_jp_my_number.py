from guardrail.text.entities.jp_my_number import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "844655960906",
    "1738 8688 8319",
    "212411236797",
    "156240337231",
    "８４４６ ５５９６ ０９０６",
    "8446-5596-0906",
    "844655960906",
    "1738-8688-8319",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
