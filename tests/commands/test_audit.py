"""`guardrail audit` says whether the log holds, and where it does not; and shows what is in it."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from guardrail.cli import app
from guardrail.governance.desk import open_desk
from guardrail.observe.audit_segments import segments, writers


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "guardrail.yaml").write_text(
        "version: 1\nupstreams: {default: {url: 'http://127.0.0.1:1'}}\nanonymous: {policy: default}\n"
    )

    async def write() -> None:
        async with open_desk(tmp_path, os.environ) as desk:
            for n in range(3):
                desk.audit.write("decision", {"actor": "ann", "tenant": "acme", "n": n})

    asyncio.run(write())
    return tmp_path


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["audit", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def log_of(config: Path) -> Path:
    """The only file of the log."""
    (writer,) = writers(config / "state" / "audit")
    (file,) = segments(writer)
    return file


def test_a_log_that_holds(config: Path) -> None:
    before = log_of(config).read_bytes()
    status, out, _ = run("verify", "--config", config)
    assert status == 0
    assert "4 records of 1 writers in 1 files hold" in out
    assert "compared with 1 anchors" in out
    assert log_of(config).read_bytes() == before  # to look leaves no trace
    status, out, _ = run("verify", config / "state" / "audit")
    assert status == 0
    assert "without anchors" in out


def test_an_altered_record(config: Path) -> None:
    file = log_of(config)
    file.write_bytes(file.read_bytes().replace(b'"n":1', b'"n":7'))
    status, out, err = run("verify", "--config", config)
    assert status == 1
    assert out.splitlines() == [f"{file}:3: was altered: its hash is another"]
    assert "does not hold" in err
    status, out, _ = run("verify", "--config", config, "--format", "json")
    said = json.loads(out)
    assert (status, said["holds"], said["writers"][0]["broken"]["line"]) == (1, False, 3)


def test_an_end_that_was_cut_off(config: Path) -> None:
    file = log_of(config)
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    assert run("verify", config / "state" / "audit")[0] == 0
    assert run("verify", "--config", config)[:2] == (1, f"{file}: its end is missing: 1 records or more\n")


def test_what_is_no_folder(config: Path) -> None:
    assert run("verify", config / "none")[0] == 2


def test_a_configuration_without_a_log(config: Path) -> None:
    with (config / "guardrail.yaml").open("a") as file:
        file.write("audit: {enabled: false}\n")
    assert run("verify", "--config", config) == (1, "", "guardrail audit: this configuration keeps no audit log\n")


def test_a_folder_of_its_own(config: Path) -> None:
    with (config / "guardrail.yaml").open("a") as file:
        file.write("audit: {folder: elsewhere}\n")

    async def write() -> None:
        async with open_desk(config, os.environ) as desk:
            desk.audit.write("decision", {"actor": "ann"})

    asyncio.run(write())
    assert len(writers(config / "elsewhere")) == 1


def test_the_heads(config: Path) -> None:
    status, out, _ = run("list", "--config", config, "--format", "json")
    (head,) = json.loads(out)
    assert status == 0
    assert (head["seq"], head["files"], head["held"]) == (4, 1, False)
    assert head["hash"] in run("list", "--config", config)[1]


def test_an_export(config: Path) -> None:
    status, out, _ = run("export", "--config", config, "--kind", "decision")
    assert status == 0
    assert [json.loads(line)["body"]["n"] for line in out.splitlines()] == [0, 1, 2]
    assert run("export", "--config", config, "--since", "2999-01-01")[1] == ""
    assert run("export", "--config", config, "--format", "csv", "--until", "2000-01-01")[1].startswith("time,writer,")
    assert run("export", "--config", config, "--since", "soon")[0] == 2


def test_where_there_is_no_log(tmp_path: Path) -> None:
    for command in ("verify", "list", "export"):
        status, out, err = run(command, tmp_path / "gone")
        assert (status, out) == (2, "")
        assert "is no folder" in err
    status, out, _ = run("verify", tmp_path)
    assert (status, "nothing to verify" in out) == (0, True)
