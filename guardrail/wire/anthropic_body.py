"""An Anthropic message that is not streamed, through the same engine.

Each text of each block is scanned whole: what a client would have accumulated from the stream of it. A halt ends the
message as it does in a stream: the blocks that come after it are left out, a tool call that halts too, the notice
stands at the end of the text. A body in which nothing changes passes as the bytes that came.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from guardrail.policy.policy import Policy
from guardrail.wire.anthropic_block import (
    GOES_ON,
    NAMES,
    TEXT_FIELD,
    clean_block,
    is_result,
    is_tool,
    restored,
    scannable,
)
from guardrail.wire.anthropic_event import clean_message, clean_stop, part_of, put_stop_texts, stop_texts
from guardrail.wire.anthropic_halt import guard_error, note, refused
from guardrail.wire.body import Body, open_body
from guardrail.wire.choice import within
from guardrail.wire.halt import Stop, notice
from guardrail.wire.inserts import Inserts, note_inserts
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from guardrail.wire.strict_json import dumps
from guardrail.wire.unknown_text import Unknown
from guardrail.wire.whole_text import Verdicts


def guard_body(
    policy: Policy, request: ModelRequest, body: bytes, case_id: str, verdicts: Verdicts | None = None
) -> tuple[bytes, StreamRecord]:
    """See `GuardBody`."""
    found, value, duplicate = open_body(policy, request, body, verdicts)
    unknown = found.unknown
    if value.get("type") == "error" or value.get("error"):
        body, outcome = guard_error(policy.refusal, found.rules, body, found.verdicts)
        return body, found.failed(policy, request, case_id, outcome)
    clean_message(unknown, value)
    reason = clean_stop(unknown, value, "message")
    content = _content(unknown, value)
    spoken = [block for block in content if block.get("type") == "text" and block.get("text")]
    _guard_content(found, content)
    _guard_stop(found, value)
    found.check()
    if found.halted is not None:
        found.changed = True
        reason = "refusal"
        if not request.json_output and (said := notice(policy, case_id)):
            _say(content, found.halted.channel, said)
        value |= {**refused(policy, case_id), "guardrail": note(case_id, found.halted, Stop(0))}
    if request.inserts:
        words = [block for block in content if block.get("text") or any(block is said for said in spoken)]
        words = [block for block in words if block.get("type") == "text"]
        behind = "" if reason in GOES_ON else request.inserts.behind
        _surround(found, value, words, replace(request.inserts, behind=behind))
    if found.changed or unknown.blocked or duplicate:
        body = dumps(value)
    return body, found.record(policy, request, case_id, reasons=(reason,), usage=value.get("usage"))


def _content(unknown: Unknown, value: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks of a message, cleaned; what is none is taken out of it, for clients fail on it."""
    content = value.get("content")
    parts = content if isinstance(content, list) else []
    value["content"] = blocks = [part for part in parts if isinstance(part, dict)]
    if blocks != content:
        unknown.removes("message", "content", [part for part in parts if part not in blocks] or content)
    for block in blocks:
        clean_block(unknown, block, "message.content[]")
    return blocks


def _guard_content(found: Body, content: list[dict[str, Any]]) -> None:
    """Guard the blocks in place; those from a halt on that say nothing are taken out."""
    kept = len(content)
    for index, block in enumerate(content):
        before = found.halted
        says = _guard_block(found, block, part_of(index))
        if found.halted is not None and kept == len(content):
            # The block that halted stays when it has said something.
            kept = index + (before is None and says)
    del content[kept:]


def _guard_block(found: Body, block: dict[str, Any], part: str) -> bool:
    """Whether there is text for people in it, so that it stays when it halts."""
    kind = block.get("type")
    if is_tool(kind):
        before = found.released
        for key in NAMES:
            if isinstance(block.get(key), str):
                found.name((block, key), f"{part}.{key}")
        if block.get("input"):
            found.value((block, "input"), f"{part}.input")
        if found.halted is not None:  # the block goes
            found.withdraw(before)
        return False
    if is_result(kind):
        if block.get("content"):
            _guard_value(found, block, "content", f"{part}.content")
        return False
    field = TEXT_FIELD.get(str(kind), "")
    if isinstance(block.get(field), str):
        found.text([(block, field)], f"{part}.{field}")
    if isinstance(block.get("citations"), list):
        kept = len(block["citations"])
        for number in range(kept):
            _guard_value(found, block["citations"], number, f"{part}.citations")
            if found.halted is not None:
                kept = min(kept, number)
        del block["citations"][kept:]
    return True


def _guard_value(found: Body, owner: Any, key: Any, channel: str) -> None:
    """A value that is complete, but for what must not be scanned in it."""
    original = owner[key]
    holder = {"": scannable(original)}
    before = dumps(holder)
    found.value((holder, ""), channel)
    if dumps(holder) != before:
        owner[key] = restored(holder[""], original)


def _guard_stop(found: Body, value: dict[str, Any]) -> None:
    texts = stop_texts(value)
    if not texts:
        return
    holder = {"": dict(texts)}
    found.value((holder, ""), "stop")
    put_stop_texts(value, holder[""])


def _say(content: list[dict[str, Any]], halted: str, said: str) -> None:
    """Put the notice where a stream would: at the end of the text that was cut, else in a block of its own."""
    last = content[-1] if content else {}
    cut = last.get("type") == "text" and within(halted, part_of(len(content) - 1))
    if cut and isinstance(last.get("text"), str):
        last["text"] += said
    else:
        content.append({"type": "text", "text": said})


def _surround(found: Body, value: dict[str, Any], words: list[dict[str, Any]], inserts: Inserts) -> None:
    """Say what guardrail has to say around the words of the message. `words`: its blocks that people read."""
    if not words:
        return
    words[0]["text"] = inserts.before + words[0]["text"]
    if found.halted is not None:  # behind the notice
        words[-1]["text"] += inserts.behind
    elif inserts.behind:
        value["content"].append({"type": "text", "text": inserts.behind})
    found.before, found.behind = bool(inserts.before), bool(inserts.behind)
    found.changed = True
    note_inserts(value, inserts)
