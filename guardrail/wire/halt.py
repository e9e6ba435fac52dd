"""What every protocol says of a choice that ends early: the notice, where it was stopped, and the note for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guardrail.policy.policy import Policy


def choice_prefix(index: int) -> str:
    """What the paths of a choice's channels begin with."""
    return f"choices[{index}]." if index else ""


def is_of(path: str, index: int) -> bool:
    """Whether the path of a channel is of this choice."""
    return path.startswith(choice_prefix(index)) if index else not path.startswith("choices[")


def notice(policy: Policy, case_id: str) -> str:
    """The words that the reader sees; "" for none."""
    return policy.notice.replace("{case_id}", case_id)


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a channel was stopped, in code points of its output; and what was found until then."""

    delivered: int
    """All that the client has of it."""
    start: int = -1
    """Where what halted it starts; before `delivered` for a late verdict within a lag budget. -1: where it ends."""
    end: int = -1
    """Where what halted it ends, at most `delivered`. -1: where that is."""
    categories: Mapping[str, str] | None = None
    """By category, the highest severity that was found in the choice; None: the client has not asked for it."""


def halt_note(case_id: str, channel: str, stop: Stop) -> dict[str, Any]:
    """The top-level `guardrail` field. It names the channel when that is not the text that people read; after a late
    verdict, also the output that is to be withdrawn."""
    found = {} if stop.categories is None else {"categories": stop.categories}
    if 0 <= stop.start < stop.delivered:
        return {
            "case_id": case_id,
            "action": "retract",
            "channel": channel,
            "start_offset": stop.start,
            "end_offset": stop.delivered,
            "erase": True,
            **found,
        }
    note = {"case_id": case_id, "action": "halt", **found}
    if channel.rpartition(".")[2] not in ("content", "text", "response"):
        note["channel"] = channel
    return note
