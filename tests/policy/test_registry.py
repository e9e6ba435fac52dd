"""Tenants by key and by name; a new snapshot takes effect at once or not at all."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from guardrail.errors import ConfigError
from guardrail.policy.registry import Registry, load_snapshot
from guardrail.text.ruleset import Matchers
from tests.policy.tree import ROOT, write


def hashed(key: str) -> str:
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


FILES: dict[str, str | bytes] = {
    "guardrail.yaml": ROOT + "anonymous: {}\n",
    "policies/default.yaml": "policy: default\nrules: [{id: x, keywords: [alpha], action: halt}]\n",
    "tenants/acme.yaml": f"tenant: acme\nkeys: ['{hashed('one')}', '{hashed('two').upper().replace('SHA', 'sha')}']\n",
    "tenants/other.yaml": f"tenant: other\nlocale: zh\nkeys: ['{hashed('键')}']\n",
}


class TestReload:
    async def test_a_good_edit_takes_effect_for_who_asks_next(self, tmp_path: Path) -> None:
        registry = Registry.load(write(tmp_path, FILES), environ={})
        before = registry.current
        write(tmp_path, {**FILES, "policies/default.yaml": "policy: default\n"})
        assert await registry.reload()
        assert (registry.generation, registry.problems, registry.failed_at) == (2, (), None)
        assert registry.current.policies["default"].digest != before.policies["default"].digest
        assert before.policies["default"].rules.removing is not None  # a stream that holds it goes on as it began

    async def test_a_bad_edit_is_refused_and_told_until_it_is_mended(self, tmp_path: Path) -> None:
        registry = Registry.load(write(tmp_path, FILES), environ={})
        before = registry.current
        write(tmp_path, {**FILES, "policies/default.yaml": "policy: default\nrulez: []\n"})
        assert not await registry.reload()
        assert (registry.current, registry.generation) == (before, 1)
        assert registry.failed_at is not None
        assert registry.failed_at >= registry.loaded_at
        (problem,) = registry.problems
        assert (problem.file, problem.line) == (str(tmp_path / "policies/default.yaml"), 2)
        write(tmp_path, FILES)
        assert await registry.reload()
        assert (registry.problems, registry.generation) == ((), 1)

    async def test_what_did_not_change_is_not_compiled_again(self, tmp_path: Path) -> None:
        files = {**FILES, "policies/b.yaml": "policy: b\nrules: [{id: x, keywords: [beta], action: halt}]\n"}
        registry = Registry.load(write(tmp_path, files), environ={})
        before = registry.current.policies
        write(tmp_path, {**files, "policies/b.yaml": "policy: b\nrules: [{id: x, keywords: [beta2], action: halt}]\n"})
        assert await registry.reload()
        after = registry.current.policies
        assert after["default"].rules is before["default"].rules
        assert after["b"].rules is not before["b"].rules

    async def test_a_fault_of_the_loader_itself_is_told_and_survived(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registry = Registry.load(write(tmp_path, FILES), environ={})
        monkeypatch.setattr("guardrail.policy.registry.load_configuration", lambda *_, **__: 1 // 0)
        assert not await registry.reload()
        (problem,) = registry.problems
        assert problem.message == (
            "this configuration cannot be loaded: ZeroDivisionError: integer division or modulo by zero"
        )
        monkeypatch.undo()
        assert await registry.reload()

    async def test_the_interpreter_is_as_before_after_it(self, tmp_path: Path) -> None:
        registry = Registry.load(write(tmp_path, FILES), environ={})
        before = sys.getswitchinterval(), gc.isenabled()
        assert await registry.reload()
        assert (sys.getswitchinterval(), gc.isenabled()) == before
        write(tmp_path, {**FILES, "policies/default.yaml": "rules: []"})
        assert not await registry.reload()
        assert (sys.getswitchinterval(), gc.isenabled()) == before

    async def test_what_is_no_longer_used_goes_without_the_collector(self, tmp_path: Path) -> None:
        registry = Registry.load(write(tmp_path, FILES), environ={})
        gc.collect()
        gc.disable()
        try:
            before = matchers()
            write(tmp_path, {**FILES, "policies/default.yaml": "policy: default\n"})
            assert await registry.reload()
            await until(lambda: matchers() == before - 1)  # the loading thread lets go of them last
        finally:
            gc.enable()

    def test_the_first_load_raises(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError):
            Registry.load(write(tmp_path, {**FILES, "policies/default.yaml": "rules: []"}))


def matchers() -> int:
    return sum(isinstance(each, Matchers) for each in gc.get_objects())


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that watching brings about; ten seconds is for ever."""
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.02)


