from guardrail.text.entities.date_of_birth import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "1990-01-31",
    "January 31, 1990",
    "31st of January 1990",
    "01/31/1990",
    "31.01.1990",
    "31/1/90",
    "Jan 31, 1990",
    "1990年1月31日",
    "1990.1.31",
    "１９９０－０１－３１",
    "19900131",
    "31 de enero de 1990",
    "31 janvier 1990",
    "31. Januar 1990",
    "20000229",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
