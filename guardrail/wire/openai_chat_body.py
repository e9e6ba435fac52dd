"""A Chat Completions response that is not streamed, through the same engine.

Each text of each choice is scanned whole: what a client would have accumulated from the stream of it. A halt ends its
choice as it does in a stream: the channels that come after it say nothing, no tool call is delivered, the notice
stands at the end of the content, or, where JSON was asked for, a refusal beside it. A body in which nothing changes
passes as the bytes that came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.text.rules import Finding
from guardrail.text.scanner import RuleSet
from guardrail.text.scoring import Tally
from guardrail.wire.halt import Stop, choice_prefix, halt_note, notice
from guardrail.wire.openai_chat_chunk import ANNOTATIONS, call_entries, check_extras, check_logprobs
from guardrail.wire.openai_chat_delta import drop_spelling, places
from guardrail.wire.openai_chat_halt import ended_choice
from guardrail.wire.openai_error import guard_error
from guardrail.wire.record import MAX_BLOCKED, StreamRecord, classifier_part
from guardrail.wire.request import ModelRequest
from guardrail.wire.strict_json import dumps, loads, whole_surrogates
from guardrail.wire.tool_arguments import guard_arguments, guard_pieces, guard_whole, is_clean
from guardrail.wire.unknown_text import CHOICE_PASSED, Unknown
from guardrail.wire.whole_text import Unscored, Verdicts, rules_for


def guard_body(
    policy: Policy, request: ModelRequest, body: bytes, case_id: str, verdicts: Verdicts | None = None
) -> tuple[bytes, StreamRecord]:
    """The body for the client (the very bytes that came when nothing in it changes) and its record.

    Raises WireError for a body that is no JSON object, or holds an index that cannot be; Unscored when the policy's
    classifier has to score what `verdicts` is missing: then call again with all of it known."""
    try:
        value, duplicate = loads(body)
    except WireError:
        raise WireError("The model server's answer is not valid JSON.") from None
    if not isinstance(value, dict):
        raise WireError("The model server's answer is not a JSON object.")
    verdicts = Verdicts() if verdicts is None else verdicts
    rules = rules_for(policy, request)
    tally = Tally()
    unknown = Unknown(policy.unknown_text == "block")
    findings: list[Finding] = []
    choices: list[_Choice] = []
    failed = bool(value.get("error"))
    if failed:
        body, outcome = guard_error(policy.refusal, rules, body, verdicts)
        findings = outcome.findings
        tally.add(outcome.tally)
    else:
        choices = [_Choice(rules, choice, unknown, verdicts) for choice in unknown.strip_top(value)]
        for choice in choices:
            check_extras(choice.value, "choices[]", CHOICE_PASSED, unknown, lambda text: is_clean(rules, text))
        check_extras(value, "", (), unknown, lambda text: is_clean(rules, text))
        if verdicts.missing:
            raise Unscored
        for choice in choices:
            tally.add(choice.tally)
        first = next((choice.halted for choice in choices if choice.halted is not None), None)
        for choice in choices:
            if choice.halted is None and first is not None and policy.halt_scope == "response":
                choice.silence(first)
            if choice.halted is not None:
                refusal = policy.refusal if request.json_output else None
                choice.close(choice.halted, notice(policy, case_id), refusal)
        if first is not None:
            value["guardrail"] = halt_note(case_id, first.channel, Stop(0))
        if duplicate or unknown.blocked or any(choice.changed for choice in choices):
            body = dumps(value)
    if verdicts.missing:
        raise Unscored
    usage = value.get("usage")
    received = sum(choice.received for choice in choices)
    removed = sum(choice.removed for choice in choices)
    dropped = sum(choice.dropped for choice in choices)
    return body, StreamRecord(
        case_id=case_id,
        policy=policy.tag,
        policy_digest=policy.digest,
        model=request.model,
        choices=len(choices),
        received=received,
        scanned=received - dropped,
        released=received - removed - dropped,
        held=0,
        held_max=0,
        removed=removed,
        dropped=dropped,
        unscanned=unknown.passed + tally.unscanned,
        events=1,
        events_delayed=0,
        tokens=0,
        usage=usage if isinstance(usage, dict) else None,
        findings=(*findings, *(finding for choice in choices for finding in choice.findings)),
        halted=any(choice.halted is not None for choice in choices),
        finish_reasons=tuple(choice.reason for choice in choices),
        blocked=tuple(dict.fromkeys(unknown.blocked))[:MAX_BLOCKED],
        fault="upstream_error" if failed else None,
        **classifier_part(policy, tally),
    )


@dataclass(slots=True)
class _Text:
    """One text of a choice, in one or several places."""

    key: str
    places: list[tuple[dict[str, Any], str]]

    @property
    def pieces(self) -> list[str]:
        return [owner[key] for owner, key in self.places]

    def put(self, pieces: list[str]) -> None:
        for (owner, key), piece in zip(self.places, pieces, strict=True):
            owner[key] = piece


class _Choice:
    """One choice, guarded in place."""

    def __init__(self, rules: RuleSet, value: dict[str, Any], unknown: Unknown, verdicts: Verdicts) -> None:
        self.value = value
        self.message = unknown.strip_choice(value, "message")
        self.changed = False
        self.halted: Finding | None = None
        self.received = self.removed = self.dropped = 0
        self.delivered = 0
        """Code points of output in the channel that halted, else in the content, before the notice."""
        self.findings: list[Finding] = []
        self.tally = Tally()
        self._rules = rules
        self._verdicts = verdicts
        index = value.get("index")
        self._prefix = choice_prefix(index if isinstance(index, int) else 0)
        self.changed = check_logprobs(value, self.message, lambda text: is_clean(rules, text))
        for text in self._texts():
            self._guard_text(text)
        self._guard_annotations()
        self._guard_calls()

    @property
    def reason(self) -> str | None:
        reason = self.value.get("finish_reason")
        return reason if isinstance(reason, str) else None

    def silence(self, finding: Finding) -> None:
        """The response was halted elsewhere: this choice says nothing."""
        for text in self._texts():
            text.put([""] * len(text.places))
        self._drop_calls()
        self.message.pop(ANNOTATIONS, None)
        self.dropped = self.received - self.removed
        self.delivered = 0
        self.halted = finding

    def close(self, finding: Finding, said: str, refusal: str | None) -> None:
        """Say that the choice was halted. `refusal`: what is said instead of the notice where JSON was asked for."""
        self.changed = True
        self.value.update(ended_choice(finding, Stop(self.delivered)))
        drop_spelling(self.value)
        if not said:
            return
        if isinstance(self.value.get("text"), str):
            self.value["text"] += said if refusal is None else ""
        elif refusal is not None:
            self.message["refusal"] = (self.message.get("refusal") or "") + refusal
            self.value["message"] = self.message
        elif isinstance(content := self.message.get("content"), list):
            content.append({"type": "text", "text": said})
        else:
            self.message["content"] = (content or "") + said
            self.value["message"] = self.message

    def _texts(self) -> list[_Text]:
        texts: dict[str, _Text] = {}
        for place in places(self.message, repeated=False):
            texts.setdefault(place.channel, _Text(place.channel, [])).places.append((place.owner, place.key))
        if isinstance(self.value.get("text"), str):
            texts["text"] = _Text("text", [(self.value, "text")])
        return list(texts.values())

    def _guard_text(self, text: _Text) -> None:
        raw = text.pieces
        pieces = raw if len(raw) > 1 else [whole_surrogates(raw[0])] if raw else []
        size = sum(map(len, pieces))
        self.received += size
        if self.halted is not None:
            text.put([""] * len(pieces))
            self.dropped += size
            return
        outcome = guard_pieces(self._rules, pieces, self._prefix + text.key, self._verdicts)
        self.findings += outcome.findings
        self.tally.add(outcome.tally)
        self.removed += outcome.removed
        self.halted = outcome.halted
        if text.key in ("content", "text") or outcome.halted is not None:
            self.delivered = sum(map(len, outcome.pieces))
        if list(outcome.pieces) != raw:
            text.put(list(outcome.pieces))
            self.changed = True
            drop_spelling(self.value)

    def _guard_annotations(self) -> None:
        found = self.message.get(ANNOTATIONS)
        if not found:
            return
        said = dumps(found).decode()
        self.received += len(said)
        if self.halted is None:
            outcome = guard_arguments(self._rules, said, self._prefix + ANNOTATIONS, self._verdicts)
            self.findings += outcome.findings
            self.tally.add(outcome.tally)
            self.halted = outcome.halted
            self.removed += len(said) if outcome.halted is not None else outcome.removed
            if outcome.halted is None and outcome.text != said:
                self.message[ANNOTATIONS], _ = loads(outcome.text)
                self.changed = True
        else:
            self.dropped += len(said)
        if self.halted is not None:
            del self.message[ANNOTATIONS]

    def _guard_calls(self) -> None:
        dropped = 0
        for key, entry in call_entries(self.message):
            path = self._prefix + ("function_call" if key is None else f"tool_calls[{key}].function")
            function = entry.get("function")
            if not isinstance(function, dict):
                continue
            for field in ("name", "arguments"):
                text = function.get(field)
                if not isinstance(text, str):
                    continue
                self.received += len(text)
                if self.halted is not None:
                    self.dropped += len(text)
                    continue
                whole, where = whole_surrogates(text), f"{path}.{field}"
                if field == "name":
                    outcome = guard_whole(self._rules, whole, where)
                else:
                    outcome = guard_arguments(self._rules, whole, where, self._verdicts)
                self.findings += outcome.findings
                self.tally.add(outcome.tally)
                self.halted = outcome.halted
                removed = len(text) if outcome.halted is not None else outcome.removed
                self.removed += removed
                dropped += len(text) - removed
                if outcome.text != text:
                    function[field] = outcome.text
                    self.changed = True
        if self.halted is not None:
            self.dropped += dropped
            self._drop_calls()

    def _drop_calls(self) -> None:
        for key in ("tool_calls", "function_call"):
            self.message.pop(key, None)
