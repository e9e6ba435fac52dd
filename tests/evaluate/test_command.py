"""`guardrail eval`, with a small real model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from guardrail.cli import app
from tests.classify import tiny
from tests.evaluate import gated
from tests.evaluate.test_rows import write

SCOPE = '{"set": ["hate", "harassment", "sexual", "violence", "self_harm", "illicit", "profanity"]}'


def evaluate(*arguments: str | int | Path) -> Result:
    return CliRunner().invoke(app, ["eval", *map(str, arguments)])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny.ours(tmp_path / "model")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    base = {"role": "response", "lang": "en", "source": "set:tag", "split": "dev"}
    return write(
        tmp_path / "rows.jsonl",
        {"text": "You are an idiot, and all of us know it.", "labels": ["harassment"], **base},
        {"text": "The weather is fine today, and so am I.", "labels": [], **base},
        {"text": "Nothing to see here, please go on home.", "labels": [], **base, "split": "train"},
    )


def test_the_whole(tmp_path: Path, model: Path, data: Path) -> None:
    more = write(tmp_path / "more.jsonl.gz", {"text": "坏人，真是坏人。", "labels": ["harassment"], "lang": "zh"})
    page, figures = tmp_path / "report.html", tmp_path / "report.json"
    (tmp_path / "scope.json").write_text(SCOPE)
    arguments = ["--data", data, more, "--report", page, "--json", figures, "--model", model]
    shown = evaluate(*arguments, "--scope", tmp_path / "scope.json", "--limit", "90")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "Precision and recall" in shown.output
    report = json.loads(figures.read_text())
    assert {key: report["data"][key] for key in ("rows", "other_splits", "not_drawn", "split")} == {
        **{"rows": 3, "other_splits": 1, "not_drawn": 0, "split": "dev"}
    }
    assert [file["name"] for file in report["data"]["files"]] == ["rows.jsonl", "more.jsonl.gz"]
    assert report["stages"]["encoder"]["categories"]["harassment"]["all"]["average_precision"] == 1.0
    assert report["stages"]["encoder"]["early_stop"]["en"]["halted"] == 1
    first = page.read_bytes(), figures.read_bytes()
    evaluate(*arguments, "--scope", tmp_path / "scope.json", "--limit", "90")
    assert (page.read_bytes(), figures.read_bytes()) == first
    assert b"Evaluation of tiny" in first[0]
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_comparing(tmp_path: Path, model: Path, data: Path) -> None:
    arguments = ["--data", data, "--report", tmp_path / "r.html", "--limit", "9"]
    before = tmp_path / "before.json"
    assert evaluate(*arguments, "--model", model, "--json", before).exit_code == 0
    same = evaluate(*arguments, "--model", model, "--compare", before)
    assert (same.exit_code, same.output) == (0, "The two reports are of the same model.\nNo figure differs.\n")
    other = tiny.ours(tmp_path / "other", {"fine": {"harassment": 8.0}}, name="other")
    shown = evaluate(*arguments, "--model", other, "--compare", before)
    assert shown.exit_code == 0
    assert "encoder · harassment · all · AUPRC" in shown.output
    assert "-0.5000" in shown.output


def test_three_stages_side_by_side(tmp_path: Path, data: Path) -> None:
    model = gated.folder(tmp_path / "gated", "The weather is fine today, and so am I.")
    figures = tmp_path / "report.json"
    shown = evaluate(
        "--data", data, "--report", tmp_path / "r.html", "--json", figures, "--model", model, "--limit", 90
    )
    assert (shown.exit_code, shown.stderr) == (0, "")
    report = json.loads(figures.read_text())
    assert list(report["stages"]) == ["gate", "encoder", "cascade"]
    halted = {name: stage["early_stop"]["all"]["halted"] for name, stage in report["stages"].items()}
    assert halted == {"gate": 0, "encoder": 1, "cascade": 1}, "the gate says 0.88, which is not `precise`"
    assert report["encoder_share"] == 0.5


def test_names_of_languages_are_shown_as_they_are(tmp_path: Path, model: Path) -> None:
    row = {"text": "a", "labels": [], "lang": "[red]x[/blue] :smile:"}
    data = write(tmp_path / "rows.jsonl", row)
    shown = evaluate("--data", data, "--report", tmp_path / "r.html", "--model", model, "--limit", "1")
    assert (shown.exit_code, shown.exception) == (0, None)
    assert f"hate       {row['lang']} " in shown.output


def test_what_is_refused(tmp_path: Path, model: Path, data: Path) -> None:
    page = tmp_path / "report.html"
    (tmp_path / "scope.json").write_text('{"other": []}')
    (tmp_path / "old.json").write_text('{"format": 0}')
    (tmp_path / "part.json").write_text('{"format": 1, "model": {}}')
    (tmp_path / "empty.jsonl").write_text("")
    bad = write(tmp_path / "bad.jsonl", "{]", '{"text": 1}')
    usual = ["--report", page, "--model", model, "--data"]
    for arguments, status, said in [
        ([*usual, bad], 2, f"{bad}:1: found no JSON (JSON is malformed"),
        ([*usual, bad], 2, f"{bad}:2: text: found 1, expected a text"),
        ([*usual, data, "--split", "test"], 2, "no rows of the split 'test'; 3 are of others, which `--split all`"),
        ([*usual, tmp_path / "empty.jsonl"], 2, "no rows\n"),
        ([*usual, data, "--scope", tmp_path / "scope.json"], 2, "the scope says nothing of 'set'"),
        ([*usual, data, "--compare", tmp_path / "old.json"], 2, "found a report of the format 0, expected 1"),
        ([*usual, data, "--compare", tmp_path / "part.json"], 2, "found a report without all its figures"),
        ([*usual, data, "--compare", bad], 2, f"{bad}: no JSON report"),
        ([*usual, tmp_path / "missing.jsonl"], 1, "missing.jsonl: No such file"),
        (["--report", page, "--model", tmp_path / "no", "--data", data], 1, "found no folder here"),
        # Before anything is scored: not even the model is looked for.
        (["--report", tmp_path / "no" / "r.html", "--model", "none", "--data", data], 1, f"{tmp_path / 'no'}: No such"),
        ([*usual, data, "--json", tmp_path], 1, f"{tmp_path}: Is a directory"),
        (["--report", page], 2, "Missing option '--data'"),
    ]:
        shown = evaluate(*arguments)
        assert (shown.exit_code, shown.stdout) == (status, ""), arguments
        assert said in shown.stderr
    assert not page.exists()


def test_a_model_that_fails(tmp_path: Path, model: Path) -> None:
    data = write(tmp_path / "rows.jsonl", {"text": "It is broken, and nobody will mend it.", "labels": []})
    shown = evaluate("--data", data, "--report", tmp_path / "r.html", "--model", model, "--limit", "1")
    assert (shown.exit_code, shown.stderr) == (1, "the model answered what is no number\n")
    assert not (tmp_path / "r.html").exists()
