"""Checks of labels: people and programs learn that an AI wrote, in streams and in JSON, under an agreement or not."""

from __future__ import annotations

import json
from typing import Any

from msgspec import UNSET

from guardrail.evidence.bench import Bench
from guardrail.evidence.checks import Outcome, check, fails, holds, untried
from guardrail.evidence.samples import PLAIN
from guardrail.governance.label_terms import text_of

OFF = "answers carry no label; `terms.labels` serves"


@check("label-is-in-the-text", "Streamed or not, an answer says in its text that an AI made it.")
async def label_is_in_the_text(bench: Bench) -> Outcome:
    if bench.terms.labels is UNSET:
        return fails(OFF)
    if bench.terms.labels.explicit == "header":
        return untried("the terms leave the label to the application (`terms.labels.explicit: header`)")
    label = text_of(bench.terms.labels)
    for stream in (True, False):
        answer = await bench.ask(PLAIN, stream=stream)
        if label not in answer.text:
            placed = answer.headers.get("x-ai-label", "none")
            how = "a streamed" if stream else "a whole"
            return fails(f"{how} answer has no label in its text (placed: {placed}); `terms.labels.explicit` serves")
    return holds(f"A streamed and a whole answer carry “{label}”.")


@check("label-survives-json", "An answer that is JSON stays JSON, and says in a header that an AI made it.")
async def label_survives_json(bench: Bench) -> Outcome:
    if bench.terms.labels is UNSET:
        return fails(OFF)
    answer = await bench.ask("Answer as JSON.", stream=False, response_format={"type": "json_object"})
    try:
        json.loads(answer.text)
    except ValueError:
        return fails("the answer is no JSON any more")
    placed = answer.headers.get("x-ai-label")
    if placed != "header":
        return fails(f"the headers do not say that the label is theirs to show (x-ai-label: {placed})")
    return holds("The answer parses, and the header x-ai-label tells the application to show the label.")


@check(
    "label-is-machine-readable",
    "Programs can tell from the headers that an AI made an answer, who provided it, which it is.",
)
async def label_is_machine_readable(bench: Bench) -> Outcome:
    if bench.terms.labels is UNSET:
        return fails(OFF)
    answer = await bench.ask(PLAIN)
    told = answer.headers.get("x-aigc", "")
    if answer.headers.get("x-ai-generated") != "true" or not told:
        return fails("the headers do not say so; `terms.labels.implicit: true` serves")
    block: dict[str, Any] = json.loads(told)
    missing = [name for name in ("Label", "ContentProducer", "ProduceID") if not block.get(name)]
    if missing:
        return fails(f"the block AIGC lacks {', '.join(missing)}; `terms.labels.provider` serves")
    return holds("The headers mark the answer as generated, and name its provider and its number.")


@check(
    "unlabelled-needs-agreement", "Without a signed agreement that the terms name, no answer goes without its label."
)
async def unlabelled_needs_agreement(bench: Bench) -> Outcome:
    if bench.terms.labels is UNSET:
        return fails(OFF)
    label = text_of(bench.terms.labels)
    user = bench.somebody()
    unknown = await bench.ask(PLAIN, headers=bench.claims(user, agreement="no-such-agreement"))
    if label not in unknown.text:
        return fails("an answer went without its label for an agreement that the terms do not name")
    agreements = bench.terms.labels.agreements
    if agreements is UNSET or not agreements:
        return holds("The terms name no agreement, and an unknown one takes no label away.")
    agreed = await bench.ask(PLAIN, headers=bench.claims(user, agreement=agreements[0]))
    if label in agreed.text:
        return fails(f"the label is there in spite of the agreement {agreements[0]}")
    logs = [path.read_bytes() for path in (bench.folder / "state").rglob("*.jsonl")]
    if not any(b"label.omitted" in log and agreed.request_id.encode() in log for log in logs):
        return fails("that an answer went without its label is not in the audit log")
    return holds("Only under an agreement of the terms an answer went without its label, and the audit log has it.")
