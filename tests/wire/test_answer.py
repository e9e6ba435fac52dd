"""How a response ends for the client, and the account of it."""

from __future__ import annotations

import pytest

from guardrail.text.rules import Rule
from guardrail.wire.openai_chat import ChatStream
from guardrail.wire.request import ModelRequest
from tests.wire.chat import DONE, NOTICE, Reply, call, chat, event, halt, policy, read, redact, says, sse


def answer(
    events: list[bytes], *rules: Rule, n: int = 1, usage: bool = False, scope: str = "choice"
) -> tuple[Reply, ChatStream]:
    """The events, a read each, until the codec wants no more."""
    stream = ChatStream(
        policy(*rules, halt_scope=scope), ModelRequest(model="m", n=n, stream=True, include_usage=usage), case_id="g-1"
    )
    out = []
    for data in events:
        out.append(stream.feed(data))
        if stream.abort or stream.done:
            break
    out.append(stream.finish())
    return read(b"".join(out)), stream


def test_a_halt_ends_the_only_choice_and_asks_for_an_abort() -> None:
    reply, stream = answer(chat(says("one ", "bad", " two")), halt("bad"))
    assert (reply.text(), reply.finishes, reply.done) == ("one " + NOTICE, {0: "content_filter"}, True)
    assert stream.abort
    assert stream.done


def test_other_choices_go_on_after_a_halt_and_are_waited_for() -> None:
    events = [*says("bad ", index=0), *says("good ", "news", index=1), event({}, "stop", 1), event({}, "stop", 0), DONE]
    reply, stream = answer(events, halt("bad"), n=2)
    assert (reply.text(index=0), reply.text(index=1)) == (NOTICE, "good news")
    assert reply.finishes == {0: "content_filter", 1: "stop"}
    assert stream.done


def test_a_halt_of_the_response_ends_all_that_have_begun() -> None:
    events = [*says("good ", index=1), *says("bad ", index=0), *says("never", index=1)]
    reply, stream = answer(events, halt("bad"), n=2, scope="response")
    assert reply.finishes == {0: "content_filter", 1: "content_filter"}
    assert "never" not in reply.text(index=1)
    assert stream.abort


@pytest.mark.parametrize("said", [True, False], ids=["upstream said it", "estimated"])
def test_usage_is_said_after_a_halt_when_it_was_asked_for(said: bool) -> None:
    last = [sse({"choices": [], "usage": {"total_tokens": 7}})] if said else []
    # With n=2 the halted stream is read on, so that upstream's own usage can come.
    events = [*says("bad ", index=0), *says("fine", index=1), event({}, "stop", 0), event({}, "stop", 1), *last, DONE]
    reply, _ = answer(events, halt("bad"), n=2, usage=True)
    assert reply.usage["total_tokens"] == 7 if said else reply.usage["total_tokens"] > 0


def test_calls_of_a_choice_that_halts_are_not_delivered() -> None:
    reply, stream = answer(chat(call('{"a":1}', name="f"), says("so bad, "), says("x")), halt("bad"))
    assert not [c for chunk in reply.chunks for c in chunk["choices"] if c.get("delta", {}).get("tool_calls")]
    assert stream.record.dropped > 0


def test_the_account_adds_up() -> None:
    _, stream = answer(chat(says("call ", "Bob Smith", " now")), redact("Bob Smith"))
    record = stream.record
    assert record.received == record.scanned == len("call Bob Smith now")
    assert record.removed == len("Bob Smith")
    assert record.released == record.received - record.removed
    assert (record.held, record.dropped, record.unscanned, record.halted) == (0, 0, 0, False)
    assert [(f.rule, f.start, f.end) for f in record.findings] == [("redact", 5, 14)]
    assert record.finish_reasons == ("stop",)


def test_the_account_of_a_halt() -> None:
    _, stream = answer(chat(says("one ", "bad", " two")), halt("bad"))
    assert stream.record.halted
    assert stream.record.finish_reasons == ("content_filter",)
    assert stream.record.released == len("one ")
