"""What is said of a halt in every protocol."""

from __future__ import annotations

from guardrail.wire.halt import Stop, choice_prefix, halt_note, notice
from tests.wire.chat import policy


def test_the_notice_names_the_case_and_nothing_else_is_filled_in() -> None:
    assert notice(policy(notice="Stopped {case_id} {x}"), "g-1") == "Stopped g-1 {x}"


def test_the_channel_is_named_when_it_is_not_what_people_read() -> None:
    assert (
        halt_note("g-1", "content", Stop(3))
        == halt_note("g-1", "choices[1].content", Stop(3, 3, 3))
        == {"case_id": "g-1", "action": "halt"}
    )
    assert halt_note("g-1", choice_prefix(1) + "reasoning", Stop(3))["channel"] == "choices[1].reasoning"
