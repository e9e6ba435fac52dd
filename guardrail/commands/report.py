"""`guardrail report`: the figures of a stretch of days, from the counts of the state."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer


class Form(enum.StrEnum):
    """How it is written."""

    HTML = "html"
    JSON = "json"


class Language(enum.StrEnum):
    """Of the page."""

    EN = "en"
    ZH = "zh"


def report(
    first: Annotated[
        str | None, typer.Option("--from", help="First day, YYYY-MM-DD (UTC).", show_default="of the month before")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="Last day, included.", show_default="of the month before")
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="A page, or JSON.")] = Form.HTML,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write.", show_default="standard output")
    ] = None,
    language: Annotated[Language, typer.Option(help="Language of the page.")] = Language.EN,
    tenant: Annotated[str | None, typer.Option(help="About one tenant alone.", show_default=False)] = None,
    by_tenant: Annotated[bool, typer.Option("--by-tenant", help="Also numbers for each tenant.")] = False,
    exact: Annotated[
        bool, typer.Option("--exact", help="Withhold no small numbers: for an authority that is owed them.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(envvar="GUARDRAIL_CONFIG", help="guardrail.yaml, or a folder that holds one.", show_default=False),
    ] = None,
) -> None:
    """Write the periodic report: requests, findings, measures, complaints, removals, referrals; no text, no person."""
    import asyncio
    import os
    from datetime import UTC, date, datetime

    import msgspec

    from guardrail.errors import GuardrailError
    from guardrail.governance.desk import open_desk
    from guardrail.governance.report import Figures, gather, month_before
    from guardrail.governance.report_page import page

    usual = month_before(datetime.now(UTC).date())
    try:
        since, until = (
            date.fromisoformat(given) if given else day for given, day in zip((first, last), usual, strict=True)
        )
    except ValueError:
        typer.echo("guardrail report: a day is written as YYYY-MM-DD", err=True)
        raise typer.Exit(2) from None
    if since > until:
        typer.echo(f"guardrail report: {since} is after {until}", err=True)
        raise typer.Exit(2)

    async def run() -> Figures:
        async with open_desk(config, os.environ) as desk:
            return await gather(desk.store, since, until, tenant=tenant, exact=exact, by_tenant=by_tenant)

    try:
        found = asyncio.run(run())
    except GuardrailError as error:
        typer.echo(f"guardrail report: {error}", err=True)
        raise typer.Exit(1) from None
    if form is Form.JSON:
        text = msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"
    else:
        text = page(found, language.value)
    if output is None:
        typer.echo(text, nl=False)
    else:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            typer.echo(f"guardrail report: {output} cannot be written: {error.strerror}", err=True)
            raise typer.Exit(1) from None
