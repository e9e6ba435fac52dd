"""`python -m guardrail` is the `guardrail` command."""

import subprocess
import sys


def test_the_module_runs_as_the_command() -> None:
    command = [sys.executable, "-m", "guardrail", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    for name in ("serve", "demo", "simulate", "check", "scan"):
        assert name in shown
