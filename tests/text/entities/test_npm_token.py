from guardrail.text.entities.npm_token import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "npm_dLwUx8YY6sKHJ4yJz8oViIA8og5a2zNPSOkQ",
    "npm_dLwUx8YY6sKHJ4yJz8oViIA8og5a2zNPSOkQ",
    "npm_dLwUx8YY6sKHJ4yJz8oViIA8og5a2zNPSOkQ",
    "npm_dLwUx8YY6sKHJ4yJz8oViIA8og5a2zNPSOkQ",
    "ｎｐｍ＿dLwUx8YY6sKHJ4yJz8oViIA8og5a2zNPSOkQ",
    "npm_dLwUx8YY6sKHJ4yJz8oViIA8og5a2zNPSOkQ",
    "npm_dLwUx8YY6sKHJ4yJz8oViIA8og5a2zNPSOkQ",
    "npm_dLwUx8YY6sKHJ4yJz8oViIA8og5a2zNPSOkQ",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
