from guardrail.text.output.terminal_escapes import RULE
from tests.text.output.matching import check


def test_examples() -> None:
    check(RULE)
