"""A withheld item of a response."""

from __future__ import annotations

import json
from typing import Any

from guardrail.text.scanner import compile_rules
from guardrail.wire.openai_responses_event import Reader
from guardrail.wire.openai_responses_tool import ToolItem
from guardrail.wire.sse import parse_event
from guardrail.wire.whole_text import Verdicts
from guardrail.wire.withheld import KEPT_BYTES
from tests.wire.chat import halt, redact
from tests.wire.openai_responses_client import Server

RULES = compile_rules([redact("secret"), halt("forbidden")])


def withheld(events: list[bytes]) -> ToolItem:
    it = ToolItem(0)
    reader = Reader(block=True, clean=lambda text: True)
    for raw in events:
        chunk = reader.read(parse_event(raw))
        it.take(chunk.raw, chunk.value, chunk.tools[0][2])
    return it


def call(*arguments: str, name: str = "f") -> list[bytes]:
    server = Server()
    server.call(*arguments, name=name)
    return server.events[2:]


def release(it: ToolItem) -> list[bytes]:
    it.scan(RULES, "", Verdicts())
    return it.release()


def said(events: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(event.partition(b"data: ")[2]) for event in events]


def test_a_clean_call_goes_as_it_came() -> None:
    events = call('{"a":', "1}")
    it = withheld(events)
    assert (it.received, it.withheld) == (8, 8)  # the name, and the arguments
    assert release(it) == events
    assert (it.received, it.withheld, it.removed) == (8, 0, 0)


def test_an_edited_call_says_the_same_everywhere() -> None:
    it = withheld(call('{"a": "a se', 'cret"}'))
    added, delta, done, item = said(release(it))
    assert added["item"]["arguments"] == ""
    assert delta["delta"] == done["arguments"] == item["item"]["arguments"] == '{"a": "a [X]"}'
    assert it.item["arguments"] == '{"a": "a [X]"}'
    assert it.told["output[0].arguments", '{"a": "a secret"}'] == '{"a": "a [X]"}'
    assert (len(it.findings), it.removed) == (1, 6)


def test_repetitions_that_differ_are_scanned_each() -> None:
    events = [event.replace(b'"arguments":"{}"', b'"arguments":"a secret"') for event in call("{", "}")]
    released = b"".join(release(withheld(events)))
    assert b"secret" not in released
    assert released.count(b"a [X]") == 2


def test_one_that_halts_says_nothing() -> None:
    it = withheld(call('{"a": "forbidden"}'))
    assert release(it) == []
    assert it.halted is not None
    assert (it.removed, it.withheld) == (it.received, 0)


def test_beyond_what_is_kept_pieces_are_said_in_one() -> None:
    pieces = ["x" * 100] * (KEPT_BYTES // 200)
    events = release(withheld(call(*pieces)))
    assert len(events) == 4
    assert said(events)[1]["delta"] == "x" * 100 * len(pieces)
