"""`guardrail cases list | show | statement | uphold | lift | override | open`: what was decided about people, and what
the operator decides about that."""

from __future__ import annotations

import asyncio
import enum
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from guardrail.governance.cases import Case, Cases
    from guardrail.governance.desk import Desk
    from guardrail.governance.excerpts import Shown as Excerpt

cases = typer.Typer(
    help="Cases: what was decided about people, with reasons; uphold, change or lift it.", no_args_is_help=True
)

Result = TypeVar("Result")


class Form(enum.StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"


class Step(enum.StrEnum):
    """The steps of the conduct ladder."""

    WARN = "warn"
    RESTRICT = "restrict"
    SUSPEND = "suspend"
    TERMINATE = "terminate"


class Status(enum.StrEnum):
    """What became of a case."""

    OPEN = "open"
    UPHELD = "upheld"
    OVERRIDDEN = "overridden"
    LIFTED = "lifted"


Config = Annotated[
    Path | None,
    typer.Option(envvar="GUARDRAIL_CONFIG", help="guardrail.yaml, or a folder that holds one.", show_default=False),
]
Id = Annotated[str, typer.Argument(metavar="CASE", help="Its id, as the person was told it.")]
Actor = Annotated[str, typer.Option(help="Who decides; stands in the audit log.")]
Reason = Annotated[str, typer.Option(help="Why, for the person concerned: it is part of the statement.")]
About = Annotated[str, typer.Option(help="Id of the appeal that is answered with it.", show_default=False)]
Shown = Annotated[Form, typer.Option("--format", help="How to print it.")]
Until = Annotated[
    str | None, typer.Option(help="End of the measure: a day, or a time (RFC 3339), UTC.", show_default=False)
]


@cases.command("list")
def list_cases(
    tenant: Annotated[str, typer.Option(help="Only of this tenant.", show_default=False)] = "",
    subject: Annotated[str, typer.Option(help="Only of the person with this pseudonym.", show_default=False)] = "",
    status: Annotated[Status | None, typer.Option(help="Only with this status.", show_default=False)] = None,
    request: Annotated[str, typer.Option(help="Only those that this request led to.", show_default=False)] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    form: Shown = Form.TEXT,
    config: Config = None,
) -> None:
    """Print cases, the newest first."""

    async def run(desk: Desk, cases: Cases) -> list[Case]:
        return await cases.find(
            tenant=tenant, subject=subject, status=status.value if status else "", request=request, limit=limit
        )

    found = _with_desk(config, run)
    if form is Form.JSON:
        _print_json(found)
        return
    for case in found:
        rules = ", ".join(sorted({strike.rule for strike in case.strikes})) or case.origin
        typer.echo(f"{case.id}  {_time(case.at)}  {case.tenant}  {case.measure}  {case.status}  {_ends(case)}  {rules}")


@cases.command("show")
def show(id: Id, form: Shown = Form.TEXT, config: Config = None) -> None:
    """Print all that is known of a case, the names of who decided too."""
    case = _with_desk(config, lambda desk, cases: _known(cases, id))
    if form is Form.JSON:
        _print_json(case)
        return
    from guardrail.governance.statements import statement_text

    typer.echo(statement_text(case, "en"))
    typer.echo(f"Tenant\n{case.tenant}\n\nPerson\n{case.subject or '-'}\n\nOpened by\n{case.actor}")
    for decision in case.decisions:
        typer.echo(f"\nDecided by\n{decision.actor}, {_time(decision.at)}: {decision.verdict}")
        for each in decision.allow:
            typer.echo(f"allow in {each.rule}: {each.phrase}")


@cases.command("statement")
def statement(
    id: Annotated[str, typer.Argument(metavar="CASE", help="Its id, or the id of a request that was stopped.")],
    locale: Annotated[str, typer.Option(help="en or zh.", show_default="the person's")] = "",
    form: Shown = Form.TEXT,
    config: Config = None,
) -> None:
    """Print the statement of reasons, as the person concerned gets it."""
    from guardrail.governance import restriction_statements, restrictions, statements

    async def run(desk: Desk, cases: Cases) -> Case | restrictions.Restriction:
        found = await cases.get(id) or await restrictions.find(desk.store, id)
        return found if found is not None else await _known(cases, id)

    found = _with_desk(config, run)
    if isinstance(found, restrictions.Restriction):
        said, text = restriction_statements.statement, restriction_statements.statement_text
        shown, printed = said(found, locale), text(found, locale)
    else:
        shown, printed = statements.statement(found, locale), statements.statement_text(found, locale)
    if form is Form.JSON:
        _print_json(shown)
    else:
        typer.echo(printed, nl=False)


@cases.command("excerpt")
def excerpt(
    id: Annotated[str, typer.Argument(metavar="CASE", help="Its id, or the id of a request.")],
    actor: Annotated[str, typer.Option(help="Who reads it; stands in the audit log.")],
    form: Shown = Form.TEXT,
    config: Config = None,
) -> None:
    """Print the text around what was found, where excerpts are kept. Who reads it is taken down first."""

    async def run(desk: Desk, cases: Cases) -> list[Excerpt]:
        from guardrail.governance import excerpts
        from guardrail.governance.keyring import Keyring

        case = await cases.get(id)
        request = case.request if case is not None else id
        return await excerpts.show(desk.store, desk.audit, Keyring(desk.secret), request, actor=actor)

    found = _with_desk(config, run)
    if form is Form.JSON:
        _print_json(found)
        return
    for each in found:
        text = "(the person was erased)" if each.text is None else each.text
        typer.echo(f"{each.rule}  {each.category}  {each.channel}[{each.start}:{each.end}]\n{text}\n")
    if not found:
        typer.echo("no excerpt is kept", err=True)
        raise typer.Exit(1)


@cases.command("uphold")
def uphold(id: Id, actor: Actor, reason: Reason, about: About = "", config: Config = None) -> None:
    """Confirm a measure."""
    _told(_with_desk(config, lambda desk, cases: cases.decide(id, "uphold", actor=actor, reason=reason, about=about)))


@cases.command("lift")
def lift(
    id: Id,
    actor: Actor,
    reason: Reason,
    about: About = "",
    allow: Annotated[
        list[str] | None,
        typer.Option(help="A phrase that --rule is to let pass; may be given again.", show_default=False),
    ] = None,
    rule: Annotated[str, typer.Option(help="Id of the rule.", show_default=False)] = "",
    config: Config = None,
) -> None:
    """Take back the strikes of a case, and end its measure.

    With --allow it also says what to write into the policy, so that the rule lets the phrase pass.
    """
    from guardrail.governance.cases import Allowed

    if bool(allow) != bool(rule):
        typer.echo("guardrail cases: --allow needs --rule, and --rule needs --allow", err=True)
        raise typer.Exit(2)

    async def run(desk: Desk, cases: Cases) -> tuple[Case, list[str]]:
        # Before the decision: what cannot be written is no reason for it either.
        written = _addition(config, (await _known(cases, id)).tenant, rule, allow or [])
        allowed = [Allowed(rule, phrase) for phrase in allow or []]
        case = await cases.decide(id, "lift", actor=actor, reason=reason, about=about, allow=allowed)
        return case, written

    case, written = _with_desk(config, run)
    _told(case)
    for line in written:
        typer.echo(line)


@cases.command("override")
def override(
    id: Id,
    to: Annotated[Step, typer.Option(help="The measure instead.")],
    actor: Actor,
    reason: Reason,
    until: Until = None,
    about: About = "",
    config: Config = None,
) -> None:
    """Put another measure in place of that of a case. Without --until it lasts as long as the step usually does."""
    end = _moment(until)

    async def run(desk: Desk, cases: Cases) -> Case:
        known = await _known(cases, id)
        last = end if end is not None else _usual_end(desk, known.tenant, to.value)
        return await cases.decide(id, "override", actor=actor, reason=reason, to=to.value, until=last, about=about)

    _told(_with_desk(config, run))


@cases.command("open")
def open_case(
    tenant: Annotated[str, typer.Option(help="The tenant whose user it is.")],
    measure: Annotated[Step, typer.Option(help="The measure.")],
    actor: Actor,
    reason: Annotated[str, typer.Option(help="The facts, for the person concerned.")],
    user: Annotated[str, typer.Option(help="The application's id of the person; only its hash is kept.")] = "",
    subject: Annotated[str, typer.Option(help="Or the person's pseudonym, as in records.")] = "",
    until: Until = None,
    ground: Annotated[str, typer.Option(help="The clause or law; else that of the terms.", show_default=False)] = "",
    unlawful: Annotated[bool, typer.Option("--unlawful", help="The ground is a law.")] = False,
    config: Config = None,
) -> None:
    """Decide on a measure against a person by hand. Without --until it lasts as long as the step usually does."""
    from time import time

    from guardrail.governance.cases import case_by_hand
    from guardrail.governance.identity import subject_id
    from guardrail.governance.ladder import ladder_of

    if bool(user) == bool(subject):
        typer.echo("guardrail cases: either --user or --subject says who it is", err=True)
        raise typer.Exit(2)
    end = _moment(until)

    async def run(desk: Desk, cases: Cases) -> Case:
        case = case_by_hand(
            ladder_of(_conduct_terms(desk, tenant)),
            tenant=tenant,
            subject=subject or subject_id(desk.secret, tenant, user),
            step=measure.value,
            until=end,
            facts=reason,
            actor=actor,
            now=time(),
            unlawful=unlawful,
            ground=ground,
        )
        return await cases.open(case)

    _told(_with_desk(config, run))


def _with_desk(config: Path | None, run: Callable[[Desk, Cases], Awaitable[Result]]) -> Result:
    """Open the configuration's desk and do it; what is wrong ends the command with status 1."""
    from guardrail.errors import GuardrailError
    from guardrail.governance.cases import Cases
    from guardrail.governance.desk import open_desk

    async def opened() -> Result:
        async with open_desk(config, os.environ) as desk:
            return await run(desk, Cases(desk.store, desk.audit))

    try:
        return asyncio.run(opened())
    except (GuardrailError, OSError) as error:
        typer.echo(f"guardrail cases: {error}", err=True)
        raise typer.Exit(1) from None


async def _known(cases: Cases, id: str) -> Case:
    from guardrail.governance.cases import CaseError

    case = await cases.get(id)
    if case is None:
        raise CaseError(f"there is no case {id!r}")
    return case


def _conduct_terms(desk: Desk, tenant: str) -> Any:
    from msgspec import UNSET

    from guardrail.governance.cases import CaseError

    terms = desk.terms(tenant).conduct
    if terms is UNSET:
        raise CaseError(f"the terms of {tenant!r} have no section 'conduct', so that no measure would hold")
    return terms


def _usual_end(desk: Desk, tenant: str, step: Any) -> float | None:
    from time import time

    from guardrail.governance.ladder import ladder_of

    duration = ladder_of(_conduct_terms(desk, tenant)).duration(step)
    return None if duration is None else time() + duration


def _addition(config: Path | None, tenant: str, rule: str, phrases: list[str]) -> list[str]:
    """What to write into the tenant's policy so that the rule lets the phrases pass, in lines for the operator."""
    if not phrases:
        return []
    from guardrail.policy.allowance import addition
    from guardrail.policy.load import load_configuration

    loaded = load_configuration(config)
    known = loaded.tenants.get(tenant)
    anonymous = loaded.settings.file.anonymous if loaded.settings is not None else None
    policy = known.file.policy if known is not None else anonymous.policy if anonymous is not None else "default"
    made = addition(loaded, policy, rule, phrases)
    what = f"in the rule {rule}" if made.here else f"in the list {made.section}"
    return [
        f"to let it pass, write {what} ({made.file}:{made.line}):",
        f"  {made.entry}",
        "then try it (guardrail test) and put it in effect: save the file, or guardrail policy push",
    ]


def _moment(said: str | None) -> float | None:
    from guardrail.observe.audit_export import moment

    try:
        return None if said is None else moment(said).timestamp()
    except ValueError as error:
        typer.echo(f"guardrail cases: --until: {error}: a day is 2026-03-01, a time 2026-03-01T10:00:00Z", err=True)
        raise typer.Exit(2) from None


def _time(at: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ends(case: Case) -> str:
    return "no end" if case.until is None else f"until {_time(case.until)}"


def _told(case: Case) -> None:
    typer.echo(f"{case.id}  {case.measure}  {case.status}  {_ends(case)}")


def _print_json(value: Any) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
