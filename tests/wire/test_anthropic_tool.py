"""A call of a tool, withheld."""

from __future__ import annotations

import json
from typing import Any

from guardrail.text.scanner import compile_rules
from guardrail.wire.anthropic_tool import ToolBlock, size_of
from guardrail.wire.sse import parse_event
from guardrail.wire.whole_text import Verdicts
from tests.wire.anthropic_client import START, call, read
from tests.wire.chat import halt, redact

RULES = compile_rules([redact("secret"), halt("forbidden")])


def taken(events: list[bytes]) -> ToolBlock:
    tool = ToolBlock(0)
    for raw in events:
        value = json.loads(parse_event(raw).data or b"")
        said: Any = value.get("content_block") or (value["delta"]["partial_json"] if "delta" in value else None)
        tool.take(raw, value, said)
    tool.scan(RULES, "", Verdicts())
    return tool


def test_a_clean_call_is_the_events_that_came() -> None:
    events = call('{"q":', '"ok"}')
    tool = taken(events)
    assert tool.release() == events
    assert (tool.received, tool.removed, tool.dropped) == (len('f{"q":"ok"}'), 0, 0)


def test_an_edited_one_is_a_start_a_delta_and_a_stop() -> None:
    tool = taken(call('{"q":"sec', 'ret"}', kind="mcp_tool_use"))
    out = tool.release()
    assert read(START + b"".join(out)).content[0]["json"] == '{"q":"[X]"}'
    assert (len(out), tool.removed) == (3, len("secret"))


def test_one_without_a_stop_or_an_input_gets_none() -> None:
    assert len(taken(call('{"q":"secret"}')[:-1]).release()) == 2
    assert len(taken(call(name="secret")).release()) == 2


def test_one_that_halts_is_not_delivered() -> None:
    tool = taken(call('{"q":"forbidden"}'))
    assert tool.halted is not None
    assert (tool.halted.channel, tool.release(), tool.removed) == ("content[0].input", [], tool.received)


def test_a_long_one_is_said_whole() -> None:
    pieces = ['{"q":"', *["word " * 20] * 2000, '"}']
    [start, piece, stop] = taken(call(*pieces)).release()
    assert read(START + start + piece + stop).content[0]["json"] == "".join(pieces)


def test_sizes_are_code_points_of_names_and_input() -> None:
    block = {"type": "mcp_tool_use", "id": "x", "name": "ab", "server_name": "c", "input": {"é": 1}}
    assert [size_of(block), size_of("é1"), size_of(None)] == [len('abc{"é":1}'), 2, 0]
