"""The Check API's requests and answers: a text, a slice of one, or the messages of a prompt.

For those who cannot put a proxy between client and model. Reading is strict: an unknown key is refused, since a
misspelt `session` would check every slice alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.text.rules import Action, Finding
from guardrail.wire.openai_chat_request import read_request
from guardrail.wire.prompt import GuardedPrompt
from guardrail.wire.request import ModelRequest, optional, read_object
from guardrail.wire.strict_json import dumps, loads

_KEYS = frozenset({"text", "messages", "session", "offset", "final", "channel", "direction"})
_OF_TEXT = ("session", "offset", "final", "channel", "direction")
_NAME = re.compile(r"[!-~]{1,128}")
"""Of a session or channel: ASCII without blanks."""

_GRAVITY = (Action.LOG, Action.REDACT, Action.REPLACE, Action.HALT)


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """One request."""

    text: str = ""
    messages: ModelRequest | None = None
    """Of a chat; then there is no text, and all else has its default."""
    session: str = ""
    """"" for a text that comes alone and whole."""
    offset: int | None = None
    """Code points that the client has sent before in this session and channel; None: it does not say."""
    final: bool = True
    """The text is complete with this."""
    channel: str = "content"
    prompt: bool = False
    """The text is one for the model, not by it."""


def read_check(body: bytes) -> CheckRequest:
    """Raises WireError, with a message fit for the client, for what is no such request."""
    value = read_object(body)
    for key in value:
        if key not in _KEYS:
            raise WireError(f"The key {key[:64]!r} is not known; known are {', '.join(sorted(_KEYS))}.")
    if ("text" in value) == ("messages" in value):
        raise WireError("Give either 'text' or 'messages'.")
    if "messages" in value:
        for key in _OF_TEXT:
            if key in value:
                raise WireError(f"{key!r} goes with 'text', not with 'messages'.")
        return CheckRequest(messages=read_request(body))
    text = value["text"]
    if not isinstance(text, str):
        raise WireError("'text' must be a string.")
    session = _name(value, "session")
    final = optional(value, "final", bool, "a boolean")
    offset = optional(value, "offset", int, "an integer")
    direction = optional(value, "direction", str, "a string") or "output"
    if direction not in ("input", "output"):
        raise WireError("'direction' must be 'input' or 'output'.")
    if not session and (final is False or offset):
        raise WireError("A text that goes on needs a 'session'.")
    if session and direction == "input":
        raise WireError("A prompt is checked whole: 'direction': 'input' goes without a 'session'.")
    if offset is not None and offset < 0:
        raise WireError("'offset' must not be negative.")
    return CheckRequest(
        text=text,
        session=session,
        offset=offset,
        final=not session if final is None else final,
        channel=_name(value, "channel") or "content",
        prompt=direction == "input",
    )


def _name(value: dict[str, Any], key: str) -> str:
    name: str = optional(value, key, str, "a string") or ""
    if name and not _NAME.fullmatch(name):
        raise WireError(f"{key!r} must be 1 to 128 ASCII characters without blanks.")
    return name


@dataclass(frozen=True, slots=True)
class CheckedText:
    """What is told of a text, or of one slice of it."""

    text: str
    """The edited text that may be shown now, behind what could be before."""
    received: int
    """Code points of the channel so far, this slice among them."""
    released_up_to: int
    """Of these, so many from the start whose fate is decided: shown, masked, or cut off."""
    findings: Sequence[Finding]
    """Those that were not told before."""
    unscanned: int
    """Code points that passed without the scores that the classifier should have given."""
    halted: str = ""
    """The case id of the halt; "" when nothing has halted."""


def answer_text(policy: Policy, case_id: str, checked: CheckedText) -> bytes:
    """The answer to a text."""
    halted = bool(checked.halted)
    told: dict[str, Any] = {
        "case_id": checked.halted or case_id,
        "policy": policy.tag,
        "action": "halt" if halted else action_of(checked.findings),
        "text": checked.text,
        "received": checked.received,
        "released_up_to": checked.released_up_to,
        "halted": halted,
        "findings": [_told(found) for found in checked.findings],
        "unscanned": checked.unscanned,
    }
    if halted:
        told["notice"] = policy.notice.replace("{case_id}", checked.halted)
    return dumps(told)


def answer_prompt(policy: Policy, case_id: str, guarded: GuardedPrompt) -> bytes:
    """The answer to the messages of a prompt. `policy`: one that looks at prompts."""
    record = guarded.record
    halted = record.refused is not None
    told: dict[str, Any] = {
        "case_id": case_id,
        "policy": policy.tag,
        "action": "halt" if halted else action_of(record.findings),
        "halted": halted,
        "findings": [_told(found) for found in record.findings],
        "unscanned": record.unscanned,
    }
    if halted:
        assert policy.input is not None
        told["notice"] = policy.input.notice.replace("{case_id}", case_id)
    else:
        value, _ = loads(guarded.body)
        told["messages"] = value["messages"]
    return dumps(told)


def action_of(findings: Iterable[Finding]) -> str:
    """The gravest action; `pass` when nothing was found."""
    actions = [found.action for found in findings]
    return max(actions, key=_GRAVITY.index).value if actions else "pass"


def _told(found: Finding) -> dict[str, Any]:
    told: dict[str, Any] = {
        "rule": found.rule,
        "category": found.category,
        "severity": found.severity,
        "action": found.action.value,
        "channel": found.channel,
        "start": found.start,
        "end": found.end,
    }
    return {**told, "document": found.document} if found.document else told
