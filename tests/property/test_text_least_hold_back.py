"""Promise 3: what is held could still be removed, and what only logs holds nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from guardrail.text.scanner import Scanner, compile_rules
from tests import strategies
from tests.continuations import removing_continuation
from tests.strategies import Case, log_actions, removing_actions


@given(case=strategies.cases(removing_actions, accept=False, max_pieces=5, max_length=80), data=st.data())
def test_the_first_held_character_could_still_be_removed(case: Case, data: st.DataObject) -> None:
    """Without `accept`: whether some text passes a checksum is no question for a search."""
    scanner = Scanner(compile_rules(case.rules))
    for piece in data.draw(strategies.cuts(case.text)):
        scanner.feed(piece)
        if scanner.halt is not None:
            break
        if scanner.settled < scanner.received:
            text = case.text[: scanner.received]
            assert removing_continuation(case, text, scanner.settled) is not None


@given(case=strategies.cases(log_actions), data=st.data())
def test_logging_holds_nothing(case: Case, data: st.DataObject) -> None:
    scanner = Scanner(compile_rules(case.rules))
    for piece in data.draw(strategies.cuts(case.text)):
        assert scanner.feed(piece) == ()
        assert scanner.settled == scanner.received
