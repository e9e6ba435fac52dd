from guardrail.text.entities.fr_nir import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "185057800608491",
    "1 85 05 78 006 084 91",
    "2690549588157 80",
    "269054958815780",
    "1 85 05 78 006 084 91",
    "１８５０５７８００６０８４９１",
    "190062A12345695",
    "294052B00100789",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
