"""Slices of a text: joined, edited, released, and a halt that stays."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.stream import guard_text
from guardrail.text.rules import Action, KeywordRule
from guardrail.wire.check import CheckedText
from guardrail.wire.check_session import MAX_CHANNELS, CheckSession
from guardrail.wire.record import StreamRecord
from tests.wire.chat import halt, policy, redact
from tests.wire.scored import evil, hate

WATCH = KeywordRule(id="watch", category="c", action=Action.LOG, terms=("watched",))
RULES = policy(redact("Acme Cola", "炸弹"), halt("forbidden recipe"), WATCH)


def send(
    session: CheckSession, text: str, *, final: bool = False, channel: str = "content", case: str = "g-1"
) -> tuple[CheckedText, StreamRecord]:
    session.take(text, channel, case, final=final)
    while due := session.due():
        for number, window in due:
            session.score(number, evil(window))
    checked = session.checked()
    return checked, session.record(checked)


def test_what_may_yet_become_a_hit_is_held() -> None:
    session = CheckSession(RULES)
    first, record = send(session, "I like Acme")
    assert (first.text, first.received, first.released_up_to) == ("I like ", 11, 7)
    assert (record.received, record.released, record.held) == (11, 7, 4)
    second, record = send(session, " Cola, watched.", final=True)
    assert (second.text, second.received, second.released_up_to) == ("[X], watched.", 26, 26)
    assert [(found.rule, found.start, found.end) for found in second.findings] == [("redact", 7, 16), ("watch", 18, 25)]
    assert (record.received, record.released, record.removed, record.held) == (15, 10, 9, 0)
    assert session.complete


def test_a_finding_is_told_once() -> None:
    session = CheckSession(RULES)
    assert [found.rule for found in send(session, "Acme Cola and more. ")[0].findings] == ["redact"]
    assert list(send(session, "Nothing. ")[0].findings) == []


def test_a_session_that_has_halted_stays_halted() -> None:
    session = CheckSession(RULES)
    send(session, "Well, the forbidden ")
    checked, record = send(session, "recipe is", case="g-2")
    assert (checked.text, checked.halted, checked.released_up_to) == ("", "g-2", 10)
    assert (record.halted, record.removed, record.released) == (True, 19, 0)
    for channel in ("content", "reasoning"):
        checked, record = send(session, "harmless", case="g-3", final=True, channel=channel)
        assert (checked.text, checked.halted, list(checked.findings)) == ("", "g-2", [])
        assert (record.received, record.scanned, record.dropped, record.halted) == (8, 0, 8, False)
    assert not session.complete


def test_channels_are_texts_of_their_own() -> None:
    session = CheckSession(RULES)
    assert send(session, "Acme")[0].text == ""
    assert send(session, " Cola ", channel="reasoning")[0].text == " Cola "
    assert send(session, " Cola ")[0].text == "[X] "
    assert (session.expects("content"), session.expects("reasoning"), session.expects("other")) == (10, 6, 0)
    assert session.received == 16


def test_what_cannot_be_taken() -> None:
    session = CheckSession(RULES)
    send(session, "a", final=True)
    with pytest.raises(WireError, match="has ended"):
        session.take("b", "content", "g-1", final=True)
    for number in range(MAX_CHANNELS - 1):
        send(session, "a", channel=f"c{number}")
    with pytest.raises(WireError, match="at most 64 channels"):
        session.take("b", "one more", "g-1", final=True)


def test_halves_of_a_character_are_joined() -> None:
    session = CheckSession(RULES)
    assert send(session, "5,\ud83d")[0].text == "5,"
    checked, _ = send(session, "\ude00b \ud83d", final=True)
    assert (checked.text, checked.received) == ("😀b \ufffd", 6)


def test_verdicts_are_waited_for_whatever_the_lag_budget() -> None:
    first, second = "This is the first sentence.", " This is an evil one, the second."
    session = CheckSession(hate(lag=10_000))
    assert send(session, first)[0].text == ""
    checked, record = send(session, second, final=True)
    assert (checked.text, checked.halted, checked.released_up_to) == (first + " ", "g-1", 28)
    assert (record.units, record.classifier) == (2, "fake@1")


POLICIES = [RULES, hate(), hate(action=Action.REDACT), hate(action=Action.LOG)]
TEXT = st.lists(
    st.sampled_from(
        ["Acme", " Cola", "炸", "弹", "forbidden ", "recipe", "evil ", "One sentence. ", "😀", "watched", "\n"]
    ),
    max_size=12,
).map("".join)


@given(TEXT, st.lists(st.integers(0, 60), max_size=6), st.sampled_from(POLICIES))
@settings(max_examples=150, deadline=None)
def test_slices_change_nothing_and_everything_is_accounted_for(text: str, cuts: list[int], chosen: Policy) -> None:
    at = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    slices = [text[first:last] for first, last in itertools.pairwise(at)]
    sliced, whole = CheckSession(chosen), CheckSession(chosen)
    done = [send(sliced, part, final=number == len(slices) - 1) for number, part in enumerate(slices)]
    expected, _ = send(whole, text, final=True)
    assert "".join(checked.text for checked, _ in done) == expected.text
    assert sorted(found for checked, _ in done for found in checked.findings) == list(expected.findings)
    assert bool(sliced.halted) == bool(whole.halted)

    def total(name: str) -> Any:
        return sum(getattr(record, name) for _, record in done)

    assert total("received") == len(text) == total("released") + total("removed") + total("dropped")
    if chosen is RULES:
        assert expected.text == guard_text(text, chosen).output
