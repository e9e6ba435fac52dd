from guardrail.text.entities.us_npi import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "1234567893",
    "1303277986",
    "2128794817",
    "1996848887",
    "１９８４１３２１１２",
    "1234567893",
    "1303277986",
    "1234\u200b567893",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
