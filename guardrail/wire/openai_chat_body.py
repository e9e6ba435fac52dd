"""A Chat Completions response that is not streamed, through the same engine.

Each text of each choice is scanned whole: what a client would have accumulated from the stream of it. A halt ends its
choice as it does in a stream: the channels that come after it say nothing, no tool call is delivered, the notice
stands at the end of the content, or, where JSON was asked for, a refusal beside it. A body in which nothing changes
passes as the bytes that came.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from guardrail.policy.policy import Policy
from guardrail.text.rules import Finding
from guardrail.wire.body import Body, Place, open_body
from guardrail.wire.halt import Stop, choice_prefix, halt_note, notice
from guardrail.wire.inserts import Inserts, note_inserts
from guardrail.wire.openai_chat_chunk import ANNOTATIONS, call_entries, check_extras, check_logprobs
from guardrail.wire.openai_chat_delta import drop_spelling, places
from guardrail.wire.openai_chat_halt import ended_choice
from guardrail.wire.openai_chat_unknown import CHOICE_PASSED, strip_choice, strip_top
from guardrail.wire.openai_error import guard_error
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from guardrail.wire.strict_json import dumps
from guardrail.wire.tool_arguments import is_clean
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
    choices = [
        _Choice(Body(rules, all_of_it.verdicts, unknown, request.json_output, request.around), choice, clean)
        for choice in strip_top(unknown, value)
    ]
    for choice in choices:
        check_extras(choice.value, "choices[]", CHOICE_PASSED, unknown, clean)
    check_extras(value, "", (), unknown, clean)
    all_of_it.check()
    first = next((choice.halted for choice in choices if choice.halted is not None), None)
    for choice in choices:
        if choice.halted is None and first is not None and policy.halt_scope == "response":
            choice.silence(first)
        if choice.halted is not None:
            refusal = policy.refusal if request.json_output else None
            choice.close(choice.halted, notice(policy, case_id), refusal)
        if request.inserts:
            before, behind = choice.surround(request.inserts)
            all_of_it.before += before
            all_of_it.behind += behind
        all_of_it.add(choice.body)
    if first is not None:
        value["guardrail"] = halt_note(case_id, first.channel, Stop(0))
    if all_of_it.before or all_of_it.behind:
        note_inserts(value, request.inserts)
    if duplicate or unknown.blocked or any(choice.changed for choice in choices):
        body = dumps(value)
    reasons = [choice.reason for choice in choices]
    return body, all_of_it.record(policy, request, case_id, reasons=reasons, usage=value.get("usage"))


class _Choice:
    """One choice, guarded in place."""

    def __init__(self, body: Body, value: dict[str, Any], clean: Callable[[str], bool]) -> None:
        self.body = body
        self.value = value
        self.message = strip_choice(body.unknown, value, "message")
        self._delivered = 0
        """Code points of output in the channel that halted, else in the content, before the notice."""
        index = value.get("index")
        self._prefix = choice_prefix(index if isinstance(index, int) else 0)
        self._spoke = False
        """It has words for people."""
        self._altered = check_logprobs(value, self.message, clean)
        for channel, where in self._texts().items():
            self._guard_text(channel, where)
        self._guard_annotations()
        self._guard_calls()

    @property
    def halted(self) -> Finding | None:
        return self.body.halted

    @property
    def changed(self) -> bool:
        return self._altered or self.body.changed or self.halted is not None

    @property
    def reason(self) -> str | None:
        reason = self.value.get("finish_reason")
        return reason if isinstance(reason, str) else None

    def silence(self, finding: Finding) -> None:
        """The response was halted elsewhere: this choice says nothing."""
        for where in self._texts().values():
            for owner, key in where:
                owner[key] = ""
        self._drop_calls()
        self.message.pop(ANNOTATIONS, None)
        self.body.dropped = self.body.received - self.body.removed
        self.body.halted = finding
        self._delivered = 0
        self._spoke = False

    def close(self, finding: Finding, said: str, refusal: str | None) -> None:
        """Say that the choice was halted. `refusal`: what is said instead of the notice where JSON was asked for."""
        self.value.update(ended_choice(finding, Stop(self._delivered)))
        drop_spelling(self.value)
        if not said:
            return
        if refusal is None:
            self._spoke = True
            self._say("", said)
        elif not isinstance(self.value.get("text"), str):
            self.message["refusal"] = (self.message.get("refusal") or "") + refusal
            self.value["message"] = self.message

    def surround(self, inserts: Inserts) -> tuple[bool, bool]:
        """Say what guardrail has to say around its words; what of it was said, in front and behind."""
        if not self._spoke:
            return False, False
        behind = "" if call_entries(self.message) else inserts.behind
        self._say(inserts.before, behind)
        self._altered = True
        return bool(inserts.before), bool(behind)

    def _say(self, before: str, behind: str) -> None:
        """Say more in front of the text that people read, and behind it."""
        content = self.message.get("content")
        if isinstance(self.value.get("text"), str):
            self.value["text"] = before + self.value["text"] + behind
        elif isinstance(content, list):
            front, back = ([{"type": "text", "text": said}] if said else [] for said in (before, behind))
            content[:] = [*front, *content, *back]
        else:
            self.message["content"] = before + (content or "") + behind
            self.value["message"] = self.message

    def _texts(self) -> dict[str, list[Place]]:
        """The places of its texts, by channel."""
        texts: dict[str, list[Place]] = {}
        for place in places(self.message, repeated=False):
            texts.setdefault(place.channel, []).append((place.owner, place.key))
        if isinstance(self.value.get("text"), str):
            texts["text"] = [(self.value, "text")]
        return texts

    def _guard_text(self, channel: str, where: list[Place]) -> None:
        running = self.halted is None
        before = [owner[key] for owner, key in where]
        self._spoke = self._spoke or (running and channel in ("content", "text") and any(before))
        self.body.text(where, self._prefix + channel)
        if running and (channel in ("content", "text") or self.halted is not None):
            self._delivered = self.body.delivered
        if [owner[key] for owner, key in where] != before:
            drop_spelling(self.value)

    def _guard_annotations(self) -> None:
        if not self.message.get(ANNOTATIONS):
            return
        self.body.value((self.message, ANNOTATIONS), self._prefix + ANNOTATIONS)
        if self.halted is not None:
            del self.message[ANNOTATIONS]

    def _guard_calls(self) -> None:
        body = self.body
        before = body.released
        for index, entry in call_entries(self.message):
            path = self._prefix + ("function_call" if index is None else f"tool_calls[{index}].function")
            function = entry.get("function")
            if not isinstance(function, dict):
                continue
            for key in ("name", "arguments"):
                if not isinstance(function.get(key), str):
                    continue
                guard = body.name if key == "name" else body.arguments
                guard((function, key), f"{path}.{key}")
        if body.halted is not None:
            body.withdraw(before)
            self._drop_calls()

    def _drop_calls(self) -> None:
        for key in ("tool_calls", "function_call"):
            self.message.pop(key, None)
