"""Checks of what is kept: no text, a chain of records that can be verified, for long enough, and counts of it."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path

from guardrail.evidence.bench import Bench
from guardrail.evidence.checks import Outcome, check, fails, holds
from guardrail.evidence.samples import PLAIN


@check("no-text-is-kept", "No prompt, answer or id of a person is on disk.")
async def no_text_is_kept(bench: Bench) -> Outcome:
    canary, person = f"canary{secrets.token_hex(8)}", f"person{secrets.token_hex(8)}"
    answer = await bench.ask(f"Please repeat {canary}.", user=person)
    if canary not in answer.text:
        return fails(f"the simulated model did not repeat what it was told (status {answer.status})")
    if bench.snapshot.settings.audit.enabled:
        await bench.until(lambda: _written(bench, answer.request_id))
    found = files_with(bench.folder, canary, person)
    if found:
        return fails(f"text or the id of a person is in {', '.join(found)}; see `store_text` of the policy")
    return holds("A made-up word of a prompt and its answer, and the id of who asked, were found in no file.")


@check("audit-verifies", "What was answered is in the audit log, and the log verifies.")
async def audit_verifies(bench: Bench) -> Outcome:
    if not bench.snapshot.settings.audit.enabled:
        return fails("the audit log is switched off; `audit.enabled: true` serves")
    answer = await bench.ask(PLAIN)
    if not await bench.until(lambda: _written(bench, answer.request_id)):
        return fails("an answer is not in the audit log")
    status, said = await bench.operate("audit", "verify")
    if status != 0:
        return fails(f"`guardrail audit verify` ended with {status}: {said.strip()[-300:]}")
    return holds("An answer is in the audit log, and `guardrail audit verify` found the chain whole.")


@check("audit-is-kept", "The audit log is kept for as long as the presets ask for.")
async def audit_is_kept(bench: Bench) -> Outcome:
    audit = bench.snapshot.settings.audit
    if not audit.enabled:
        return fails("the audit log is switched off; `audit.enabled: true` serves")
    asked = [preset.minimum.get("audit.retention_days", 0) for preset in bench.presets]
    least = max(asked, default=0)
    if audit.retention_days < least:
        return fails(f"it is kept for {audit.retention_days} days; `audit.retention_days: {least:g}` serves")
    return holds(f"It is kept for {audit.retention_days} days, of {least:g} that are asked for.")


@check("report-counts", "The periodic report counts what happens, and has neither text nor persons.")
async def report_counts(bench: Bench) -> Outcome:
    today = datetime.now(UTC).date().isoformat()

    async def counted() -> int:
        status, said = await bench.operate(
            *("report", "--from", today, "--to", today, "--format", "json", "--exact", "--tenant", bench.tenant.name)
        )
        if status != 0:
            return 0
        table = next(each for each in json.loads(said)["tables"] if each["kind"] == "requests")
        return sum(row["count"] for row in table["rows"])

    before = await counted()
    await bench.ask(PLAIN)

    async def more() -> bool:
        return await counted() > before

    if not await bench.until(more):
        return fails("a request was made, and `guardrail report` does not count it")
    return holds("`guardrail report` counted a request that was just made.")


def files_with(folder: Path, *words: str) -> list[str]:
    """The names of the files in a folder, at any depth, that hold one of these words."""
    wanted = [word.encode() for word in words]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted({path.name for path in files if any(word in path.read_bytes() for word in wanted)})


async def _written(bench: Bench, request_id: str) -> bool:
    """Whether the audit log has something of a request."""
    return any(request_id.encode() in path.read_bytes() for path in (bench.folder / "state").rglob("*.jsonl"))
