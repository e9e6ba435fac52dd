"""`guardrail subject export | correct | erase`: what a person may ask about themselves."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from guardrail.governance.rights import Rights

subject = typer.Typer(help="Rights of end users: see, correct, erase what is held of them.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option(help="Tenant whose end user it is.", show_default=False)]
User = Annotated[
    str,
    typer.Option(
        help="The application's id of the end user; -: the first line of standard input, so that it is in no history.",
        show_default=False,
    ),
]
Actor = Annotated[str, typer.Option(help="Who does it, for the audit log.", show_default=False)]
Request = Annotated[
    str, typer.Option(help="Number of the request of the person, for the audit log.", show_default=False)
]
Config = Annotated[
    Path | None,
    typer.Option(envvar="GUARDRAIL_CONFIG", help="guardrail.yaml, or a folder that holds one.", show_default=False),
]


@subject.command("export")
def export(tenant: Tenant, user: User, actor: Actor, request: Request = "", config: Config = None) -> None:
    """Print all that is held of a person, as JSON: attributes, conduct, cases, complaints, excerpts, records."""

    async def work(rights: Rights, id: str) -> Any:
        return await rights.export(tenant, id, actor=actor, request=request)

    _print(_run(config, tenant, user, work))


@subject.command("correct")
def correct(
    tenant: Tenant,
    user: User,
    actor: Actor,
    change: Annotated[
        list[str],
        typer.Option("--set", help="minor=true, locale=de or tz=Europe/Berlin; NAME= forgets it.", show_default=False),
    ],
    request: Request = "",
    config: Config = None,
) -> None:
    """Put right what is known of a person; it stands above what signed claims say."""
    attributes: dict[str, Any] = {}
    for each in change:
        name, sign, value = each.partition("=")
        if not sign:
            typer.echo(f"guardrail subject: found {each!r}, expected NAME=VALUE", err=True)
            raise typer.Exit(2)
        attributes[name] = {"": None, "true": True, "false": False}.get(value, value)

    async def work(rights: Rights, id: str) -> Any:
        return await rights.correct(tenant, id, attributes, actor=actor, request=request)

    _print(_run(config, tenant, user, work))


@subject.command("erase")
def erase(
    tenant: Tenant,
    user: User,
    actor: Actor,
    request: Request = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    config: Config = None,
) -> None:
    """Forget a person: the key is destroyed, documents go, a measure in force stays until it ends. Prints the receipt.

    It cannot be undone.
    """
    if not yes:
        typer.confirm(f"Erase what is held of this end user of {tenant}?", abort=True, err=True)

    async def work(rights: Rights, id: str) -> Any:
        return await rights.erase(tenant, id, actor=actor, request=request)

    _print(_run(config, tenant, user, work))


def _run(config: Path | None, tenant: str, user: str, work: Callable[[Rights, str], Awaitable[Any]]) -> Any:
    import asyncio
    import os

    from guardrail.errors import GuardrailError
    from guardrail.governance.desk import open_desk
    from guardrail.governance.identity import subject_id
    from guardrail.governance.keyring import Keyring
    from guardrail.governance.rights import Rights

    named = sys.stdin.readline().rstrip("\n") if user == "-" else user
    if not named:
        typer.echo("guardrail subject: --user is empty", err=True)
        raise typer.Exit(2)

    async def run() -> Any:
        async with open_desk(config, os.environ) as desk:
            rights = Rights(desk.store, desk.audit, Keyring(desk.secret))
            return await work(rights, subject_id(desk.secret, tenant, named))

    try:
        return asyncio.run(run())
    except GuardrailError as error:
        typer.echo(f"guardrail subject: {error}", err=True)
        raise typer.Exit(1) from None


def _print(result: Any) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(result), indent=2).decode())
