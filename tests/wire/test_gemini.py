"""The codec of Gemini, stream by stream."""

from __future__ import annotations

from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.text.rules import Action
from guardrail.wire.answer import Fault
from guardrail.wire.gemini import GeminiArrayStream, GeminiStream
from guardrail.wire.gemini_parts import MAX_STRETCHES
from guardrail.wire.request import ModelRequest
from tests.wire import gemini_client as gemini
from tests.wire.chat import halt, policy, redact
from tests.wire.gemini_client import NOTICE, answer, call, chunk, guard, guard_every_way, says, text
from tests.wire.gemini_recorded import RECORDED, as_pretty_array, as_sse
from tests.wire.scored import Shell, evil, hate

RULES = policy(redact("secret"), halt("bomb"))


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_answers_pass_byte_for_byte(name: str) -> None:
    events = as_sse(RECORDED[name])
    stream, array = b"".join(events), as_pretty_array(RECORDED[name])
    for size in (1, 7, 100, 1 << 20):
        assert guard(RULES, [stream[i : i + size] for i in range(0, len(stream), size)]).out == stream
        assert guard(RULES, [array[i : i + size] for i in range(0, len(array), size)], array=True).out == array
    run = guard(RULES, events)
    assert run.out == stream
    assert run.record.blocked == ()
    assert run.record.fault is None
    assert run.record.received == run.record.released


def test_stretches_are_channels_and_keep_their_order() -> None:
    run = guard_every_way(
        RULES,
        answer(
            says("I know a sec", "ret", thought=True),
            says("the sec", "ret is"),
            chunk(call({"q": "secret", "n": 1})),
            says("so se"),
            chunk(text("secret?", thought=True)),
        ),
    )
    assert [kind for kind, _ in run.reply.parts[0]] == ["thought", "text", "functionCall", "text", "thought"]
    assert [said for _, said in run.reply.parts[0]] == [
        "I know a [X]",
        "the [X] is",
        '{"args": {"n": 1, "q": "[X]"}, "name": "f"}',
        "so se",
        "[X]?",
    ]
    assert sorted(finding.channel for finding in run.record.findings) == [
        "parts[0].thought",
        "parts[1].text",
        "parts[2].functionCall.args",
        "parts[4].thought",
    ]


def test_a_call_waits_for_the_text_before_it() -> None:
    """What is held of the text goes out before the call, so that parts keep their order."""
    events = [chunk(text("a sec")), chunk(call({"q": "x"})), chunk(text("y"), finish="STOP")]
    stream = GeminiStream(RULES, ModelRequest(), case_id="g-1")
    assert stream.feed(events[0]) == b""
    assert stream.feed(events[1]) == events[0] + events[1]


HALTS: list[tuple[str, str, list[bytes], list[str], str]] = [
    ("at the start", "violence", says("bomb"), ["text"], NOTICE),
    ("in the middle", "violence", says("a bo", "mb!"), ["text"], "a " + NOTICE),
    ("in a thought", "violence", says("hm, a bomb", thought=True), ["thought", "text"], NOTICE),
    ("in a call", "violence", [*says("hi"), chunk(call({"q": ["bomb"]}))], ["text"], "hi" + NOTICE),
    ("in the name of a call", "violence", [chunk(call({}, name="bomb"))], ["text"], NOTICE),
    ("in code", "violence", [chunk({"executableCode": {"language": "PYTHON", "code": "bomb"}})], ["text"], NOTICE),
    (
        "in a title",
        "violence",
        [chunk(text("a"), citationMetadata={"citations": [{"title": "bomb"}]})],
        ["text"],
        "a" + NOTICE,
    ),
]


