"""`guardrail key …`: keys of tenants that hold at once in all replicas, without an edit of a file."""

from __future__ import annotations

import asyncio
import enum
import os
import re
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from guardrail.governance.desk import Desk
    from guardrail.policy.keys import Key

key = typer.Typer(help="Keys of tenants: made, rotated and revoked while replicas run.", no_args_is_help=True)


class Form(enum.StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"


Config = Annotated[
    Path | None,
    typer.Option(envvar="GUARDRAIL_CONFIG", help="guardrail.yaml, or a folder that holds one.", show_default=False),
]
By = Annotated[
    str | None, typer.Option(help="Who does it, for the audit log; by default the user's name.", show_default=False)
]
Printed = Annotated[Form, typer.Option("--format", help="How to print it.")]
Name = Annotated[
    str,
    typer.Argument(
        metavar="KEY", help="The first 8 or more hex digits of its hash; - : the key itself, from standard input."
    ),
]
Lasting = Annotated[
    str | None, typer.Option(help="When it stops to hold: 30d, 12h, or 2027-01-31T00:00:00Z.", show_default=False)
]


@key.command("create")
def create(
    tenant: Annotated[str, typer.Option(help="Whose key it is.", show_default=False)],
    expires: Lasting = None,
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    config: Config = None,
    by: By = None,
    form: Printed = Form.TEXT,
) -> None:
    """Make a key and print it: it is not kept and cannot be shown again."""
    from guardrail.policy.keys import new_key

    async def work(desk: Desk, tenants: dict[str, list[str]], actor: str) -> None:
        if tenant not in tenants:
            _fail(f"there is no tenant {tenant!r}; tenants: {', '.join(sorted(tenants)) or 'none'}")
        now = time.time()
        presented, made = new_key(tenant, by=actor, now=now, note=note, expires=_until(expires, now))
        await _store(desk, made, now, "key.created", actor, new=True)
        _print(form, {"key": presented, **_as_json(made, now)}, f"{presented}\n{_row(made, now)}")

    _run(config, work, by)


@key.command("rotate")
def rotate(
    name: Name,
    grace: Annotated[str, typer.Option(help="How long the old one still holds: 24h, 7d, 0s.")] = "24h",
    expires: Lasting = None,
    config: Config = None,
    by: By = None,
    form: Printed = Form.TEXT,
) -> None:
    """Make a new key for the tenant of an old one, which holds for the grace period only."""
    import msgspec

    from guardrail.policy.keys import Key, new_key

    async def work(desk: Desk, tenants: dict[str, list[str]], actor: str) -> None:
        now = time.time()
        hashed, tenant, known = await _named(desk, name, tenants)
        if known is not None and known.state(now) != "good":
            _fail(f"the key {hashed[:12]} is {known.state(now)}")
        presented, made = new_key(
            tenant, by=actor, now=now, note=known.note if known else "", expires=_until(expires, now)
        )
        ends = now + _seconds(grace)
        old = known or Key(hashed, tenant, now, actor, note="stands in the tenant's file")
        ends = ends if old.expires is None else min(ends, old.expires)
        old = msgspec.structs.replace(old, expires=ends, replaced_by=made.name)
        await _store(desk, made, now, "key.created", actor, new=True)
        await _store(desk, old, now, "key.rotated", actor)
        rows = [presented, _row(made, now), _row(old, now)]
        _print(form, {"key": presented, **_as_json(made, now), "old": _as_json(old, now)}, "\n".join(rows))

    _run(config, work, by)


@key.command("revoke")
def revoke(name: Name, config: Config = None, by: By = None, form: Printed = Form.TEXT) -> None:
    """Revoke a key, also one that stands in a tenant's file: from now on it is refused everywhere, for good."""
    import msgspec

    from guardrail.policy.keys import revoked_file_key

    async def work(desk: Desk, tenants: dict[str, list[str]], actor: str) -> None:
        now = time.time()
        hashed, tenant, known = await _named(desk, name, tenants)
        if known is None:
            gone = revoked_file_key(hashed, tenant, by=actor, now=now)
        else:
            gone = known if known.revoked is not None else msgspec.structs.replace(known, revoked=now, by=actor)
        await _store(desk, gone, now, "key.revoked", actor)
        _print(form, _as_json(gone, now), _row(gone, now))

    _run(config, work, by)


@key.command("list")
def list_(
    tenant: Annotated[str | None, typer.Option(help="Only of this tenant.", show_default=False)] = None,
    config: Config = None,
    form: Printed = Form.TEXT,
) -> None:
    """Print all keys, those in tenant files too; never the keys themselves."""
    from guardrail.policy.key_store import read_keys
    from guardrail.policy.keys import PURPOSE

    async def work(desk: Desk, tenants: dict[str, list[str]], actor: str) -> None:
        now = time.time()
        keys, _, _ = await read_keys(desk.store, desk.secret.derive(PURPOSE))
        rows = [_as_json(each, now) for each in keys]
        known = {each.hash for each in keys}
        for owner, hashes in sorted(tenants.items()):
            rows += [
                {"name": hashed[:12], "tenant": owner, "state": "good", "note": "stands in the tenant's file"}
                for hashed in hashes
                if hashed not in known
            ]
        rows = [row for row in rows if tenant in (None, row["tenant"])]
        _print(form, {"keys": rows}, "\n".join(_said(row) for row in rows) or "no keys")

    _run(config, work, None)


async def _named(desk: Desk, name: str, tenants: dict[str, list[str]]) -> tuple[str, str, Key | None]:
    """(hash, tenant, what is stored) of the one key that is meant."""
    from guardrail.policy.key_store import read_keys
    from guardrail.policy.keys import PURPOSE, StoredKeys, hash_of, to_revoke

    name = hash_of(sys.stdin.readline().strip()) if name == "-" else name.lower().removeprefix("sha256:")
    if not re.fullmatch(r"[0-9a-f]{8,64}", name):
        _fail("found no key of that name, expected 8 or more hex digits, as `guardrail key list` shows them")
    keys, _, _ = await read_keys(desk.store, desk.secret.derive(PURPOSE))
    stored = StoredKeys(keys)
    files = {hashed: tenant for tenant, hashes in tenants.items() for hashed in hashes}
    found = to_revoke(name, stored, files)
    if len(found) != 1:
        _fail(f"{len(found)} keys begin with {name}, expected one" if found else "there is no key of that name")
    hashed, tenant = found[0]
    return hashed, tenant, stored.find(bytes.fromhex(hashed))


async def _store(desk: Desk, made: Key, now: float, kind: str, actor: str, *, new: bool = False) -> None:
    from guardrail.policy.key_store import write_key
    from guardrail.policy.keys import PURPOSE

    await write_key(desk.store, made, desk.secret.derive(PURPOSE), now=now, new=new)
    said = {"actor": actor, "key": made.name, "tenant": made.tenant}
    desk.audit.write(kind, {**said, **({"expires": made.expires} if made.expires is not None else {})})


def _run(
    config: Path | None, work: Callable[[Desk, dict[str, list[str]], str], Awaitable[None]], by: str | None
) -> None:
    from guardrail.errors import GuardrailError
    from guardrail.governance.desk import open_desk, whoever_is_there
    from guardrail.policy.load import load_configuration

    async def opened() -> None:
        tenants = {
            name: [each.removeprefix("sha256:").lower() for each in loaded.file.keys]
            for name, loaded in load_configuration(config).tenants.items()
        }
        async with open_desk(config, os.environ) as desk:
            await work(desk, tenants, by or whoever_is_there())

    try:
        asyncio.run(opened())
    except (GuardrailError, OSError) as error:
        _fail(str(error))


def _until(said: str | None, now: float) -> float | None:
    """When a key ends: a span from now, or a time."""
    if said is None:
        return None
    if re.fullmatch(r"[0-9]{1,6}[smhd]", said):
        return now + _seconds(said)
    try:
        at = datetime.fromisoformat(said.replace("Z", "+00:00"))
    except ValueError:
        _fail(f"found {said!r}, expected a span such as 30d, or a time such as 2027-01-31T00:00:00Z", status=2)
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()


def _seconds(said: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}[smhd]", said):
        _fail(f"found {said!r}, expected a span such as 24h, 7d or 0s", status=2)
    return int(said[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[said[-1]]


def _fail(message: str, status: int = 1) -> Any:
    sys.stderr.write(f"guardrail key: {message}\n")
    raise typer.Exit(status)


def _print(form: Form, said: Any, text: str) -> None:
    import json

    typer.echo(json.dumps(said, indent=2) if form is Form.JSON else text)


def _row(made: Key, now: float) -> str:
    return _said(_as_json(made, now))


def _said(row: dict[str, Any]) -> str:
    ends = f"  until {row['expires']}" if row.get("expires") else ""
    note = f"  {row['note']}" if row.get("note") else ""
    return f"{row['name']}  {row['tenant']}  {row['state']}{ends}{note}"


def _as_json(made: Key, now: float) -> dict[str, Any]:
    return {
        "name": made.name,
        "tenant": made.tenant,
        "state": made.state(now),
        "created": _time(made.created),
        "by": made.by,
        "note": made.note,
        "expires": None if made.expires is None else _time(made.expires),
        "revoked": None if made.revoked is None else _time(made.revoked),
        "replaced_by": made.replaced_by or None,
    }


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
