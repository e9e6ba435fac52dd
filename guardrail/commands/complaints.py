"""`guardrail complaints list | show | take | decide | close`: the reviewers' queue."""

from __future__ import annotations

import asyncio
import enum
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

if TYPE_CHECKING:
    from guardrail.governance.complaints import Complaint, Complaints, Words
    from guardrail.governance.desk import Desk
    from guardrail.governance.restrictions import Restriction

complaints = typer.Typer(
    help="Complaints, appeals and requests of data subjects: what people filed, by when it is due, and the decision.",
    no_args_is_help=True,
)

Result = TypeVar("Result")


class Form(enum.StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"


class Status(enum.StrEnum):
    """Which ones are listed."""

    OPEN = "open"
    RECEIVED = "received"
    IN_REVIEW = "in_review"
    DECIDED = "decided"
    CLOSED = "closed"
    ALL = "all"


_STATUSES: dict[Status, Literal["open", "received", "in_review", "decided", "closed", ""]] = {
    Status.OPEN: "open",
    Status.RECEIVED: "received",
    Status.IN_REVIEW: "in_review",
    Status.DECIDED: "decided",
    Status.CLOSED: "closed",
    Status.ALL: "",
}


class Kind(enum.StrEnum):
    """What was filed."""

    COMPLAINT = "complaint"
    APPEAL = "appeal"
    OTHER = "other"
    DATA_REQUEST = "data_request"


Config = Annotated[
    Path | None,
    typer.Option(envvar="GUARDRAIL_CONFIG", help="guardrail.yaml, or a folder that holds one.", show_default=False),
]
Id = Annotated[str, typer.Argument(metavar="NUMBER", help="Its number, as on the receipt.")]
Actor = Annotated[str, typer.Option(help="Who does it; stands in the audit log.")]
Shown = Annotated[Form, typer.Option("--format", help="How to print it.")]


@complaints.command("list")
def list_complaints(
    tenant: Annotated[str, typer.Option(help="Only of this tenant.", show_default=False)] = "",
    status: Annotated[Status, typer.Option(help="Only with this status; open: not decided yet.")] = Status.OPEN,
    kind: Annotated[Kind | None, typer.Option(help="Only of this kind.", show_default=False)] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose decision is late.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    form: Shown = Form.TEXT,
    config: Config = None,
) -> None:
    """Print what was filed, the one that is due first, or most overdue, at the head."""

    async def run(desk: Desk, complaints: Complaints) -> list[Complaint]:
        return await complaints.listed(
            tenant=tenant,
            status=_STATUSES[status],
            kind=kind.value if kind is not None else "",
            overdue=overdue,
            limit=limit,
        )

    found = _with_desk(config, run)
    if form is Form.JSON:
        _print_json(found)
        return
    for each in found:
        typer.echo(_line(each))


@complaints.command("show")
def show(id: Id, actor: Actor, form: Shown = Form.TEXT, config: Config = None) -> None:
    """Print one with what the person wrote; that it was read is in the audit log."""

    async def run(desk: Desk, complaints: Complaints) -> tuple[Complaint, Words | None, Restriction | None]:
        from guardrail.governance import restrictions
        from guardrail.governance.complaints import ComplaintError

        found = await complaints.find(id)
        if found is None:
            raise ComplaintError(f"there is no complaint {id}")
        return found, await complaints.words(found, actor), await restrictions.concerned(desk.store, found)

    found, words, decision = _with_desk(config, run)
    if form is Form.JSON:
        _print_json({"complaint": found, "words": words, "decision": decision})
        return
    typer.echo(_line(found))
    for name, value in (
        ("about", found.about),
        ("right", found.right),
        ("person", found.subject),
        ("vouched for by the application", "yes" if found.vouched else "no"),
        ("language", found.locale),
        ("contact", words.contact if words is not None else ""),
        ("outcome", found.outcome),
        ("effects", "; ".join(found.effects)),
        ("reasons", found.reasons),
    ):
        if value:
            typer.echo(f"{name}: {value}")
    for step in found.history:
        typer.echo(f"  {_time(step.at)}  {step.move}  {step.actor}")
    typer.echo("\n" + (words.text if words is not None else "(what the person wrote was erased)"))
    if decision is not None:
        from guardrail.governance.restriction_statements import statement_text

        typer.echo("\n" + statement_text(decision, "en"), nl=False)


@complaints.command("take")
def take(id: Id, actor: Actor, config: Config = None) -> None:
    """Begin to review it, or take it over."""
    typer.echo(_line(_with_desk(config, lambda desk, complaints: complaints.take(id, actor))))


@complaints.command("decide")
def decide(
    id: Id,
    actor: Actor,
    reason: Annotated[str, typer.Option(help="Why, for the person: they read it.")],
    upheld: Annotated[bool, typer.Option("--upheld", help="The person is right.")] = False,
    rejected: Annotated[bool, typer.Option("--rejected", help="The person is not.")] = False,
    partly: Annotated[bool, typer.Option("--partly", help="In part.")] = False,
    effect: Annotated[
        list[str] | None,
        typer.Option(
            help="lift: take back the strikes of the case and end its measure. allow=PHRASE: the rule is to let the "
            "phrase pass. May be given again.",
            show_default=False,
        ),
    ] = None,
    rule: Annotated[str, typer.Option(help="Id of the rule for allow=PHRASE.", show_default=False)] = "",
    config: Config = None,
) -> None:
    """Decide it. With allow=PHRASE it also says what to write into the policy."""
    chosen = [name for name, given in (("upheld", upheld), ("rejected", rejected), ("partly", partly)) if given]
    effects = effect or []
    phrases = [each.removeprefix("allow=") for each in effects if each.startswith("allow=")]
    if len(chosen) != 1:
        raise _usage("one of --upheld, --rejected and --partly says how it is decided")
    if any(each != "lift" and not each.startswith("allow=") for each in effects):
        raise _usage("an --effect is lift, or allow=PHRASE")
    if bool(phrases) != bool(rule):
        raise _usage("--effect allow=PHRASE needs --rule, and --rule needs it")

    async def run(desk: Desk, complaints: Complaints) -> tuple[Complaint, list[str]]:
        from guardrail.governance.cases import Allowed, Cases
        from guardrail.governance.complaints import OUTCOMES
        from guardrail.governance.decisions import Decisions

        found = await complaints.find(id)
        # Before the decision: a phrase that cannot be allowed is no effect of it.
        written = _written(config, found.tenant, rule, phrases) if found is not None and phrases else []
        outcome = next(each for each in OUTCOMES if each == chosen[0])
        decisions = Decisions(complaints, Cases(desk.store, desk.audit))
        allow = [Allowed(rule, phrase) for phrase in phrases]
        decided = await decisions.decide(id, outcome, reason, actor, lift="lift" in effects, allow=allow)
        return decided, written

    decided, written = _with_desk(config, run)
    typer.echo(_line(decided))
    for line in (*decided.effects, *written):
        typer.echo(f"  {line}")


@complaints.command("close")
def close(id: Id, actor: Actor, config: Config = None) -> None:
    """Put it away: the person was told, and what follows from the decision was done."""
    typer.echo(_line(_with_desk(config, lambda desk, complaints: complaints.close(id, actor))))


def _with_desk(config: Path | None, run: Callable[[Desk, Complaints], Awaitable[Result]]) -> Result:
    """Open the configuration's desk and do it; what is wrong ends the command with status 1."""
    from guardrail.errors import GuardrailError
    from guardrail.governance.complaints import Complaints
    from guardrail.governance.desk import open_desk

    async def opened() -> Result:
        async with open_desk(config, os.environ) as desk:
            return await run(desk, Complaints(desk.store, desk.audit, desk.secret))

    try:
        return asyncio.run(opened())
    except (GuardrailError, OSError) as error:
        typer.echo(f"guardrail complaints: {error}", err=True)
        raise typer.Exit(1) from None


def _written(config: Path | None, tenant: str, rule: str, phrases: list[str]) -> list[str]:
    """What to write into the tenant's policy so that the rule lets the phrases pass."""
    from guardrail.policy.allowance import addition
    from guardrail.policy.load import load_configuration

    loaded = load_configuration(config)
    known = loaded.tenants.get(tenant)
    anonymous = loaded.settings.file.anonymous if loaded.settings is not None else None
    policy = known.file.policy if known is not None else anonymous.policy if anonymous is not None else "default"
    made = addition(loaded, policy, rule, phrases)
    return [f"to let it pass, write into {made.file}:{made.line} ({made.section}):", f"  {made.entry}"]


def _usage(message: str) -> typer.Exit:
    typer.echo(f"guardrail complaints: {message}", err=True)
    return typer.Exit(2)


def _line(found: Complaint) -> str:
    from time import time

    kind = f"{found.kind}/{found.right}" if found.right else found.kind
    due = f"due {_time(found.due_at)}" if found.open else found.outcome
    late = "  OVERDUE" if found.overdue(time()) else ""
    reviewer = f"  {found.reviewer}" if found.reviewer else ""
    return f"{found.id}  {found.tenant}  {kind}  {found.status}  {due}{late}{reviewer}"


def _time(at: float) -> str:
    from guardrail.governance.complaint_terms import told

    return told(at)


def _print_json(value: object) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
