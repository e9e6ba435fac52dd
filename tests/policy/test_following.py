"""A process follows the store: what is pushed takes effect, and whatever is wrong with it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from guardrail.errors import ConfigError
from guardrail.policy.distribution import BUNDLE, HEAD, HEAD_ID, PARTS, read
from guardrail.policy.following import Following
from guardrail.policy.key_store import write_key
from guardrail.policy.keys import new_key
from guardrail.policy.registry import Registry
from guardrail.policy.signing import new_key as new_signing_key
from guardrail.policy.snapshot import KeyNotValid
from guardrail.policy.versions import FILE, Head, rolled_back, shadowed
from guardrail.state.operations import Drop, Find, Put
from guardrail.state.sqlite import SqliteStore
from guardrail.state.store import StateError
from guardrail.text.scanner import Scanner
from tests.policy.pushing import FILES, Operator, envelope
from tests.policy.tree import write

MAC_KEY = b"m" * 32


class Log:
    """An audit log in memory."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Any]] = []

    def write(self, kind: str, body: Any) -> None:
        self.lines.append((kind, body))


class Replica:
    """One process's registry, which follows a store."""

    def __init__(self, folder: Path, store: SqliteStore, files: dict[str, str] | None = None) -> None:
        self.folder = write(folder, files or FILES)
        self.store = store
        self.audit = Log()
        self.registry = Registry.load(self.folder, environ={})
        self.following = Following(self.registry, store, self.audit, MAC_KEY)

    async def __aenter__(self) -> Replica:
        await self.following.start()
        self.task = asyncio.create_task(self.following.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def finds(self, request_id: str = "g-1") -> str:
        """Which of the words the tenant's policy finds."""
        policy = self.registry.current.tenants["acme"].serving(request_id).policy
        for word in ("fromfile", "one", "two", "three"):
            scanner = Scanner(policy.rules)
            scanner.feed(f" {word} ")
            scanner.finish()
            if scanner.findings():
                return word
        return ""

    def problems(self) -> str:
        return "\n".join(map(str, self.registry.pushed_problems))

    async def until(self, done: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not done():
                await asyncio.sleep(0.01)

    async def until_kept(self, operator: Operator) -> None:
        """Until the operator's newest head is on this machine's disk."""
        path = self.folder / "state/policies/head.json"
        await self.until(lambda: path.exists() and path.read_bytes() == envelope(operator.head))

    async def until_finds(self, word: str) -> None:
        await self.until(lambda: self.finds() == word)


def run(scenario: Awaitable[None]) -> None:
    async def main() -> None:
        await scenario

    asyncio.run(main())


def test_two_registries_on_one_store(tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "state.db"
        stores = [SqliteStore(path) for _ in range(3)]
        operator = Operator(stores[0], tmp_path / "operator")
        async with Replica(tmp_path / "a", stores[1]) as a, Replica(tmp_path / "b", stores[2]) as b:
            both = (a, b)
            assert [each.finds() for each in both] == ["fromfile"] * 2
            await operator.activate(await operator.push("one"))
            for each in both:
                await each.until_finds("one")
                assert each.registry.current.tenants["acme"].policy.tag.endswith(";version=1")
            await operator.activate(await operator.push("two"))
            for each in both:
                await each.until_finds("two")
            operator.head = rolled_back(operator.head, "p", now=0)
            await operator.write()
            for each in both:
                await each.until_finds("one")
            operator.head = rolled_back(operator.head, "p", now=0)
            assert operator.head.policies["p"].live == FILE
            await operator.write()
            for each in both:
                await each.until_finds("fromfile")
                assert {kind for kind, _ in each.audit.lines} == {"policy.in_effect"}
        for store in stores:
            await store.close()

    run(scenario())


def test_canary_and_shadow(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = SqliteStore(None)
        operator = Operator(store, tmp_path / "operator")
        async with Replica(tmp_path / "a", store) as replica:
            await operator.activate(await operator.push("one"))
            await operator.activate(await operator.push("two"), percent=30)
            await replica.until(lambda: replica.registry.current.tenants["acme"].canary)
            found = [replica.finds(f"g-{number}") for number in range(200)]
            assert set(found) == {"one", "two"}
            assert 30 <= found.count("two") <= 90
            number = await operator.push("three")
            operator.head = shadowed(operator.head, "p", number, percent=50, now=0)
            await operator.write()
            await replica.until(lambda: replica.registry.current.tenants["acme"].shadow)
            shadow = replica.registry.current.tenants["acme"].shadow
            assert shadow is not None
            assert (shadow[0].percent, shadow[1].version) == (50, 3)
            assert shadow[1] in replica.registry.current.compiled
        await store.close()

    run(scenario())


def test_an_edit_of_a_file_keeps_what_is_pushed(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = SqliteStore(None)
        operator = Operator(store, tmp_path / "operator")
        async with Replica(tmp_path / "a", store) as replica:
            await operator.activate(await operator.push("one"))
            await replica.until_finds("one")
            (replica.folder / "tenants/more.yaml").write_text("tenant: more\npolicy: p\n")
            assert await replica.registry.reload()
            assert replica.registry.current.tenants["more"].policy.version == 1
            assert replica.finds() == "one"
            (replica.folder / "policies/p.yaml").write_text("policy: p\nrules: 7\n")
            assert not await replica.registry.reload()
            assert replica.finds() == "one"
        await store.close()

    run(scenario())


def test_over_a_restart_while_the_state_is_down(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = SqliteStore(None)
        operator = Operator(store, tmp_path / "operator")
        async with Replica(tmp_path / "a", store) as replica:
            await operator.activate(await operator.push("one"))
            await replica.until_finds("one")
            await replica.until_kept(operator)
        await store.close()  # from now on it raises StateError
        again = Replica(tmp_path / "a", store)
        assert again.finds() == "one"
        await again.following.start()
        assert again.finds() == "one"
        # A machine that never knew cannot know whether anything is pushed.
        with pytest.raises(StateError):
            await Replica(tmp_path / "b", store).following.start()

    run(scenario())


def test_what_was_altered_on_disk_is_not_used(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = SqliteStore(None)
        operator = Operator(store, tmp_path / "operator")
        async with Replica(tmp_path / "a", store) as replica:
            await operator.activate(await operator.push("one"))
            await replica.until_kept(operator)
        (policy,) = (tmp_path / "a/state/policies").glob("*/policies/p.yaml")
        policy.write_text(policy.read_text().replace("one", "two"))
        again = Replica(tmp_path / "a", store)
        assert again.finds() == "fromfile"
        async with again:  # before the first request
            assert again.finds() == "one"
        await store.close()

    run(scenario())


class TestRefused:
    """Whoever can write to the store cannot bring anything into effect."""

    def tampered(self, tmp_path: Path, spoil: Callable[[Operator], Awaitable[None]], why: str) -> None:
        async def scenario() -> None:
            store = SqliteStore(None)
            operator = Operator(store, tmp_path / "operator")
            async with Replica(tmp_path / "a", store) as replica:
                await operator.activate(await operator.push("one"))
                await replica.until_finds("one")
                await spoil(operator)
                await replica.until(lambda: why in replica.problems())
                assert replica.finds() == "one"
                assert "policy.refused" in [kind for kind, _ in replica.audit.lines]
                # And a good one takes effect afterwards.
                await operator.activate(await operator.push("three"))
                await replica.until_finds("three")
                await replica.until(lambda: replica.problems() == "")
            await store.close()

        run(scenario())

    def test_a_head_of_a_stranger(self, tmp_path: Path) -> None:
        private, _ = new_signing_key()

        async def spoil(operator: Operator) -> None:
            later = msgspec.structs.replace(operator.head, serial=operator.head.serial + 1)
            await operator.write(later, private)

        self.tampered(tmp_path, spoil, "none of the configured public keys")

    @pytest.mark.parametrize("field", ["statement", "signature", "key"])
    def test_a_changed_envelope(self, tmp_path: Path, field: str) -> None:
        async def spoil(operator: Operator) -> None:
            said = msgspec.json.decode(envelope(operator.head))
            said[field] = said[field].replace("1", "2", 1) if "1" in said[field] else said[field][::-1]
            await operator.put(msgspec.json.encode(said))

        self.tampered(tmp_path, spoil, "is not believed")

    @pytest.mark.parametrize("body", [b"", b"{}", b"\xff\x00", b"[]" * 1000])
    def test_what_is_no_head(self, tmp_path: Path, body: bytes) -> None:
        self.tampered(tmp_path, lambda operator: operator.put(body), "is not believed")

    def test_another_statement_of_the_same_serial(self, tmp_path: Path) -> None:
        async def spoil(operator: Operator) -> None:
            await operator.write(msgspec.structs.replace(operator.head, at=0.0))

        self.tampered(tmp_path, spoil, "two different statements")

    def test_a_bundle_that_is_not_there(self, tmp_path: Path) -> None:
        async def spoil(operator: Operator) -> None:
            await operator.push("two")
            for kind in (BUNDLE,):
                (documents,) = await operator.store.run([Find(kind)])
                await operator.store.run([Drop(kind, each.id) for each in documents])
            await operator.activate(2)

        self.tampered(tmp_path, spoil, "is not in the state store")

    @pytest.mark.parametrize("kind", [BUNDLE, PARTS])
    def test_a_bundle_of_which_anything_was_changed(self, tmp_path: Path, kind: str) -> None:
        async def spoil(operator: Operator) -> None:
            await operator.push("two")
            (documents,) = await operator.store.run([Find(kind)])
            await operator.store.run([Put(kind, each.id, each.body.replace(b"p", b"q", 1)) for each in documents])
            await operator.activate(2)

        self.tampered(tmp_path, spoil, "digest")


def test_an_old_head_that_is_put_back_is_overwritten_with_the_newest(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = SqliteStore(None)
        operator = Operator(store, tmp_path / "operator")
        async with Replica(tmp_path / "a", store) as replica:
            await operator.activate(await operator.push("one"))
            old = envelope(operator.head)
            await operator.activate(await operator.push("two"))
            newest = envelope(operator.head)
            await replica.until_finds("two")
            for spoil in (lambda: operator.put(old), lambda: store.run([Drop(HEAD, HEAD_ID)])):
                await spoil()
                async with asyncio.timeout(10):
                    while (found := await read(store)) is None or found.body != newest:
                        await asyncio.sleep(0.01)
                assert replica.finds() == "two"
            assert [kind for kind, _ in replica.audit.lines if kind == "policy.put_back"] == ["policy.put_back"] * 2
        await store.close()

    run(scenario())


def test_bundles_too_come_back_to_a_store_that_lost_everything(tmp_path: Path) -> None:
    async def scenario() -> None:
        store, empty = SqliteStore(None), SqliteStore(None)
        operator = Operator(store, tmp_path / "operator")
        async with Replica(tmp_path / "a", store) as replica:
            await operator.activate(await operator.push("one"))
            await replica.until_finds("one")
            await replica.until_kept(operator)
        async with Replica(tmp_path / "a", empty), Replica(tmp_path / "b", empty) as fresh:
            await fresh.until_finds("one")
        await store.close()
        await empty.close()

    run(scenario())


def test_a_serial_below_the_configured_one_is_not_believed_at_a_first_start(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = SqliteStore(None)
        operator = Operator(store, tmp_path / "operator")
        await operator.activate(await operator.push("one"))
        root = FILES["guardrail.yaml"].replace('"]}', f'"], at_least: {operator.head.serial + 1}}}')
        with pytest.raises(ConfigError, match="at_least"):
            await Replica(tmp_path / "a", store, {**FILES, "guardrail.yaml": root}).following.start()
        await store.close()

    run(scenario())


def test_a_configuration_without_public_keys_takes_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = SqliteStore(None)
        operator = Operator(store, tmp_path / "operator")
        await operator.activate(await operator.push("one"))
        root = FILES["guardrail.yaml"].split("pushed_policies")[0]
        async with Replica(tmp_path / "a", store, {**FILES, "guardrail.yaml": root}) as replica:
            assert replica.finds() == "fromfile"
            assert replica.problems() == ""
        await store.close()

    run(scenario())


def test_keys_are_followed_as_well(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = SqliteStore(None)
        async with Replica(tmp_path / "a", store) as replica:
            presented, key = new_key("acme", by="ops", now=1.0)
            await write_key(store, key, MAC_KEY, now=1.0, new=True)
            await replica.until(lambda: replica.registry.current.by_key(presented) is not None)
            await write_key(store, msgspec.structs.replace(key, revoked=2.0), MAC_KEY, now=2.0)

            def refused() -> bool:
                try:
                    replica.registry.current.by_key(presented)
                except KeyNotValid as error:
                    return error.state == "revoked"
                return False

            await replica.until(refused)
            await write_key(store, key, MAC_KEY, now=3.0)  # who puts the old document back gains nothing
            await write_key(store, new_key("acme", by="ops", now=4.0)[1], MAC_KEY, now=4.0)
            await replica.until(lambda: len(replica.registry.current.keys) == 2)
            assert refused()
        await store.close()

    run(scenario())


def test_an_empty_head_changes_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = SqliteStore(None)
        operator = Operator(store, tmp_path / "operator", Head(serial=1))
        await operator.write()
        async with Replica(tmp_path / "a", store) as replica:
            assert replica.finds() == "fromfile"
            assert replica.registry.current.overlay.serial == 1
        await store.close()

    run(scenario())
