"""What Chat Completions adds to a stream: its end, its envelope, its padding."""

from __future__ import annotations

import pytest

from tests.wire.chat import DONE, ENVELOPE, NOTICE, event, guard, guard_every_way, halt, policy, redact, says

RULES = policy(redact("secret"), halt("forbidden"))


def test_what_ends_a_stream_says_nothing_else() -> None:
    start = [*says("a"), event({}, "stop")]
    for last in (DONE, b"data: [DONE]\r\n\r\n", b"data:[DONE] \n\n"):
        assert guard(RULES, b"".join([*start, last])).out.endswith(last)
    run = guard(RULES, b"".join([*start, b"data: [DONE] my secret\n\n"]))
    assert run.out.endswith(DONE)
    assert b"secret" not in run.out


def test_our_own_chunks_repeat_the_upstreams_head() -> None:
    run = guard_every_way(RULES, [*says("it is ", "forbidden"), DONE])
    assert run.reply.text() == "it is " + NOTICE
    for chunk in run.reply.chunks[-2:]:
        assert {key: chunk[key] for key in ENVELOPE} == ENVELOPE


@pytest.mark.parametrize("size", [1, 7])
def test_events_with_padding_pass_as_they_came(size: int) -> None:
    events = [event({"content": f"word{i} "}, top={"obfuscation": "aB3" * (i % size)}) for i in range(40)]
    run = guard_every_way(RULES, [event({"role": "assistant", "content": ""}), *events, event({}, "stop"), DONE])
    assert all(raw in run.out for raw in events)
    edited = guard_every_way(RULES, [*events, event({"content": "sec"}), event({"content": "ret."}), *events, DONE])
    assert edited.reply.text().count("[X]") == 1
    assert edited.record.removed == len("secret")
