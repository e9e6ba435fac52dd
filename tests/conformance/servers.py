"""The processes of the conformance tests: the simulated model server, and guardrail in front of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

KEY = "test-key-of-acme"
START_LIMIT = 60.0
"""Seconds until a process must have said where it listens; generous, for a busy machine."""


@contextlib.contextmanager
def listening(arguments: Sequence[str], urls: int = 1) -> Iterator[list[str]]:
    """Run `python -m guardrail ARGUMENTS`; give the first `urls` addresses that it prints; stop it at the end."""
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "guardrail", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            deadline = time.monotonic() + START_LIMIT
            found: list[str] = []
            while len(found) < urls:
                ended = child.poll() is not None
                said = os.pread(output.fileno(), 1 << 20, 0).decode(errors="replace")
                found = re.findall(r"https?://[^\s/]+:\d+", said)
                assert not ended or len(found) >= urls, f"{arguments} ended:\n{said}"
                assert time.monotonic() < deadline, f"{arguments} did not start:\n{said}"
                time.sleep(0.02)
            yield found[:urls]
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def configure(folder: Path, simulator: str, policy: dict[str, Any]) -> Path:
    """Write a configuration with one tenant, whose key is `KEY` and whose policy is named `acme`; give its path."""
    settings = {
        "version": 1,
        "listen": {"host": "127.0.0.1", "port": 0},
        "admin": {"host": "127.0.0.1", "port": 0},
        "upstreams": {"default": {"url": simulator}},
        "policies": "policies/",
        "tenants": "tenants/",
    }
    tenant = {
        "tenant": "acme",
        "policy": "acme",
        "upstream": "default",
        "keys": ["sha256:" + hashlib.sha256(KEY.encode()).hexdigest()],
    }
    for name, document in (("guardrail", settings), ("policies/acme", policy), ("tenants/acme", tenant)):
        path = folder / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return folder / "guardrail.yaml"


def last_generation(simulator: str) -> dict[str, Any]:
    """What the model server says of its last answer once that has ended."""
    for _ in range(500):
        with urllib.request.urlopen(f"{simulator}/simulate/stats") as response:
            last: dict[str, Any] = json.load(response)["generations"][-1]
        if last["state"] != "running":
            return last
        time.sleep(0.01)
    raise AssertionError("it is still running")
