"""`guardrail report` reads the counts of the state and writes a page or JSON."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from guardrail.cli import app
from guardrail.governance.counters import Kind, count
from guardrail.governance.desk import open_desk


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "guardrail.yaml").write_text(
        "version: 1\nupstreams: {default: {url: 'http://127.0.0.1:1'}}\nanonymous: {policy: default}\n"
    )

    async def write() -> None:
        async with open_desk(tmp_path, os.environ) as desk:
            await desk.store.run([count("acme", (Kind.REQUESTS, "complete", 40), (Kind.HALTS, 2))])

    asyncio.run(write())
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["report", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_json(config: Path) -> None:
    today = datetime.now(UTC).date().isoformat()
    status, out, _ = run("--config", str(config), "--from", today, "--to", today, "--format", "json", "--exact")
    told = {table["kind"]: table["rows"] for table in json.loads(out)["tables"]}
    assert status == 0
    assert told["requests"] == [{"details": ["complete"], "count": 40}]
    assert told["halts"] == [{"details": [], "count": 2}]


def test_a_page_in_a_file(config: Path) -> None:
    target = config / "report.html"
    status, out, _ = run("--config", str(config), "--language", "zh", "-o", str(target))
    assert (status, out) == (0, "")
    assert '<html lang="zh">' in target.read_text(encoding="utf-8")
    status, _, err = run("--config", str(config), "-o", str(tmp := config / "gone" / "report.html"))
    assert status == 1
    assert f"{tmp} cannot be written" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "yesterday"], "YYYY-MM-DD"),
        (["--from", "2026-02-02", "--to", "2026-02-01"], "is after"),
    ],
)
def test_bad_usage(config: Path, arguments: list[str], says: str) -> None:
    status, _, err = run("--config", str(config), *arguments)
    assert status == 2
    assert says in err


def test_a_configuration_that_cannot_be_used(tmp_path: Path) -> None:
    status, _, err = run("--config", str(tmp_path / "none.yaml"))
    assert status == 1
    assert "found no file here" in err
