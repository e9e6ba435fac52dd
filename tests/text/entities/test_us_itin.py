from guardrail.text.entities.us_itin import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "912-70-1234",
    "987 88 4321",
    "900901234",
    "912-70-1234",
    "９１２－７０－１２３４",
    "999-99-1234",
    "912\u00a070\u00a01234",
    "912-7\u200b0-1234",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
