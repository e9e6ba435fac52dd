"""Promises of Ollama's codec, for any rules, answer and cut; numbered as in `test_wire_chat`."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guardrail.errors import WireError
from guardrail.text.rules import Action
from guardrail.wire.answer import Fault
from guardrail.wire.ollama import OllamaStream
from guardrail.wire.ollama_body import guard_body
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from guardrail.wire.strict_json import whole_surrogates
from tests import strategies
from tests.property.test_text_classifier import ANY, settings, texts
from tests.property.test_wire_chat import accounted, canaries, in_reads, read_sizes, short_cuts, units
from tests.property.test_wire_classifier import account_of_units, written
from tests.reference import Classifier, reference
from tests.scoring import fake
from tests.wire import chat
from tests.wire import ollama_client as ollama
from tests.wire.ollama_client import TIME, Run, guard, line
from tests.wire.ollama_recorded import BODIES, STREAMS
from tests.wire.scored import Shell, guard_scored, scored

READ_ON = ("content", "thinking")


def said(value: dict[str, Any], *, spaced: bool, ascii_only: bool, line_end: str) -> bytes:
    """A line however a server may write it."""
    separators = (", ", ": ") if spaced else (",", ":")
    written = json.dumps(value, ensure_ascii=ascii_only, separators=separators)
    return written.encode() + line_end.encode()


@st.composite
def streams(draw: st.DrawFn, waiting: dict[str, list[str]], *, chat: bool = True, ascii_only: bool = True) -> bytes:
    """A stream that says the pieces of each text, in any interleaving."""
    how: dict[str, Any] = {
        "spaced": draw(st.booleans()),
        "ascii_only": ascii_only or draw(st.booleans()),
        "line_end": draw(st.sampled_from(("\n", "\n", "\r\n"))),
    }
    waiting = {key: list(pieces) for key, pieces in waiting.items()}
    lines: list[bytes] = []
    while any(waiting.values()):
        key = draw(st.sampled_from([key for key, left in waiting.items() if left]))
        main = "content" if chat else "response"
        key_said = main if key == "content" else key
        texts = {main: "", key_said: waiting[key].pop(0)}
        body = {"message": {"role": "assistant", **texts}} if chat else texts
        lines.append(said({"model": "m", "created_at": TIME.format(len(lines)), **body, "done": False}, **how))
    return b"".join(lines) + ollama.end(chat=chat)


@given(case=strategies.cases(max_pieces=8), data=st.data(), is_chat=st.booleans())
def test_one_channel_is_the_reference_for_every_cut(case: strategies.Case, data: st.DataObject, is_chat: bool) -> None:
    text = whole_surrogates(case.text)
    stream = data.draw(streams({"content": data.draw(units(text))}, chat=is_chat))
    expected = reference(case.rules, text)
    policy = chat.policy(*case.rules, notice="")
    for cut in ([stream], in_reads(stream, data.draw(read_sizes))):
        run = guard(policy, cut)
        assert run.reply.text("content" if is_chat else "response") == expected.output
        assert run.reply.reason == ("content_filter" if expected.halted else "stop")
        found = [(f.start, f.end, f.rule) for f in run.record.findings]
        assert found == [(f.start, f.end, f.rule) for f in expected.findings]
        accounted(run)  # type: ignore[arg-type]


@given(case=strategies.cases(max_pieces=6), data=st.data())
def test_both_channels_are_the_same_for_every_cut(case: strategies.Case, data: st.DataObject) -> None:
    text = whole_surrogates(case.text)
    said = {"thinking": text, "content": text[len(text) // 2 :] + text[: len(text) // 2]}
    stream = data.draw(streams({key: data.draw(units(whole_surrogates(one))) for key, one in said.items()}))
    runs = [
        guard(chat.policy(*case.rules), cut)
        for cut in ([stream], in_reads(stream, data.draw(read_sizes)), in_reads(stream, data.draw(read_sizes)))
    ]
    for run in runs:
        assert (run.reply.texts, run.reply.ending) == (runs[0].reply.texts, runs[0].reply.ending)
        assert (run.abort, run.record.findings) == (runs[0].abort, runs[0].record.findings)
        accounted(run)  # type: ignore[arg-type]


@given(case=strategies.cases(max_pieces=6), data=st.data(), is_chat=st.booleans())
def test_what_is_clean_passes_byte_for_byte(case: strategies.Case, data: st.DataObject, is_chat: bool) -> None:
    text = whole_surrogates(case.text)
    rules = () if any(f.action.removes for f in reference(case.rules, text).findings) else case.rules
    stream = data.draw(streams({"content": data.draw(short_cuts(text))}, chat=is_chat, ascii_only=False))
    assert guard(chat.policy(*rules), in_reads(stream, data.draw(read_sizes))).out == stream


@st.composite
def repeating(draw: st.DrawFn, texts: dict[str, str]) -> bytes:
    """A stream that repeats its text wherever servers do, in any line, and has calls."""
    waiting = {key: [text] if key == "tool" else draw(strategies.cuts(text)) for key, text in texts.items()}
    lines: list[bytes] = []
    while any(waiting.values()):
        key = draw(st.sampled_from([key for key, left in waiting.items() if left]))
        text = waiting[key].pop(0)
        message: dict[str, Any] = {key: text}
        top: dict[str, Any] = {}
        if key == "tool":
            message = {"tool_calls": [{"id": "call_1", "function": {"name": "f", "arguments": {text: [1, text]}}}]}
            top = draw(st.sampled_from(({}, {"logprobs": [{"token": text, "logprob": 0}]})))
        else:
            repeat = draw(st.sampled_from(("", "logprobs", "message", "top", "context", "reason", "call", "twice")))
            if repeat == "logprobs":
                others = [{"token": text, "logprob": -2}]
                top = {"logprobs": [{"token": c, "logprob": -1.0, "top_logprobs": others} for c in text]}
            elif repeat == "message":
                message["notes"] = {text: [text]}
            elif repeat == "top":
                top = {text: {"so": text}, "response": text}
            elif repeat == "context":
                top = {"context": [1, text], "eval_count": text}
            elif repeat == "reason":
                top = {"done_reason": "for " + text}
            elif repeat == "call":
                message["tool_calls"] = [{"id": "an " + text, "function": {"name": "f", "deep": text}}]
        raw = line(message, at=len(lines), **top)
        if key != "tool" and repeat == "twice":
            raw = raw.replace(b'"message":', b'"message":{"content":' + json.dumps(text).encode() + b'},"message":')
        lines.append(raw)
    last = draw(st.sampled_from(("end", "text", "error", "cut")))
    spelled = " ".join(texts.values())
    if last == "error":
        lines.append(json.dumps({"error": "it broke after " + spelled}).encode() + b"\n")
    elif last == "text":
        lines.append(line({"notes": spelled}, done=True, done_reason="stop", context=[1], summary=spelled))
    elif last == "end":
        lines.append(ollama.end())
    return b"".join(lines)


@given(made=canaries(), data=st.data(), ending=st.sampled_from(("end", "fail")))
def test_no_removed_character_is_written_anywhere(made: Any, data: st.DataObject, ending: str) -> None:
    rules, found = made
    texts = {
        {"content": "content", "reasoning_content": "thinking"}.get(key, "tool"): t for (_, key), t in found.items()
    }
    if len(texts) > 1:
        # A halt would end the other channels in the middle of a stretch.
        rules = tuple(rule for rule in rules if rule.action is Action.REDACT)
    stream = OllamaStream(chat.policy(*rules), ModelRequest(), case_id="g-1")
    out = b"".join([stream.feed(read) for read in in_reads(data.draw(repeating(texts)), data.draw(read_sizes))])
    out += stream.fail(Fault("shutdown", "Going down.")) if ending == "fail" else stream.finish()
    ollama.read(out)
    pieces = {char for text in texts.values() for char in reference(rules, text).output}
    assert written(out) <= pieces


PIECES = (
    *(b"\n", b"\r\n", b"\r", b"\xff", b"{", b"}", b"[", b'"', b"\\", b"\x00", b"null\n", b"1e999\n", b"[" * 2000),
    *(b"\xef\xbb\xbf", b"data: x\n\n", b"<html>\n", b"9" * 5000, b"\xe2\x80\xa8"),
    *STREAMS.values(),
    *BODIES.values(),
    *(line({"content": "ab"}), line({"thinking": "b"}), line({"response": "ab"}, chat=False), ollama.end()),
    *(line({"content": text}) for text in (None, 1, ["ab"], {"a": "ab"}, "", "\ud83d", "\ude00")),
    *(line({"tool_calls": calls}) for calls in ("ab", ["ab"], [None], [{}], {"a": "ab"}, [{"function": "ab"}])),
    *(ollama.call(name, said) for name, said in (("ab", {"ab": "ab"}), (1, "ab"), ("f", [1]), (["ab"], 1))),  # type: ignore[arg-type]
    *(line({"content": "ab"}, done=done) for done in (True, 1, "ab", None)),  # type: ignore[arg-type]
    *(line({"content": "ab"}, logprobs=found) for found in ("ab", [1], [{"token": "ab", "logprob": 1}], {})),
    *(ollama.end(reason=reason) for reason in ("", "a b", None, ["ab"])),  # type: ignore[arg-type]
    *(json.dumps(v).encode() + b"\n" for v in ([], "ab", {}, {"done": True}, {"message": "ab"}, {"error": ["ab"]})),
    line({"content": "ab", "thinking": "a", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}, done=True),
)  # fmt: skip

junk = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)), max_size=12).map(b"".join)


@given(junk=junk, data=st.data(), unknown=st.sampled_from(("block", "pass")))
def test_whatever_comes_is_a_wire_error_or_readable(junk: bytes, data: st.DataObject, unknown: Any) -> None:
    policy = chat.policy(chat.redact("a"), chat.halt("b"), unknown_text=unknown)
    stream = OllamaStream(
        policy, ModelRequest(said_with=data.draw(strategies.said_with)), case_id="g-1", limits=WireLimits(4096, 4096)
    )
    out = b""
    try:
        for read in in_reads(junk, data.draw(read_sizes)):
            out += stream.feed(read)
        out += stream.finish()
    except WireError:
        out += stream.fail(Fault("upstream_malformed", "Not a stream."))
    assert stream.done
    assert (stream.feed(b"{}\n"), stream.finish(), stream.keep_alive()) == (b"", b"", b"")
    record = stream.record
    assert record.received == record.released + record.removed + record.dropped
    if unknown == "block":
        for text in ollama.read(out).texts.values():
            assert not re.search(r"\b[ab]\b", text.replace("[X]", ""))
        assert record.unscanned == 0
    try:
        body, record = guard_body(policy, ModelRequest(said_with=data.draw(strategies.said_with)), junk, "g-1")
    except WireError:
        return
    assert record.received == record.released + record.removed + record.dropped
    json.loads(body)


@given(case=strategies.cases(max_pieces=5, max_length=200), data=st.data(), late=st.sampled_from((0, 1, 4)))
def test_verdicts_may_come_at_any_time(case: strategies.Case, data: st.DataObject, late: int) -> None:
    text = whole_surrogates(data.draw(texts(case)))
    chosen = data.draw(settings(*ANY))
    model = fake(data.draw(st.integers(0, 99)))
    expected = reference(case.rules, text, Classifier(chosen, model))
    stream = data.draw(streams({"content": data.draw(units(text))}))
    reads = in_reads(stream, data.draw(read_sizes))
    run = guard_scored(scored(chosen, *case.rules, notice=""), model, reads, late=late, seed=late, stream=OllamaStream)
    reply = ollama.read(run.out)
    assert reply.text() == expected.output
    assert reply.reason == ("content_filter" if expected.halted else "stop")
    account_of_units(run)


@given(junk=junk, data=st.data())
def test_whatever_comes_is_readable_under_a_classifier(junk: bytes, data: st.DataObject) -> None:
    chosen = data.draw(settings(Action.HALT, Action.LOG))
    model = fake(data.draw(st.integers(0, 99)))
    shell = Shell(scored(chosen, chat.redact("a")), model, stream=OllamaStream)
    try:
        for read in in_reads(junk, data.draw(read_sizes)):
            shell.feed(read)
        shell.finish()
    except WireError:
        shell.fail()
    while shell.open:
        try:
            shell.answer(data.draw(st.integers(0, len(shell.open) - 1)))
        except WireError:
            shell.fail()
    assert shell.stream.done
    ollama.read(shell.out)


def test_the_client_of_these_tests_reads_what_servers_send() -> None:
    run: Run = guard(chat.policy(chat.redact("secret")), STREAMS["thinking"])
    assert run.reply.texts == {"thinking": "The user asks.", "content": "Rayleigh scattering."}
