"""The store that the configuration asks for. Opens files; a Redis is first asked when something is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from guardrail.state.settings import State
from guardrail.state.sqlite import SqliteStore
from guardrail.state.steady import Steady
from guardrail.state.store import StateError

FILE = "guardrail.db"
"""Name of the SQLite file in the folder of the state."""


def open_store(state: State, folder: Path, environ: Mapping[str, str]) -> Steady:
    """Open it, behind a breaker. `folder`: of the state, made when it is missing; `environ`: where passwords are.

    Raises StateError, when it can never work: a folder that cannot be written to, a file that is not ours, a variable
    that is not set. That Redis is down just now is none of these.
    """
    if state.store == "memory":
        return Steady(SqliteStore(None))
    if state.store == "redis":
        from guardrail.state.redis import RedisStore  # not for whoever has no Redis: it takes a tenth of a second

        assert state.redis is not None
        return Steady(RedisStore(state.redis, environ))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(f"the folder {folder} cannot be made: {error.strerror}", "read-only") from None
    return Steady(SqliteStore(folder / FILE, sync=state.sync))
