"""Promises of the codec of Anthropic Messages, for any rules, answer and cut; see `test_wire_chat`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.text.rules import Action, KeywordRule, Label, Rule
from guardrail.wire.answer import Fault
from guardrail.wire.anthropic import AnthropicStream
from guardrail.wire.anthropic_body import guard_body
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from guardrail.wire.strict_json import whole_surrogates
from tests import strategies
from tests.property.test_text_classifier import ANY, settings, texts
from tests.property.test_wire_chat import in_reads, read_sizes, short_cuts, units
from tests.reference import Classifier, reference
from tests.scoring import fake
from tests.wire import anthropic_client as client
from tests.wire import chat
from tests.wire.anthropic_client import Run, begin, delta, end, guard, sse
from tests.wire.scored import Shell, guard_scored, scored

KINDS = ("text", "thinking", "content", "tool")
"""Of blocks, by the field that their text is in; `content` is a compaction."""

Cut = Callable[[str], st.SearchStrategy[list[str]]]


@st.composite
def streams(draw: st.DrawFn, blocks: list[tuple[str, str]], *, cut: Cut = units) -> bytes:
    """A message of these blocks, (kind, text), however a server may write it."""
    line_end = draw(st.sampled_from(("\n", "\n", "\r\n")))
    ascii_only = cut is units or draw(st.booleans())
    pads = draw(st.sampled_from((st.just(0), st.integers(0, 15))))
    named = draw(st.booleans())
    events: list[bytes] = []

    def say(value: dict[str, Any]) -> None:
        name = None if named else ""
        events.append(sse(value, name=name, ascii_only=ascii_only, line_end=line_end, pad=draw(pads)))

    def on(kind: str, index: int, **fields: Any) -> None:
        say({"type": f"content_block_{kind}", "index": index, **fields})

    say({"type": "message_start", "message": client.MESSAGE})
    for index, (kind, text) in enumerate(blocks):
        if kind == "tool":
            start = {"type": "tool_use", "id": f"toolu_{index}", "name": "f", "input": {}}
            on("start", index, content_block=start)
            for piece in draw(strategies.cuts(json.dumps({"q": text}))):
                on("delta", index, delta={"type": "input_json_delta", "partial_json": piece})
        else:
            empty = {"type": {"content": "compaction"}.get(kind, kind), kind: None if kind == "content" else ""}
            on("start", index, content_block=empty)
            if draw(st.booleans()):
                say({"type": "ping"})
            for piece in draw(cut(text)):
                on("delta", index, delta={"type": client.DELTAS[kind], kind: piece})
            if kind == "thinking":
                on("delta", index, delta={"type": "signature_delta", "signature": "c2ln"})
        on("stop", index)
    say({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}})
    say({"type": "message_stop"})
    return b"".join(events)


def accounted(run: Run) -> None:
    record = run.record
    assert record.held == 0
    assert record.received == record.released + record.removed + record.dropped
    assert record.unscanned == 0


@given(case=strategies.cases(max_pieces=8), data=st.data())
def test_one_block_is_the_reference_for_every_cut(case: strategies.Case, data: st.DataObject) -> None:
    text = whole_surrogates(case.text)
    stream = data.draw(streams([("text", text)]))
    expected = reference(case.rules, text)
    for cut in ([stream], in_reads(stream, data.draw(read_sizes))):
        run = guard(chat.policy(*case.rules, notice=""), cut)
        assert run.reply.texts() == expected.output
        assert run.reply.stop_reason == ("refusal" if expected.halted else "end_turn")
        assert [replace(finding, channel="") for finding in run.record.findings] == [
            replace(finding, channel="") for finding in expected.findings
        ]
        assert run.reply.done
        accounted(run)


def some_blocks(text: str, most: int = 4) -> st.SearchStrategy[list[tuple[str, str]]]:
    return st.lists(st.sampled_from(KINDS), min_size=1, max_size=most).map(
        lambda kinds: [(kind, text[at:] + text[:at]) for at, kind in enumerate(kinds)]
    )


@given(case=strategies.cases(max_pieces=6), data=st.data())
def test_many_blocks_are_the_same_for_every_cut_and_in_a_body(case: strategies.Case, data: st.DataObject) -> None:
    blocks = data.draw(some_blocks(whole_surrogates(case.text)))
    stream = data.draw(streams(blocks))
    policy = chat.policy(*case.rules)
    runs = [guard(policy, cut) for cut in ([stream], in_reads(stream, data.draw(read_sizes)))]
    first = runs[0].reply
    for run in runs:
        assert (run.reply.content, run.reply.stop) == (first.content, first.stop)
        assert run.abort == runs[0].abort == (first.stop_reason == "refusal")
        assert run.reply.done
        accounted(run)
    if not runs[0].record.halted:
        for (kind, raw), found in zip(blocks, first.content, strict=True):
            if kind != "tool":
                assert (found[kind] or "") == reference(case.rules, raw).output
    body, record = guard_body(policy, ModelRequest(), body_of(blocks), "g-1")
    said = json.loads(body)
    assert [content_of(found) for found in said["content"]] == [content_of(found) for found in first.content]
    assert said["stop_reason"] == first.stop_reason
    assert record.received == record.released + record.removed + record.dropped


def body_of(blocks: list[tuple[str, str]]) -> bytes:
    content = [
        {"type": "tool_use", "id": f"toolu_{index}", "name": "f", "input": {"q": text}}
        if kind == "tool"
        else {"type": {"content": "compaction"}.get(kind, kind), kind: text}
        for index, (kind, text) in enumerate(blocks)
    ]
    return json.dumps({**client.MESSAGE, "content": content, "stop_reason": "end_turn"}, ensure_ascii=False).encode()


def content_of(block: dict[str, Any]) -> Any:
    called = json.loads(block["json"]) if block.get("json") else block.get("input")
    return block["type"], block.get("text"), block.get("thinking"), block.get("content") or "", called


@given(case=strategies.cases(max_pieces=6), data=st.data())
def test_what_is_clean_passes_byte_for_byte(case: strategies.Case, data: st.DataObject) -> None:
    """Deltas of up to 32 characters under rules that might have hit; any deltas under rules that only log."""
    blocks = data.draw(some_blocks(whole_surrogates(case.text)))
    rules = case.rules
    said = [json.dumps({"q": text}) if kind == "tool" else text for kind, text in blocks]
    clean = not any(found.action.removes for text in said for found in reference(rules, text).findings)
    short = clean and not any(kind == "tool" for kind, _ in blocks)
    if not short:
        rules = tuple(replace(rule, action=Action.LOG) for rule in rules)
    stream = data.draw(streams(blocks, cut=short_cuts if short else strategies.cuts))
    run = guard(chat.policy(*rules), in_reads(stream, data.draw(read_sizes)))
    assert run.out.replace(client.PING, b"") == stream.replace(client.PING, b"")
    assert sorted(run.out) == sorted(stream)


@st.composite
def canaries(draw: st.DrawFn) -> tuple[tuple[Rule, ...], list[tuple[str, str]]]:
    """Texts in which no character comes twice, and rules that remove some stretches of them."""
    blocks = []
    terms: dict[Action, list[str]] = {Action.REDACT: [], Action.HALT: []}
    for position in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from((*KINDS, "result", "citation", "name", "early")))
        text = "".join(chr(0x4E00 + position * 100 + i) for i in range(draw(st.integers(1, 60))))
        blocks.append((kind, text))
        for _ in range(draw(st.integers(0, 3))):
            start = draw(st.integers(0, len(text) - 1))
            action = draw(st.sampled_from((Action.REDACT, Action.REDACT, Action.REDACT, Action.HALT)))
            terms[action].append(text[start : draw(st.integers(start + 1, len(text)))])
    rules = tuple(
        KeywordRule(id=action.value, category="c", terms=tuple(found), action=action, mask=Label("#"))
        for action, found in terms.items()
        if found
    )
    return rules, blocks


@st.composite
def repeating_streams(draw: st.DrawFn, blocks: list[tuple[str, str]]) -> bytes:
    """A stream that repeats its text wherever a server might: in starts, unknown fields, unknown events and blocks."""
    events = [client.START]
    for index, (kind, text) in enumerate(blocks):
        pieces = draw(strategies.cuts(text))
        again = draw(st.sampled_from(("", "", "start", "delta", "event", "key", "type", "comment", "twice", "stop")))
        extra = {"more": {"deep": [text]}} if again == "start" else {text: 1} if again == "key" else {}
        if kind in ("tool", "name", "early"):
            early = {"q": text} if kind == "early" else {}
            events.append(
                begin(index, "tool_use", id="toolu_1", name=text if kind == "name" else "f", input=early, **extra)
            )
            if kind == "tool":
                said = draw(strategies.cuts(json.dumps({"q": text}, ensure_ascii=draw(st.booleans()))))
                events += [delta(index, "input_json_delta", partial_json=piece) for piece in said]
        elif kind == "result":
            found = {"type": "web_search_result", "title": text, "encrypted_content": "YWJj", "url": "https://a.b"}
            events.append(begin(index, "web_search_tool_result", tool_use_id="srv_1", content=[found], **extra))
        elif kind == "citation":
            events.append(begin(index, **extra))
            cited = {"type": "char_location", "cited_text": text, "document_index": 0, "document_title": None}
            events.append(delta(index, "citations_delta", citation=cited))
        else:
            first = pieces.pop(0) if draw(st.booleans()) else ""
            events.append(begin(index, "compaction" if kind == "content" else kind, **{kind: first}, **extra))
            for piece in pieces:
                more = {"also": piece} if again == "delta" else {}
                event = delta(index, client.DELTAS[kind], **{kind: piece}, **more)
                if again == "twice":
                    event = event.replace(b'"delta":', b'"delta":' + json.dumps(text).encode() + b',"delta":')
                events.append(event)
        if again == "event":
            events.append(sse({"type": "summary", "text": text}, name="summary"))
        elif again == "type":
            events.append(delta(index, text) if kind not in ("tool", "name", "early") else client.PING)
        elif again == "comment":
            events.append(b": " + text.encode() * 70 + b"\n" + client.PING)
        if again != "stop":  # a server may forget it
            events.append(end(index))
    last = {"stop_reason": "stop_sequence", "stop_sequence": draw(st.sampled_from(blocks))[1]}
    events.append(draw(st.sampled_from((client.stopped(), client.stopped(**last), client.stopped(blocks[0][1])))))
    if draw(st.booleans()):
        events.append(sse({"type": "error", "error": {"message": "after " + " ".join(text for _, text in blocks)}}))
    return b"".join(events)


@given(made=canaries(), data=st.data(), ending=st.sampled_from(("done", "end", "fail")))
def test_no_removed_character_is_written_anywhere(
    made: tuple[tuple[Rule, ...], list[tuple[str, str]]], data: st.DataObject, ending: str
) -> None:
    rules, blocks = made
    events = data.draw(repeating_streams(blocks)) + (client.STOP if ending == "done" else b"")
    stream = AnthropicStream(chat.policy(*rules), ModelRequest(), case_id="g-1")
    out = b"".join([stream.feed(read) for read in in_reads(events, data.draw(read_sizes))])
    out += stream.fail(Fault("shutdown", "Going down.")) if ending == "fail" else stream.finish()
    client.read(out)
    assert written(out) <= {char for _, text in blocks for char in reference(rules, text).output}
    assert stream.record.received == stream.record.released + stream.record.removed + stream.record.dropped


def written(out: bytes) -> set[str]:
    said = out.decode()
    escaped = [chr(int(code, 16)) for code in re.findall(r"\\u([0-9a-f]{4})", said)]
    return {char for char in (*said, *escaped) if "\u4e00" <= char <= "\u5fff"}


NO_TEXTS: tuple[Any, ...] = (None, 1, ["a"], {})
NO_DELTAS: tuple[Any, ...] = ("a", None, {}, {"type": []})
QUOTED: tuple[Any, ...] = ("ab", {"cited_text": "b"}, None, ["\ud83d"])
VALUES: tuple[Any, ...] = ([], "a", None, {}, {"type": None}, {"type": ["a"]}, {"type": "new", "text": "ab"})

PIECES = (
    *(b"data: ", b"event: content_block_delta\n", b"\n", b"\n\n", b"\r", b": ping\n\n", b"event: error\n", b"\xff"),
    *(b"{", b"}", b"[", b'"', b"\\ud83d", b"null", b"1e999", b"[" * 2000, b"9" * 5000, b"<html>"),
    *(client.START, client.START, client.STOP, client.PING, client.stopped(), client.stopped("a b"), end(), end(1)),
    *(begin(), begin(), begin(1), begin(0, "thinking"), begin(0, "tool_use", name="ab")),
    *(begin(text="ab", citations=["a"]), begin(0, "new", text="ab"), begin(0, "", id={"a": "b"}), begin(-1)),
    *(begin(1, "x_tool_result", content="ab"), begin(0, "x_tool_use", name=1, input="a")),
    begin(0, "tool_use", name=[], input=[1]),
    *client.says("ab", "b", "", "z a"),
    *client.says("ab", "b", key="thinking"),
    *client.says("a", index=1),
    *(delta(0, "text_delta", text=text) for text in NO_TEXTS),
    *(delta(0, "input_json_delta", partial_json=text) for text in ("{", '"ab"', "}", None, ["a"])),
    *(delta(0, "signature_delta", signature=text) for text in ("YWI=", "a b", None)),
    *(delta(0, "citations_delta", citation=found) for found in QUOTED),
    *(delta(0, kind) for kind in ("new", "a b", "compaction_delta")),
    *(sse({"type": "content_block_delta", "index": 0, "delta": found}) for found in NO_DELTAS),
    *(sse({"type": "message_start", "message": found}) for found in ("a", {}, {"content": "ab"}, {"content": ["a"]})),
    *(sse({"type": "message_delta", "delta": found}) for found in ({}, "a", {"stop_reason": ["a"]})),
    sse({"type": "message_delta", "delta": {"stop_reason": 5}}),
    *(client.stopped(stop_sequence=found) for found in ("ab", 5, {"a": "b"})),
    *(client.stopped(stop_details=found) for found in ("ab", {"explanation": "b", "more": "a"}, {"type": "refusal"})),
    *(sse(value) for value in VALUES),
    *(sse({"type": "error", "error": found}) for found in ("ab", {"message": "a"}, {}, None)),
    *(sse({"error": found}) for found in ("ab", {"message": "a"}, {}, None)),
)  # fmt: skip

junk = st.one_of(
    st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)), max_size=12).map(b"".join),
    st.lists(st.sampled_from(PIECES), max_size=12).map(lambda pieces: client.START + b"".join(pieces)),
    st.lists(st.sampled_from(PIECES), max_size=12).map(lambda pieces: client.START + begin() + b"".join(pieces)),
)


@given(junk=junk, data=st.data(), unknown=st.sampled_from(("block", "pass")))
def test_whatever_comes_is_a_wire_error_or_readable(junk: bytes, data: st.DataObject, unknown: Any) -> None:
    policy = chat.policy(chat.redact("a"), chat.halt("b"), unknown_text=unknown)
    stream = AnthropicStream(
        policy, ModelRequest(said_with=data.draw(strategies.said_with)), case_id="g-1", limits=WireLimits(4096, 4096)
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
    check(policy, stream, out)
    for body in (junk, *[event.partition(b"data: ")[2].strip() for event in junk.split(b"\n\n")]):
        try:
            said, _ = guard_body(policy, ModelRequest(said_with=data.draw(strategies.said_with)), body, "g-1")
        except WireError:
            continue
        json.loads(said)


def check(policy: Policy, stream: AnthropicStream, out: bytes) -> None:
    record = stream.record
    assert record.received == record.released + record.removed + record.dropped
    if policy.unknown_text == "block":
        reply = client.read(out)
        assert record.unscanned == 0
        for block in reply.content:
            text = f"{block.get('text')} {block.get('thinking')} {block.get('json')}".replace(chat.NOTICE, "")
            assert not re.search(r"\b[ab]\b", text.replace("[X]", "").replace("None", ""))


@given(case=strategies.cases(max_pieces=5, max_length=200), data=st.data(), late=st.sampled_from((0, 1, 4)))
def test_under_a_classifier_blocks_are_the_same_for_every_cut_and_timing(
    case: strategies.Case, data: st.DataObject, late: int
) -> None:
    blocks = [
        (kind, whole_surrogates(data.draw(texts(case))))
        for kind in data.draw(st.lists(st.sampled_from(("text", "thinking")), min_size=1, max_size=3))
    ]
    chosen = data.draw(settings(*ANY))
    model = fake(data.draw(st.integers(0, 99)))
    stream = data.draw(streams(blocks))
    policy = scored(chosen, *case.rules)
    runs = [
        guard_scored(policy, model, cut, late=wait, seed=wait, reads_on=on, stream=AnthropicStream)
        for cut, wait, on in (
            ([stream], 0, False),
            (in_reads(stream, data.draw(read_sizes)), late, False),
            (in_reads(stream, data.draw(read_sizes)), 9, True),
        )
    ]
    first = client.read(runs[0].out)
    for run in runs:
        reply, record = client.read(run.out), run.record
        assert (reply.content, reply.stop) == (first.content, first.stop)
        assert record.findings == runs[0].record.findings
        assert (record.held, record.received) == (0, record.released + record.removed + record.dropped)
    if len(blocks) == 1:
        kind, text = blocks[0]
        expected = reference(case.rules, text, Classifier(chosen, model))
        assert first.content[0][kind].removesuffix(chat.NOTICE) == expected.output


@given(junk=junk, data=st.data(), lag=st.sampled_from((0, 5)))
def test_whatever_comes_under_a_classifier_is_a_wire_error_or_readable(
    junk: bytes, data: st.DataObject, lag: int
) -> None:
    chosen = data.draw(settings(Action.HALT, Action.LOG, lag_budget=lag))
    policy = scored(chosen, chat.redact("a"))
    shell = Shell(policy, fake(data.draw(st.integers(0, 99))), stream=AnthropicStream)
    reads_on = data.draw(st.booleans())

    def answer(at_least: int) -> None:
        while len(shell.open) > at_least:
            try:
                shell.answer(data.draw(st.integers(0, len(shell.open) - 1)))
            except WireError:
                shell.fail()

    try:
        for read in in_reads(junk, data.draw(read_sizes)):
            shell.feed(read)
            answer(0 if shell.stream.stalled and not reads_on else data.draw(st.sampled_from((0, 1, 5))))
        shell.finish()
    except WireError:
        shell.fail()
    answer(0)
    assert shell.stream.done
    assert not shell.stream.stalled
    record = shell.stream.record
    assert record.received == record.released + record.removed + record.dropped
    client.read(shell.out)
