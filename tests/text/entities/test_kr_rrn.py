from guardrail.text.entities.kr_rrn import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "971013-9019902",
    "760407-2428833",
    "9102141845536",
    "910214-1234567",
    "520410-2608283",
    "６４０７０６－１３０３８１５",
    "760407-2428833",
    "210101 3123456",
    "910214-1845536",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
