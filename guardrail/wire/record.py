"""The account of one response: how many characters came, went and stayed, and what was found.

Counts are in Unicode code points of model text (JSON escapes decoded), never bytes. A record holds no model text, but
for excerpts around what was found, where the request asks for them (reviewers see them, and they are kept sealed).
Once a response is over, `received == released + removed + dropped`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from guardrail.policy.policy import Policy
from guardrail.text.rules import Finding
from guardrail.text.scoring import Tally

UPSTREAM_ERROR = "upstream_error"
"""The code of a fault that upstream told itself: an error event, or a body that is an error."""

MAX_BLOCKED = 16
"""Paths of blocked fields that a record names."""

_ID = re.compile(r"[A-Za-z0-9_.:=+/-]{1,128}")
"""What an id of an answer looks like in every protocol. What does not is not kept: a server may say anything there."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What was found, and the text that it stands in. The only text in a record."""

    finding: Finding
    text: str = field(repr=False)
    start: int
    """Where the text begins, in code points of its channel."""


def excerpts_of(findings: Iterable[Finding], text: str, around: int) -> Iterator[Excerpt]:
    """Of each finding in a channel's text: so many code points before and behind it, and of itself at most as many
    from each end."""
    for found in findings:
        start = max(found.start - around, 0)
        if found.end - found.start <= 2 * around:
            said = text[start : found.end + around]
        else:
            said = f"{text[start : found.start + around]} … {text[found.end - around : found.end + around]}"
        yield Excerpt(found, said, start)


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """A snapshot; final once the stream is done (or its shell has given up on it)."""

    case_id: str
    policy: str
    """`name@digest`, the digest cut to 12 hex digits."""
    policy_digest: str
    """The whole digest, hex."""
    model: str
    """The model that the client asked for."""
    choices: int
    """Choices seen."""
    received: int
    """Code points of model text that came from upstream, every channel of every choice."""
    scanned: int
    """Of those, the ones that the engine has seen."""
    released: int
    """Raw code points delivered as they came (masks and notices not counted)."""
    held: int
    """Held at this moment, withheld tool calls included."""
    held_max: int
    """The most that any text channel held at the end of a read; withheld tool calls not counted."""
    removed: int
    """Raw code points that the policy took out: under a mask, or at and beyond a halt in its own channel."""
    dropped: int
    """Not delivered for another reason: came after their choice had ended, or in a tool call that was not delivered."""
    unscanned: int
    """Code points let through in a shape that the codec does not know (0 unless `unknown_text: pass`), or without the
    scores that the policy's classifier should have given (0 unless `fail: open`)."""
    events: int
    """Events that came."""
    events_delayed: int
    """Events with text that could not go, whole, in the read they came in."""
    tokens: int
    """Events with text: about the number of tokens."""
    usage: dict[str, object] | None
    """The last usage that upstream reported."""
    findings: tuple[Finding, ...]
    """`channel` is a path: `content`, `tool_calls[0].function.arguments`, `choices[1].content` beyond choice 0."""
    halted: bool
    finish_reasons: tuple[str | None, ...]
    """By choice, in order of index; None: none seen."""
    blocked: tuple[str, ...]
    """Paths of fields removed for `unknown_text: block`, each once, at most 16."""
    fault: str | None
    """The code of the fault that ended the response, if one did."""
    classifier: str = ""
    """The classifier's model, `name@digest`; "" for a policy without one."""
    units: int = 0
    """Units that had a verdict from it."""
    unit_failures: tuple[tuple[str, int], ...] = ()
    """How many of them were failures, by kind."""
    retracted: int = 0
    """Code points of output delivered that the client was then told to withdraw; they count as released or, as far as
    they are masks, not at all."""
    before: int = 0
    """Choices in which guardrail said what it had to say in front of the model's words; see `inserts`."""
    behind: int = 0
    """And behind them."""
    excerpts: tuple[Excerpt, ...] = ()
    """Text around what was found; empty unless the request asks for it (`ModelRequest.around`)."""
    answer_id: str = ""
    """The id that the server gave the answer, as the client sees it (`chatcmpl-…`, `msg_…`, `resp_…`, `responseId`);
    "" when it gave none, as Ollama never does, or one that is no plain word of at most 128 characters."""


def answer_id_of(said: Mapping[str, Any]) -> str:
    """The id in what an answer says of itself: `id`, of Gemini `responseId`."""
    found = said.get("id") or said.get("responseId")
    return found if isinstance(found, str) and _ID.fullmatch(found) else ""


def classifier_part(policy: Policy, tally: Tally) -> dict[str, Any]:
    """The fields of a record that say what the classifier did."""
    settings = policy.classifier
    failures = tuple(sorted((kind.value, count) for kind, count in tally.failures.items()))
    return {"classifier": "" if settings is None else settings.model, "units": tally.units, "unit_failures": failures}
