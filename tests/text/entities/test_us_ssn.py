from guardrail.text.entities.us_ssn import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "536-90-4399",
    "123-45-6789",
    "123 45 6789",
    "536-90-4399",
    "５３６－９０－４３９９",
    "001-01-0001",
    "899-99-9999",
    "123\u00a045\u00a06789",
    "536904399",
    "536-90-4399",
    "536-90-4399",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
