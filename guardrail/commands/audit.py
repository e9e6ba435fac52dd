"""`guardrail audit verify | export | list`: does the audit log hold, and what does it say."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from guardrail.observe.audit_anchors import Anchor
    from guardrail.observe.audit_verify import Chain
    from guardrail.settings import Settings
    from guardrail.state.secret import Secret

audit = typer.Typer(help="The audit log: verify it, read it.", no_args_is_help=True)


class Form(enum.StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"


class Table(enum.StrEnum):
    """How records are written."""

    JSONL = "jsonl"
    CSV = "csv"


Folder = Annotated[
    Path | None, typer.Argument(help="Folder of the log.", show_default="the one of the configuration, with its state")
]
Config = Annotated[
    Path | None,
    typer.Option(envvar="GUARDRAIL_CONFIG", help="guardrail.yaml, or a folder that holds one.", show_default=False),
]


@audit.command("verify")
def verify(
    folder: Folder = None,
    config: Config = None,
    form: Annotated[Form, typer.Option("--format", help="How to report.")] = Form.TEXT,
) -> None:
    """Hash every record again: is any altered, missing, doubled or moved?

    Without FOLDER the anchors in the state are compared as well: they show an end that was cut off, or a writer that is
    gone. Exit status: 0 when all chains hold, 1 when one does not or the log cannot be read, 2 for bad usage.
    """
    import asyncio

    import msgspec

    from guardrail.errors import GuardrailError
    from guardrail.observe import audit_verify

    try:
        anchors: list[Anchor] = []
        secret: Secret | None = None
        if folder is None:
            folder, settings = _configured(config)
            anchors, secret = asyncio.run(_known(settings))
        else:
            _there(folder)
        chains = audit_verify.verify(folder, anchors, secret)
    except (GuardrailError, OSError) as error:
        typer.echo(f"guardrail audit: {error}", err=True)
        raise typer.Exit(1) from None
    if form is Form.JSON:
        said = {"holds": not any(chain.broken for chain in chains), "anchors": len(anchors), "writers": chains}
        typer.echo(msgspec.json.format(msgspec.json.encode(said, enc_hook=str), indent=2).decode())
    else:
        _report(folder, chains, len(anchors))
    if any(chain.broken for chain in chains):
        raise typer.Exit(1)


def _report(folder: Path, chains: list[Chain], anchors: int) -> None:
    for chain in chains:
        if chain.broken is not None:
            typer.echo(str(chain.broken))
    if any(chain.broken for chain in chains):
        typer.echo(f"{folder}: does not hold", err=True)
        return
    records = sum(chain.records for chain in chains)
    if not chains:
        typer.echo(f"{folder}: there are no records, so that there is nothing to verify")
        return
    files = sum(chain.files for chain in chains)
    since = min((chain.since for chain in chains), default="")
    until = max((chain.until for chain in chains), default="")
    typer.echo(f"{folder}: {records} records of {len(chains)} writers in {files} files hold, {since} to {until}")
    cut_off = "without anchors: an end that was cut off would not show"
    typer.echo(f"compared with {anchors} anchors in the state" if anchors else cut_off)
    for count, told in (
        (sum(chain.pruned for chain in chains), "files were removed at the end of their time"),
        (sum(chain.torn for chain in chains), "bytes of records that were torn by a crash are set aside"),
        (sum(chain.lost for chain in chains), "records could not be written, by the log's own account"),
    ):
        if count:
            typer.echo(f"{count} {told}")


@audit.command("list")
def list_writers(
    folder: Folder = None,
    config: Config = None,
    form: Annotated[Form, typer.Option("--format", help="How to print it.")] = Form.TEXT,
) -> None:
    """Print the writers of the log and the head of each chain, to keep where nobody can change it."""
    import msgspec

    from guardrail.errors import GuardrailError
    from guardrail.observe.audit_verify import heads

    try:
        found = heads(_there(folder) if folder else _configured(config)[0])
    except (GuardrailError, OSError) as error:
        typer.echo(f"guardrail audit: {error}", err=True)
        raise typer.Exit(1) from None
    if form is Form.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    for head in found:
        state = "in use" if head.held else "at rest"
        typer.echo(f"{head.writer}  {state}  {head.files} files  {head.seq} records  {head.time}  {head.hash}")


@audit.command("export")
def export(
    folder: Folder = None,
    since: Annotated[
        str | None, typer.Option(help="From this day, or time (RFC 3339), UTC unless it says.", show_default=False)
    ] = None,
    until: Annotated[str | None, typer.Option(help="Before this day, or time.", show_default=False)] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="Only this kind; may be given again.", show_default=False)
    ] = None,
    subject: Annotated[str, typer.Option(help="Only of the person with this pseudonym.", show_default=False)] = "",
    form: Annotated[Table, typer.Option("--format", help="JSON lines, or a table.")] = Table.JSONL,
    config: Config = None,
) -> None:
    """Print records of all writers, by time."""
    import sys

    from guardrail.errors import GuardrailError
    from guardrail.observe.audit_export import Wanted, find, moment, write_csv, write_jsonl

    try:
        wanted = Wanted(
            since=moment(since) if since else None,
            until=moment(until) if until else None,
            kinds=frozenset(kind or ()),
            subject=subject,
        )
    except ValueError as error:
        typer.echo(f"guardrail audit: {error}: a day is 2026-03-01, a time 2026-03-01T10:00:00Z", err=True)
        raise typer.Exit(2) from None
    try:
        found = find(_there(folder) if folder else _configured(config)[0], wanted)
        (write_csv if form is Table.CSV else write_jsonl)(found, sys.stdout)
    except (GuardrailError, OSError) as error:
        typer.echo(f"guardrail audit: {error}", err=True)
        raise typer.Exit(1) from None


def _there(folder: Path) -> Path:
    """The folder that was named. Raises typer.Exit where there is none."""
    if not folder.is_dir():
        typer.echo(f"guardrail audit: {folder} is no folder", err=True)
        raise typer.Exit(2)
    return folder


def _configured(config: Path | None) -> tuple[Path, Settings]:
    """The folder of the configuration's log, and its settings. Raises GuardrailError. Nothing is opened: a log that is
    looked at stays as it is."""
    from guardrail.errors import ConfigError, GuardrailError
    from guardrail.observe.audit import folder_of
    from guardrail.policy.load import load_configuration

    loaded = load_configuration(config)
    if loaded.settings is None or loaded.problems:
        raise ConfigError(sorted(loaded.problems))
    settings = loaded.settings.file
    folder = folder_of(settings)
    if folder is None:
        raise GuardrailError("this configuration keeps no audit log")
    return folder, settings


async def _known(settings: Settings) -> tuple[list[Anchor], Secret]:
    """The anchors in the state, and the secret that sealed them. Raises GuardrailError."""
    import os

    from guardrail.observe.audit_anchors import anchors
    from guardrail.state.opening import open_store
    from guardrail.state.secret import open_secret

    state = settings.state
    folder = Path(state.folder)
    secret = open_secret(os.environ, state.secret_env, None if state.store == "redis" else folder)
    store = open_store(state, folder, os.environ)
    try:
        return await anchors(store), secret
    finally:
        await store.close()
