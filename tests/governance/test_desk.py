"""What an operator's function works with is opened from a configuration, and let go of."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from guardrail.errors import ConfigError, GuardrailError
from guardrail.governance.desk import open_desk, whoever_is_there
from guardrail.observe.audit import AuditLog, NoAudit
from guardrail.state.operations import Get, Put
from guardrail.state.secret import SecretError
from guardrail.state.store import StateError

CONFIG = 'version: 1\nupstreams: {default: {url: "http://127.0.0.1:1"}}\n'
SECRET = "0123456789abcdef" * 2


def configured(folder: Path, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "guardrail.yaml").write_text(CONFIG + more)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm")))


async def test_by_default_all_is_in_a_folder_beside_the_configuration(tmp_path: Path) -> None:
    async with open_desk(configured(tmp_path), {}) as desk:
        assert desk.folder == tmp_path / "state"
        await desk.store.run([Put("case", "one", b"{}")])
        desk.audit.write("decision", {"actor": "ann"})
        fingerprint = desk.secret.fingerprint
    assert names(tmp_path / "state") == ["audit", "guardrail.db", "secret"]
    assert stat.S_IMODE((tmp_path / "state" / "secret").stat().st_mode) == 0o600
    async with open_desk(tmp_path, {}) as desk:
        (found,) = await desk.store.run([Get("case", "one")])
        assert found.body == b"{}"
        assert desk.secret.fingerprint == fingerprint


async def test_in_memory_nothing_is_written(tmp_path: Path) -> None:
    async with open_desk(configured(tmp_path, "state: {store: memory}\n"), {}) as desk:
        assert isinstance(desk.audit, NoAudit)
    assert names(tmp_path) == ["guardrail.yaml"]


async def test_an_audit_log_beside_a_state_in_memory(tmp_path: Path) -> None:
    more = f"state: {{store: memory}}\naudit: {{folder: {tmp_path / 'log'}}}\n"
    async with open_desk(configured(tmp_path, more), {}) as desk:
        assert isinstance(desk.audit, AuditLog)


async def test_replicas_that_share_a_state_are_told_the_secret(tmp_path: Path) -> None:
    more = 'state: {store: redis, redis: {url: "redis://127.0.0.1:1"}}\n'
    with pytest.raises(SecretError, match="GUARDRAIL_SECRET is not set"):
        async with open_desk(configured(tmp_path, more), {}):
            pass
    async with open_desk(tmp_path, {"GUARDRAIL_SECRET": SECRET}) as desk:
        with pytest.raises(StateError):
            await desk.store.ping()


async def test_what_can_never_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(GuardrailError, match=r"the folder .*/state cannot be made"):
        async with open_desk(configured(tmp_path), {}):
            pass
    with pytest.raises(ConfigError):
        async with open_desk(configured(tmp_path, "stat: {}\n"), os.environ):
            pass


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert whoever_is_there() == "uid-4000000000"
    monkeypatch.setenv("USER", "ann")
    assert whoever_is_there() == "ann"
