"""A Responses answer that is not streamed, or was stored and is fetched, through the same engine.

Its items are guarded in the order in which they would have been streamed. A halt ends the answer as it does in a
stream: what comes after says nothing, a call that halts is not there, a message gets the notice as a refusal. A body in
which nothing changes passes as the bytes that came. An answer that is still being made shows no output: what there is
of it is not whole.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from guardrail.policy.policy import Policy
from guardrail.wire.body import Body, open_body
from guardrail.wire.halt import Stop
from guardrail.wire.inserts import Inserts, note_inserts
from guardrail.wire.openai_error import guard_error
from guardrail.wire.openai_responses_halt import halted_response, refusing_message, usage_of
from guardrail.wire.openai_responses_item import (
    READ,
    ItemText,
    Kind,
    item_path,
    item_texts,
    joined_text,
    listed,
    reason_of,
    strip_response,
    type_of,
)
from guardrail.wire.record import UPSTREAM_ERROR, StreamRecord
from guardrail.wire.request import ModelRequest
from guardrail.wire.strict_json import dumps
from guardrail.wire.tool_arguments import is_clean
from guardrail.wire.whole_text import Verdicts


def guard_body(
    policy: Policy, request: ModelRequest, body: bytes, case_id: str, verdicts: Verdicts | None = None
) -> tuple[bytes, StreamRecord]:
    """See `GuardBody`."""
    it, value, duplicate = open_body(policy, request, body, verdicts)
    if value.get("error") and "output" not in value:
        body, outcome = guard_error(policy.refusal, it.rules, body, it.verdicts)
        return body, it.failed(policy, request, case_id, outcome)
    joined = joined_text(value)
    whole = value.get("status") not in ("queued", "in_progress")
    it.changed = strip_response(value, it.unknown, partial(is_clean, it.rules), final=whole) or duplicate
    items = value.get("output")
    spoke = [part for part in _words(items) if part.get("text")]
    output = _Output(it, case_id, policy.refusal, json_output=request.json_output)
    for number, item in enumerate(items if isinstance(items, list) else ()):
        output.add(number, item)
    if value.get("error"):
        _guard(it, ItemText(value, "error", "error", Kind.WHOLE))
    if value.get("output_text"):
        if value["output_text"] == joined:
            value["output_text"] = joined_text({"output": output.items})
        elif it.unknown.removes("", "output_text", value["output_text"]):
            value["output_text"] = ""
    it.check()
    if it.halted is not None:
        told = value.get("usage")
        usage = usage_of(request, told if isinstance(told, dict) else None, 0)
        value = halted_response(value, output.items, usage, case_id, it.halted, Stop(0))
    elif isinstance(items, list):
        value["output"] = output.items
    if request.inserts and whole:
        _surround(it, value, spoke, request.inserts)
    if it.halted is not None or it.changed or it.unknown.blocked:
        body = dumps(value)
    reason = "content_filter" if it.halted is not None else reason_of(value)
    fault = UPSTREAM_ERROR if reason == "failed" else None
    return body, it.record(policy, request, case_id, reasons=[reason], usage=value.get("usage"), fault=fault)


class _Output:
    """The items of the answer for the client."""

    def __init__(self, body: Body, case_id: str, refusal: str, *, json_output: bool) -> None:
        self.items: list[Any] = []
        self._body = body
        self._case_id = case_id
        self._refusal = refusal
        self._json = json_output

    def add(self, number: int, item: Any) -> None:
        """Guard the next item."""
        body = self._body
        over = body.halted is not None
        before = body.released
        stopped: ItemText | None = None
        for text in item_texts(item, item_path(number)) if isinstance(item, dict) else ():
            running, so_far = body.halted is None, body.released
            _guard(body, text)
            if running and body.halted is not None:
                stopped = text
                if self._is_document(item, text):  # half of one is none
                    body.withdraw(so_far)
                    body.delivered = 0
        if stopped is not None and type_of(item) in READ:
            self._cut(item, stopped)
        elif stopped is not None:
            body.withdraw(before)
            body.delivered = 0
            self.items.append(refusing_message(self._case_id, self._refusal))
        elif not over:
            self.items.append(item)

    def _is_document(self, item: dict[str, Any], text: ItemText) -> bool:
        """Whether it is the JSON that the client asked for."""
        owner = text.owner
        return (
            self._json
            and item.get("type") == "message"
            and text.kind is Kind.TEXT
            and isinstance(owner, dict)
            and owner.get("type") == "output_text"
        )

    def _cut(self, item: dict[str, Any], stopped: ItemText) -> None:
        """End an item that people read where it halted."""
        kind, at = next(
            (key, at)
            for key in ("summary", "content")
            for at, part in enumerate(listed(item.get(key)))
            if isinstance(part, dict) and (part is stopped.owner or part.get("annotations") is stopped.owner)
        )
        parts = item[kind]
        message = item.get("type") == "message"
        dropped = self._is_document(item, stopped)
        if stopped.kind is not Kind.TEXT:
            del stopped.owner[int(stopped.key) :]
        elif "annotations" in parts[at]:  # they follow the text
            parts[at]["annotations"] = []
        item[kind] = parts[: at + (not dropped)]
        if kind == "summary" and item.get("content"):
            item["content"] = []
        self.items.append(item)
        if message:
            item["content"].append({"type": "refusal", "refusal": self._refusal})
        else:
            self.items.append(refusing_message(self._case_id, self._refusal))


def _guard(body: Body, text: ItemText) -> None:
    owner, key = text.owner, text.key
    was = owner[key]
    if not isinstance(was, str):
        body.value((owner, key), text.path)
    elif text.kind is Kind.TEXT:
        body.text([(owner, key)], text.path)
    elif text.kind is Kind.NAME:
        body.name((owner, key), text.path)
    else:
        body.arguments((owner, key), text.path)
    if isinstance(owner, dict) and owner.get("logprobs") and owner[key] != was:
        owner["logprobs"] = []


def _words(output: object) -> list[dict[str, Any]]:
    """The parts that people read."""
    items = [item for item in listed(output) if isinstance(item, dict) and item.get("type") == "message"]
    parts = [part for item in items for part in listed(item.get("content"))]
    return [part for part in parts if isinstance(part, dict) and type_of(part) == "output_text"]


def _surround(it: Body, value: dict[str, Any], spoke: list[dict[str, Any]], inserts: Inserts) -> None:
    """Say what guardrail has to say around the words of the answer. `spoke`: the parts in which the model had some."""
    output = value.get("output")
    last = listed(output)[-1] if listed(output) else None
    end = listed(last.get("content"))[-1:] if isinstance(last, dict) and last.get("type") == "message" else []
    words = [part for part in _words(output) if any(part is said for said in spoke)]
    before, behind = inserts.before, inserts.behind
    joined = joined_text(value)
    if it.halted is not None and end and type_of(end[0]) == "refusal":
        end[0]["refusal"] = Inserts(before, behind).around(end[0]["refusal"], spoke=bool(words))
    elif not words:
        return
    elif end and words[-1] is end[0]:
        words[-1]["text"] += behind
    else:  # calls of tools: the words go on in the next answer
        behind = ""
    if words:
        words[0]["text"] = before + words[0]["text"]
    if value.get("output_text") == joined:
        value["output_text"] = joined_text(value)
    it.before, it.behind = bool(before), bool(behind)
    it.changed = True
    note_inserts(value, Inserts(before, behind))
