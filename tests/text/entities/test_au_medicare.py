from guardrail.text.entities.au_medicare import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "2123 45670 1",
    "3616319291",
    "3900-48929-1",
    "4901632901",
    "２１２３ ４５６７０ １",
    "6058991511",
    "2123\u00a045670\u00a01",
    "2123456701",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
