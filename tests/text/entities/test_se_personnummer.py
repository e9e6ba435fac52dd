from guardrail.text.entities.se_personnummer import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "811228-9874",
    "19811228-9874",
    "198112289874",
    "8112289874",
    "820110-1204",
    "８１１２２８－９８７４",
    "530120+1058",
    "610715-9953",
    "6605027421",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
