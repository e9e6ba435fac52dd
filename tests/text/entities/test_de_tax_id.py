from guardrail.text.entities.de_tax_id import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "36574261809",
    "31 952 716 017",
    "46518629071",
    "30243638959",
    "81604358893",
    "３６５７４２６１８０９",
    "36/574/261/809",
    "31952716017",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
