from guardrail.text.entities.nl_bsn import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "111222333",
    "777944704",
    "199.929.099",
    "6502 39 143",
    "023536962",
    "１１１２２２３３３",
    "650239143",
    "777944704",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
