from guardrail.text.entities.us_mbi import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "1EG4-TE5-MK73",
    "1EG4TE5MK73",
    "2A22-C33-DD44",
    "9XY7WV6UT55",
    "1EG4-TE5-MK73",
    "１ＥＧ４－ＴＥ５－ＭＫ７３",
    "1EG4-TE5-MK73",
    "1EG4TE5MK73",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
