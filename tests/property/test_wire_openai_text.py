"""Promises of the codec of legacy Completions and of the dialects on Chat Completions; numbered as in
`test_wire_chat`."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guardrail.errors import WireError
from guardrail.text.rules import Action
from guardrail.wire.answer import Fault
from guardrail.wire.openai_chat import ChatStream
from guardrail.wire.openai_chat_body import guard_body
from guardrail.wire.openai_text import TextStream
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from guardrail.wire.strict_json import whole_surrogates
from tests import strategies
from tests.property.test_text_classifier import ANY, settings, texts
from tests.property.test_wire_chat import PIECES, accounted, canaries, in_reads, read_sizes, short_cuts, units
from tests.property.test_wire_classifier import account_of_units, written
from tests.reference import Classifier, reference
from tests.scoring import fake
from tests.wire import chat
from tests.wire import openai_chat_recorded as dialects
from tests.wire import openai_text_client as completions
from tests.wire import openai_text_recorded as recorded
from tests.wire.scored import guard_scored, scored


def thinking(text: str) -> dict[str, Any]:
    return {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]}


def details(text: str) -> list[dict[str, Any]]:
    half = len(text) // 2
    return [{"type": "reasoning.text", "text": part, "index": 0} for part in (text[:half], text[half:]) if part]


SHAPES: dict[str, Any] = {
    "content": lambda text: {"content": [{"type": "text", "text": text}]},
    "thinking": thinking,
    "reasoning_content": lambda text: {"reasoning": text, "reasoning_content": text, "content": ""},
    "reasoning": lambda text: {"content": "", "reasoning": text, "reasoning_details": details(text)},
    "reasoning_details": lambda text: {"reasoning": None, "reasoning_details": [{"type": "a", "summary": text}]},
    "audio.transcript": lambda text: {"audio": {"id": "audio_1", "transcript": text}},
}
"""By channel: a delta that says a piece of text in it as some dialect does."""


@st.composite
def streams(draw: st.DrawFn, channel: str, pieces: list[str], *, ascii_only: bool = True) -> bytes:
    """A stream that says these pieces, however a server may write it."""
    how: dict[str, Any] = {
        "ascii_only": ascii_only or draw(st.booleans()),
        "line_end": draw(st.sampled_from(("\n", "\n", "\r\n"))),
    }
    extra = draw(st.sampled_from(({}, {"logprobs": None}, {"stop_reason": None, "token_ids": [1]})))
    events = []
    for piece in pieces:
        said = {"text": piece} if channel == "text" else {"delta": SHAPES[channel](piece)}
        choice = {"index": 0, **said, **extra, "finish_reason": None}
        events.append(chat.sse({**chat.ENVELOPE, "choices": [choice]}, **how))
    nothing = {"text": ""} if channel == "text" else {"delta": {}}
    events.append(chat.sse({**chat.ENVELOPE, "choices": [{"index": 0, **nothing, "finish_reason": "stop"}]}, **how))
    return b"".join(events) + b"data: [DONE]" + (how["line_end"] * 2).encode()


channels = st.sampled_from(("text", "text", *SHAPES))


def opened(channel: str) -> type[ChatStream]:
    return TextStream if channel == "text" else ChatStream


def run(policy: Any, channel: str, reads: list[bytes]) -> chat.Run:
    stream = opened(channel)(policy, ModelRequest(), case_id="g-1", limits=WireLimits())
    writes = [stream.feed(data) for data in reads]
    writes.append(stream.finish())
    return chat.Run(b"".join(writes), writes, stream.record, stream.abort, stream.done)


def said_in(channel: str, out: bytes) -> str:
    """What a client adds up of a channel; what is said several times must be the same everywhere."""
    found = ""
    for chunk in chat.read(out).chunks:
        for choice in chunk.get("choices") or ():
            found += _said(channel, choice)
    return found


def _said(channel: str, choice: dict[str, Any]) -> str:
    delta = choice.get("delta") or {}
    content = delta.get("content")
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    spelled = "".join(entry.get("text") or entry.get("summary") or "" for entry in delta.get("reasoning_details") or ())
    if channel == "text":
        return choice["text"] or ""
    if channel == "content":
        return content if isinstance(content, str) else "".join(part.get("text", "") for part in parts)
    if channel == "thinking":
        return "".join(thought["text"] for part in parts for thought in part.get("thinking", ()))
    if channel == "reasoning_content":
        assert (delta.get("reasoning") or "") == (delta.get("reasoning_content") or "")
        return delta.get("reasoning_content") or ""
    if channel == "reasoning":
        assert spelled == (delta.get("reasoning") or "")
    if channel in ("reasoning", "reasoning_details"):
        return spelled
    return (delta.get("audio") or {}).get("transcript") or ""


@given(case=strategies.cases(max_pieces=8), data=st.data(), channel=channels)
def test_one_channel_is_the_reference_for_every_cut(case: strategies.Case, data: st.DataObject, channel: str) -> None:
    text = whole_surrogates(case.text)
    # In two halves of one detail, or under two names, no server cuts a character in two.
    cut = units(text) if channel in ("text", "content", "thinking") else strategies.cuts(text)
    stream = data.draw(streams(channel, data.draw(cut)))
    expected = reference(case.rules, text)
    policy = chat.policy(*case.rules, notice="")
    for reads in ([stream], in_reads(stream, data.draw(read_sizes))):
        found = run(policy, channel, reads)
        assert said_in(channel, found.out) == expected.output
        assert found.reply.finishes == {0: "content_filter" if expected.halted else "stop"}
        assert found.reply.done
        accounted(found)


@given(case=strategies.cases(max_pieces=6), data=st.data(), channel=channels)
def test_what_is_clean_passes_byte_for_byte(case: strategies.Case, data: st.DataObject, channel: str) -> None:
    text = whole_surrogates(case.text)
    rules = () if any(f.action.removes for f in reference(case.rules, text).findings) else case.rules
    stream = data.draw(streams(channel, data.draw(short_cuts(text)), ascii_only=False))
    found = run(chat.policy(*rules), channel, in_reads(stream, data.draw(read_sizes)))
    assert found.out == stream


@given(made=canaries(), data=st.data(), channel=channels, ending=st.sampled_from(("end", "fail")))
def test_no_removed_character_is_written_anywhere(made: Any, data: st.DataObject, channel: str, ending: str) -> None:
    rules, found = made
    (text, *_) = found.values()
    events = []
    for piece in data.draw(strategies.cuts(text)):
        said: dict[str, Any] = {"text": piece} if channel == "text" else {"delta": SHAPES[channel](piece)}
        repeat = data.draw(st.sampled_from(("", "logprobs", "columns", "extra", "verbose", "prompt", "ids")))
        top: dict[str, Any] = {}
        if repeat == "logprobs":
            said["logprobs"] = {"content": [{"token": c, "logprob": -1.0} for c in piece]}
        elif repeat == "columns":
            said["logprobs"] = {"tokens": list(piece), "top_logprobs": [dict.fromkeys(piece, -1.0)]}
        elif repeat == "ids":
            said["token_ids"] = [ord(c) for c in piece]
        elif repeat == "extra":
            said |= {"stop_reason": text, "content_filter_results": {"a": {"citation": text}}}
        elif repeat == "verbose":
            top = {"__verbose": {"content": piece}}
        elif repeat == "prompt":
            top = {"prompt_logprobs": [{"1": {"logprob": -1, "rank": 1, "decoded_token": text}}]}
        choice = {"index": 0, **said, "finish_reason": None}
        events.append(chat.sse({**chat.ENVELOPE, "choices": [choice], **top}))
    nothing = {"text": ""} if channel == "text" else {"delta": {"annotations": [{"title": text}]}}
    events.append(chat.sse({**chat.ENVELOPE, "choices": [{"index": 0, **nothing, "finish_reason": "stop"}]}))
    stream = opened(channel)(chat.policy(*rules), ModelRequest(), case_id="g-1")
    out = b"".join([stream.feed(read) for read in in_reads(b"".join(events), data.draw(read_sizes))])
    out += stream.fail(Fault("shutdown", "Going down.")) if ending == "fail" else stream.finish()
    chat.read(out)
    output = set(reference(rules, text).output)
    assert written(out) <= output
    for removed in set(text) - output:
        assert str(ord(removed)).encode() not in out


ODD: tuple[Any, ...] = (None, 1, True, "ab", ["ab"], [["ab"]], {"a": "ab"}, [{"text": "ab"}], [{"text": ["ab"]}], [{}])
FIELDS = ("content", "reasoning", "reasoning_content", "reasoning_details", "audio", "annotations", "tool_calls")
EVENTS = (
    *PIECES,
    *(part + b"\n\n" for said in dialects.STREAMS.values() for part in said.split(b"\n\n")),
    *(part + b"\n\n" for said in recorded.STREAMS.values() for part in said.split(b"\n\n")),
    *(chat.event({field: value}) for field in FIELDS for value in ODD),
    *(completions.event(value) for value in ODD),
    *(completions.event("ab", **{key: value}) for key in ("logprobs", "token_ids", "prompt_logprobs") for value in ODD),
    *(completions.event("ab", reason) for reason in ("stop", "for ab", "")),
    chat.event({"reasoning": "ab", "reasoning_content": "ab", "reasoning_details": [{"text": "ab"}], "content": "ab"}),
    chat.event({"content": [{"text": "ab", "thinking": [{"text": "ab"}]}, {"text": "a"}], "audio": {"transcript": "b"}}
    ),
    completions.event("ab", delta={"content": "ab"}, index=1),
)  # fmt: skip

junk = st.lists(st.one_of(st.sampled_from(EVENTS), st.binary(max_size=8)), max_size=12).map(b"".join)


@given(
    junk=junk,
    data=st.data(),
    unknown=st.sampled_from(("block", "pass")),
    opens=st.sampled_from((ChatStream, TextStream)),
)
def test_whatever_comes_is_a_wire_error_or_readable(
    junk: bytes, data: st.DataObject, unknown: Any, opens: type[ChatStream]
) -> None:
    policy = chat.policy(chat.redact("a"), chat.halt("b"), unknown_text=unknown)
    stream = opens(
        policy,
        ModelRequest(said_with=data.draw(strategies.said_with), include_usage=True),
        case_id="g-1",
        limits=WireLimits(4096, 4096),
    )
    out = b""
    try:
        for read in in_reads(junk, data.draw(read_sizes)):
            out += stream.feed(read)
        out += stream.finish()
    except WireError:
        out += stream.fail(Fault("upstream_malformed", "Not an event stream."))
    assert stream.done
    record = stream.record
    assert record.received == record.released + record.removed + record.dropped
    if unknown == "block":
        chat.read(out)
        assert record.unscanned == 0
    try:
        body, record = guard_body(
            policy, ModelRequest(said_with=data.draw(strategies.said_with)), junk.removeprefix(b"data: "), "g-1"
        )
    except WireError:
        return
    assert record.received == record.released + record.removed + record.dropped
    json.loads(body)


@given(case=strategies.cases(max_pieces=5, max_length=200), data=st.data(), channel=channels, late=st.integers(0, 4))
def test_verdicts_may_come_at_any_time(case: strategies.Case, data: st.DataObject, channel: str, late: int) -> None:
    text = whole_surrogates(data.draw(texts(case)))
    chosen = data.draw(settings(*ANY, Action.LOG))
    model = fake(data.draw(st.integers(0, 99)))
    expected = reference(case.rules, text, Classifier(chosen, model))
    stream = data.draw(streams(channel, data.draw(strategies.cuts(text))))
    reads = in_reads(stream, data.draw(read_sizes))
    policy = scored(chosen, *case.rules, notice="")
    found = guard_scored(policy, model, reads, late=late, seed=late, stream=opened(channel))
    assert said_in(channel, found.out) == expected.output
    account_of_units(found)


@given(case=strategies.cases(max_pieces=5), data=st.data())
def test_a_body_is_what_the_stream_comes_to(case: strategies.Case, data: st.DataObject) -> None:
    text = whole_surrogates(case.text)
    policy = chat.policy(*case.rules)
    streamed = run(policy, "text", [data.draw(streams("text", data.draw(strategies.cuts(text))))])
    body = json.dumps({**completions.ENVELOPE, "choices": [{"text": text, "index": 0, "finish_reason": "stop"}]})
    said, record = guard_body(policy, ModelRequest(), body.encode(), "g-1")
    (choice,) = json.loads(said)["choices"]
    assert choice["text"] == streamed.reply.text("text")
    assert choice["finish_reason"] == streamed.reply.finishes[0]
    assert record.findings == streamed.record.findings
