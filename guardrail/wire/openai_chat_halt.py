"""What a client of Chat Completions is told when a choice ends early, and the usage that upstream cannot say now.

Every piece here is a part of a chunk or body; who writes it adds id, object, created and model.
"""

from __future__ import annotations

from typing import Any

from guardrail.policy.policy import Policy
from guardrail.text.rules import Finding
from guardrail.wire.halt import Stop, halt_note
from guardrail.wire.request import ModelRequest


def ended_choice(finding: Finding, stop: Stop) -> dict[str, Any]:
    """The fields of a choice that was halted.

    All three offsets are the same with strict hold-back: what was checked, and delivered, ends where the halt starts.
    """
    start = stop.delivered if stop.start < 0 else stop.start
    end = stop.delivered if stop.end < 0 else stop.end
    return {
        "finish_reason": "content_filter",
        "content_filter_results": {finding.category: {"filtered": True, "severity": finding.severity}},
        "content_filter_offsets": {"check_offset": end, "start_offset": start, "end_offset": end},
    }


def halt_chunks(
    policy: Policy,
    case_id: str,
    finding: Finding,
    *,
    said: str,
    index: int,
    stop: Stop,
    legacy: bool,
    json_output: bool = False,
) -> list[dict[str, Any]]:
    """The last chunks of a halted choice: the notice, then the finish. `legacy`: it speaks in `text`, not `delta`.
    `said`: the notice, with what else guardrail says.

    `json_output`: the client asked for JSON. Then the content is no place for a notice, since SDKs parse it while it
    comes, and raise what the user cannot make sense of; a refusal is what they expect in place of the JSON.
    """
    chunks: list[dict[str, Any]] = []
    if said and not (legacy and json_output):
        text: dict[str, Any] = {"text": said} if legacy else {"delta": {"content": said}}
        if json_output:
            text = {"delta": {"refusal": policy.refusal}}
        chunks.append({"choices": [{"index": index, **text, "finish_reason": None}]})
    nothing: dict[str, Any] = {"text": ""} if legacy else {"delta": {}}
    chunks.append(
        {
            "choices": [{"index": index, **nothing, **ended_choice(finding, stop)}],
            "guardrail": halt_note(case_id, finding.channel, stop),
        }
    )
    return chunks


def usage_chunk(request: ModelRequest, case_id: str, usage: dict[str, Any] | None, tokens: int) -> dict[str, Any]:
    """The usage chunk of a response that was cut short: what upstream said last, else an estimate, marked as such.

    The estimate: one token for every event with text; of the prompt, see `ModelRequest.prompt_tokens`."""
    if usage is not None:
        return {"choices": [], "usage": usage}
    prompt = request.prompt_tokens
    estimate = {"prompt_tokens": prompt, "completion_tokens": tokens, "total_tokens": prompt + tokens}
    return {"choices": [], "usage": estimate, "guardrail": {"case_id": case_id, "usage": "estimated"}}
