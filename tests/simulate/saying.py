"""What a dialect says to a request, without a server: the bytes of its stream, or its body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from guardrail.simulate.dialect import Answer, Dialect, Target
from guardrail.simulate.plan import Plan
from guardrail.simulate.script import BUILT_IN, Script

NOWHERE = Target({}, {})


def answer(
    dialect: Dialect, request: Mapping[str, Any], target: Target = NOWHERE, script: Script = BUILT_IN, size: int = 4
) -> Answer:
    """The answer to a request; `size`: characters of a token."""
    ask = dialect.read(json.dumps(request).encode(), target)
    return dialect.answer(ask, Plan.of(ask, script, size))


def stream(dialect: Dialect, request: Mapping[str, Any], target: Target = NOWHERE, **how: Any) -> bytes:
    """The whole stream."""
    said = answer(dialect, request, target, **how)
    events = [*said.opening(), *(event for step in said.plan.steps for event in said.step(step)), *said.closing()]
    return b"".join(events)


def named(data: bytes) -> list[dict[str, Any]]:
    """The data of server-sent events, whose names must be their types."""
    found = []
    for event in data.decode().removesuffix("\n\n").split("\n\n"):
        name, value = event.split("\n")
        found.append(json.loads(value.removeprefix("data: ")))
        assert name == "event: " + found[-1]["type"]
    return found


def plain(data: bytes, line_end: str = "\n") -> list[dict[str, Any]]:
    """The data of server-sent events without names."""
    events = data.decode().removesuffix(line_end * 2).split(line_end * 2)
    return [json.loads(event.removeprefix("data: ")) for event in events if event != "data: [DONE]"]
