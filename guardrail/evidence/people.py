"""Checks of what people may ask for: to complain, to appeal, removal, to see and to erase what is kept."""

from __future__ import annotations

import json
from typing import Any

from msgspec import UNSET

from guardrail.evidence.bench import Bench
from guardrail.evidence.checks import Outcome, check, fails, holds
from guardrail.evidence.conduct import REFUSED
from guardrail.evidence.samples import PLAIN
from guardrail.governance.webhooks import secrets_in, signed

COMPLAINTS = "/v1/guardrail/complaints"
RECEIPT = "x-guardrail-receipt"
CREATED = 201


@check(
    "complaint-gets-receipt", "A complaint gets a number, a receipt and a due date, and its status can be asked for."
)
async def complaint_gets_receipt(bench: Bench) -> Outcome:
    if bench.terms.complaints is UNSET:
        return fails("complaints are not taken; `terms.complaints` serves")
    answer = await bench.ask(PLAIN, user=bench.somebody())
    body = {"request_id": answer.request_id, "text": "This is a complaint of a trial."}
    filed = await bench.call("POST", COMPLAINTS, body)
    if filed.status != CREATED:
        return fails(f"a complaint was answered with {filed.status}")
    said: dict[str, Any] = filed.body
    missing = [name for name in ("id", "receipt", "due_at", "status_url") if not said.get(name)]
    if missing:
        return fails(f"the answer lacks {', '.join(missing)}")
    asked = await bench.call("GET", said["status_url"], key=False, headers={RECEIPT: said["receipt"]})
    if asked.status != 200 or asked.body.get("status") != "received":
        return fails(f"with the receipt alone its status cannot be read (status {asked.status})")
    without = await bench.call("GET", said["status_url"], key=False)
    if without.status == 200:
        return fails("its status can be read without a receipt")
    return holds(
        f"It got a receipt and is due on {said['due_at'][:10]}; its status is told to whoever has the receipt."
    )


@check("appeal-lifts-measure", "A measure can be appealed; a person decides, and the decision takes effect.")
async def appeal_lifts_measure(bench: Bench) -> Outcome:
    if bench.terms.complaints is UNSET or bench.terms.conduct is UNSET:
        return fails("there are no measures, or no appeals; `terms.conduct` and `terms.complaints` serve")
    user = bench.somebody()
    _, said = await bench.operate(
        *("cases", "open", "--tenant", bench.tenant.name, "--measure", "suspend", "--user", user),
        *("--actor", "evidence", "--reason", "To try whether it can be appealed."),
    )
    case = said.split(maxsplit=1)[0] if said.strip() else ""
    if (await bench.ask(PLAIN, user=user)).status != REFUSED:
        return fails(f"`guardrail cases open` did not shut a person out: {said.strip()[-200:]}")
    filed = await bench.call("POST", COMPLAINTS, {"case_id": case, "text": "It was not me."})
    if filed.status != CREATED:
        return fails(f"an appeal was answered with {filed.status}")
    status, said = await bench.operate(
        *(
            "complaints",
            "decide",
            filed.body["id"],
            "--actor",
            "evidence",
            "--upheld",
            "--reason",
            "The person is right.",
        ),
        *("--effect", "lift"),
    )
    if status != 0:
        return fails(f"`guardrail complaints decide` ended with {status}: {said.strip()[-200:]}")
    answer = await bench.ask(PLAIN, user=user)
    told = await bench.call("GET", filed.body["status_url"], key=False, headers={RECEIPT: filed.body["receipt"]})
    decision = told.body.get("decision") or {}
    if answer.status != 200:
        return fails(f"the appeal was upheld, and the person still got {answer.status}")
    if decision.get("outcome") != "upheld" or not decision.get("reasons"):
        return fails("the person is not told of the decision and its reasons")
    return holds("An appeal was upheld by a person: the suspension ended, and the reasons are told with the receipt.")


