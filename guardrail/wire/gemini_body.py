"""A Gemini response that is not streamed, through the same engine.

Each stretch of parts of each candidate is scanned whole: what a client would have accumulated from the stream of it. A
halt ends its candidate as it does in a stream: the parts behind it and what else is said of it are left out, the notice
is its last part. A body in which nothing changes passes as the bytes that came.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from guardrail.policy.policy import Policy
from guardrail.text.rules import Finding
from guardrail.wire import gemini_logprobs
from guardrail.wire.body import Body, Place, open_body
from guardrail.wire.gemini_event import index_of
from guardrail.wire.gemini_halt import EMPTY_PART, ended_candidate, guard_error, text_parts, told
from guardrail.wire.gemini_parts import (
    CALL,
    GROUNDING,
    UNSPECIFIED,
    VALUES,
    WHOLE,
    Stretch,
    kind_of,
    next_stretch,
    parts_of,
    said_by,
)
from guardrail.wire.gemini_unknown import strip_response
from guardrail.wire.gemini_withheld import leave_out_supports
from guardrail.wire.halt import Stop, choice_prefix, halt_note
from guardrail.wire.inserts import Inserts, note_inserts
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from guardrail.wire.strict_json import dumps
from guardrail.wire.tool_arguments import is_clean
from guardrail.wire.unknown_text import is_prose
from guardrail.wire.whole_text import Verdicts


def guard_body(
    policy: Policy, request: ModelRequest, body: bytes, case_id: str, verdicts: Verdicts | None = None
) -> tuple[bytes, StreamRecord]:
    """See `GuardBody`."""
    all_of_it, value, duplicate = open_body(policy, request, body, verdicts)
    rules, unknown = all_of_it.rules, all_of_it.unknown
    if value.get("error"):
        body, outcome = guard_error(policy.refusal, rules, body, all_of_it.verdicts)
        return body, all_of_it.failed(policy, request, case_id, outcome)
    clean = partial(is_clean, rules)
    found, changed = strip_response(unknown, value, clean)
    candidates: list[_Candidate] = []
    for position, said in enumerate(found):
        logprobs = said.get("logprobsResult")
        if logprobs is not None and not gemini_logprobs.may_pass(logprobs, said_by(said), clean):
            del said["logprobsResult"]
            changed = True
        index = index_of(said.get("index"), position)
        candidates.append(
            _Candidate(Body(rules, all_of_it.verdicts, unknown, request.json_output, request.around), said, index)
        )
    all_of_it.check()
    first = next((candidate.halted for candidate in candidates if candidate.halted is not None), None)
    for candidate in candidates:
        if candidate.halted is None and first is not None and policy.halt_scope == "response":
            candidate.silence(first)
        candidate.close(*told(policy, case_id, json_output=request.json_output))
        if request.inserts:
            before, behind = candidate.surround(request.inserts)
            all_of_it.before += before
            all_of_it.behind += behind
    if first is not None:
        value["guardrail"] = halt_note(case_id, first.channel, Stop(0))
    if all_of_it.before or all_of_it.behind:
        note_inserts(value, request.inserts)
    if duplicate or changed or unknown.blocked or any(candidate.changed for candidate in candidates):
        body = dumps(value)
    for candidate in candidates:
        all_of_it.add(candidate.body)
    reasons = [candidate.reason for candidate in candidates]
    return body, all_of_it.record(policy, request, case_id, reasons=reasons, usage=value.get("usageMetadata"))


class _Candidate:
    """One candidate, guarded in place."""

    def __init__(self, body: Body, value: dict[str, Any], index: int) -> None:
        self.body = body
        self.value = value
        self.changed = False
        self.halted: Finding | None = None
        self._prefix = choice_prefix(index)
        self._kept = 0
        """How many of its parts go out."""
        self._spoke = False
        """The model had words for people."""
        self._words = 0
        """The part in which they began."""
        self._edited = False
        """Its text is not what the model server said."""
        reason = value.get("finishReason")
        if reason not in UNSPECIFIED and (not isinstance(reason, str | int) or is_prose(str(reason))):
            value["finishReason"] = "OTHER"
            self.changed = True
        self._guard_parts()
        self._guard_fields()
        self.halted = body.halted
        self.changed = self.changed or body.changed

    @property
    def reason(self) -> str | None:
        reason = self.value.get("finishReason")
        return None if reason in UNSPECIFIED else str(reason)

    def silence(self, finding: Finding) -> None:
        """The response was halted elsewhere: this candidate says nothing."""
        self._kept = 0
        self.body.dropped = self.body.received - self.body.removed
        self.halted = finding

    def close(self, notice: list[dict[str, Any]], message: str) -> None:
        """If it was halted, say so, in parts or in a message."""
        if self.halted is None:
            return
        self.changed = True
        content = self.value.get("content")
        content = content if isinstance(content, dict) else {"role": "model"}
        kept = [
            part for part in parts_of(self.value)[: self._kept] if part.get("text") != "" or "thoughtSignature" in part
        ]
        content["parts"] = [*kept, *notice] or [EMPTY_PART]
        for key in (*WHOLE, GROUNDING, "logprobsResult", "avgLogprobs", "safetyRatings"):
            self.value.pop(key, None)
        self.value.update(content=content, **ended_candidate(self.halted, message))

    def surround(self, inserts: Inserts) -> tuple[bool, bool]:
        """Say what guardrail has to say around its words, in parts of their own; what of it was said, in front and
        behind."""
        content = self.value.get("content")
        parts = parts_of(self.value)
        if not isinstance(content, dict) or not (self._spoke or any(kind_of(part) == "text" for part in parts)):
            return False, False
        behind = "" if any(CALL in part for part in parts) else inserts.behind
        at = next((at for at, part in enumerate(parts) if kind_of(part) == "text"), self._words)
        content["parts"] = [*parts[:at], *text_parts(inserts.before), *parts[at:], *text_parts(behind)]
        self.changed = True
        return bool(inserts.before), bool(behind)

    def _guard_parts(self) -> None:
        parts = parts_of(self.value)
        for stretch, places in _stretches(parts):
            body = self.body
            before = body.halted
            end = places[-1] + 1
            key = self._prefix + stretch.key
            if stretch.kind in ("text", "thought"):
                if stretch.kind == "text" and before is None and not self._spoke:
                    self._spoke, self._words = True, places[0]
                outcome = body.text([(parts[at], "text") for at in places], key)
                if outcome.removed or outcome.halted is not None:
                    self._edited = True
                if before is None:
                    self._kept = end
                continue
            if stretch.kind == CALL:
                self._guard_call(parts[places[0]][CALL], key)
            else:
                field = VALUES[stretch.kind]
                body.value((parts[places[0]][stretch.kind], field), f"{key}.{field}")
            if body.halted is None:
                self._kept = end
        if self.body.halted is None:
            self._kept = len(parts)
        if self._edited:
            for key in ("logprobsResult", "avgLogprobs"):
                self.value.pop(key, None)

    def _guard_call(self, call: dict[str, Any], key: str) -> None:
        """A call is delivered whole or not at all."""
        body = self.body
        received, removed, dropped = body.received, body.removed, body.dropped
        places: list[tuple[Place, str]] = [
            ((call, field), f"{key}.{path}")
            for field, path in (("name", "name"), ("args", "args"), ("partialArgs", "args"))
            if call.get(field) is not None
        ]
        halted = body.halted
        for place, path in places:
            is_name = place[1] == "name" and isinstance(call["name"], str)
            body.name(place, path) if is_name else body.value(place, path)
        if halted is None and body.halted is not None:
            body.removed, body.dropped = removed + body.received - received, dropped

    def _guard_fields(self) -> None:
        before = self.body.released
        for key in WHOLE:
            if self.value.get(key):
                self.body.value((self.value, key), self._prefix + key)
        grounding = self.value.get(GROUNDING)
        if grounding:
            if self._edited:
                left_out = leave_out_supports(grounding)
                self.body.received += left_out
                self.body.dropped += left_out
            self.body.value((self.value, GROUNDING), self._prefix + GROUNDING)
        if self.body.halted is not None:  # none of them is delivered
            self.body.withdraw(before)


def _stretches(parts: list[dict[str, Any]]) -> Iterator[tuple[Stretch, list[int]]]:
    """The stretches of a candidate, each with the places of its parts."""
    now: Stretch | None = None
    places: list[int] = []
    for at, part in enumerate(parts):
        kind = kind_of(part) if isinstance(part, dict) else ""
        if not kind:
            continue
        after = next_stretch(now, kind)
        if now is not None and after.number != now.number:
            yield now, places
            places = []
        places.append(at)
        now = after if kind in ("text", "thought") else after._replace(open=False)
    if now is not None:
        yield now, places
