from guardrail.text.entities.es_nie import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "X5635515D",
    "Y-0587706-R",
    "Z5894811-P",
    "x3114402h",
    "X5635515D",
    "Ｘ５６３５５１５Ｄ",
    "Y0587706R",
    "Z5894811P",
    "X563\u200b5515D",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