@check(
    "removal-is-notified",
    "Output found unlawful later: the application is told by a signed message, and the record is marked.",
)
async def removal_is_notified(bench: Bench) -> Outcome:
    if bench.terms.removal is UNSET or bench.terms.removal.webhook is UNSET:
        return fails("the application cannot be told; `terms.removal.webhook` and `terms.removal.secret_env` serve")
    answer = await bench.ask(PLAIN, user=bench.somebody())
    before = len(bench.hooks)
    status, said = await bench.operate(
        *("cases", "remove", answer.request_id, "--tenant", bench.tenant.name, "--message-id", answer.generation),
        *("--category", "illicit", "--actor", "evidence", "--reason", "To try whether the application is told."),
    )
    if status != 0:
        return fails(f"`guardrail cases remove` ended with {status}: {said.strip()[-200:]}")

    async def came() -> bool:
        return len(bench.hooks) > before

    if not await bench.until(came):
        return fails("no message came to the application")
    hook = bench.hooks[before]
    own = signed(
        secrets_in(bench.setting.hook_secret),
        hook.headers.get("webhook-id", ""),
        int(hook.headers.get("webhook-timestamp", "0")),
        hook.body,
    )
    if hook.headers.get("webhook-signature") != own["webhook-signature"]:
        return fails("the message is not signed with the secret of the configuration")
    if answer.request_id.encode() not in hook.body or answer.generation.encode() not in hook.body:
        return fails("the message does not name the answer")

    async def marked() -> bool:
        return bool((await bench.record(answer.request_id)).get("removed_by"))

    if not await bench.until(marked):
        return fails("the record of the answer is not marked as removed")
    return holds("A signed message named the answer, and its record is marked as removed.")


@check("subject-is-exported", "People get what is kept of them, as data.")
async def subject_is_exported(bench: Bench) -> Outcome:
    user = bench.somebody()
    answer = await bench.ask(PLAIN, headers=bench.claims(user, locale="en"))
    if answer.status != 200:
        return fails(f"a person with a signed claim was answered with {answer.status}")

    async def exported() -> dict[str, Any] | None:
        said: dict[str, Any] = await _subject(bench, "export", user)
        return said if said.get("records") or said.get("seen") else None

    if not await bench.until(exported):
        return fails("`guardrail subject export` shows nothing of somebody who was just answered")
    return holds("`guardrail subject export` gave what is kept of somebody who was just answered.")


@check("subject-is-erased", "What is kept of a person is erased, and the audit log still verifies.")
async def subject_is_erased(bench: Bench) -> Outcome:
    user = bench.somebody()
    await bench.ask(PLAIN, headers=bench.claims(user, locale="en"))

    async def known() -> bool:
        return bool((await _subject(bench, "export", user)).get("seen"))

    if not await bench.until(known):
        return fails("`guardrail subject export` shows nothing of somebody who was just answered")
    receipt = await _subject(bench, "erase", user, "--yes")
    if not receipt.get("known"):
        return fails("`guardrail subject erase` says that nothing was held")
    after = await _subject(bench, "export", user)
    if after.get("seen") or after.get("records") or any(after.get("documents", {}).values()):
        return fails("something of the person is still there after `guardrail subject erase`")
    if not bench.snapshot.settings.audit.enabled:
        return fails("the audit log is switched off; `audit.enabled: true` serves")
    status, said = await bench.operate("audit", "verify")
    if status != 0:
        return fails(f"after erasing, `guardrail audit verify` ended with {status}: {said.strip()[-200:]}")
    return holds("After `guardrail subject erase` nothing of the person is there, and the audit log verifies.")


async def _subject(bench: Bench, command: str, user: str, *more: str) -> dict[str, Any]:
    status, said = await bench.operate(
        *("subject", command, "--tenant", bench.tenant.name, "--user", user, "--actor", "evidence", *more)
    )
    found: dict[str, Any] = json.loads(said[said.index("{") :]) if status == 0 else {}
    return found
