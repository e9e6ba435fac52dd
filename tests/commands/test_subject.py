"""`guardrail subject`: the rights of a person, by the application's own id, which is written nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from guardrail.cli import app

WHO = "user-4711@example.com"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "guardrail.yaml").write_text(
        "version: 1\nupstreams: {default: {url: 'http://127.0.0.1:1'}}\nanonymous: {policy: default}\n"
    )
    return tmp_path


def run(config: Path, command: str, *more: str, user: str = WHO, stdin: str = "") -> tuple[int, str, str]:
    arguments = ["subject", command, "--config", str(config), "--tenant", "acme", "--user", user, "--actor", "ann"]
    result = CliRunner().invoke(app, [*arguments, *more], input=stdin)
    return result.exit_code, result.stdout, result.stderr


def test_corrected_shown_and_erased(config: Path) -> None:
    status, out, _ = run(config, "correct", "--set", "minor=true", "--set", "locale=de")
    assert (status, json.loads(out)) == (0, {"minor": True, "locale": "de"})
    status, out, _ = run(config, "correct", "--set", "locale=")
    assert (status, json.loads(out)) == (0, {"minor": True})
    status, out, _ = run(config, "export", user="-", stdin=f"{WHO}\n")
    assert (status, json.loads(out)["attributes"]) == (0, {"minor": True})
    status, out, _ = run(config, "erase", stdin="n\n")
    assert status == 1
    status, out, _ = run(config, "erase", "--yes", "--request", "f-1")
    receipt = json.loads(out)
    assert (status, receipt["known"], receipt["dropped"]) == (0, True, {"subject": 1})
    assert json.loads(run(config, "export")[1])["attributes"] == {}


def test_the_id_is_written_nowhere(config: Path) -> None:
    run(config, "correct", "--set", "minor=true")
    run(config, "export")
    written = [path for path in (config / "state").rglob("*") if path.is_file()]
    assert len(written) > 3
    assert [path for path in written if WHO.encode() in path.read_bytes()] == []


def test_bad_usage(config: Path) -> None:
    assert run(config, "correct", "--set", "minor")[0] == 2
    assert run(config, "export", user="-", stdin="\n")[0] == 2
    assert run(config, "correct", "--set", "minor=perhaps")[::2] == (1, "guardrail subject: minor is true or false\n")
