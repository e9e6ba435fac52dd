"""`guardrail policy …`: policies in the state store, signed, in versions, for all replicas at once."""

from __future__ import annotations

import asyncio
import enum
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from guardrail.policy.publishing import Publisher
    from guardrail.policy.versions import Head, Line

policy = typer.Typer(help="Policies pushed to all replicas: signed, in versions.", no_args_is_help=True)


class Form(enum.StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"


Config = Annotated[
    Path | None,
    typer.Option(envvar="GUARDRAIL_CONFIG", help="guardrail.yaml, or a folder that holds one.", show_default=False),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key", help="File with the signing key; else the variable GUARDRAIL_SIGNING_KEY.", show_default=False
    ),
]
By = Annotated[
    str | None, typer.Option(help="Who does it, for the audit log; by default the user's name.", show_default=False)
]
Printed = Annotated[Form, typer.Option("--format", help="How to print it.")]
Percent = Annotated[float, typer.Option(min=0.01, max=100, help="Share of the requests.")]
Spelled = Annotated[str, typer.Argument(metavar="NAME@VERSION", show_default=False)]
Named = Annotated[str, typer.Argument(metavar="NAME", show_default=False)]


@policy.command("keygen")
def keygen(
    to: Annotated[Path, typer.Argument(help="New file for the private key.", show_default=False)],
) -> None:
    """Make a signing key: the private part goes into a file, the public one is printed for `pushed_policies`."""
    from guardrail.policy.signing import new_key, write_private

    private, public = new_key()
    try:
        write_private(to, private)
    except FileExistsError:
        _fail(f"{to} is there already, and is not replaced")
    except OSError as error:
        _fail(f"{to} cannot be written: {error.strerror}")
    typer.echo(public)


@policy.command("push")
def push(
    file: Annotated[Path, typer.Argument(help="The policy file.", show_default=False)],
    config: Config = None,
    key: KeyFile = None,
    note: Annotated[str, typer.Option(help="Why, for whoever looks at the list.")] = "",
    by: By = None,
    form: Printed = Form.TEXT,
) -> None:
    """Store a new version of a policy with all that it needs; refused when an example or scenario of it fails."""
    from guardrail.policy.publishing import prepare

    async def work(publisher: Publisher) -> None:
        prepared = prepare(file, config, os.environ, Path(publisher.settings.models))
        number = await publisher.push(prepared, note)
        name, size = prepared.policy.name, sum(map(len, prepared.bundle.files.values()))
        said = {"policy": name, "version": number, "digest": prepared.policy.digest, "bundle": prepared.bundle.digest}
        text = f"{name}@{number}  {prepared.policy.digest[:12]}  {len(prepared.bundle.files)} files, {size} bytes"
        _print(form, {**said, "bytes": size}, f"{text}; not in effect yet: guardrail policy activate {name}@{number}")

    _run(config, work, key=key, by=by, signing=True)


@policy.command("list")
def list_(config: Config = None, form: Printed = Form.TEXT) -> None:
    """Print the versions of all policies, and which are in effect."""

    async def work(publisher: Publisher) -> None:
        head = await publisher.head()
        _print(form, _as_json(head), "\n".join(_rows(head)))

    _run(config, work)


@policy.command("show")
def show(spelled: Spelled, config: Config = None, form: Printed = Form.TEXT) -> None:
    """Print what is in a version: its files, and the policy in its canonical form."""

    async def work(publisher: Publisher) -> None:
        bundle = await publisher.bundle(spelled)
        manifest = bundle.manifest
        files = [{"name": entry.name, "bytes": entry.size} for entry in manifest.files]
        said = {"policy": manifest.policy, "bundle": bundle.digest, "digest": manifest.policy_digest}
        lines = [f"{spelled}  policy {manifest.policy_digest[:12]}  bundle {bundle.digest[:12]}"]
        lines += [f"  {entry.size:>9}  {entry.name}" for entry in manifest.files]
        lines += [f"  model      {name}@{digest[:12]}" for name, digest in manifest.models.items()]
        lines.append(bundle.files[f"policies/{manifest.policy}.yaml"].decode())
        _print(form, {**said, "files": files, "models": manifest.models}, "\n".join(lines))

    _run(config, work)


@policy.command("diff")
def diff(
    one: Annotated[str, typer.Argument(metavar="NAME@VERSION", show_default=False)],
    other: Annotated[str, typer.Argument(metavar="NAME@VERSION", show_default=False)],
    config: Config = None,
) -> None:
    """Print what differs between two versions. Exit status: 0 nothing, 1 something."""
    from guardrail.policy.publishing import differences

    async def work(publisher: Publisher) -> None:
        lines = list(differences(await publisher.bundle(one), await publisher.bundle(other)))
        if lines:
            typer.echo("\n".join(lines))
            raise typer.Exit(1)

    _run(config, work)


