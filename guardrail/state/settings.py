"""The section `state` of `guardrail.yaml`: where the state is kept, and what may happen while it cannot be asked.

Plain data, and the checks that span several of its fields. Secrets are never here: a field ending in `_env` names the
environment variable that holds one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from guardrail.errors import ConfigProblem
from guardrail.policy.document import Document, Place

Name = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\n)", title='a name of letters, digits, ".", "_" and "-"')
]
Variable = Annotated[
    str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$(?!\n)", title="the name of an environment variable")
]
Text = Annotated[str, Meta(min_length=1)]
"""Not empty: a path, a name."""
RedisUrl = Annotated[
    str,
    Meta(
        pattern=r"^(rediss?://[^\s/?#@]+(/[0-9]{1,4})?|unix:///[^\s?#@]+(\?db=[0-9]{1,4})?)$(?!\n)",
        title="an address such as redis://host:6379/0, rediss://host:6379 or unix:///run/redis.sock, without a password"
        " (`url_env` and `password_env` name the variables for one)",
    ),
]
Address = Annotated[
    str, Meta(pattern=r"^[^\s:/@]+:[0-9]{1,5}$(?!\n)", title="a host and a port, such as sentinel-1:26379")
]

Without = Literal["open", "closed", "local"]
"""What a use does without the state."""


class OnFailure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to a request that needs the state while it cannot be asked, for each use of it.

    `open`: the request goes on without, and its record says so; `closed`: it is refused with 503; `local`: this
    process goes by what it knows itself.
    """

    limits: Annotated[
        Without,
        Meta(
            description="Rate limits. `local`: this process counts by itself, with the full limit, until the state is "
            "back; n replicas then let through up to n times as much."
        ),
    ] = "local"
    conduct: Annotated[
        Without,
        Meta(
            description="Standings of end users. `local`: whoever this process last knew to be restricted, suspended "
            "or terminated still is; whoever it does not know, goes on."
        ),
    ] = "local"
    sessions: Annotated[
        Without,
        Meta(
            description="Session clocks of end users: reminders and breaks. `local`: this process keeps a clock of its "
            "own until the state is back."
        ),
    ] = "open"
    records: Annotated[
        Literal["open", "closed"],
        Meta(
            description="What is written after an answer: cases, counts, complaints. `open`: it waits in this "
            "process's memory and is written when the state is back; `closed`: no request begins meanwhile."
        ),
    ] = "open"


class RedisTls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the connection to Redis is secured."""

    ca: Annotated[Text | None, Meta(description="PEM file of the authorities to trust, instead of the system's.")] = (
        None
    )
    cert: Annotated[Text | None, Meta(description="PEM file with the certificate to show to Redis.")] = None
    key: Annotated[Text | None, Meta(description="PEM file with that certificate's private key.")] = None
    verify: Annotated[
        bool, Meta(description="Check the server's certificate and name. Switch off only for a test.")
    ] = True


class Sentinel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sentinels that know which server is the master."""

    addresses: Annotated[tuple[Address, ...], Meta(min_length=1, description="Sentinels, each as host:port.")]
    name: Annotated[Name, Meta(description="Name under which they know the master.")]
    password_env: Annotated[
        Variable | None, Meta(description="Environment variable with the password of the Sentinels themselves.")
    ] = None


class RedisSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where Redis is, and how it is asked. One of `url`, `url_env` and `sentinel` says where."""

    url: Annotated[
        RedisUrl | None,
        Meta(description="Address: redis://host:port/db, rediss://… for TLS, unix:///path?db=n. No password."),
    ] = None
    url_env: Annotated[
        Variable | None,
        Meta(description="Environment variable with the address, in place of `url`; it may hold user and password."),
    ] = None
    username: Annotated[Text | None, Meta(description="User name for Redis.")] = None
    password_env: Annotated[Variable | None, Meta(description="Environment variable with the password for Redis.")] = (
        None
    )
    sentinel: Annotated[Sentinel | None, Meta(description="Ask these Sentinels for the master, in place of `url`.")] = (
        None
    )
    cluster: Annotated[bool, Meta(description="It is a Redis Cluster; the address is that of any of its servers.")] = (
        False
    )
    tls: Annotated[
        RedisTls | None,
        Meta(description="How TLS is done: with a rediss:// address, or to Sentinels and their servers."),
    ] = None
    prefix: Annotated[Name, Meta(description="In front of every key, for several installations on one server.")] = (
        "guardrail"
    )
    timeout: Annotated[
        float,
        Meta(
            ge=0.01,
            le=60,
            title="a number of seconds from 0.01 to 60",
            description="Seconds that a request waits for Redis at most, once: after that `on_failure` holds until "
            "it answers again.",
        ),
    ] = 0.25


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What replicas share and what outlives a process."""

    store: Annotated[
        Literal["sqlite", "redis", "memory"],
        Meta(
            description="`sqlite`: a file in `folder`, for one machine. `redis`: shared by any number of replicas. "
            "`memory`: nothing outlives the process, for tests."
        ),
    ] = "sqlite"
    folder: Annotated[
        Text,
        Meta(
            description="Folder for what is kept on this machine, relative to this file: the SQLite file, the secret, "
            "the audit log. Made when it is missing."
        ),
    ] = "state"
    secret_env: Annotated[
        Variable,
        Meta(
            description="Environment variable with the master secret from which all keys are derived. Unset: a file in "
            "`folder`, made at the first start; with `redis` it must be set, the same for every replica."
        ),
    ] = "GUARDRAIL_SECRET"  # noqa: S105 (the name of a variable)
    sync: Annotated[
        Literal["normal", "full"],
        Meta(
            description="Of `sqlite`. `normal`: what was written survives the end of the process, however it ends. "
            "`full`: also the loss of power, for one wait on the disk with every write."
        ),
    ] = "normal"
    redis: Annotated[RedisSettings | None, Meta(description="Where Redis is; only with `store: redis`.")] = None
    on_failure: Annotated[
        OnFailure, Meta(description="What requests may do while the state cannot be asked, for each use.")
    ] = OnFailure()


