"""Promise 3: what is held could still be removed, and what only logs holds nothing.

The rules here have no `accept`: whether some text passes a checksum is no question for a search. A high surrogate at
the very end of the text is no character yet: it waits for its other half, and nothing looks at it.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from guardrail.text.scanner import Scanner, compile_rules
from tests import strategies
from tests.continuations import removing_continuation
from tests.strategies import Case, log_actions, removing_actions

KINDS: tuple[strategies.Kind, ...] = ("letters", "leet", "noise", "exact", "raw")
"""Repeats, near words and context hold a character more now and then: see docs/design.md."""
small_cases = strategies.cases(removing_actions, accept=False, max_pieces=5, max_length=80, kinds=KINDS)


def without_phrases(case: Case) -> Case:
    return replace(case, rules=tuple(replace(rule, allow=()) for rule in case.rules))


def check_the_first_held_character(case: Case, judged_by: Case, pieces: list[str]) -> None:
    scanner = Scanner(compile_rules(case.rules))
    for piece in pieces:
        scanner.feed(piece)
        if scanner.halt is not None:
            break
        text = case.text[: scanner.received]
        if "\ud800" <= text[-1:] <= "\udbff":
            text = text[:-1]
        if scanner.settled < len(text):
            assert removing_continuation(judged_by, text, scanner.settled) is not None


@given(case=small_cases.map(without_phrases), data=st.data())
def test_the_first_held_character_could_still_be_removed(case: Case, data: st.DataObject) -> None:
    check_the_first_held_character(case, case, data.draw(strategies.cuts(case.text)))


@given(case=small_cases, data=st.data())
def test_allow_phrases_hold_nothing_more(case: Case, data: st.DataObject) -> None:
    """What is held could be removed, if not for the allow-phrases: they delay no character by themselves."""
    check_the_first_held_character(case, without_phrases(case), data.draw(strategies.cuts(case.text)))


@given(case=strategies.cases(log_actions, kinds=strategies.KINDS), data=st.data())
def test_logging_holds_nothing(case: Case, data: st.DataObject) -> None:
    scanner = Scanner(compile_rules(case.rules))
    for piece in data.draw(strategies.cuts(case.text)):
        assert scanner.feed(piece) == ()
        assert scanner.settled == scanner.received
