from guardrail.text.entities.br_cpf import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "390.533.447-05",
    "20694313475",
    "338.883.480-64",
    "05300260231",
    "３９０．５３３．４４７－０５",
    "606.672.842-30",
    "39053344705",
    "390 533 447 05",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
