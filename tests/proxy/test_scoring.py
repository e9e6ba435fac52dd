"""Answers under a policy with a classifier, over real sockets: what goes when verdicts are early, late or missing."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from guardrail.text.rules import Action
from tests.proxy.harness import BODY, Guarded, guarding, raw_client
from tests.proxy.scored import Gated, scored_policy
from tests.proxy.scripted import DONE, Connection, Script, Seen, answer, delta, response, until

NOTICE = "\n[Stopped by safety policy. Case {}]"
ONE = "This is the first sentence."
EVIL = " This one is evil, and long enough."


def says(*texts: str, gap: float = 0.0, end: bool = True) -> Script:
    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        for text in texts:
            await conn.stream(delta(text))
            await asyncio.sleep(gap)
        if end:
            await conn.stream(delta(None, finish="stop"), DONE)
            await conn.end()
        else:
            await asyncio.sleep(60)

    return script


async def test_clean_text_passes_as_it_came() -> None:
    events = answer(ONE, " And more.", " And then some of it again.")

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(*events)
        await conn.end()

    async with guarding(script, policy=scored_policy(Gated())) as guarded:
        got = await guarded.ask()
        assert got.body == b"".join(events)
        record = await guarded.record()
        assert record.classifier is not None
        assert (record.classifier.model, record.classifier.units) == ("gated@999999999999", 2)
        assert (record.classifier.encoder_calls, record.classifier.failures) == (2, {})
        assert (record.received, record.released, record.unscanned) == (len(ONE) + 37, len(ONE) + 37, 0)
        name = {"model": "gated@999999999999"}
        assert guarded.metric("guardrail_classifier_units_total", stage="encoder", **name) == 2
        assert guarded.metric("guardrail_classifier_waiting", **name) == 0
        assert guarded.metric("guardrail_classifier_verdict_seconds_count") == 2


async def test_what_the_first_stage_tells_goes_in_the_same_write() -> None:
    model = Gated()
    model.open.clear()
    async with guarding(
        says("All plain words, and more of them.", " So plain too."), policy=scored_policy(model)
    ) as guarded:
        got = await guarded.ask()
        assert got.text == "All plain words, and more of them. So plain too."
        record = await guarded.record()
        assert record.classifier is not None
        assert (record.classifier.units, record.classifier.encoder_calls) == (2, 0)
        assert guarded.metric("guardrail_classifier_units_total", stage="gate", model="gated@999999999999") == 2
    model.open.set()


@pytest.mark.parametrize("gap", [0.0, 0.01])
async def test_a_halt_ends_the_answer_and_the_upstream(gap: float) -> None:
    async with guarding(says(ONE, EVIL, " And", *[" more"] * 500, gap=gap), policy=scored_policy(Gated())) as guarded:
        got = await guarded.ask()
        record = await guarded.record()
        assert got.text == ONE + " " + NOTICE.format(record.request_id)
        assert got.finish == "content_filter"
        assert (record.outcome, record.halted) == ("halted", True)
        assert [finding.rule for finding in record.findings] == ["classifier.hate.high"]
        assert record.received == record.released + record.removed + record.dropped


async def test_a_halt_before_the_first_byte_reaches_a_silent_client() -> None:
    """The upstream says nothing more, and the client has nothing yet: the verdict alone ends the answer."""
    model = Gated()
    model.open.clear()
    async with guarding(says(EVIL[1:], " And", end=False), policy=scored_policy(model)) as guarded:
        asked = asyncio.ensure_future(guarded.ask())
        await until(lambda: len(model.seen) > 0)
        assert not asked.done()
        model.open.set()
        got = await asked
        assert got.status == 200
        assert got.finish == "content_filter"
        record = await guarded.record()
        assert (record.outcome, record.upstream_aborted) == ("halted", True)


async def test_text_goes_when_its_verdict_comes_not_when_the_next_text_does() -> None:
    model = Gated()
    model.open.clear()
    async with (
        guarding(says(ONE, " And", end=False), policy=scored_policy(model)) as guarded,
        raw_client(guarded) as (reader, _),
    ):
        await until(lambda: len(model.seen) > 0)
        model.open.set()
        got = b""
        while b"first sentence" not in got:
            got += await asyncio.wait_for(reader.read(1000), 10)


async def test_the_finish_waits_and_keep_alives_go_on() -> None:
    model = Gated()
    model.open.clear()
    async with (
        guarding(says(ONE), policy=scored_policy(model, deadline=20.0), keep_alive=0.05) as guarded,
        raw_client(guarded) as (reader, _),
    ):
        got = b""
        while got.count(b": keep-alive") < 3:
            got += await asyncio.wait_for(reader.read(1000), 10)
        assert b"first" not in got
        assert b"[DONE]" not in got
        model.open.set()
        while b"[DONE]" not in got:
            got += await asyncio.wait_for(reader.read(1000), 10)
        assert b"first sentence" in got
        assert (await guarded.record()).outcome == "complete"


@pytest.mark.parametrize("fail", ["closed", "open"])
async def test_a_deadline_that_passes(fail: str) -> None:
    model = Gated()
    model.open.clear()
    async with guarding(says(ONE), policy=scored_policy(model, deadline=0.05, fail=fail)) as guarded:
        got = await guarded.ask()
        record = await guarded.record()
        assert record.classifier is not None
        assert record.classifier.failures == {"deadline": 1}
        if fail == "closed":
            assert got.text == NOTICE.format(record.request_id)
            assert [finding.rule for finding in record.findings] == ["classifier.unavailable"]
        else:
            assert (got.text, record.unscanned) == (ONE, len(ONE))
        kind = {"model": "gated@999999999999", "kind": "deadline"}
        assert guarded.metric("guardrail_classifier_failures_total", **kind) == 1
        model.open.set()


async def test_a_late_halt_withdraws_what_the_client_has() -> None:
    model = Gated()
    model.open.clear()
    policy = scored_policy(model, lag_budget=1000)
    async with (
        guarding(says(ONE, EVIL, " And so on", end=False), policy=policy) as guarded,
        raw_client(guarded) as (reader, _),
    ):
        got = b""
        while b"so on" not in got:
            got += await asyncio.wait_for(reader.read(1000), 10)
        model.open.set()
        while b"[DONE]" not in got:
            got += await asyncio.wait_for(reader.read(1000), 10)
        assert b'"action":"retract"' in got
        assert b'"start_offset":28' in got
        record = await guarded.record()
        assert record.halted
        assert record.retracted == len(ONE + EVIL + " And so on") - 28
        assert guarded.metric("guardrail_retractions_total", tenant="anonymous") == 1
        assert guarded.metric("guardrail_characters_total", state="retracted") == record.retracted


async def test_what_only_reports_is_in_the_record_though_nothing_waits() -> None:
    model = Gated()
    model.open.clear()
    async with guarding(says(ONE, EVIL), policy=scored_policy(model, action=Action.LOG, deadline=20.0)) as guarded:
        asked = asyncio.ensure_future(guarded.ask())
        got = await asked
        assert got.text == ONE + EVIL
        model.open.set()
        record = await guarded.record()
        assert [(finding.rule, finding.start) for finding in record.findings] == [("classifier.hate.high", 28)]


async def test_what_only_reports_is_in_the_record_though_the_client_leaves_at_the_end() -> None:
    model = Gated()
    model.open.clear()
    async with guarding(says(ONE, EVIL), policy=scored_policy(model, action=Action.LOG, deadline=20.0)) as guarded:
        async with raw_client(guarded) as (reader, _):
            await reader.readuntil(b"0\r\n\r\n")
        await asyncio.sleep(0.05)
        model.open.set()
        record = await guarded.record()
        assert record.outcome == "complete"
        assert [finding.rule for finding in record.findings] == ["classifier.hate.high"]


async def test_a_second_cancellation_ends_the_wait_for_what_only_reports() -> None:
    model = Gated()
    model.open.clear()
    async with guarding(says(ONE, EVIL), policy=scored_policy(model, action=Action.LOG, deadline=20.0)) as guarded:
        async with raw_client(guarded) as (reader, _):
            await reader.readuntil(b"0\r\n\r\n")
        await asyncio.sleep(0.05)
        assert guarded.proxy.admission.in_flight == 1
        guarded.proxy.drop()
        assert (await guarded.record()).outcome == "complete"
        model.open.set()


FIRST = "plain words, which go at once, yes. "
REFUSAL = delta(None, refusal="This is what I refuse.")


@pytest.mark.parametrize(
    ("reads", "said"),
    [
        ([delta(FIRST), delta(ONE) + REFUSAL + b"data: {\n\n"], FIRST + ONE),
        ([delta(FIRST), delta(ONE, 1) + delta(FIRST + ONE) + REFUSAL + b"data: {\n\n"], FIRST * 2 + ONE),
        ([delta(FIRST), delta("plain") + delta("plain too", 1) + REFUSAL + b"data: {\n\n"], FIRST + "plain"),
    ],
    ids=["one choice", "another choice waits too", "told by the first stage"],
)
async def test_what_is_wrong_behind_a_stall_ends_the_answer_validly(reads: list[bytes], said: str) -> None:
    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(*reads, apart=True)
        await asyncio.sleep(60)

    async with guarding(script, policy=scored_policy(Gated())) as guarded:
        got = await guarded.ask({**BODY, "n": 2})
        assert got.text == said
        assert got.events[-2]["error"]["code"] == "upstream_malformed"
        assert got.events[-1] == "[DONE]"
        record = await guarded.record()
        assert (record.outcome, record.fault) == ("fault", "upstream_malformed")
        assert record.received == record.released


async def test_what_is_wrong_behind_a_stall_does_not_keep_another_fault_from_being_told() -> None:
    model = Gated()
    model.open.clear()

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(delta(FIRST), delta(ONE) + REFUSAL + b"data: {\n\n", apart=True)
        await asyncio.sleep(60)

    async with guarding(script, policy=scored_policy(model, deadline=20.0), total=1.0) as guarded:
        asked = asyncio.ensure_future(guarded.ask())
        await until(lambda: len(model.seen) > 0)
        await asyncio.sleep(1.1)
        model.open.set()
        got = await asked
        assert got.text == FIRST + ONE
        assert got.events[-2]["error"]["code"] == "total_timeout"
        assert got.events[-1] == "[DONE]"


async def test_a_client_that_leaves_while_verdicts_are_out() -> None:
    model = Gated()
    model.open.clear()
    async with guarding(says(ONE, " And", end=False), policy=scored_policy(model)) as guarded:
        async with raw_client(guarded):
            await until(lambda: len(model.seen) > 0)
        record = await guarded.record()
        assert record.outcome == "disconnected"
        model.open.set()
        await until(
            lambda: (
                guarded.metric("guardrail_classifier_units_total", stage="encoder", **{"model": "gated@999999999999"})
                > 0
            )
        )


async def test_a_broken_upstream_while_verdicts_are_out() -> None:
    model = Gated()
    model.open.clear()

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(delta("Plain words come first, and a blank."), delta(" Then others,"))
        await asyncio.sleep(0.05)
        conn.reset()

    async with guarding(script, policy=scored_policy(model, deadline=20.0)) as guarded:
        asked = asyncio.ensure_future(guarded.ask())
        await until(lambda: len(model.seen) > 0)
        model.open.set()
        got = await asked
        assert got.text == "Plain words come first, and a blank. Then others,"
        assert got.events[-1] == "[DONE]"
        assert (await guarded.record()).outcome == "fault"


async def test_one_stream_has_a_bounded_number_of_windows_in_the_queue() -> None:
    model = Gated()
    model.open.clear()
    sentences = [f"This is sentence number {number} of many." for number in range(200)]
    async with guarding(says(" ".join(sentences)), policy=scored_policy(model, deadline=20.0)) as guarded:
        asked = asyncio.ensure_future(guarded.ask())
        await until(lambda: len(model.seen) > 0)
        (classifier,) = guarded.proxy.classifiers
        assert classifier.waiting <= 32
        model.open.set()
        assert (await asked).text == " ".join(sentences)


def body(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    return msgspec.json.encode({"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


async def whole(guarded: Guarded) -> Any:
    return msgspec.json.decode((await guarded.ask({**BODY, "stream": False})).body)


def replies(data: bytes) -> Script:
    async def script(request: Seen, conn: Connection) -> None:
        await conn.send(response(data))

    return script


async def test_bodies_are_scored_too() -> None:
    async with guarding(replies(body(ONE + EVIL)), policy=scored_policy(Gated())) as guarded:
        choice = (await whole(guarded))["choices"][0]
        record = await guarded.record()
        assert choice["message"]["content"] == ONE + " " + NOTICE.format(record.request_id)
        assert choice["finish_reason"] == "content_filter"
        assert record.classifier is not None
        assert (record.classifier.units, record.classifier.encoder_calls) == (2, 2)


async def test_a_long_body_does_not_fill_the_queue() -> None:
    text = " ".join(f"This is sentence number {number} of very many." for number in range(2000))
    async with guarding(replies(body(text)), policy=scored_policy(Gated())) as guarded:
        assert (await whole(guarded))["choices"][0]["message"]["content"] == text
        record = await guarded.record()
        assert record.classifier is not None
        assert (record.classifier.units, record.classifier.failures) == (2000, {})


async def test_the_question_is_shown_when_the_policy_says_so() -> None:
    model = Gated()
    async with guarding(says(ONE), policy=scored_policy(model, context="prompt")) as guarded:
        await guarded.ask()
    assert [window.prompt for window in model.seen] == ["Hi"]
