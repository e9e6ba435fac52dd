"""What guardrail says itself around the words of a model, in every protocol, streamed or not.

For any rules, text and cut of the bytes: a plain client reads what it would have read, with the inserts around it; the
same is accounted for and found at the same places; a call of a tool, and JSON that was asked for, are untouched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.policy.policy import Policy
from guardrail.text.rules import Action
from guardrail.wire import anthropic, gemini, ollama, openai_chat, openai_responses, openai_text
from guardrail.wire.inserts import Inserts
from guardrail.wire.protocol import OpenStream, Protocol
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from guardrail.wire.strict_json import whole_surrogates
from tests import strategies
from tests.property.test_wire_chat import in_reads, read_sizes
from tests.scoring import fake
from tests.wire import anthropic_client, chat, gemini_client, ollama_client, openai_text_client
from tests.wire.openai_responses_client import Server, text_of
from tests.wire.openai_responses_client import read as read_response
from tests.wire.scored import guard_scored, hate

Pieces = Sequence[str]
INSERTS = Inserts("\u2039before\u203a\n\n", "\n\n\u2039behind\u203a")
CALL = {"name": "f", "arguments": '{"a":1}'}


@dataclass(frozen=True)
class Spoken:
    """How a protocol is spoken, as plainly as it goes."""

    protocol: Protocol
    stream: Callable[[Pieces, bool], list[bytes]]
    """Of an answer that says these pieces, and then, perhaps, calls a tool."""
    read: Callable[[bytes], str]
    """All that people read of it."""
    body: Callable[[str, bool], dict[str, Any]]
    read_body: Callable[[dict[str, Any]], str]
    opens: OpenStream | None = None

    def guard(self, policy: Policy, request: ModelRequest, reads: Sequence[bytes]) -> tuple[bytes, StreamRecord]:
        opens = self.opens or self.protocol.stream
        stream = opens(policy, request, case_id="g-1", limits=WireLimits())
        out = b"".join([stream.feed(read) for read in reads]) + stream.finish()
        assert stream.done
        return out, stream.record

    def guard_body(self, policy: Policy, request: ModelRequest, body: bytes) -> tuple[str, bytes, StreamRecord]:
        out, record = self.protocol.guard_body(policy, request, body, "g-1", None)
        return self.read_body(json.loads(out)), out, record


def chat_stream(pieces: Pieces, calls: bool) -> list[bytes]:
    called = [chat.call(CALL["arguments"], name="f")] if calls else []
    return chat.chat(chat.says(*pieces), called, finish="tool_calls" if calls else "stop")


def chat_body(text: str, calls: bool) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [{"id": "call_0", "type": "function", "function": CALL}]
    return {**chat.ENVELOPE, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def text_stream(pieces: Pieces, calls: bool) -> list[bytes]:
    return [*openai_text_client.says(*pieces), openai_text_client.event("", "stop"), chat.DONE]


def text_body(text: str, calls: bool) -> dict[str, Any]:
    return {**openai_text_client.ENVELOPE, "choices": [{"index": 0, "text": text, "finish_reason": "stop"}]}


def responses_stream(pieces: Pieces, calls: bool) -> list[bytes]:
    server = Server()
    if calls:
        server.text("a thought", named="reasoning_text")
    server.text(*pieces)
    if calls:
        server.call(CALL["arguments"])
    return server.complete()


def responses_text(response: dict[str, Any]) -> str:
    parts = [part for item in response["output"] if item["type"] == "message" for part in item["content"]]
    return "".join(part.get("text", part.get("refusal", "")) for part in parts)


def read_responses(out: bytes) -> str:
    reply = read_response(out)
    assert reply.final is not None
    said = responses_text(reply.final)
    return said


def responses_body(text: str, calls: bool) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    output: list[Any] = [{"id": "m", "type": "message", "role": "assistant", "status": "completed", "content": [part]}]
    if calls:
        output.append({"id": "fc", "type": "function_call", "call_id": "c", **CALL})
    return Server.response("completed", output, output_text=text)


def read_responses_body(value: dict[str, Any]) -> str:
    assert value.get("output_text", text_of(value)) == text_of(value)
    return responses_text(value)


def anthropic_stream(pieces: Pieces, calls: bool) -> list[bytes]:
    client = anthropic_client
    called = client.call(CALL["arguments"], index=2) if calls else []
    thought = client.block("a thought", key="thinking") if calls else []
    said = client.block(*pieces, index=int(calls))
    return client.message(thought, said, called, reason="tool_use" if calls else "end_turn")


def anthropic_body(text: str, calls: bool) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": text}]
    if calls:
        content.append({"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}})
    ends = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
    return {**anthropic_client.MESSAGE, "content": content, **ends}


def gemini_stream(pieces: Pieces, calls: bool) -> list[bytes]:
    client = gemini_client
    called = [client.chunk(client.call({"a": 1}))] if calls else []
    thought = client.says("a thought", thought=True) if calls else []
    return client.answer(thought, client.says(*pieces), called)


def gemini_body(text: str, calls: bool) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"text": text}]
    if calls:
        parts.append({"functionCall": {"name": "f", "args": {"a": 1}}})
    return {"candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": "STOP", "index": 0}]}


def gemini_parts(value: dict[str, Any]) -> str:
    parts = value["candidates"][0]["content"]["parts"]
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))


def ollama_stream(pieces: Pieces, calls: bool) -> list[bytes]:
    called = [ollama_client.call("f", {"a": 1})] if calls else []
    return ollama_client.answer(ollama_client.says(*pieces), called)


def ollama_body(text: str, calls: bool) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [{"function": {"name": "f", "arguments": {"a": 1}}}]
    return {"model": "m", "created_at": "t", "message": message, "done": True, "done_reason": "stop"}


def generate_stream(pieces: Pieces, calls: bool) -> list[bytes]:
    return ollama_client.answer(ollama_client.says(*pieces, key="response", chat=False), chat=False)


def generate_body(text: str, calls: bool) -> dict[str, Any]:
    return {"model": "m", "created_at": "t", "response": text, "done": True, "done_reason": "stop"}


SPOKEN = {
    "openai_chat": Spoken(
        openai_chat.PROTOCOL,
        chat_stream,
        lambda out: chat.read(out).text(),
        chat_body,
        lambda value: value["choices"][0]["message"]["content"],
    ),
    "openai_text": Spoken(
        openai_text.PROTOCOL,
        text_stream,
        lambda out: chat.read(out).text("text"),
        text_body,
        lambda value: value["choices"][0]["text"],
    ),
    "openai_responses": Spoken(
        openai_responses.PROTOCOL, responses_stream, read_responses, responses_body, read_responses_body
    ),
    "anthropic": Spoken(
        anthropic.PROTOCOL,
        anthropic_stream,
        lambda out: anthropic_client.read(out).texts(),
        anthropic_body,
        lambda value: "".join(block.get("text", "") for block in value["content"]),
    ),
    "gemini": Spoken(
        gemini.PROTOCOL, gemini_stream, lambda out: gemini_client.read(out).text(), gemini_body, gemini_parts
    ),
    "gemini_array": Spoken(
        gemini.PROTOCOL,
        lambda pieces, calls: [gemini_client.as_array(gemini_stream(pieces, calls))],
        lambda out: gemini_client.read_array(out).text(),
        gemini_body,
        gemini_parts,
        gemini.GeminiArrayStream,
    ),
    "ollama_chat": Spoken(
        ollama.PROTOCOL,
        ollama_stream,
        lambda out: ollama_client.read(out).text(),
        ollama_body,
        lambda value: value["message"]["content"],
    ),
    "ollama_generate": Spoken(
        ollama.PROTOCOL,
        generate_stream,
        lambda out: ollama_client.read(out).text("response"),
        generate_body,
        lambda value: value["response"],
    ),
}
every_protocol = pytest.mark.parametrize("spoken", SPOKEN.values(), ids=SPOKEN.keys())
with_tools = pytest.mark.parametrize(
    "name", [name for name in SPOKEN if name not in ("openai_text", "ollama_generate")]
)
requests = ModelRequest(), ModelRequest(said_with=INSERTS)


def same_account(with_inserts: StreamRecord, plain: StreamRecord) -> None:
    assert replace(with_inserts, before=0, behind=0, tokens=0, events_delayed=0, held_max=0) == replace(
        plain, tokens=0, events_delayed=0, held_max=0
    )
    assert with_inserts.held == 0


@every_protocol
@settings(max_examples=30)
@given(case=strategies.cases(max_pieces=6), data=st.data(), notice=st.sampled_from(("", "\n[Stopped]")))
def test_a_stream_is_what_it_was_between_the_inserts(
    spoken: Spoken, case: strategies.Case, data: st.DataObject, notice: str
) -> None:
    text = whole_surrogates(case.text)
    pieces = data.draw(strategies.cuts(text))
    stream = b"".join(spoken.stream(pieces, False))
    rules = chat.policy(*case.rules, notice=notice, refusal=notice)
    for reads in ([stream], in_reads(stream, data.draw(read_sizes)), in_reads(stream, data.draw(read_sizes))):
        plain, account = spoken.guard(rules, requests[0], reads)
        out, record = spoken.guard(rules, requests[1], reads)
        assert spoken.read(out) == (f"{INSERTS.before}{spoken.read(plain)}{INSERTS.behind}" if text else "")
        same_account(record, account)
        assert (record.before, record.behind) == (bool(text), bool(text))


@every_protocol
@settings(max_examples=20)
@given(case=strategies.cases(max_pieces=5, max_length=200), data=st.data(), seed=st.integers(0, 99))
def test_with_a_classifier_the_same_holds_however_late_verdicts_are(
    spoken: Spoken, case: strategies.Case, data: st.DataObject, seed: int
) -> None:
    text = whole_surrogates(case.text)
    pieces = data.draw(strategies.cuts(text))
    stream = b"".join(spoken.stream(pieces, False))
    policy = hate(*case.rules, notice="[stop]", refusal="[stop]")
    opens = spoken.opens or spoken.protocol.stream
    plain = guard_scored(policy, fake(seed), stream, request=requests[0], stream=opens)
    for late in (0, 1, 3):
        reads = in_reads(stream, data.draw(read_sizes))
        run = guard_scored(policy, fake(seed), reads, late=late, seed=seed, request=requests[1], stream=opens)
        expected = f"{INSERTS.before}{spoken.read(plain.out)}{INSERTS.behind}" if text else spoken.read(plain.out)
        assert spoken.read(run.out) == expected
        assert (run.record.before, run.record.behind, run.record.held) == (bool(text), bool(text), 0)
        assert run.record.findings == plain.record.findings


@every_protocol
@settings(max_examples=30)
@given(case=strategies.cases(max_pieces=6), calls=st.booleans(), notice=st.sampled_from(("", "\n[Stopped]")))
def test_a_body_is_what_it_was_between_the_inserts(
    spoken: Spoken, case: strategies.Case, calls: bool, notice: str
) -> None:
    text = whole_surrogates(case.text)
    body = json.dumps(spoken.body(text, calls)).encode()
    rules = chat.policy(*case.rules, notice=notice, refusal=notice)
    plain, untouched, account = spoken.guard_body(rules, requests[0], body)
    said, out, record = spoken.guard_body(rules, requests[1], body)
    same_account(record, account)
    if not text and not (account.halted and notice):
        assert out == untouched
        return
    assert said.startswith(INSERTS.before + plain)
    assert said == INSERTS.before + plain + INSERTS.behind * record.behind
    assert record.before == 1
    # A call of a tool goes on in the next answer; legacy Completions and /api/generate know none.
    called = '"tool_calls"' in out.decode() or re.search(rb'"tool_use"|functionCall|function_call', out)
    assert record.behind == (0 if called else 1)


@pytest.mark.parametrize("name", ["openai_chat", "openai_text", "gemini", "ollama_chat", "ollama_generate"])
@settings(max_examples=30)
@given(case=strategies.cases(max_pieces=6), data=st.data())
def test_all_else_is_the_bytes_that_it_was(name: str, case: strategies.Case, data: st.DataObject) -> None:
    """What upstream said passes, or is edited, as it does without inserts."""
    spoken = SPOKEN[name]
    text = whole_surrogates(case.text)
    rules = chat.policy(*(rule for rule in case.rules if rule.action is not Action.HALT))
    stream = b"".join(spoken.stream(data.draw(strategies.cuts(text)), False))
    reads = in_reads(stream, data.draw(read_sizes))
    plain, _ = spoken.guard(rules, requests[0], reads)
    out, _ = spoken.guard(rules, requests[1], reads)
    ours = b'"guardrail":{"action":"insert"'
    kept = [event for event in re.split(rb"(?<=\n)(?=data: |\{)", out) if ours not in event]
    assert b"".join(kept) == plain


@with_tools
def test_nothing_is_said_behind_a_call_of_a_tool(name: str) -> None:
    spoken = SPOKEN[name]
    policy = chat.policy()
    for stream in (spoken.stream(["I look ", "it up."], True), spoken.stream([], True)):
        plain, _ = spoken.guard(policy, requests[0], stream)
        out, record = spoken.guard(policy, requests[1], stream)
        said = spoken.read(plain)
        assert spoken.read(out) == (INSERTS.before + said if said else "")
        assert (record.before, record.behind) == (1 if said else 0, 0)
        assert out.endswith(plain[-40:]) or name == "openai_responses"


@every_protocol
def test_json_that_was_asked_for_is_untouched(spoken: Spoken) -> None:
    said = '{"a": "x halt", "b": 2}'
    for policy in (chat.policy(), chat.policy(chat.halt("halt"))):
        for field in ({"json_output": True}, {"verbatim": True}):
            plain, asked = (replace(request, **field) for request in requests)  # type: ignore[arg-type]
            stream = spoken.stream([said[:9], said[9:]], False)
            assert spoken.guard(policy, asked, stream) == spoken.guard(policy, plain, stream)
            body = json.dumps(spoken.body(said, False)).encode()
            assert spoken.guard_body(policy, asked, body) == spoken.guard_body(policy, plain, body)


@every_protocol
def test_behind_a_halt_comes_the_notice_then_the_insert(spoken: Spoken) -> None:
    policy = chat.policy(chat.halt("bad"), notice="[stop]", refusal="[stop]")
    for pieces in (["Fine so far, ", "bad ", "luck"], ["bad"]):
        sound = "Fine so far, " * (len(pieces) > 1)
        out, record = spoken.guard(policy, requests[1], spoken.stream(pieces, True))
        assert spoken.read(out) == f"{INSERTS.before}{sound}[stop]{INSERTS.behind}"
        assert (record.before, record.behind, record.halted) == (1, 1, True)
        said, _, record = spoken.guard_body(
            policy, requests[1], json.dumps(spoken.body("".join(pieces), True)).encode()
        )
        assert said == f"{INSERTS.before}{sound}[stop]{INSERTS.behind}"


@pytest.mark.parametrize("name", ["openai_chat", "gemini"])
def test_each_choice_has_its_own(name: str) -> None:
    spoken = SPOKEN[name]
    if name == "openai_chat":
        said = [chat.says("one", index=0)[0], chat.says("two", index=1)[0], chat.says(" more", index=0)[0]]
        stream = [*said, chat.event({}, "stop", index=1), chat.event({}, "stop", index=0), chat.DONE]
        out, record = spoken.guard(chat.policy(), replace(requests[1], n=2), stream)
        texts = [chat.read(out).text(index=index) for index in (0, 1)]
    else:
        said = [gemini_client.says(text, index=index)[0] for text, index in (("one", 0), ("two", 1), (" more", 0))]
        ends = [gemini_client.chunk({"text": ""}, finish="STOP", index=index) for index in (1, 0)]
        out, record = spoken.guard(chat.policy(), replace(requests[1], n=2), [*said, *ends])
        texts = [gemini_client.read(out).text(index=index) for index in (0, 1)]
    assert texts == [f"{INSERTS.before}{text}{INSERTS.behind}" for text in ("one more", "two")]
    assert (record.before, record.behind) == (2, 2)
