"""Tool calls, withheld."""

from __future__ import annotations

import json
from typing import Any

from guardrail.text.scanner import RuleSet, compile_rules
from guardrail.wire.tool_calls import ToolCalls, text_size
from guardrail.wire.whole_text import Verdicts
from guardrail.wire.withheld import KEPT_BYTES
from tests.wire.chat import call, halt, redact

RULES = compile_rules([redact("secret"), halt("forbidden")])


def withheld(*events: bytes) -> ToolCalls:
    calls = ToolCalls(0)
    for raw in events:
        value = json.loads(raw[6:])
        calls.take(raw, value, value["choices"][0]["delta"])
    return calls


def release(calls: ToolCalls, rules: RuleSet = RULES) -> Any:
    calls.scan(rules, "", Verdicts())
    return calls.release(), calls.halted


def test_clean_calls_are_the_events_that_came() -> None:
    events = [call('{"a":', name="f"), call("1}")]
    calls = withheld(*events)
    assert (calls.received, calls.withheld) == (8, 8)
    assert release(calls) == (events, None)
    assert (calls.withheld, calls.removed, calls.dropped) == (0, 0, 0)


def test_beyond_what_is_kept_a_call_is_said_whole() -> None:
    events = [call('{"a":"', name="f"), *[call("x" * 10)] * (KEPT_BYTES // 200), call('"}')]
    (said,), halted = release(withheld(*events))
    assert halted is None
    (entry,) = json.loads(said[6:])["choices"][0]["delta"]["tool_calls"]
    assert (entry["id"], entry["function"]["name"]) == ("call_0", "f")
    assert json.loads(entry["function"]["arguments"]) == {"a": "x" * 10 * (KEPT_BYTES // 200)}


def test_names_are_scanned_and_halves_of_characters_joined() -> None:
    (said,), _ = release(withheld(call("{}", name="get_secret"), call("secret", at=0)))
    function = json.loads(said[6:])["choices"][0]["delta"]["tool_calls"][0]["function"]
    assert function == {"name": "get_[X]", "arguments": "{}[X]"}
    raw = [call('"?', name="f").replace(b"?", b"\\ud83d"), call('?"').replace(b"?", b"\\ude00")]
    (said,), _ = release(withheld(*raw))
    assert json.loads(said[6:])["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"] == '"😀"'


def test_a_halt_gives_nothing_but_the_finding() -> None:
    calls = withheld(call("{}", name="f"), call('"forbidden"', at=1, name="g"))
    events, halted = release(calls)
    assert (events, halted.rule) == ([], "halt")
    assert calls.removed == calls.received


def test_dropped_calls_are_counted() -> None:
    calls = withheld(call("{}", name="f"))
    calls.drop()
    assert (calls.dropped, calls.withheld) == (3, 0)
    assert text_size({"function_call": {"name": "f", "arguments": "{}"}}) == 3
