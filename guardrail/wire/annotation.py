"""What a client that asks for it is told of text that passed: how far it was checked, and what was found in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from guardrail.errors import WireError
from guardrail.text.rules import SEVERITIES, Finding, Severity
from guardrail.wire.channel import Channel
from guardrail.wire.record import StreamRecord
from guardrail.wire.strict_json import dumps, loads

_YES = ("1", "true", "yes")
_NO = ("", "0", "false", "no")


def wants_annotations(said: str) -> bool:
    """Whether the value of a client's `x-guardrail-annotate` asks for annotations, in any case of letters. Raises
    WireError, fit for the client, for one that says neither yes nor no."""
    word = said.strip().lower()
    if word not in _YES + _NO:
        raise WireError("The header x-guardrail-annotate takes 1, true or yes, or 0, false or no.")
    return word in _YES


def worst(findings: Iterable[Finding]) -> dict[str, Severity]:
    """By category, the highest severity that was found."""
    found: dict[str, Severity] = {}
    for finding in findings:
        found[finding.category] = max(found.get(finding.category, "low"), finding.severity, key=SEVERITIES.index)
    return found


def annotation(channel: Channel, prefix: str) -> dict[str, Any]:
    """The `guardrail` field of an annotation of one channel. `checked`: so many code points of the channel's output
    have been checked for good. `prefix` begins the paths of its choice's channels."""
    return {
        "action": "annotate",
        "channel": prefix + channel.key,
        "checked": channel.checked,
        "categories": worst(channel.scanner.findings()),
    }


def annotation_of_all(categories: Mapping[str, Severity]) -> dict[str, Any]:
    """The same of all of a choice: its texts, its tool calls, its whole values. `categories`: what was found in it."""
    return {"action": "annotate", "categories": dict(categories)}


def annotated(body: bytes, record: StreamRecord) -> bytes:
    """An answer that is not streamed, with the note for all of its text; one that was halted has its own, which then
    says what was found."""
    value, _ = loads(body)
    if not isinstance(value, dict) or record.fault is not None:
        return body
    found = worst(record.findings)
    if record.halted:
        return dumps({**value, "guardrail": {**value["guardrail"], "categories": found}})
    note = value.get("guardrail", {})
    if note and "inserted" not in note:
        return body
    return dumps({**value, "guardrail": {**note, **annotation_of_all(found)}})
