"""Configurations on disk for tests: a folder from texts, and what loading it complains of."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from guardrail.errors import ConfigError
from guardrail.policy.registry import Snapshot, load_snapshot

ROOT = """\
version: 1
upstreams:
  default: {url: "http://127.0.0.1:8000"}
"""


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files by relative path; a `guardrail.yaml` is added where none is given. The folder."""
    for name, content in {"guardrail.yaml": ROOT, "policies/.keep": "", **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).encode())
    return folder


def load(folder: Path, files: Mapping[str, str | bytes], environ: Mapping[str, str] | None = None) -> Snapshot:
    return load_snapshot(write(folder, files), environ=environ or {})


def complaints(folder: Path, files: Mapping[str, str | bytes], environ: Mapping[str, str] | None = None) -> list[str]:
    """Every problem as `file:line:column: message`, the file relative to the folder."""
    with pytest.raises(ConfigError) as caught:
        load(folder, files, environ)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]