def state_problems(state: State, document: Document) -> Iterator[ConfigProblem]:
    """What cannot be, though each field by itself could. `document`: the `guardrail.yaml`."""

    def problem(place: Place, message: str) -> ConfigProblem:
        return document.problem(("state", *place), message)

    if state.sync != "normal" and state.store != "sqlite":
        yield problem(("sync",), f"found {state.sync!r} beside store {state.store!r}, expected it with sqlite only")
    redis = state.redis
    if redis is None:
        if state.store == "redis" and not _given(document, "redis"):
            yield problem(("store",), "found 'redis', expected a section `redis` that says where it is")
        return
    if state.store != "redis":
        message = f"found where Redis is, but store {state.store!r}, expected `store: redis`"
        yield problem(("redis",), message)
    wheres = [name for name in ("url", "url_env", "sentinel") if getattr(redis, name) is not None]
    if len(wheres) != 1 and not (not wheres and any(_given(document, "redis", name) for name in ("url", "sentinel"))):
        found = " and ".join(wheres) or "none"
        yield problem(("redis",), f"found {found} of url, url_env and sentinel, expected exactly one")
    if redis.username is not None and redis.password_env is None:
        yield problem(("redis", "username"), "found a user name without `password_env`, expected both")
    url = redis.url or ""
    if redis.cluster:
        if redis.sentinel is not None:
            yield problem(("redis", "cluster"), "found a cluster and Sentinels, expected one of them")
        if url.startswith("unix:"):
            yield problem(("redis", "url"), "found a socket of this machine, expected a host of the cluster")
        elif url.count("/") > 2 and not url.endswith("/0"):
            yield problem(("redis", "url"), "found a database number, expected none: a cluster has only database 0")
    tls = redis.tls
    if tls is not None:
        if url and not url.startswith("rediss:"):
            yield problem(("redis", "tls"), "found settings of TLS, expected an address that begins with rediss://")
        if (tls.cert is None) != (tls.key is None):
            yield problem(("redis", "tls"), "found one of cert and key, expected both or neither")


def with_absolute_paths(
    state: State, document: Document, environ: Mapping[str, str], *, shipped: bool
) -> tuple[State, list[ConfigProblem]]:
    """The section with its paths made absolute, and what is wrong with them. `shipped`: it is the configuration that
    comes with the package, beside which nothing is written."""
    problems: list[ConfigProblem] = []
    base = document.path.parent
    if shipped and state.folder == State().folder:
        given = Path(environ.get("XDG_STATE_HOME", ""))
        home = given if given.is_absolute() else Path("~/.local/state").expanduser()
        folder = home / "guardrail"
    else:
        folder = base / state.folder
    changes: dict[str, Any] = {"folder": os.path.abspath(folder)}
    if state.redis is not None and (tls := state.redis.tls) is not None:
        paths = {name: given for name in ("ca", "cert", "key") if (given := getattr(tls, name)) is not None}
        for name, path in paths.items():
            if not (base / path).is_file():
                message = f"found no file {path!r} here, expected a PEM file"
                problems.append(document.problem(("state", "redis", "tls", name), message))
            paths[name] = os.path.abspath(base / path)
        changes["redis"] = msgspec.structs.replace(state.redis, tls=msgspec.structs.replace(tls, **paths))
    return msgspec.structs.replace(state, **changes), problems


def _given(document: Document, *place: str) -> bool:
    """Whether something stands there, be it wrong: then what is wrong with it has been said."""
    return ("state", *place) in document.values