@pytest.mark.parametrize("case", HALTS, ids=lambda case: case[0])
def test_a_halt(case: Any) -> None:
    _, category, events, kinds, said = case
    run = guard_every_way(policy(halt("bomb", category=category)), answer(events, says(" never")))
    reply = run.reply
    assert run.abort
    assert reply.kinds() == kinds
    assert reply.text() == said
    assert reply.last[0]["finishReason"] == "SAFETY"
    assert reply.last[0]["safetyRatings"] == [
        {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}
    ]
    assert reply.guardrail[0]["case_id"] == "g-1"
    assert reply.chunks[-1]["responseId"] == "r-1"
    assert reply.chunks[-1]["usageMetadata"]["promptTokenCount"] == 4


def test_a_halt_ends_its_candidate_only() -> None:
    events = [*says("a bomb."), *says("b", index=1), chunk(text("c"), index=1, finish="STOP")]
    run = guard_every_way(RULES, events, request=ModelRequest(n=2))
    assert run.reply.finishes == {0: "SAFETY", 1: "STOP"}
    assert run.reply.text(index=1) == "bc"


def test_a_chunk_of_several_candidates_says_nothing_more_of_one_that_was_halted() -> None:
    both = gemini.value(text("b"), index=1)
    both["candidates"].append({"content": {"parts": [], "role": "model"}, "index": 0})
    events = [*says("a bomb."), gemini.sse(both), *answer(says("a", index=1), index=1)]
    run = guard_every_way(RULES, events, request=ModelRequest(n=2))
    said = [candidate["index"] for chunk in run.reply.chunks for candidate in chunk["candidates"]]
    assert said == [0, 0, 0, 1, 1, 1]  # its text, the notice, its finish
    assert run.reply.text(index=1) == "ba"


def test_grounding_that_quotes_edited_text_is_left_out() -> None:
    grounding = {"groundingSupports": [{"segment": {"text": "a sec"}}], "webSearchQueries": ["the secret"]}
    run = guard_every_way(RULES, [chunk(text("a secret"), finish="STOP", groundingMetadata=grounding)])
    assert run.reply.text() == "a [X]"
    assert run.reply.metadata == {"groundingMetadata": {"webSearchQueries": ["the [X]"]}}


def test_streamed_arguments_are_withheld_and_said_whole() -> None:
    events = as_sse(RECORDED["streamed arguments"])
    stream = GeminiStream(policy(redact("Oslo")), ModelRequest(), case_id="g-1")
    assert [stream.feed(event) for event in events[:3]] == [b"", b"", b""]
    reply = gemini.read(stream.feed(events[3]))
    partial = '[{"jsonPath": "$.city", "stringValue": "[X]"}, {"jsonPath": "$.nights", "numberValue": 2}]'
    assert reply.parts[0] == [("functionCall", '{"name": "book", "partialArgs": ' + partial + "}")]
    assert reply.finishes == {0: "STOP"}


def test_a_chunk_is_taken_apart_only_where_something_changes() -> None:
    several = chunk(text("hm", thought=True), text("a secret"), call({"q": 1}), finish="STOP")
    run = guard_every_way(RULES, [several])
    assert [len(said["candidates"][0]["content"]["parts"]) for said in run.reply.chunks] == [1, 1, 1, 1]
    assert run.reply.kinds() == ["thought", "text", "functionCall"]
    assert guard(policy(), [several]).out == several


def test_chunks_that_differ_in_their_counts_take_the_short_way() -> None:
    def counted(said: str, count: int) -> bytes:
        return chunk(text(said), top={"usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": count}})

    events = [counted(f"word {count} ", count) for count in range(2, 200, 7)]
    stream = GeminiStream(RULES, ModelRequest(), case_id="g-1")
    reads: list[bytes] = []

    def read(event: Any) -> Any:
        reads.append(event.raw)
        return GeminiStream._read(stream, event)

    class Counting(GeminiStream):
        __slots__ = ()
        _read = staticmethod(read)

    counting = Counting(RULES, ModelRequest(), case_id="g-1")
    assert b"".join(counting.feed(event) for event in events) == b"".join(events)
    assert len(reads) < 6


