"""Which store is opened, and what is refused when it never can work."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from guardrail.state.opening import FILE, open_store
from guardrail.state.operations import Put
from guardrail.state.settings import State
from guardrail.state.store import StateError, get, put
from tests.state.servers import RedisServer, free_port, running


def state(text: str) -> State:
    return msgspec.yaml.decode(text, type=State)


async def test_a_file_in_a_folder_that_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "state"
    for version in (1, 2):
        store = open_store(state("{}"), folder, {})
        assert await put(store, Put("case", "a", b"")) == version
        await store.close()
    assert [each.name for each in folder.iterdir()] == [FILE]
    assert folder.stat().st_mode & 0o777 == 0o700


async def test_memory_writes_nothing(tmp_path: Path) -> None:
    store = open_store(state("{store: memory}"), tmp_path / "state", {})
    assert await put(store, Put("case", "a", b"")) == 1
    await store.close()
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240 (nothing else runs)


async def test_redis(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    with running(server):
        one = open_store(state(f"{{store: redis, redis: {{url: '{server.url}', timeout: 5}}}}"), tmp_path, {})
        environ = {"ADDRESS": server.url}
        other = open_store(state("{store: redis, redis: {url_env: ADDRESS, timeout: 5}}"), tmp_path, environ)
        await put(one, Put("case", "a", b""))
        assert await get(other, "case", "a") == await get(one, "case", "a")
        await one.close()
        await other.close()


async def test_a_redis_that_is_down_can_be_opened() -> None:
    store = open_store(state(f"{{store: redis, redis: {{url: 'redis://127.0.0.1:{free_port()}'}}}}"), Path(), {})
    with pytest.raises(StateError, match="cannot be reached"):
        await store.ping()
    await store.close()


NEVER = [
    ("{store: redis, redis: {url_env: ADDRESS}}", {}, "the environment variable ADDRESS is not set"),
    ("{store: redis, redis: {url_env: ADDRESS}}", {"ADDRESS": "http://h"}, "ADDRESS holds no address of a Redis"),
    ("{store: redis, redis: {url: 'redis://h', password_env: P}}", {}, "the environment variable P is not set"),
    (
        "{store: redis, redis: {url_env: ADDRESS, cluster: true}}",
        {"ADDRESS": "unix:///run/s"},
        "ADDRESS holds no address of a cluster",
    ),
    ("{store: redis, redis: {url_env: ADDRESS, tls: {}}}", {"ADDRESS": "redis://h"}, "does not begin with rediss://"),
]


@pytest.mark.parametrize(("text", "environ", "message"), NEVER)
def test_what_can_never_work(text: str, environ: dict[str, str], message: str) -> None:
    with pytest.raises(StateError, match=message):
        open_store(state(text), Path(), environ)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be made") as caught:
        open_store(state("{}"), tmp_path / "file" / "state", {})
    assert caught.value.kind == "read-only"
