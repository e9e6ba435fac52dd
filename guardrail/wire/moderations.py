"""OpenAI's moderation endpoint, answered by a policy: its rules and its classifier, in OpenAI's names for harm.

Promises: nothing is told harmless that was not looked at; input in a shape that cannot be scanned is an error. A
category is flagged where the policy acts (redacts, replaces, halts); what it only logs is told in the scores and in the
field `guardrail`. What halts is flagged even when OpenAI has no name for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.text.edits import finding
from guardrail.text.rules import Action, Finding
from guardrail.text.scores import CATEGORIES, UNAVAILABLE
from guardrail.text.scoring import Scoring, Tally
from guardrail.wire.annotation import worst
from guardrail.wire.check import action_of
from guardrail.wire.record import StreamRecord, classifier_part
from guardrail.wire.request import optional, read_object
from guardrail.wire.strict_json import dumps, whole_surrogates
from guardrail.wire.whole_text import Unscored, Verdicts, scan_whole

NAMES = {
    "hate": "hate",
    "harassment": "harassment",
    "self_harm": "self-harm",
    "sexual": "sexual",
    "violence": "violence",
    "illicit": "illicit",
    "fraud": "illicit",
}
"""Categories of ours -> OpenAI's."""

OPENAI_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
"""Every category that OpenAI's `omni-moderation` models answer with
(https://platform.openai.com/docs/guides/moderation). Those that we do not tell apart are never flagged."""

MAX_INPUTS = 1024
"""Texts of one request; each has a result of its own."""


@dataclass(frozen=True, slots=True)
class ModerationRequest:
    inputs: tuple[str, ...]
    model: str = ""
    """As the client names it; what answers is the policy's own."""


def read_moderations(body: bytes) -> ModerationRequest:
    """Raises WireError, with a message fit for the client, for what is no such request, or cannot be scanned."""
    value = read_object(body)
    model: str = optional(value, "model", str, "a string") or ""
    given = value.get("input")
    if isinstance(given, str):
        return ModerationRequest((whole_surrogates(given),), model)
    if not isinstance(given, list) or not given:
        raise WireError("'input' must be a string, or a non-empty array of strings or of parts.")
    if len(given) > MAX_INPUTS:
        raise WireError(f"'input' has more than {MAX_INPUTS} entries.")
    if all(isinstance(text, str) for text in given):
        return ModerationRequest(tuple(map(whole_surrogates, given)), model)
    return ModerationRequest(("\n".join(map(_text_of, given)),), model)


def _text_of(part: object) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text" and isinstance(part, dict) and isinstance(part.get("text"), str):
        return whole_surrogates(part["text"])
    if kind == "image_url":
        raise WireError("Images are not scanned: send parts of the type 'text' only.")
    raise WireError('A part of \'input\' must be {"type": "text", "text": "..."}.')


@dataclass(frozen=True, slots=True)
class Moderated:
    """What was found in one text."""

    size: int
    """Code points."""
    findings: tuple[Finding, ...]
    scores: dict[str, float]
    """Of the classifier, by category of ours: the highest of any stretch of the text; none without a classifier."""
    tally: Tally


def moderate(policy: Policy, text: str, verdicts: Verdicts) -> Moderated:
    """Look at one text. When `verdicts` turn out to be missing, what came of it must not be used."""
    scanner, _ = scan_whole(policy.rules.plain, text, "input", None)
    found = scanner.findings()
    scores: dict[str, float] = {}
    tally = Tally()
    settings = policy.classifier
    if settings is not None:
        # Apart from the rules, so that a halt of theirs does not hide what else there is.
        units = Scoring(settings, "")
        units.feed(text)
        units.cut()
        levels = (*settings.rules, UNAVAILABLE)
        for number, window in units.take_due():
            verdict = verdicts.known.get(window)
            if verdict is None:
                verdicts.missing[window] = None
                continue
            for name, score in zip(CATEGORIES, verdict.scores or (), strict=False):
                if not math.isnan(score):
                    scores[name] = max(scores.get(name, 0.0), score)
            for fired in units.score(number, verdict):
                found.append(finding(levels[fired.level], fired.start, fired.end, "input", ""))
        tally = units.tally
    return Moderated(len(text), tuple(sorted(found)), scores, tally)


def moderate_all(policy: Policy, request: ModerationRequest, verdicts: Verdicts) -> list[Moderated]:
    """Look at every text of a request. Raises Unscored when verdicts are missing: have them scored, and call again."""
    found = [moderate(policy, text, verdicts) for text in request.inputs]
    if verdicts.missing:
        raise Unscored
    return found


def answer_moderations(policy: Policy, case_id: str, results: Sequence[Moderated]) -> bytes:
    """The body for the client."""
    settings = policy.classifier
    return dumps(
        {
            "id": f"modr-{case_id.removeprefix('g-')}",
            "model": "guardrail-rules" if settings is None else settings.model,
            "results": [_result(policy, one) for one in results],
        }
    )


def _result(policy: Policy, one: Moderated) -> dict[str, Any]:
    acting = [found for found in one.findings if found.action is not Action.LOG]
    flagged = {NAMES[found.category] for found in acting if found.category in NAMES}
    scores = dict.fromkeys(OPENAI_CATEGORIES, 0.0)
    for ours, score in one.scores.items():
        if ours in NAMES:
            scores[NAMES[ours]] = max(scores[NAMES[ours]], score)
    for found in acting:
        if found.category in NAMES and not found.rule.startswith("classifier."):
            scores[NAMES[found.category]] = 1.0  # a rule is sure
    return {
        "flagged": bool(flagged) or any(found.action is Action.HALT for found in acting),
        "categories": {name: name in flagged for name in OPENAI_CATEGORIES},
        "category_scores": scores,
        "category_applied_input_types": {name: ["text"] for name in OPENAI_CATEGORIES},
        "guardrail": {
            "policy": policy.tag,
            "action": action_of(one.findings),
            "categories": worst(one.findings),
            "scores": one.scores,
        },
    }


def record_of(policy: Policy, request: ModerationRequest, case_id: str, results: Sequence[Moderated]) -> StreamRecord:
    """The account of a request: nothing is changed, so all is released."""
    size = sum(one.size for one in results)
    tally = Tally()
    for one in results:
        tally.add(one.tally)
    return StreamRecord(
        case_id=case_id,
        policy=policy.tag,
        policy_digest=policy.digest,
        model=request.model,
        choices=len(results),
        received=size,
        scanned=size,
        released=size,
        held=0,
        held_max=0,
        removed=0,
        dropped=0,
        unscanned=tally.unscanned,
        events=1,
        events_delayed=0,
        tokens=0,
        usage=None,
        findings=tuple(found for one in results for found in one.findings),
        halted=False,
        finish_reasons=(),
        blocked=(),
        fault=None,
        **classifier_part(policy, tally),
    )
