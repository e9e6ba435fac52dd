from guardrail.text.output.links import RULE
from tests.text.output.matching import check


def test_examples() -> None:
    check(RULE)
