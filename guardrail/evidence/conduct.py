"""Checks of the conduct ladder: misuse is met by a measure, with reasons, that a person can take back."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from guardrail.evidence.bench import Bench, Suspended
from guardrail.evidence.checks import Outcome, check, fails, holds, untried
from guardrail.evidence.samples import ATTACK, ILLICIT, PLAIN

MOST = 60
"""Requests of misuse until it is said that no measure comes."""

REFUSED = 403
TOO_MANY = 429


async def suspended(bench: Bench) -> Suspended | Outcome:
    """Somebody who was shut out for misuse; or what stands in the way. The same one each time."""
    if bench.terms.conduct is UNSET:
        return fails("misuse has no consequences; `terms.conduct` serves")
    if bench.suspended is None:
        user = bench.somebody()
        for number in range(1, MOST + 1):
            answer = await bench.ask((ATTACK, ILLICIT)[number % 2], user=user)
            if answer.status == TOO_MANY:
                return untried(
                    "a limit refused the person's requests before misuse could lead to anything; see `terms.limits`"
                )
            if answer.status == REFUSED:
                bench.suspended = Suspended(user, answer.headers.get("x-guardrail-case", ""), number - 1)
                break
    if bench.suspended is None:
        return fails(f"{MOST} requests of misuse by one person led to no suspension; `terms.conduct.suspend` serves")
    return bench.suspended


@check("conduct-suspends", "Whoever misuses the service again and again is shut out, and nobody else is.")
async def conduct_suspends(bench: Bench) -> Outcome:
    found = await suspended(bench)
    if isinstance(found, Outcome):
        return found
    other = await bench.ask(PLAIN, user=bench.somebody())
    if other.status != 200:
        return fails(f"somebody else, who did nothing, got {other.status}")
    return holds(
        f"After {found.after} requests of misuse a person was refused with {REFUSED}; somebody else was answered."
    )


@check(
    "statement-of-reasons",
    "A measure has a statement of reasons: what, why, by which rule, automatically or not, redress.",
)
async def statement_of_reasons(bench: Bench) -> Outcome:
    found = await suspended(bench)
    if isinstance(found, Outcome):
        return found
    answer = await bench.call("GET", f"/v1/guardrail/cases/{found.case}")
    if answer.status != 200:
        return fails(f"the case {found.case} that the refusal names cannot be read (status {answer.status})")
    said: dict[str, Any] = answer.body
    strikes = said["facts"]["strikes"]
    parts = {
        "the measure": said["measure"]["text"],
        "its beginning": said["measure"]["from"],
        "facts": said["facts"]["text"] and strikes and all(each["category"] and each["rule"] for each in strikes),
        "the rules' version": strikes and all("@" in each["policy"] for each in strikes),
        "whether it was automatic": said["automated"]["text"],
        "the ground": said["ground"]["text"],
        "how to appeal": said.get("redress"),
    }
    missing = [part for part, value in parts.items() if not value]
    if missing:
        return fails(f"the statement lacks {', '.join(missing)}")
    return holds(f"It has {', '.join(parts)}.")


@check("measure-is-lifted", "A person can take a measure back, and it ends at once.")
async def measure_is_lifted(bench: Bench) -> Outcome:
    if bench.terms.conduct is UNSET:
        return fails("there are no measures that could be taken back; `terms.conduct` serves")
    user = bench.somebody()
    status, said = await bench.operate(
        *("cases", "open", "--tenant", bench.tenant.name, "--measure", "suspend", "--user", user),
        *("--actor", "evidence", "--reason", "To try whether it can be taken back."),
    )
    case = said.split(maxsplit=1)[0] if said.strip() else ""
    if status != 0 or (await bench.ask(PLAIN, user=user)).status != REFUSED:
        return fails(f"`guardrail cases open` did not shut a person out: {said.strip()[-200:]}")
    status, said = await bench.operate(
        *("cases", "lift", case, "--actor", "evidence", "--reason", "It was to be tried whether it can be.")
    )
    answer = await bench.ask(PLAIN, user=user)
    if status != 0 or answer.status != 200:
        return fails(f"after `guardrail cases lift` the person got {answer.status}: {said.strip()[-200:]}")
    return holds("`guardrail cases lift` ended a suspension: the person's next request was answered.")
