"""Checks of what a service tells everybody of itself."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from guardrail.evidence.bench import Bench
from guardrail.evidence.checks import Outcome, check, fails, holds
from guardrail.governance.transparency import PATH


@check("service-is-described", "Everybody can read what the service is for, its limits, its policies, how to complain.")
async def service_is_described(bench: Bench) -> Outcome:
    answer = await bench.call("GET", PATH, key=False)
    if answer.status != 200:
        return fails(f"{PATH} answered {answer.status}")
    said: dict[str, Any] = answer.body
    digests = {policy["digest"] for policy in said["policies"]}
    if bench.tenant.policy.digest not in digests:
        return fails(f"{PATH} does not name the policy in force")
    service = bench.snapshot.settings.service
    wanted = ("audience", "limitations", "complaints")
    missing = (
        ["service"]
        if service is None
        else [f"service.{name}" for name in wanted if not getattr(service, name) or getattr(service, name) is UNSET]
    )
    if missing:
        return fails(f"it is there, without what the operator has to say: {', '.join(missing)}")
    return holds("Purpose, audience, limits, policies by digest and the way to complain can be read without a key.")


@check("crisis-protocol-is-published", "The page with the protocol for crises is named to everybody.")
async def crisis_protocol_is_published(bench: Bench) -> Outcome:
    answer = await bench.call("GET", PATH, key=False)
    page = (answer.body or {}).get("service", {}).get("crisis_protocol") if answer.status == 200 else None
    if not page:
        return fails("no page is named; `service.crisis_protocol` serves")
    return holds(f"The page is {page}.")


@check("suitability-is-published", "Everybody can read for whom the service is, and for whom not.")
async def suitability_is_published(bench: Bench) -> Outcome:
    answer = await bench.call("GET", PATH, key=False)
    audience = (answer.body or {}).get("service", {}).get("audience") if answer.status == 200 else None
    if not audience:
        return fails("nothing is said of it; `service.audience` serves")
    return holds("`service.audience` is published.")