@policy.command("activate")
def activate(
    spelled: Spelled,
    percent: Percent = 100,
    config: Config = None,
    key: KeyFile = None,
    by: By = None,
    form: Printed = Form.TEXT,
) -> None:
    """Put a version into effect in all replicas; below 100 percent for that share of the requests."""
    from guardrail.policy.versions import activated, parse

    _change(
        "policy.activated",
        lambda head, now: activated(head, *parse(spelled), percent=percent, now=now),
        {"policy": spelled, "percent": percent},
        config=config,
        key=key,
        by=by,
        form=form,
    )


@policy.command("rollback")
def rollback(name: Named, config: Config = None, key: KeyFile = None, by: By = None, form: Printed = Form.TEXT) -> None:
    """End the canary; without one, go back to what was live before, at last to the policy of the files."""
    from guardrail.policy.versions import rolled_back

    _change(
        "policy.rolled_back",
        lambda head, now: rolled_back(head, name, now=now),
        {"policy": name},
        config=config,
        key=key,
        by=by,
        form=form,
    )


@policy.command("shadow")
def shadow(
    spelled: Annotated[str, typer.Argument(metavar="NAME@VERSION", help="NAME@off: none.", show_default=False)],
    percent: Percent = 100,
    config: Config = None,
    key: KeyFile = None,
    by: By = None,
    form: Printed = Form.TEXT,
) -> None:
    """Have a version judged beside what is in effect, for that share of the requests; it changes nothing."""
    from guardrail.policy.versions import parse, shadowed

    def make(head: Head, now: float) -> Head:
        name, _, number = spelled.rpartition("@")
        if number == "off":
            return shadowed(head, name, None, now=now)
        return shadowed(head, *parse(spelled), percent=percent, now=now)

    body = {"policy": spelled, "percent": percent}
    _change("policy.shadowed", make, body, config=config, key=key, by=by, form=form)


@policy.command("compare")
def compare(
    name: Named,
    version: Annotated[
        int | None, typer.Option(help="Of the shadow; by default the present one.", show_default=False)
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=365, help="So many days until today (UTC).")] = 7,
    config: Config = None,
    form: Printed = Form.TEXT,
) -> None:
    """Print what a shadow policy would have done otherwise than what was in effect: counts only, no text."""
    from guardrail.policy.comparison import compared, rows

    async def work(publisher: Publisher) -> None:
        shadowing = version
        if shadowing is None:
            line = (await publisher.head()).policies.get(name)
            if line is None or line.shadow is None:
                _fail(f"there is no shadow of {name}; --version names one that was")
                return
            shadowing = line.shadow.version
        today = datetime.now(UTC).date()
        first = today - timedelta(days=days - 1)
        found = await compared(publisher.store, name, shadowing, first.isoformat(), today.isoformat())
        _print(form, found, "\n".join(rows(found)))

    _run(config, work)


def _change(
    kind: str,
    make: Callable[[Head, float], Head],
    body: Mapping[str, Any],
    *,
    config: Path | None,
    key: Path | None,
    by: str | None,
    form: Form,
) -> None:
    import time

    async def work(publisher: Publisher) -> None:
        head = await publisher.change(kind, lambda head: make(head, time.time()), lambda: body)
        _print(form, _as_json(head), "\n".join(_rows(head)))

    _run(config, work, key=key, by=by, signing=True)


def _run(
    config: Path | None,
    work: Callable[[Publisher], Awaitable[None]],
    *,
    key: Path | None = None,
    by: str | None = None,
    signing: bool = False,
) -> None:
    from guardrail.errors import GuardrailError
    from guardrail.governance.desk import open_desk, whoever_is_there
    from guardrail.policy.publishing import Publisher
    from guardrail.policy.signing import read_private

    async def opened() -> None:
        async with open_desk(config, os.environ) as desk:
            await work(Publisher(desk, by or whoever_is_there(), read_private(key, os.environ) if signing else None))

    try:
        asyncio.run(opened())
    except (GuardrailError, OSError) as error:
        _fail(str(error))


def _fail(message: str) -> None:
    sys.stderr.write(f"guardrail policy: {message}\n")
    raise typer.Exit(1)


def _print(form: Form, said: Any, text: str) -> None:
    import json

    typer.echo(json.dumps(said, indent=2) if form is Form.JSON else text)


def _rows(head: Head) -> list[str]:
    rows = [f"serial {head.serial}  {_time(head.at)}" if head.serial else "nothing was pushed"]
    for name, line in sorted(head.policies.items()):
        rows.append(f"{name}: {_live(line)}")
        for version in reversed(line.versions):
            note = f"  {version.note}" if version.note else ""
            used = ", ".join(_uses(line, version.number)) or "-"
            rows.append(f"  {name}@{version.number}  {version.policy_digest[:12]}  {_time(version.at)}  {used}{note}")
    return rows


def _live(line: Line) -> str:
    return f"version {line.live} is live" if line.live else "the configuration's own file is live"


def _uses(line: Line, number: int) -> list[str]:
    uses = ["live"] if line.live == number else []
    for kind, share in (("canary", line.canary), ("shadow", line.shadow)):
        if share is not None and share.version == number:
            uses.append(f"{kind} {share.percent:g} %")
    return uses


def _as_json(head: Head) -> Any:
    import msgspec

    return msgspec.to_builtins(head)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
