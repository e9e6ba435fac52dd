from guardrail.text.entities.au_tfn import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "123 456 782",
    "436650238",
    "756-236-403",
    "875576272",
    "１２３ ４５６ ７８２",
    "62428050",
    "471 719 354",
    "123\u00a0456\u00a0782",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
