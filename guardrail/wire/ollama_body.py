"""An answer of Ollama's that is not streamed: one object, the same as a line of its stream, with all of the text.

A halt ends it as it ends a stream: what comes behind says nothing, no tool call is delivered, the notice stands at the
end of the content. A body in which nothing changes passes as the bytes that came.
"""

from __future__ import annotations

from typing import Any

from guardrail.policy.policy import Policy
from guardrail.wire.body import Body, open_body
from guardrail.wire.halt import Stop, halt_note, notice
from guardrail.wire.inserts import Inserts, note_inserts
from guardrail.wire.ollama_error import guard_error
from guardrail.wire.ollama_event import (
    COUNTERS,
    call_value,
    calls,
    logprobs_pass,
    message_of,
    put_call,
    strip,
    text_keys,
)
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from guardrail.wire.strict_json import dumps
from guardrail.wire.tool_arguments import is_clean
from guardrail.wire.whole_text import Verdicts

REASON = "content_filter"
"""Why an answer ended that was halted."""


def guard_body(
    policy: Policy, request: ModelRequest, body: bytes, case_id: str, verdicts: Verdicts | None = None
) -> tuple[bytes, StreamRecord]:
    """See `GuardBody`."""
    it, value, duplicate = open_body(policy, request, body, verdicts)
    if value.get("error"):
        body, outcome = guard_error(policy.refusal, it.rules, body, it.verdicts)
        return body, it.failed(policy, request, case_id, outcome)
    *_, main = text_keys(value)
    spoke = bool(message_of(value).get(main))
    _guard(it, value)
    it.check()
    if it.halted is not None:
        said = "" if request.json_output else notice(policy, case_id)
        _end(it, value, said, case_id)
        spoke = bool(said) or (spoke and it.halted.channel != "thinking")
    if spoke and request.inserts:
        _surround(it, value, request.inserts)
    if duplicate or it.changed or it.unknown.blocked:
        body = dumps(value)
    reason = value.get("done_reason")
    counted = {key: value[key] for key in COUNTERS if key in value}
    return body, it.record(
        policy, request, case_id, reasons=(reason if isinstance(reason, str) else None,), usage=counted or None
    )


def _guard(it: Body, value: dict[str, Any]) -> None:
    message = strip(value, it.unknown)
    spelled = logprobs_pass(value, lambda text: is_clean(it.rules, text))
    for key in text_keys(value):
        if isinstance(message.get(key), str):
            it.text([(message, key)], key)
    before = it.released
    for path, function in calls(message):
        said = [call_value(function)]
        it.value((said, 0), path)
        put_call(function, said[0])
    if it.halted is not None:
        it.withdraw(before)
    if not spelled or it.changed:
        it.changed = it.changed or value.get("logprobs") is not None
        value.pop("logprobs", None)
    if it.changed:
        value.pop("context", None)  # its tokens spell the answer as the model gave it


def _end(it: Body, value: dict[str, Any], said: str, case_id: str) -> None:
    """Say that the answer was halted. `said`: the notice."""
    assert it.halted is not None
    it.changed = True
    message = message_of(value)
    *_, main = text_keys(value)
    text = message.get(main)
    message[main] = (text if isinstance(text, str) else "") + said
    for owner, key in ((message, "tool_calls"), (value, "context"), (value, "logprobs")):
        owner.pop(key, None)
    value["done_reason"] = REASON
    value["guardrail"] = halt_note(case_id, it.halted.channel, Stop(it.delivered))


def _surround(it: Body, value: dict[str, Any], inserts: Inserts) -> None:
    """Say what guardrail has to say around the words of the answer."""
    message = message_of(value)
    *_, main = text_keys(value)
    behind = "" if calls(message) else inserts.behind
    message[main] = inserts.before + (message.get(main) or "") + behind
    it.before, it.behind = bool(inserts.before), bool(behind)
    it.changed = True
    note_inserts(value, inserts)
