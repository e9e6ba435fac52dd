"""`guardrail cases remove` and `deliveries`, over a real state."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from guardrail.cli import app

GUARDRAIL = "version: 1\nupstreams: {default: {url: 'http://127.0.0.1:1'}}\n"
REQUEST = "g-0123456789abcdef"
WHY = ("--reason", "It names a person.", "--category", "privacy", "--actor", "ann")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "guardrail.yaml").write_text(GUARDRAIL)
    return tmp_path


def run(config: Path, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["cases", *arguments, "--config", str(config)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


def test_an_order_waits_for_the_application(config: Path) -> None:
    more = ("--message-id", "msg_7", "--start", "3", "--end", "9", "--contract", "--ground", "Section 4")
    status, out, _ = run(config, "remove", REQUEST, "--tenant", "acme", *WHY, *more)
    assert status == 0
    case, delivery = (line.split() for line in out.splitlines())
    assert case[1:] == ["acme", "remove", REQUEST]
    assert delivery[1] == "pending"
    status, out, _ = run(config, "deliveries", "--pending")
    assert (status, out) == (0, f"{delivery[0]}  acme  {case[0]}  pending  0 tries\n")
    assert run(config, "deliveries", "--tenant", "globex")[1] == ""
    assert "Section 4" in run(config, "show", case[0])[1]
    status, out, _ = run(config, "remove", case[0], *WHY)
    assert (status, out.splitlines()[0].split()[1:]) == (0, ["acme", "remove", REQUEST])


def test_what_cannot_be_ordered(config: Path) -> None:
    for arguments, message in (
        ((REQUEST,), "name the tenant"),
        (("c-none",), "there is no case c-none"),
        ((REQUEST, "--tenant", "acme", "--start", "9", "--end", "3"), "behind the start"),
    ):
        status, out, err = run(config, "remove", *arguments, *WHY)
        assert (status, out) == (1, "")
        assert message in err
