"""Promises of the codec under a policy with a classifier, for any cut of the bytes and any timing of the verdicts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guardrail.errors import WireError
from guardrail.text.rules import Action, Label
from guardrail.text.scores import ScoreSettings, Verdict
from guardrail.text.units import Window
from guardrail.wire.request import ModelRequest
from guardrail.wire.strict_json import whole_surrogates
from tests import strategies
from tests.property.test_text_classifier import ANY, SENTENCES, settings, texts
from tests.property.test_wire_chat import accounted, in_reads, junk, read_sizes, streams
from tests.reference import Classifier, reference
from tests.scoring import fake, units
from tests.wire import chat
from tests.wire.scored import GOOD, Shell, guard_body_scored, guard_scored, scored

cases = strategies.cases(max_pieces=5, max_length=200)


def account_of_units(run: chat.Run) -> None:
    record = run.record
    assert record.held == 0
    assert record.received == record.released + record.removed + record.dropped


@given(case=cases, data=st.data(), late=st.sampled_from((0, 1, 4)), reads_on=st.booleans())
def test_one_channel_is_the_reference_for_every_cut_and_timing(
    case: strategies.Case, data: st.DataObject, late: int, reads_on: bool
) -> None:
    text = whole_surrogates(data.draw(texts(case)))
    chosen = data.draw(settings(*data.draw(st.sampled_from((ANY, (Action.LOG,))))))
    model = fake(data.draw(st.integers(0, 99)))
    expected = reference(case.rules, text, Classifier(chosen, model))
    stream = data.draw(streams({(0, "content"): text}))
    policy = scored(chosen, *case.rules, notice="")
    for cut in ([stream], in_reads(stream, data.draw(read_sizes))):
        run = guard_scored(policy, model, cut, late=late, seed=late, reads_on=reads_on)
        assert run.reply.text() == expected.output
        assert run.reply.finishes == {0: "content_filter" if expected.halted else "stop"}
        assert list(run.record.findings) == expected.findings
        assert run.reply.done
        account_of_units(run)


@given(case=cases, data=st.data())
def test_many_channels_are_the_same_for_every_cut_and_timing(case: strategies.Case, data: st.DataObject) -> None:
    keys = data.draw(
        st.lists(
            st.tuples(st.integers(0, 1), st.sampled_from(("content", "reasoning_content"))),
            min_size=1,
            max_size=3,
            unique=True,
        )
    )
    said = {key: whole_surrogates(data.draw(texts(case))) for key in keys}
    chosen = data.draw(settings(*ANY))
    model = fake(data.draw(st.integers(0, 99)))
    stream = data.draw(streams(said))
    policy = scored(chosen, *case.rules)
    request = ModelRequest(n=len({index for index, _ in keys}), include_usage=True)
    runs = [
        guard_scored(policy, model, cut, late=late, seed=late, reads_on=reads_on, request=request)
        for cut, late, reads_on in (
            ([stream], 0, False),
            (in_reads(stream, data.draw(read_sizes)), 3, False),
            (in_reads(stream, data.draw(read_sizes)), 9, True),
        )
    ]
    first = runs[0].reply
    for run in runs:
        assert (run.reply.texts, run.reply.finishes) == (first.texts, first.finishes)
        assert run.record.findings == runs[0].record.findings
        account_of_units(run)


@given(case=cases, data=st.data())
def test_a_body_is_what_the_stream_comes_to(case: strategies.Case, data: st.DataObject) -> None:
    """With reasoning before the content, as models speak."""
    thought, said = (whole_surrogates(data.draw(texts(case))) for _ in range(2))
    arguments = json.dumps({"q": data.draw(st.sampled_from(SENTENCES)), "n": 12}, ensure_ascii=False)
    chosen = data.draw(settings(*ANY))
    model = fake(data.draw(st.integers(0, 99)))
    policy = scored(chosen, *case.rules)
    events = [
        *chat.says(*data.draw(strategies.cuts(thought)), key="reasoning_content"),
        *chat.says(*data.draw(strategies.cuts(said))),
        chat.call(arguments, name="f"),
    ]
    run = guard_scored(policy, model, chat.chat(events), late=2)
    message = {
        "role": "assistant",
        "reasoning_content": thought,
        "content": said,
        "tool_calls": [{"index": 0, "id": "call_0", "function": {"name": "f", "arguments": arguments}}],
    }
    body = json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
    out, record = guard_body_scored(policy, model, body, ModelRequest())
    choice = json.loads(out)["choices"][0]
    answer = choice["message"]
    assert (answer.get("content") or "") == run.reply.text()
    assert (answer.get("reasoning_content") or "") == run.reply.text("reasoning_content")
    calls = answer.get("tool_calls") or [{"function": {"arguments": ""}}]
    assert calls[0]["function"]["arguments"] == run.reply.text("tool_calls[0].arguments")
    assert choice["finish_reason"] == run.reply.finishes[0]
    assert sorted(record.findings) == sorted(run.record.findings)
    assert record.received == record.released + record.removed + record.dropped
    if not record.halted:
        assert (record.units, record.unit_failures) == (run.record.units, run.record.unit_failures)


@given(data=st.data(), size=st.integers(1, 300), ending=st.sampled_from(("go on", "fail", "end")))
def test_nothing_is_written_before_its_unit_has_a_score(data: st.DataObject, size: int, ending: str) -> None:
    """In a text in which no character comes twice, none of an unscored unit is in any byte written."""
    text = "".join(chr(0x4E00 + at) if at % 17 else "。" for at in range(size))
    chosen = ScoreSettings(model="fake", labels=(), rules=data.draw(settings(Action.REDACT)).rules, fail="open")
    chosen = replace(chosen, rules=tuple(replace(rule, mask=Label("[S]")) for rule in chosen.rules))
    model = fake(data.draw(st.integers(0, 99)))
    shell = Shell(scored(chosen), model)
    passed: set[str] = set("。")
    events = chat.chat(chat.says(*data.draw(strategies.cuts(text))))
    for read in in_reads(b"".join(events[:-1] if ending == "end" else events), data.draw(read_sizes)):
        if not shell.stream.stalled:
            shell.feed(read)
        if shell.open and data.draw(st.booleans()):
            passed |= answered(shell, model, chosen)
        assert written(shell.out) <= passed
    shell.fail() if ending == "fail" else shell.finish()
    assert written(shell.out) <= passed
    while shell.open:
        passed |= answered(shell, model, chosen)
        assert written(shell.out) <= passed
    assert shell.stream.done
    chat.read(shell.out)
    accounted_text = shell.stream.record
    assert accounted_text.held == 0
    if ending == "go on":
        assert len(units(text)) == accounted_text.units


def answered(shell: Shell, model: object, chosen: ScoreSettings) -> set[str]:
    """Answer one ask; the characters that may be written by it."""
    ask = shell.open[0]
    verdict: Verdict = model(ask.window)  # type: ignore[operator]
    hit = verdict.scores is not None and any(verdict.scores[rule.label] >= rule.at for rule in chosen.rules)
    shell.answer(0)
    return set() if hit else set(ask.window.text)


def written(out: bytes) -> set[str]:
    said = out.decode()
    escaped = [chr(int(code, 16)) for code in re.findall(r"\\u([0-9a-f]{4})", said)]
    return {char for char in (*said, *escaped) if "\u4e00" <= char <= "\u9fff"}


@given(case=cases, data=st.data(), lag=st.sampled_from((1, 30, 1000)), late=st.integers(0, 6))
def test_a_late_halt_withdraws_what_strict_would_have_kept_back(
    case: strategies.Case, data: st.DataObject, lag: int, late: int
) -> None:
    text = whole_surrogates(data.draw(texts(case)))
    chosen = data.draw(settings(Action.HALT, Action.LOG, lag_budget=lag))
    model = fake(data.draw(st.integers(0, 99)))
    stream = data.draw(streams({(0, "content"): text}))
    run = guard_scored(
        scored(chosen, notice=""), model, in_reads(stream, data.draw(read_sizes)), late=late, seed=late, reads_on=True
    )
    expected = reference((), text, Classifier(chosen, model))
    kept = run.reply.text()
    withdrawn = [note["end_offset"] - note["start_offset"] for note in run.reply.guardrail if "erase" in note]
    assert run.record.retracted == sum(withdrawn)
    for note in run.reply.guardrail:
        if note["action"] == "retract":
            assert note["end_offset"] == len(kept)
            kept = kept[: note["start_offset"]]
            offsets = run.reply.last[0]["content_filter_offsets"]
            assert offsets["start_offset"] == note["start_offset"] <= offsets["end_offset"] <= note["end_offset"]
    assert kept == expected.output
    assert run.reply.finishes == {0: "content_filter" if expected.halted else "stop"}
    account_of_units(run)


@given(case=cases, data=st.data())
def test_what_is_clean_passes_byte_for_byte(case: strategies.Case, data: st.DataObject) -> None:
    text = whole_surrogates(data.draw(texts(case)))
    chosen = data.draw(settings(Action.HALT, Action.REDACT))
    stream = data.draw(
        streams(
            {(0, "content"): text},
            cut=lambda said: strategies.cuts(said).map(
                lambda cut: [piece[at : at + 32] for piece in cut for at in range(0, len(piece), 32)]
            ),
        )
    )

    def clean(window: Window) -> Verdict:
        return GOOD

    run = guard_scored(scored(chosen), clean, in_reads(stream, data.draw(read_sizes)), late=3)
    assert run.out == stream
    accounted(run)


@given(
    junk=junk,
    data=st.data(),
    scope=st.sampled_from(("choice", "response")),
    lag=st.sampled_from((0, 5)),
    unknown=st.sampled_from(("block", "pass")),
)
def test_whatever_comes_is_a_wire_error_or_readable(
    junk: bytes, data: st.DataObject, scope: Any, lag: int, unknown: Any
) -> None:
    """With verdicts at any time, and a shell that reads on while the stream is stalled or does not."""
    chosen = data.draw(settings(Action.HALT, Action.LOG, lag_budget=lag))
    model = fake(data.draw(st.integers(0, 99)))
    policy = scored(chosen, chat.redact("a"), halt_scope=scope, unknown_text=unknown)
    shell = Shell(policy, model, ModelRequest(said_with=data.draw(strategies.said_with), include_usage=True))
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
    stream = shell.stream
    assert stream.done
    assert not stream.stalled
    assert (stream.feed(b"data: x\n\n"), stream.finish(), stream.keep_alive()) == (b"", b"", b"")
    account_of_units(shell.run)
    if unknown == "block":
        chat.read(shell.out)
