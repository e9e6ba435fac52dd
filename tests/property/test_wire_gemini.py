"""Promises of the codec of Gemini, for any rules, conversation and cut, in both framings; see `test_wire_chat`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.text.rules import Action, KeywordRule, Label, Rule
from guardrail.wire.answer import Fault
from guardrail.wire.gemini import GeminiArrayStream, GeminiStream
from guardrail.wire.gemini_body import guard_body
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from guardrail.wire.strict_json import whole_surrogates
from tests import strategies
from tests.property.test_text_classifier import ANY, settings, texts
from tests.property.test_wire_chat import in_reads, read_sizes, short_cuts, units
from tests.reference import reference
from tests.scoring import fake
from tests.wire import chat
from tests.wire import gemini_client as gemini
from tests.wire.gemini_client import Run, guard
from tests.wire.scored import Shell, scored


@st.composite
def streams(draw: st.DrawFn, stretches: list[tuple[int, str, str]], *, cut: Any = units) -> list[bytes]:
    """A stream that says each (candidate, kind, text) in turn, however a server may write it: several parts in a chunk,
    several candidates, the finish beside the last text."""
    ascii_only = cut is units or draw(st.booleans())
    line_end = draw(st.sampled_from(("\n", "\r\n")))
    parts = [
        (index, gemini.text(piece, thought=kind == "thought"))
        for index, kind, said in stretches
        for piece in draw(cut(said))
    ]
    chunks: list[dict[int, list[dict[str, Any]]]] = []
    for index, part in parts:
        if not chunks or not draw(st.booleans()):
            chunks.append({})
        chunks[-1].setdefault(index, []).append(part)
    indexes = sorted({index for index, _, _ in stretches})
    last = {index: max((n for n, c in enumerate(chunks) if index in c), default=-1) for index in indexes}
    together = draw(st.booleans())
    events, count = [], 0
    for number, said in enumerate(chunks):
        candidates: list[dict[str, Any]] = []
        for index, found in said.items():
            candidates.append({"content": {"parts": found, "role": "model"}, "index": index})
            if together and last[index] == number:
                candidates[-1]["finishReason"] = "STOP"
        count += 3
        usage = {"promptTokenCount": 3, "candidatesTokenCount": count, "totalTokenCount": count + 3}
        events.append({"candidates": candidates, "usageMetadata": usage, **gemini.TOP})
    if not together or not chunks:
        events += [
            {"candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": "STOP", "index": index}]}
            for index in indexes
        ]
    return [gemini.sse(event, ascii_only=ascii_only, line_end=line_end) for event in events]


def reads_of(data: st.DataObject, events: list[bytes], array: bool) -> list[bytes]:
    return in_reads(gemini.as_array(events) if array else b"".join(events), data.draw(read_sizes))


def accounted(run: Run) -> None:
    record = run.record
    assert record.held == 0
    assert record.received == record.released + record.removed + record.dropped
    assert record.unscanned == 0


@given(case=strategies.cases(max_pieces=8), data=st.data())
def test_one_channel_is_the_reference_for_every_cut(case: strategies.Case, data: st.DataObject) -> None:
    said = whole_surrogates(case.text)
    events = data.draw(streams([(0, "text", said)]))
    expected = reference(case.rules, said)
    policy = chat.policy(*case.rules, notice="")
    for array in (False, True):
        run = guard(policy, reads_of(data, events, array), array=array)
        assert run.reply.text() == expected.output
        assert (run.reply.finishes[0] == "STOP") == (not expected.halted)
        assert [replace(f, channel="content") for f in run.record.findings] == [
            replace(f, channel="content") for f in expected.findings
        ]
        accounted(run)


@given(case=strategies.cases(max_pieces=6), data=st.data(), scope=st.sampled_from(("choice", "response")))
def test_many_stretches_are_the_same_for_every_cut(case: strategies.Case, data: st.DataObject, scope: Any) -> None:
    said = whole_surrogates(case.text)
    kinds = data.draw(
        st.lists(st.tuples(st.integers(0, 1), st.sampled_from(("text", "thought"))), min_size=1, max_size=4)
    )
    stretches = [(index, kind, said[at:] + said[:at]) for at, (index, kind) in enumerate(kinds)]
    events = data.draw(streams(stretches))
    policy = chat.policy(*case.rules, halt_scope=scope)
    request = ModelRequest(n=len({index for index, _ in kinds}))
    runs = [
        guard(policy, cut, request=request, array=array)
        for cut, array in (
            ([b"".join(events)], False),
            (reads_of(data, events, False), False),
            (reads_of(data, events, True), True),
        )
    ]
    for run in runs:
        assert (run.reply.parts, run.reply.finishes) == (runs[0].reply.parts, runs[0].reply.finishes)
        assert (run.abort, run.record.findings) == (runs[0].abort, runs[0].record.findings)
        accounted(run)


@st.composite
def canaries(draw: st.DrawFn) -> tuple[tuple[Rule, ...], list[tuple[int, str, str]]]:
    """Texts in which no character comes twice, and rules that remove some stretches of them."""
    kinds = draw(
        st.lists(
            st.tuples(st.integers(0, 1), st.sampled_from(("text", "thought", "call", "code"))), min_size=1, max_size=4
        )
    )
    stretches = []
    terms = []
    for position, (index, kind) in enumerate(kinds):
        size = draw(st.integers(1, 60))
        said = "".join(chr(0x4E00 + position * 100 + i) for i in range(size))
        stretches.append((index, kind, said))
        for _ in range(draw(st.integers(0, 3))):
            start = draw(st.integers(0, size - 1))
            terms.append(said[start : draw(st.integers(start + 1, size))])
    rules = (KeywordRule(id="r", category="c", terms=tuple(terms), mask=Label("#")),) if terms else ()
    return rules, stretches


@st.composite
def repeating_streams(draw: st.DrawFn, stretches: list[tuple[int, str, str]]) -> list[bytes]:
    """A stream that repeats its text wherever servers do: log probabilities, grounding, fields that nobody knows."""
    events = []
    so_far: dict[int, str] = {}
    for index, kind, said in stretches:
        if kind == "call":
            events.append(gemini.chunk(gemini.call({"q": said, said: 1}), index=index))
            continue
        if kind == "code":
            events.append(gemini.chunk({"executableCode": {"language": "PYTHON", "code": said}}, index=index))
            continue
        for piece in draw(strategies.cuts(said)):
            so_far[index] = so_far.get(index, "") + piece
            part = gemini.text(piece, thought=kind == "thought")
            more: dict[str, Any] = {}
            repeat = draw(st.sampled_from(("", "", "logprobs", "part", "candidate", "top", "grounding", "signature")))
            if repeat == "logprobs":
                tokens = [{"token": c, "tokenId": 1, "logProbability": -1.0} for c in piece]
                more = {"logprobsResult": {"chosenCandidates": tokens, "topCandidates": [{"candidates": tokens}]}}
            elif repeat == "part":
                part["reasoning"] = {"deep": [piece]}
            elif repeat == "candidate":
                more = {"soFar": so_far[index]}
            elif repeat == "top":
                more = {"top": {"summary": {piece or "x": piece}}}
            elif repeat == "grounding":
                support = {"segment": {"endIndex": 3, "text": so_far[index][-5:]}, "groundingChunkIndices": [0]}
                more = {"groundingMetadata": {"groundingSupports": [support], "webSearchQueries": ["q"]}}
            elif repeat == "signature":
                part["thoughtSignature"] = draw(st.sampled_from(("QUJD", piece)))
            events.append(gemini.chunk(part, index=index, **more))
    events += [gemini.chunk(gemini.text(""), finish="STOP", index=i) for i in sorted({i for i, _, _ in stretches})]
    if draw(st.booleans()):
        events.append(gemini.sse({"error": {"message": "it broke after " + " ".join(said for *_, said in stretches)}}))
    return events


@given(made=canaries(), data=st.data(), fails=st.booleans(), array=st.booleans())
def test_no_removed_character_is_written_anywhere(
    made: tuple[tuple[Rule, ...], list[tuple[int, str, str]]], data: st.DataObject, fails: bool, array: bool
) -> None:
    rules, stretches = made
    events = data.draw(repeating_streams(stretches))
    opened = GeminiArrayStream if array else GeminiStream
    stream = opened(chat.policy(*rules), ModelRequest(n=2), case_id="g-1")
    out = b"".join([stream.feed(read) for read in reads_of(data, events, array)])
    out += stream.fail(Fault("shutdown", "Going down.")) if fails else stream.finish()
    (gemini.read_array if array else gemini.read)(out)
    allowed = {char for *_, said in stretches for char in reference(rules, said).output}
    written = out.decode()
    escaped = [chr(int(code, 16)) for code in re.findall(r"\\u([0-9a-f]{4})", written)]
    assert {char for char in (*written, *escaped) if "\u4e00" <= char <= "\u5fff"} <= allowed


@given(case=strategies.cases(max_pieces=6), data=st.data(), array=st.booleans())
def test_what_is_clean_passes_byte_for_byte(case: strategies.Case, data: st.DataObject, array: bool) -> None:
    """Events of up to 32 characters under rules that might have hit; any events under rules that only log."""
    said = whole_surrogates(case.text)
    rules = case.rules
    short = not any(found.action.removes for found in reference(rules, said).findings)
    if not short:
        rules = tuple(replace(rule, action=Action.LOG) for rule in rules)
    cut = short_cuts if short else strategies.cuts
    pieces = data.draw(cut(said))
    events = gemini.answer(gemini.says(*pieces))
    if not short:
        events = data.draw(streams([(0, "thought", said), (0, "text", said), (1, "text", said)], cut=cut))
    run = guard(chat.policy(*rules), reads_of(data, events, array), array=array, request=ModelRequest(n=2))
    assert run.out == (gemini.as_array(events) if array else b"".join(events))


ODD: Any = gemini.chunk
"""The same, for what is no part."""
VALUES: Any = (
    ("candidates", ("a", {}, ["a"], None)),
    ("promptFeedback", ("a b", {"blockReason": "SAFETY", "blockReasonMessage": "ab"})),
    ("error", ("ab", {"message": "ab"}, {}, None)),
)
FIELDS: Any = (
    ("groundingMetadata", ("a", {}, {"groundingSupports": ["ab"]})),
    ("citationMetadata", ("a", {"citations": [{"title": "ab"}]}, [1])),
    ("logprobsResult", ("a", {}, {"chosenCandidates": [{"token": "a"}]})),
)
EVENTS: Any = ([], "a", 1, None, {})
CONTENTS: Any = ("a", [], {"parts": {}}, {"parts": "a"}, {"role": "a b"})
PARTIAL: Any = ("a", [{"jsonPath": "$.a", "stringValue": "ab"}], [{"jsonPath": "$.a", "numberValue": 1}], [{}], [None])
PIECES = (
    *(b"data: ", b"\n", b"\n\n", b"\r\n\r\n", b"\xff", b"{", b"}", b"[", b"]", b",", b'"', b"\\", b"null", b"1e999"),
    *(b"[" * 2000, b"9" * 5000, b"<html>"),
    *(gemini.chunk(gemini.text(said)) for said in ("ab", "b", "a", "")),
    gemini.chunk(gemini.text(""), finish="STOP"),
    gemini.chunk(gemini.text("ab", thought=True), gemini.text("a"), gemini.call({"a": "ab"}), finish="STOP"),
    *(ODD(part) for part in ({}, "a", None, {"text": ["a"]}, {"text": None}, {"inlineData": {"data": "QQ=="}})),
    *(gemini.chunk({"functionCall": c}) for c in ("a", {}, {"name": "f", "willContinue": True}, {"args": "a"}, [1])),
    *(gemini.chunk({"functionCall": {"partialArgs": p, "willContinue": True}}) for p in PARTIAL),
    *(gemini.chunk({kind: {"code": "ab", "output": "a"}}) for kind in ("executableCode", "codeExecutionResult")),
    *(gemini.chunk(gemini.text("a"), finish=reason) for reason in (1, True, ["a b"], "a b")),  # type: ignore[arg-type]
    *(gemini.chunk(gemini.text("a"), index=index) for index in (-1, True, 7)),
    *(gemini.chunk(gemini.text("a"), **{key: found}) for key, values in FIELDS for found in values),
    *(gemini.sse({key: found}) for key, values in VALUES for found in values),
    *(gemini.sse(found) for found in EVENTS),
    *(gemini.sse({"candidates": [{"content": found}]}) for found in CONTENTS),
    gemini.sse({"usageMetadata": {"totalTokenCount": "a b"}}),
    gemini.sse(
        {"candidates": [{"content": {"parts": [{"text": "a"}]}}, {"content": {"parts": [{"text": "b"}]}, "index": 1}]}
    ),
)
junk = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)), max_size=12)


@given(
    pieces=junk,
    data=st.data(),
    array=st.booleans(),
    scope=st.sampled_from(("choice", "response")),
    unknown=st.sampled_from(("block", "pass")),
)
def test_whatever_comes_is_a_wire_error_or_readable(
    pieces: list[bytes], data: st.DataObject, array: bool, scope: Any, unknown: Any
) -> None:
    policy = chat.policy(chat.redact("a"), chat.halt("b"), halt_scope=scope, unknown_text=unknown)
    opened = GeminiArrayStream if array else GeminiStream
    stream = opened(
        policy, ModelRequest(said_with=data.draw(strategies.said_with)), case_id="g-1", limits=WireLimits(4096, 4096)
    )
    out = b""
    try:
        for read in in_reads(gemini.as_array(pieces) if array else b"".join(pieces), data.draw(read_sizes)):
            out += stream.feed(read)
        out += stream.finish()
    except WireError:
        out += stream.fail(Fault("upstream_malformed", "Not an event stream."))
    assert stream.done
    assert (stream.feed(b"data: x\n\n"), stream.finish(), stream.keep_alive()) == (b"", b"", b"")
    record = stream.record
    assert record.received == record.released + record.removed + record.dropped
    if unknown == "block":
        read_again(policy, out, array)
        assert record.unscanned == 0
    for piece in pieces:
        try:
            body, _ = guard_body(
                policy, ModelRequest(said_with=data.draw(strategies.said_with)), piece.removeprefix(b"data: "), "g-1"
            )
        except WireError:
            continue
        json.loads(body)


def read_again(policy: Policy, out: bytes, array: bool) -> None:
    """What was written is what the codec itself reads, and it finds nothing more to remove in it."""
    read = gemini.read_array if array else gemini.read
    reply = read(out)
    again = (GeminiArrayStream if array else GeminiStream)(policy, ModelRequest(), case_id="g-2")
    said = read(again.feed(out) + again.finish())
    for kind in ("text", "thought"):
        for index in reply.parts:
            assert said.text(kind, index) == reply.text(kind, index)


@given(case=strategies.cases(max_pieces=5, max_length=200), data=st.data(), array=st.booleans())
def test_with_a_classifier_every_cut_and_timing_is_the_same(
    case: strategies.Case, data: st.DataObject, array: bool
) -> None:
    said = whole_surrogates(data.draw(texts(case)))
    chosen = data.draw(settings(*ANY))
    model = fake(data.draw(st.integers(0, 99)))
    kinds = data.draw(st.lists(st.sampled_from(("text", "thought")), min_size=1, max_size=3))
    events = data.draw(streams([(0, kind, said) for kind in kinds]))
    events.insert(-1, gemini.chunk(gemini.call({"q": said})))
    replies = []
    for late in (0, 3):
        shell = Shell(scored(chosen, *case.rules), model, stream=GeminiArrayStream if array else GeminiStream)
        for read in reads_of(data, events, array):
            try:
                shell.feed(read)
            except WireError:
                shell.fail()
            while shell.open and (len(shell.open) > late or shell.stream.stalled):
                shell.answer(data.draw(st.integers(0, len(shell.open) - 1)))
            if shell.stream.done:
                break
        shell.finish()
        while shell.open:
            shell.answer()
        reply = (gemini.read_array if array else gemini.read)(shell.out)
        record = shell.stream.record
        assert record.held == 0
        assert record.received == record.released + record.removed + record.dropped
        replies.append((reply.parts, reply.finishes, record.findings))
    assert replies[0] == replies[1]
