"""Promises of the codec, for any rules, conversation and cut.

1. What a plain client adds up is the same for every cut of the bytes, and is P(T) of the reference.
2. No character of a removed span is in any byte that was written, in any field.
3. What no rule removes anything from passes byte for byte.
4. Whatever upstream sends, the codec raises WireError or nothing, and writes what a strict client can read.
5. Every character is accounted for.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guardrail.errors import WireError
from guardrail.text.rules import Action, KeywordRule, Label, Rule
from guardrail.wire.answer import Fault
from guardrail.wire.openai_chat import ChatStream
from guardrail.wire.openai_chat_body import guard_body
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from guardrail.wire.strict_json import whole_surrogates
from tests import strategies
from tests.reference import reference
from tests.wire import chat
from tests.wire.chat import ENVELOPE, Run, guard

CHANNELS = ("content", "reasoning_content", "refusal")


read_sizes = st.one_of(st.just(1 << 20), st.just(1), st.lists(st.integers(1, 300), min_size=1, max_size=8))
"""How the bytes are cut into reads: whole, byte by byte, or of these sizes in turn."""


def in_reads(data: bytes, sizes: int | list[int]) -> list[bytes]:
    reads, at = [], 0
    for size in itertools.cycle([sizes] if isinstance(sizes, int) else sizes):
        reads.append(data[at : at + size])
        at += size
        if at >= len(data):
            return reads


def units(text: str) -> st.SearchStrategy[list[str]]:
    """The text in pieces; surrogate pairs may be cut in two, as servers that count UTF-16 units do."""
    halves = [c for char in text for c in _halves(char)]
    return strategies.cuts("".join(halves))


def _halves(char: str) -> str:
    unit = char.encode("utf-16-be", "surrogatepass")
    return "".join(chr(int.from_bytes(unit[i : i + 2], "big")) for i in range(0, len(unit), 2))


Cut = Callable[[str], st.SearchStrategy[list[str]]]


@st.composite
def streams(draw: st.DrawFn, texts: dict[tuple[int, str], str], *, cut: Cut = units) -> bytes:
    """A stream that says each text in its channel, in any interleaving, however a server may write it."""
    waiting = {key: draw(cut(text)) for key, text in texts.items()}
    line_end = draw(st.sampled_from(("\n", "\n", "\r\n")))
    ascii_only = cut is units or draw(st.booleans())
    together = draw(st.booleans())
    extra: dict[str, Any] = draw(st.sampled_from(({}, {"logprobs": None}, {"stop_reason": None, "extra": 1})))
    events: list[bytes] = []

    def say(*choices: dict[str, Any]) -> None:
        value = {**ENVELOPE, "choices": [{**choice, **extra} for choice in choices]}
        events.append(chat.sse(value, ascii_only=ascii_only, line_end=line_end))

    while any(waiting.values()):
        key = draw(st.sampled_from([key for key, left in waiting.items() if left]))
        index, channel = key
        said = [{"index": index, "delta": {channel: waiting[key].pop(0)}, "finish_reason": None}]
        if together:
            for other, left in waiting.items():
                if left and other[0] != index and draw(st.booleans()):
                    said.append({"index": other[0], "delta": {other[1]: left.pop(0)}, "finish_reason": None})
                    break
        say(*said)
    for index in sorted({index for index, _ in texts}):
        say({"index": index, "delta": {}, "finish_reason": "stop"})
    events.append(b"data: [DONE]" + (line_end * 2).encode())
    return b"".join(events)


def accounted(run: Run) -> None:
    record = run.record
    assert record.held == 0
    assert record.received == record.released + record.removed + record.dropped
    assert record.unscanned == 0


@given(case=strategies.cases(max_pieces=8), data=st.data())
def test_one_channel_is_the_reference_for_every_cut(case: strategies.Case, data: st.DataObject) -> None:
    text = whole_surrogates(case.text)
    stream = data.draw(streams({(0, "content"): text}))
    expected = reference(case.rules, text)
    policy = chat.policy(*case.rules, notice="")
    for cut in ([stream], in_reads(stream, data.draw(read_sizes))):
        run = guard(policy, cut)
        assert run.reply.text() == expected.output
        assert run.reply.finishes == {0: "content_filter" if expected.halted else "stop"}
        assert list(run.record.findings) == expected.findings
        assert run.reply.done
        accounted(run)


@given(case=strategies.cases(max_pieces=6), data=st.data(), scope=st.sampled_from(("choice", "response")))
def test_many_channels_are_the_same_for_every_cut(case: strategies.Case, data: st.DataObject, scope: Any) -> None:
    text = whole_surrogates(case.text)
    keys = data.draw(
        st.lists(st.tuples(st.integers(0, 1), st.sampled_from(CHANNELS)), min_size=1, max_size=3, unique=True)
    )
    texts = {key: text[at:] + text[:at] for at, key in enumerate(keys)}
    stream = data.draw(streams(texts))
    policy = chat.policy(*case.rules, halt_scope=scope)
    request = ModelRequest(n=len({index for index, _ in keys}), include_usage=True)
    runs = [
        guard(policy, cut, request=request)
        for cut in ([stream], in_reads(stream, data.draw(read_sizes)), in_reads(stream, data.draw(read_sizes)))
    ]
    first = runs[0].reply
    for run in runs:
        reply = run.reply
        assert (reply.texts, reply.finishes) == (first.texts, first.finishes)
        assert run.abort == runs[0].abort
        accounted(run)
    if not runs[0].record.halted:
        for (index, key), raw in texts.items():
            assert first.text(key, index) == reference(case.rules, raw).output


@st.composite
def canaries(draw: st.DrawFn) -> tuple[tuple[Rule, ...], dict[tuple[int, str], str]]:
    """Texts in which no character comes twice, and rules that remove some stretches of them. With several channels in
    a choice there is no halt: it would end the others in the middle of a stretch."""
    keys = draw(
        st.one_of(
            st.lists(
                st.tuples(st.integers(0, 1), st.sampled_from((*CHANNELS, "tool"))), min_size=1, max_size=4, unique=True
            ),
            st.lists(
                st.tuples(st.integers(0, 1), st.sampled_from((*CHANNELS, "tool"))), min_size=1, unique_by=lambda k: k[0]
            ),
        )
    )
    halts = len({index for index, _ in keys}) == len(keys)
    texts = {}
    terms: dict[Action, list[str]] = {Action.REDACT: [], Action.HALT: []}
    for position, key in enumerate(keys):
        size = draw(st.integers(1, 60))
        texts[key] = text = "".join(chr(0x4E00 + position * 100 + i) for i in range(size))
        for _ in range(draw(st.integers(0, 3))):
            start = draw(st.integers(0, size - 1))
            action = draw(st.sampled_from((Action.REDACT, Action.REDACT, Action.HALT))) if halts else Action.REDACT
            terms[action].append(text[start : draw(st.integers(start + 1, size))])
    rules = tuple(
        KeywordRule(id=action.value, category="c", terms=tuple(found), action=action, mask=Label("#"))
        for action, found in terms.items()
        if found
    )
    return rules, texts


@st.composite
def repeating_streams(draw: st.DrawFn, texts: dict[tuple[int, str], str]) -> bytes:
    """A stream that repeats its text wherever servers do: log probabilities, summaries, fields that nobody knows."""
    raw = {key: json.dumps({"q": t}, ensure_ascii=False) if key[1] == "tool" else t for key, t in texts.items()}
    waiting = {key: draw(strategies.cuts(text)) for key, text in raw.items()}
    events = [chat.event({"role": "assistant", "content": ""}, index=index) for index in sorted({i for i, _ in texts})]
    while any(waiting.values()):
        key = draw(st.sampled_from([key for key, left in waiting.items() if left]))
        index, channel = key
        text = waiting[key].pop(0)
        delta: dict[str, Any] = {channel: text}
        if channel == "tool":
            delta = {"tool_calls": [{"index": 0, "id": "call_1", "function": {"arguments": text}}]}
        choice, top = {}, {}
        repeat = draw(
            st.sampled_from(("", "", "logprobs", "delta", "choice", "legacy", "key", "top", "comment", "twice"))
        )
        if repeat == "logprobs":
            tokens = [{"token": c, "logprob": -1.0, "bytes": list(c.encode()), "top_logprobs": []} for c in text]
            choice = {"logprobs": {"content": tokens}}
        elif repeat == "legacy":
            choice = {"logprobs": {"tokens": list(text), "top_logprobs": [dict.fromkeys(text, -1.0)]}}
        elif repeat == "choice":
            choice = {"message": {"content": text}}
        elif repeat == "delta":
            delta["reasoning_details"] = [{"deep": {"text": text}}]
        elif repeat == "key":
            delta[text or "x"] = {text or "y": [text]}
        elif repeat == "top":
            top = {"summary": {"so": ["far", text]}}
        event = chat.event(delta, index=index, top=top, **choice)
        other = next((k for k, left in waiting.items() if left and k[0] != index and k[1] != "tool"), None)
        if other is not None and draw(st.booleans()):
            said = {"index": other[0], "delta": {other[1]: waiting[other].pop(0)}, "finish_reason": None}
            event = event.replace(b":null}]", b":null}," + json.dumps(said, ensure_ascii=False).encode() + b"]")
        if repeat == "comment":
            event = b": " + text.encode() * 70 + b"\n" + event
        elif repeat == "twice":
            event = event.replace(
                b'"delta":', b'"delta":{"content":"' + json.dumps(text).encode()[1:-1] + b'"},"delta":'
            )
        events.append(event)
    for index in sorted({index for index, _ in texts}):
        events.append(chat.event({}, "stop", index=index))
    if draw(st.booleans()):
        events.append(chat.sse({"error": {"message": "it broke after " + " ".join(texts.values())}}))
    return b"".join(events)


@given(made=canaries(), data=st.data(), ending=st.sampled_from(("done", "end", "fail")))
def test_no_removed_character_is_written_anywhere(
    made: tuple[tuple[Rule, ...], dict[tuple[int, str], str]], data: st.DataObject, ending: str
) -> None:
    rules, texts = made
    events = data.draw(repeating_streams(texts)) + (chat.DONE if ending == "done" else b"")
    stream = ChatStream(chat.policy(*rules), ModelRequest(n=2), case_id="g-1")
    out = b"".join([stream.feed(read) for read in in_reads(events, data.draw(read_sizes))])
    out += stream.fail(Fault("shutdown", "Going down.")) if ending == "fail" else stream.finish()
    chat.read(out)
    allowed = {char for text in texts.values() for char in reference(rules, text).output}
    written = out.decode()
    escaped = [chr(int(code, 16)) for code in re.findall(r"\\u([0-9a-f]{4})", written)]
    assert {char for char in (*written, *escaped) if "\u4e00" <= char <= "\u5fff"} <= allowed


@given(case=strategies.cases(max_pieces=6), data=st.data())
def test_what_is_clean_passes_byte_for_byte(case: strategies.Case, data: st.DataObject) -> None:
    """Events of up to 32 characters under rules that might have hit; any events under rules that only log."""
    text = whole_surrogates(case.text)
    rules = case.rules
    short = not any(found.action.removes for found in reference(rules, text).findings)
    if not short:
        rules = tuple(replace(rule, action=Action.LOG) for rule in rules)
    stream = data.draw(streams({(0, "content"): text}, cut=short_cuts if short else strategies.cuts))
    run = guard(chat.policy(*rules), in_reads(stream, data.draw(read_sizes)))
    assert run.out == stream
    if not short:
        assert run.record.held_max == run.record.events_delayed == 0


def short_cuts(text: str) -> st.SearchStrategy[list[str]]:
    return strategies.cuts(text).map(lambda cut: [p[i : i + 32] for p in cut for i in range(0, len(p), 32)])


PIECES = (
    *(
        b"data: ",
        b"data:",
        b"\n",
        b"\n\n",
        b"\r\n\r\n",
        b"\r",
        b": ping\n\n",
        b"event: error\n",
        b"\xef\xbb\xbf",
        b"\xff",
    ),
    *(b"{", b"}", b"[", b"]", b'"', b"\\", b"\\ud83d", b"\x00", b"null", b"1e999", b"NaN", b"[" * 2000, b"9" * 5000),
    *(chat.DONE, chat.event({"content": "ab"}), chat.event({"content": "b"}), chat.event({}, "stop"), b"<html>"),
    *(chat.event({"content": None, "refusal": "a"}), chat.event("a"), chat.event(None), chat.event({"content": ["a"]})),
    *(
        chat.event({"content": "a"}, index=-1),
        chat.event({"content": "a"}, index=True),
        chat.event({"content": "a"}, index=7),
    ),  # type: ignore[arg-type]
    *(chat.event({"tool_calls": calls}) for calls in ("a", [None], ["a"], [{}], [{"index": "x"}], [{"function": "a"}])),
    *(
        chat.event({"tool_calls": [{"index": 0, "function": {"name": n, "arguments": a}}]})
        for n, a in (("f", "{"), (1, {}))
    ),  # type: ignore[dict-item]
    *(chat.event({"function_call": f}) for f in ("a", {"name": "f", "arguments": '{"a":"ab"}'}, {"name": {}})),
    *(chat.sse(v) for v in ([], "a", 1, None, {}, {"choices": None}, {"choices": {}}, {"choices": ["a", None]})),
    *(chat.sse({"choices": [c]}) for c in ({}, {"text": "ab"}, {"text": 1}, {"delta": {}, "finish_reason": ["a b"]})),
    *(chat.sse({"choices": [], "usage": u}) for u in ({"total_tokens": 1}, "a b", {"a": "long " * 20})),
    *(chat.sse({"error": e}) for e in ("ab", {"message": "ab"}, {}, None, [["ab"]])),
    *(
        chat.event({"content": "ab"}, logprobs=lp)
        for lp in ({}, {"content": [{"token": "ab", "logprob": -1}]}, "a", [1])
    ),
    chat.sse({"choices": [{"index": 0, "delta": {"content": "a"}}, {"index": 1, "delta": {"content": "b"}}]}),
    chat.event(
        {"content": "ab", "refusal": "a", "tool_calls": [{"function": {"name": "f", "arguments": "1"}}]}, "stop"
    ),
)

junk = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)), max_size=12).map(b"".join)


@given(
    junk=junk, data=st.data(), scope=st.sampled_from(("choice", "response")), unknown=st.sampled_from(("block", "pass"))
)
def test_whatever_comes_is_a_wire_error_or_readable(junk: bytes, data: st.DataObject, scope: Any, unknown: Any) -> None:
    policy = chat.policy(chat.redact("a"), chat.halt("b"), halt_scope=scope, unknown_text=unknown)
    stream = ChatStream(
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
    assert (stream.feed(b"data: x\n\n"), stream.finish(), stream.keep_alive()) == (b"", b"", b"")
    record = stream.record
    assert record.received == record.released + record.removed + record.dropped
    if unknown == "block":
        chat.read(out)
        assert record.unscanned == 0
    try:
        body, _ = guard_body(policy, ModelRequest(said_with=data.draw(strategies.said_with)), junk, "g-1")
    except WireError:
        return
    json.loads(body)
