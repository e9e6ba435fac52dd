"""`guardrail evidence` writes what it saw in every form, and ends with 1 when a duty fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from guardrail.cli import app


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["evidence", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_a_duty_that_holds(tmp_path: Path) -> None:
    target = tmp_path / "evidence.json"
    status, out, err = run("--preset", "eu-ai-act", "--duty", "robustness", "-o", str(target))
    assert (status, out) == (0, "")
    assert "1 duties; 1 holds" in err
    assert [duty["verdict"] for duty in json.loads(target.read_text())["duties"]] == ["holds"]


def test_a_duty_that_fails(tmp_path: Path) -> None:
    (tmp_path / "guardrail.yaml").write_text(
        "version: 1\nupstreams: {default: {url: 'http://127.0.0.1:1'}}\nanonymous: {policy: default}\n"
    )
    status, out, _ = run("--preset", "eu-ai-act", "--duty", "information", "--config", str(tmp_path))
    assert status == 1
    assert out.startswith("fails     information\n")
    assert "no legal advice" in out


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("--preset", "eu-ai-akt"), 2, "there is no preset 'eu-ai-akt'"),
        (("--preset", "eu-ai-act", "--duty", "everything"), 2, "has no duty everything"),
        (("--preset", "none.yaml"), 1, "found no file here"),
        (("--preset", "eu-ai-act", "--config", "none.yaml"), 1, "found no file here"),
    ],
)
def test_what_cannot_be_tried(arguments: tuple[str, ...], status: int, says: str) -> None:
    ended, _, err = run(*arguments)
    assert ended == status
    assert says in err
