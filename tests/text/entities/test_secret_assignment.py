from guardrail.text.entities.secret_assignment import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "a7Gq2xVb9LmZ4tRk8WcN",
    "a7Gq2xVb9LmZ4tRk8WcN",
    "a7Gq2xVb9LmZ4tRk8WcN",
    "a7Gq2xVb9LmZ4tRk8WcN",
    "a7Gq2xVb9LmZ4tRk8WcN",
    "a7Gq2xVb9LmZ4tRk8WcN",
    "a7Gq2xVb9LmZ4tRk8WcN",
    "a7Gq2xVb9LmZ4tRk8WcN",
    "a7Gq2xVb9LmZ4tRk8WcN",
    "a7Gq2xVb9LmZ4tRk8WcN",
    "9f86d081884c7d659a2feaa0c55ad015",
    "a7Gq2xVb9LmZ4tRk8WcN",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
