from guardrail.text.entities.za_id_number import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "921006 4139 062",
    "9301042601081",
    "5412187915014",
    "9004243910000",
    "９２１００６ ４１３９ ０６２",
    "930104 2601 081",
    "9210064139062",
    "9210064139062",
    "921006\u00a04139\u00a0062",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
