from guardrail.text.output.invisible import RULE
from tests.text.output.matching import check


def test_examples() -> None:
    check(RULE)
