"""`guardrail key`: made, rotated, revoked and listed, over a real state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from guardrail.cli import app
from guardrail.policy.keys import hash_of
from tests.policy.tree import write

FILES = {
    "policies/p.yaml": "policy: p\nrules: []\n",
    "tenants/acme.yaml": f"tenant: acme\npolicy: p\nkeys: ['sha256:{hash_of('on file')}']\n",
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write(tmp_path, FILES)


def run(config: Path, *arguments: str, status: int = 0, typed: str | None = None) -> str:
    done = CliRunner().invoke(app, ["key", *arguments, "--config", str(config)], input=typed)
    assert done.exit_code == status, done.output
    return done.output


def listed(config: Path) -> dict[str, Any]:
    rows = json.loads(run(config, "list", "--format", "json"))["keys"]
    return {row["name"]: row for row in rows}


def made(config: Path, *arguments: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(run(config, "create", "--tenant", "acme", *arguments, "--format", "json"))
    return said


def test_a_key_is_printed_once_and_kept_nowhere(config: Path) -> None:
    key = made(config, "--note", "ci", "--expires", "30d")
    assert key["key"].startswith("gk-")
    row = listed(config)[key["name"]]
    assert (row["tenant"], row["state"], row["note"]) == ("acme", "good", "ci")
    assert key["key"] not in run(config, "list")
    for path in config.rglob("*"):
        if path.is_file():
            assert key["key"].encode() not in path.read_bytes()


def test_rotating(config: Path) -> None:
    old = made(config)
    new = json.loads(run(config, "rotate", old["name"], "--grace", "0s", "--format", "json"))
    rows = listed(config)
    assert rows[old["name"]]["state"] == "expired"
    assert rows[old["name"]]["replaced_by"] == new["name"]
    assert rows[new["name"]]["state"] == "good"
    assert "is expired" in run(config, "rotate", old["name"], status=1)


def test_revoking_by_name_by_key_and_from_a_file(config: Path) -> None:
    one, other = made(config), made(config)
    run(config, "revoke", one["name"])
    run(config, "revoke", "-", typed=other["key"] + "\n")
    run(config, "revoke", hash_of("on file")[:12])
    assert {row["state"] for row in listed(config).values()} == {"revoked"}
    assert "revoked" in run(config, "revoke", one["name"])  # again: the same
    kinds = [
        json.loads(line)["kind"]
        for path in config.glob("state/audit/*/*.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert kinds.count("key.revoked") == 4
    assert kinds.count("key.created") == 2


def test_a_key_of_a_file_is_rotated_too(config: Path) -> None:
    run(config, "rotate", hash_of("on file")[:12], "--grace", "7d")
    row = listed(config)[hash_of("on file")[:12]]
    assert (row["state"], row["expires"] is not None) == ("good", True)


@pytest.mark.parametrize(
    ("arguments", "status", "why"),
    [
        (["create", "--tenant", "nobody"], 1, "no tenant 'nobody'"),
        (["create", "--tenant", "acme", "--expires", "soon"], 2, "expected a span"),
        (["rotate", "ffffffff"], 1, "no key of that name"),
        (["revoke", "xyz"], 1, "8 or more hex digits"),
        (["revoke", "abc"], 1, "8 or more hex digits"),
    ],
)
def test_what_cannot_be(config: Path, arguments: list[str], status: int, why: str) -> None:
    assert why in run(config, *arguments, status=status)