@pytest.fixture
async def watched(tmp_path: Path) -> Registry:
    files = {
        **FILES,
        "policies/default.yaml": "policy: default\nrules: [{id: x, lexicon: ../lists/words.txt, action: halt}]\n",
        "lists/words.txt": "alpha\n",
    }
    return Registry.load(write(tmp_path, files), environ={})


class TestWatch:
    @pytest.mark.parametrize("name", ["guardrail.yaml", "lists/words.txt", "tenants/new.yaml", "policies/new.yaml"])
    async def test_any_file_of_the_configuration(self, tmp_path: Path, watched: Registry, name: str) -> None:
        content = {
            "guardrail.yaml": ROOT,
            "lists/words.txt": "beta\n",
            "tenants/new.yaml": "tenant: new\n",
            "policies/new.yaml": "policy: new\n",
        }[name]
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(watched.watch())
            await asyncio.sleep(0.3)  # the watch must be in place before the edit
            path = tmp_path / name
            path.with_suffix(".tmp").write_text(content, encoding="utf-8")
            path.with_suffix(".tmp").replace(path)  # as many editors save
            await until(lambda: watched.generation == 2)
            watch.cancel()

    async def test_a_bad_edit_then_a_good_one(self, tmp_path: Path, watched: Registry) -> None:
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(watched.watch())
            await asyncio.sleep(0.3)
            (tmp_path / "lists/words.txt").write_bytes(b"\xff")
            await until(lambda: watched.problems != ())
            assert watched.generation == 1
            (tmp_path / "lists/words.txt").write_bytes(b"gamma")
            await until(lambda: watched.generation == 2)
            assert watched.problems == ()
            watch.cancel()

    async def test_a_save_that_empties_the_file_first_is_no_failure(self, tmp_path: Path, watched: Registry) -> None:
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(watched.watch())
            await asyncio.sleep(0.3)
            with (tmp_path / "lists/words.txt").open("w") as file:
                await asyncio.sleep(0.15)  # long enough for the empty file to be noticed
                file.write("delta\n")
            await until(lambda: watched.generation == 2)
            assert watched.failed_at is None
            watch.cancel()

    async def test_files_behind_a_link_that_is_swapped(self, tmp_path: Path) -> None:
        for version, scope in (("1", "choice"), ("2", "response")):
            policy = f"policy: default\nhalt: {scope}\n"
            write(tmp_path / version, {**FILES, "policies/default.yaml": policy})
        (tmp_path / "data").symlink_to("1")
        (tmp_path / "policies").symlink_to("data/policies")
        (tmp_path / "guardrail.yaml").symlink_to("data/guardrail.yaml")
        registry = Registry.load(tmp_path, environ={})
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(registry.watch())
            await asyncio.sleep(0.3)
            (tmp_path / "next").symlink_to("2")
            (tmp_path / "next").replace(tmp_path / "data")
            await until(lambda: registry.generation == 2)
            watch.cancel()

    async def test_a_folder_that_goes_away_and_comes_back(self, tmp_path: Path, watched: Registry) -> None:
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(watched.watch())
            await asyncio.sleep(0.3)
            (tmp_path / "lists").rename(tmp_path / "away")
            await until(lambda: watched.problems != ())
            (tmp_path / "away/words.txt").write_text("other\n", encoding="utf-8")
            (tmp_path / "away").rename(tmp_path / "lists")
            await until(lambda: watched.generation == 2)
            assert watched.problems == ()
            watch.cancel()


async def test_many_tenants_load_and_are_told_apart(tmp_path: Path) -> None:
    tenants = {f"tenants/t{n}.yaml": f"tenant: t{n}\nkeys: ['{hashed(f'key {n}')}']\n" for n in range(300)}
    snapshot = load_snapshot(write(tmp_path, {**FILES, **tenants}), environ={})
    assert all(tenant.name == f"t{n}" for n in range(300) if (tenant := snapshot.by_key(f"key {n}")) is not None)
    assert len({id(tenant.policy.rules) for tenant in snapshot.tenants.values()}) == 1