FAULTS: list[tuple[str, list[bytes], str]] = [
    ("an end without a finish", says("a"), "upstream_closed"),
    ("an end in mid-event", [*says("a"), b'data: {"candidates'], "upstream_closed"),
]


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case[0])
def test_faults_end_as_googles_errors_do(case: tuple[str, list[bytes], str]) -> None:
    _, events, code = case
    run = guard(RULES, events)
    assert run.reply.text() == "a"
    assert [(e["code"], e["status"]) for e in run.reply.errors] == [(503, "UNAVAILABLE")]
    assert run.reply.errors[0]["details"][0]["reason"] == code
    assert run.out.rpartition(b"data: ")[2].startswith(b'{"error":')
    assert run.record.fault == code


def test_an_array_that_fails_is_still_an_array() -> None:
    run = guard(RULES, gemini.as_array(says("a sec"))[:-3], array=True)
    assert run.reply.text() == "a sec"
    assert run.reply.errors[0]["status"] == "UNAVAILABLE"


def test_what_goes_on_after_its_finish_is_a_fault() -> None:
    """Nothing is left out in silence, and no text is scanned in two halves."""
    stream = GeminiStream(RULES, ModelRequest(), case_id="g-1")
    stream.feed(chunk(text("a"), finish="STOP"))
    with pytest.raises(WireError, match="had finished"):
        stream.feed(chunk(text("b"), finish="STOP"))
    assert gemini.read(stream.fail(Fault("upstream_malformed", "It went on."))).errors


def test_the_parts_that_a_stream_remembers_are_capped() -> None:
    events = [*says("a", thought=True), *says("b")] * (MAX_STRETCHES // 2)
    assert guard(RULES, b"".join(answer(events))).reply.errors == []
    with pytest.raises(WireError, match="more than 4096"):
        guard(RULES, b"".join(answer(events, says("c", thought=True))))


def test_an_error_of_the_model_server_is_scanned() -> None:
    run = guard(RULES, [*says("a"), gemini.sse({"error": {"code": 500, "message": "no secret", "status": "INTERNAL"}})])
    assert run.reply.errors == [{"code": 500, "message": "no [X]", "status": "INTERNAL"}]


def test_there_is_no_keep_alive() -> None:
    for opened in (GeminiStream, GeminiArrayStream):
        assert opened(RULES, ModelRequest(), case_id="g-1").keep_alive() == b""


def test_numbers_for_enums_are_taken() -> None:
    """With `$alt=json;enum-encoding=int`, which Google's older clients ask for."""
    events = [chunk(text("a sec"), finishReason=0), chunk(text("ret"), finishReason=1)]
    run = guard_every_way(RULES, events)
    assert run.reply.text() == "a [X]"
    assert run.reply.finishes == {0: "1"}


def test_a_call_waits_for_the_verdict_of_the_text_before_it() -> None:
    shell = Shell(hate(), evil, stream=GeminiStream)
    shell.feed(b"".join([*says("an evil word"), chunk(call({"q": 1})), chunk(text(""), finish="STOP")]))
    assert shell.out == b""
    assert shell.stream.stalled
    while shell.open:
        shell.answer()
    reply = gemini.read(shell.out)
    assert reply.text() == NOTICE
    assert reply.last[0]["safetyRatings"][0]["category"] == "HARM_CATEGORY_HATE_SPEECH"
    assert reply.kinds() == ["text"]


def test_annotations_are_chunks_that_every_chat_takes() -> None:
    shell = Shell(hate(action=Action.HALT), evil, ModelRequest(annotate=True), stream=GeminiStream)
    shell.feed(b"".join(answer(says("fine."))))
    while shell.open:
        shell.answer()
    shell.finish()
    reply = gemini.read(shell.out)
    assert reply.text() == "fine."
    assert [note["action"] for note in reply.guardrail] == ["annotate"]
    assert all(said["candidates"][0]["content"]["parts"] for said in reply.chunks)
