"""Promises of the codec of OpenAI Responses, for any rules, answer and cut.

1. What a plain client adds up is the same for every cut of the bytes, and is P(T) of the reference; so is all that
   repeats it: the ends of texts, parts, items and the response.
2. No character of a removed span is in any byte that was written, in any field.
3. What no rule removes anything from passes byte for byte.
4. Whatever upstream sends, the codec raises WireError or nothing, and writes what a client can read.
5. Every character is accounted for.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guardrail.errors import WireError
from guardrail.text.rules import Action, KeywordRule, Label, Rule
from guardrail.wire.answer import Fault
from guardrail.wire.openai_responses import ResponsesStream
from guardrail.wire.openai_responses_body import guard_body
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from guardrail.wire.strict_json import whole_surrogates
from tests import strategies
from tests.property.test_text_classifier import ANY, settings, texts
from tests.property.test_wire_chat import accounted, in_reads, read_sizes, short_cuts, units
from tests.reference import Classifier, reference
from tests.scoring import fake
from tests.wire import chat
from tests.wire.openai_responses_client import Server, guard, read, sse, text_of
from tests.wire.scored import Shell, guard_scored, scored

NAMES = ("output_text", "refusal", "reasoning_text", "reasoning_summary_text")


@st.composite
def servers(draw: st.DrawFn, *, ascii_only: bool | None = None) -> Server:
    return Server(
        ascii_only=draw(st.booleans()) if ascii_only is None else ascii_only,
        line_end=draw(st.sampled_from(("\n", "\n", "\r\n"))),
        obfuscate=draw(st.booleans()),
    )


@given(case=strategies.cases(max_pieces=8), data=st.data(), named=st.sampled_from(NAMES))
def test_one_text_is_the_reference_for_every_cut(case: strategies.Case, data: st.DataObject, named: str) -> None:
    text = whole_surrogates(case.text)
    server = data.draw(servers(ascii_only=True))
    server.text(*data.draw(units(text)), named=named)
    stream = b"".join(server.complete())
    expected = reference(case.rules, text)
    policy = chat.policy(*case.rules)
    outs = []
    for cut in ([stream], in_reads(stream, data.draw(read_sizes))):
        run = guard(policy, cut)
        reply = run.reply
        outs.append(reply.told)
        key = "summary" if "summary" in named else "content"
        path = f"output[0].{key}[0].{'refusal' if named == 'refusal' else 'text'}"
        assert reply.texts.get(path, "") == expected.output
        assert reply.ending == "completed"
        assert [replace(found, channel="") for found in run.record.findings] == [
            replace(found, channel="") for found in expected.findings
        ]
        assert run.record.finish_reasons == ("content_filter" if expected.halted else "completed",)
        assert reply.numbers == sorted(reply.numbers)
        accounted(run)  # type: ignore[arg-type]
    assert outs[0] == outs[1]


@given(case=strategies.cases(max_pieces=6), data=st.data())
def test_many_texts_are_the_same_for_every_cut_and_in_a_body(case: strategies.Case, data: st.DataObject) -> None:
    text = whole_surrogates(case.text)
    server = data.draw(servers(ascii_only=True))
    for at, named in enumerate(data.draw(st.lists(st.sampled_from((*NAMES, "call")), min_size=1, max_size=3))):
        said = text[at:] + text[:at]
        if named == "call":
            server.call(*data.draw(strategies.cuts(json.dumps({"q": said}))))
        else:
            server.text(*data.draw(units(said)), named=named)
    events = server.complete()
    stream = b"".join(events)
    policy = chat.policy(*case.rules)
    runs = [guard(policy, cut) for cut in ([stream], events, in_reads(stream, data.draw(read_sizes)))]
    first = runs[0].reply
    for run in runs:
        assert (run.reply.told, run.abort) == (first.told, runs[0].abort)
        accounted(run)  # type: ignore[arg-type]
    body = json.dumps(json.loads(events[-1].partition(b"data: ")[2])["response"]).encode()
    out, record = guard_body(policy, ModelRequest(), body, "g-1")
    final = json.loads(out)
    assert first.final is not None
    assert [plain(item) for item in final["output"]] == [plain(item) for item in first.final["output"]]
    assert record.halted == runs[0].record.halted
    assert record.received == record.released + record.removed + record.dropped


def plain(item: dict[str, Any]) -> Any:
    parts = [*(item.get("summary") or ()), *(item.get("content") or ())]
    return item["type"], item.get("arguments"), [part.get("text", part.get("refusal")) for part in parts]


@st.composite
def canaries(draw: st.DrawFn) -> tuple[tuple[Rule, ...], list[tuple[str, str]]]:
    """Texts in which no character comes twice, and rules that remove some stretches of them."""
    kinds = draw(st.lists(st.sampled_from((*NAMES, "call", "code", "search")), min_size=1, max_size=3))
    texts = []
    terms: dict[Action, list[str]] = {Action.REDACT: [], Action.HALT: []}
    for position, kind in enumerate(kinds):
        size = draw(st.integers(1, 60))
        text = "".join(chr(0x4E00 + position * 100 + i) for i in range(size))
        texts.append((kind, text))
        for _ in range(draw(st.integers(0, 3))):
            start = draw(st.integers(0, size - 1))
            # With one item there is nothing that a halt would end in the middle of a stretch.
            action = draw(st.sampled_from((Action.REDACT, Action.HALT))) if len(kinds) == 1 else Action.REDACT
            terms[action].append(text[start : draw(st.integers(start + 1, size))])
    rules = tuple(
        KeywordRule(id=action.value, category="c", terms=tuple(found), action=action, mask=Label("#"))
        for action, found in terms.items()
        if found
    )
    return rules, texts


@st.composite
def repeating_streams(draw: st.DrawFn, texts: list[tuple[str, str]]) -> list[bytes]:
    """A stream that repeats its texts wherever servers do, and where they do not."""
    server = draw(servers())
    for kind, text in texts:
        repeat = draw(
            st.sampled_from(("", "", "logprobs", "key", "top", "known", "added", "only_done", "annotation", "event"))
        )
        if kind == "call":
            server.call(*draw(strategies.cuts(json.dumps({"q": text}, ensure_ascii=False))))
        elif kind == "code":
            item = {"id": "ci_1", "type": "code_interpreter_call", "container_id": "c", "code": "", "outputs": None}
            index = server.add(item)
            where = {"item_id": "ci_1", "output_index": index}
            for piece in draw(strategies.cuts(text)):
                server.say("response.code_interpreter_call_code.delta", **where, delta=piece)
            server.say("response.code_interpreter_call_code.done", **where, code=text)
            server.say("response.code_interpreter_call.completed", **where)
            server.items[index] = {**item, "code": text, "outputs": [{"type": "logs", "logs": text}]}
            server.close(index)
        elif kind == "search":
            index = server.add({"id": "ws_1", "type": "web_search_call", "action": {"type": "search", "query": text}})
            server.say("response.web_search_call.completed", item_id="ws_1", output_index=index)
            server.close(index)
        else:
            index = server.message() if kind in ("output_text", "refusal") else server.reasoning()
            at = server.open_part(index, kind)
            part = server.items[index]["summary" if "summary" in kind else "content"][at]
            if repeat == "only_done":
                part["refusal" if kind == "refusal" else "text"] = text
            else:
                for piece in draw(strategies.cuts(text)):
                    more: dict[str, Any] = {}
                    if repeat == "logprobs":
                        more["logprobs"] = [{"token": c, "logprob": -1.0, "top_logprobs": []} for c in piece]
                    elif repeat == "key":
                        more[piece or "x"] = {piece or "y": [piece]}
                    elif repeat == "known":
                        more = dict.fromkeys(("annotation_index", "obfuscation", "status", "call_id"), piece)
                    elif repeat == "top":
                        more["summary"] = {"so": ["far", piece]}
                    server.delta(index, piece, kind, **more)
            if repeat == "added":
                server.say("response.content_part.added", **server.where(index, "content", 3), part=part)
                server.say("response.in_progress", response=server.response("in_progress", [server.items[index]]))
            elif repeat == "event":
                server.say("response.audio.transcript.delta", delta=text)
                server.say("response.new.thing", **server.where(index, "content", at), whatever=[{"text": text}])
            elif repeat == "annotation":
                note = {"type": "url_citation", "title": text, "url": "https://example.org", "start_index": 0}
                where = server.where(index, "content", at)
                server.say("response.output_text.annotation.added", **where, annotation_index=0, annotation=note)
                part["annotations"] = [note]
            server.close_part(index, kind, at)
            server.close(index)
    joined = text_of(server.response("completed", list(server.items.values())))
    more = draw(st.sampled_from(({}, {"output_text": joined}, {"output_text": "x" + joined}, {"summary": joined})))
    if draw(st.booleans()):
        server.complete(**more)
    else:
        error = {"code": "server_error", "message": "it broke after " + " ".join(text for _, text in texts)}
        server.complete("failed", **{**more, "error": error})
    if draw(st.booleans()):
        server.events.append(server.events[-1])
    if draw(st.booleans()):
        # In the middle of a text it would be the end of it.
        server.events.insert(
            draw(st.sampled_from((1, len(server.events)))), sse({"type": "error", "message": texts[0][1]})
        )
    return server.events


@given(made=canaries(), data=st.data(), ending=st.sampled_from(("end", "fail")))
def test_no_removed_character_is_written_anywhere(
    made: tuple[tuple[Rule, ...], list[tuple[str, str]]], data: st.DataObject, ending: str
) -> None:
    rules, said_texts = made
    events = data.draw(repeating_streams(said_texts))
    stream = ResponsesStream(chat.policy(*rules), ModelRequest(), case_id="g-1")
    out = b"".join([stream.feed(part) for part in in_reads(b"".join(events), data.draw(read_sizes))])
    out += stream.fail(Fault("shutdown", "Going down.")) if ending == "fail" else stream.finish()
    read(out, strict=False)
    allowed = {char for _, text in said_texts for char in reference(rules, text).output}
    assert written(out) <= allowed
    record = stream.record
    assert record.received == record.released + record.removed + record.dropped
    assert record.unscanned == 0


def written(out: bytes) -> set[str]:
    text = out.decode()
    escaped = [chr(int(code, 16)) for code in re.findall(r"\\u([0-9a-f]{4})", text)]
    return {char for char in (*text, *escaped) if "\u4e00" <= char <= "\u5fff"}


@given(made=canaries(), data=st.data())
def test_no_removed_character_is_in_a_body(
    made: tuple[tuple[Rule, ...], list[tuple[str, str]]], data: st.DataObject
) -> None:
    rules, said_texts = made
    events = data.draw(repeating_streams(said_texts))
    bodies = [json.loads(event.partition(b"data: ")[2]) for event in events]
    response = next(
        body["response"] for body in bodies if body.get("response", {}).get("status") in ("completed", "failed")
    )
    response["status"] = data.draw(st.sampled_from(("completed", "in_progress")))
    out, record = guard_body(chat.policy(*rules), ModelRequest(), json.dumps(response).encode(), "g-1")
    allowed = {char for _, text in said_texts for char in reference(rules, text).output}
    assert written(out) <= allowed
    assert record.received == record.released + record.removed + record.dropped


@given(case=strategies.cases(max_pieces=6), data=st.data(), named=st.sampled_from(NAMES))
def test_what_is_clean_passes_byte_for_byte(case: strategies.Case, data: st.DataObject, named: str) -> None:
    text = whole_surrogates(case.text)
    rules = tuple(replace(rule, action=Action.LOG) for rule in case.rules)
    server = data.draw(servers())
    server.text(*data.draw(short_cuts(text)), named=named)
    server.call(*data.draw(strategies.cuts(json.dumps({"q": text}))))
    stream = b"".join(server.complete())
    run = guard(chat.policy(*rules), in_reads(stream, data.draw(read_sizes)))
    assert run.out == stream


@given(case=strategies.cases(max_pieces=5, max_length=200), data=st.data(), late=st.sampled_from((0, 1, 4)))
def test_with_verdicts_at_any_time_it_is_the_reference(case: strategies.Case, data: st.DataObject, late: int) -> None:
    thought, text = (whole_surrogates(data.draw(texts(case))) for _ in range(2))
    lag = data.draw(st.sampled_from((0, 0, 30)))
    chosen = data.draw(settings(*((Action.HALT, Action.LOG) if lag else ANY), lag_budget=lag))
    model = fake(data.draw(st.integers(0, 99)))
    policy = scored(chosen, *(() if lag else case.rules))
    server = data.draw(servers(ascii_only=True))
    server.text(*data.draw(units(thought)), named="reasoning_summary_text")
    server.text(*data.draw(units(text)))
    server.call(json.dumps({"q": text}))
    stream = b"".join(server.complete())
    first, then = (reference(() if lag else case.rules, said, Classifier(chosen, model)) for said in (thought, text))
    for cut, reads_on in (([stream], False), (in_reads(stream, data.draw(read_sizes)), data.draw(st.booleans()))):
        run = guard_scored(policy, model, cut, late=late, seed=late, reads_on=reads_on, stream=ResponsesStream)
        reply = read(run.out, strict=not chosen.lag_budget)
        assert reply.ending == "completed"
        assert reply.final is not None
        items = reply.final["output"]
        if not chosen.lag_budget:
            assert reply.texts.get("output[0].summary[0].text", "") == first.output
            if not first.halted:
                assert reply.texts.get("output[1].content[0].text", "") == then.output
        assert items[0]["summary"][0]["text"] == first.output
        assert len(items) == (2 if first.halted or then.halted else 3) or run.record.halted
        record = run.record
        assert record.held == 0
        assert record.received == record.released + record.removed + record.dropped


VALUES: tuple[Any, ...] = (None, 1, True, "ab", "", [], {}, ["ab"], {"a": "ab"}, -1, 5000, "x y", [None], [{}])
FIELDS = (
    *("type", "delta", "text", "refusal", "item", "item_id", "output_index", "content_index", "summary_index", "part"),
    *("response", "annotation", "annotation_index", "logprobs", "obfuscation", "arguments", "code", "input", "output"),
    *("sequence_number", "error", "new"),
)


def _whole() -> list[bytes]:
    server = Server()
    server.text("a", "x", named="reasoning_summary_text")
    server.text("x", "ab")
    server.call('{"a":"', 'a"}')
    index = server.add({"id": "ws_1", "type": "web_search_call", "action": {"type": "search", "query": "a"}})
    server.say("response.web_search_call.searching", item_id="ws_1", output_index=index)
    server.close(index)
    shell = {"item_id": "sh_1", "output_index": 7, "command_index": 0}
    server.say("response.shell_call_command.added", **shell, command="")
    server.say("response.shell_call_command.delta", **shell, delta="a")
    server.say("response.shell_call_output_content.delta", **shell, delta={"stdout": "a", "stderr": "x"})
    server.say("response.shell_call_output_content.done", **shell, output=[{"stdout": "a", "stderr": "x"}])
    server.say("response.image_generation_call.partial_image", partial_image_b64="aGk=", output_index=8)
    return server.complete()


GOOD = _whole()


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    """An event of a sane server, with something in it that is not."""
    value = json.loads(draw(st.sampled_from(GOOD)).partition(b"data: ")[2])
    owner = value
    for key in ("item", "part", "response"):
        if isinstance(owner.get(key), dict) and draw(st.booleans()):
            owner = owner[key]
    owner[draw(st.sampled_from((*FIELDS, *owner)))] = draw(st.sampled_from(VALUES))
    return sse(value, named=draw(st.booleans()))


PIECES = (
    *(
        b"data: ",
        b"\n",
        b"\n\n",
        b"\r",
        b": ping\n\n",
        b"event: error\n",
        b"event: response.completed\n",
        b"\xff",
        b"{",
    ),
    *(b'data: "a"\n\n', b"data: [DONE]\n\n", b"data: {}\n\n", b"data: [DONE] ab\n\n", b"<html>"),
)
junk = st.lists(
    st.one_of(st.sampled_from(GOOD), st.sampled_from(GOOD), bent(), bent(), st.sampled_from(PIECES)), max_size=14
).map(b"".join)


@given(junk=junk, data=st.data(), unknown=st.sampled_from(("block", "pass")), lag=st.sampled_from((None, 0, 5)))
def test_whatever_comes_is_a_wire_error_or_readable(
    junk: bytes, data: st.DataObject, unknown: Any, lag: int | None
) -> None:
    if lag is None:
        policy = chat.policy(chat.redact("a"), chat.halt("b"), unknown_text=unknown)
    else:
        chosen = data.draw(settings(Action.HALT, Action.LOG, lag_budget=lag))
        policy = scored(chosen, chat.redact("a"), unknown_text=unknown)
    model = fake(data.draw(st.integers(0, 99)))
    shell = Shell(
        policy,
        model,
        ModelRequest(said_with=data.draw(strategies.said_with), json_output=data.draw(st.booleans())),
        stream=ResponsesStream,
    )

    def answer() -> None:
        while shell.open:
            try:
                shell.answer(data.draw(st.integers(0, len(shell.open) - 1)))
            except WireError:
                shell.fail()

    try:
        for part in in_reads(junk, data.draw(read_sizes)):
            shell.feed(part)
            answer()
        shell.finish()
    except WireError:
        shell.fail()
    answer()
    stream = shell.stream
    assert stream.done
    assert not stream.stalled
    assert (stream.feed(b"data: x\n\n"), stream.finish(), stream.keep_alive()) == (b"", b"", b"")
    record = stream.record
    assert record.held == 0
    assert record.received == record.released + record.removed + record.dropped
    if unknown == "block":
        read(shell.out, strict=False)
        assert lag is not None or record.unscanned == 0
    # What was written is read again without a complaint, and has nothing more to remove.
    again = ResponsesStream(chat.policy(chat.redact("zzz")), ModelRequest(), case_id="g-2", limits=WireLimits())
    again.feed(shell.out)
    again.finish()


@given(data=st.data(), unknown=st.sampled_from(("block", "pass")))
def test_whatever_body_comes_is_a_wire_error_or_readable(data: st.DataObject, unknown: Any) -> None:
    value = json.loads(data.draw(bent()).partition(b"data: ")[2])
    response = value.get("response", value)
    policy = chat.policy(chat.redact("a"), chat.halt("b"), unknown_text=unknown)
    try:
        out, record = guard_body(
            policy, ModelRequest(said_with=data.draw(strategies.said_with)), json.dumps(response).encode(), "g-1"
        )
    except WireError:
        return
    json.loads(out)
    assert record.received == record.released + record.removed + record.dropped
