"""The command line: what there is, that all of it says what it does, and what is refused before anything runs."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest
import typer
from typer.testing import CliRunner

from guardrail.cli import app

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def test_the_commands_are_listed() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    assert {"serve", "demo", "simulate", "check", "scan"} <= set(COMMANDS)
    for name, command in COMMANDS.items():
        assert name in shown.output
        assert command.help


def test_the_version() -> None:
    shown = CliRunner().invoke(app, ["--version"])
    assert (shown.exit_code, shown.output) == (0, f"guardrail {version('guardrail')}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is_for(name: str) -> None:
    assert [parameter.name for parameter in COMMANDS[name].params if not parameter.help] == []


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("an unknown command", ["fly"], "No such command"),
        ("an unknown option", ["check", "--fast"], "No such option"),
        ("a port that is none", ["simulate", "--port", "70000"], "'--port'"),
        ("no workers", ["serve", "--workers", "0"], "'--workers'"),
        ("an unknown format", ["scan", "--format", "xml"], "xml"),
        ("nothing to serve", ["serve"], "guardrail serve needs --config FILE or --upstream URL"),
    ],
)
def test_refused(name: str, arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("GUARDRAIL_CONFIG", "GUARDRAIL_UPSTREAM"):
        monkeypatch.delenv(variable, raising=False)
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 2
    assert said in shown.output


def test_the_proxy_is_imported_by_the_command_that_runs_it() -> None:
    """`guardrail check` and `guardrail scan` are quick, and work where there is no network stack to speak of."""
    program = "import sys, guardrail.cli; print('aiohttp' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert shown.stdout.strip() == "False"
