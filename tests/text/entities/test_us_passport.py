from guardrail.text.entities.us_passport import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "488392010",
    "C03005988",
    "A12345678",
    "340007237",
    "４８８３９２０１０",
    "c03005988",
    "910239248",
    "4883\u200b92010",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
