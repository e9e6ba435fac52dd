"""`guardrail score`: rows come back whole, with scores; bad ones are told and cost no other."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from guardrail.cli import app
from guardrail.evaluate.scoring import Stage
from guardrail.score import BadRow, score_each, score_file, text_of
from guardrail.text.scores import CATEGORIES
from tests.classify import tiny
from tests.evaluate import gated
from tests.evaluate.fake import FakeModel

NO_JSON = 'found no JSON (Expecting value at character 0), expected a row {"text": "..."}'
LONG = "The weather was fine all day long. This is an awful thing to say. Nothing else is to be told."


def scored(rows: bytes, stage: Stage = Stage.CASCADE, model: FakeModel | None = None) -> tuple[list[bytes], int]:
    out = io.BytesIO()
    bad = score_each(io.BytesIO(rows), out, model or FakeModel(), stage, lambda count: None)
    return out.getvalue().splitlines(), bad


def test_what_a_row_held_is_given_back_byte_for_byte() -> None:
    row = '{ "n": 1.50,  "text":"caf\\u00e9 谢谢", "big": 12345678901234567890123 }'
    (line,), bad = scored(row.encode() + b"  \r\n")
    assert bad == 0
    assert line.startswith(row.removesuffix(" }").encode() + b', "scores": {"hate": 0.01, ')
    found = json.loads(line)
    assert list(found) == ["n", "text", "big", "scores", "units", "levels"]
    assert list(found["scores"]) == list(found["units"]) == list(CATEGORIES)


def test_a_long_text_has_the_greatest_of_its_units() -> None:
    (line,), _ = scored(json.dumps({"text": LONG}).encode())
    found = json.loads(line)
    start, end = found["units"]["hate"]
    assert found["scores"]["hate"] == 0.95
    assert LONG[start:end].strip() == "This is an awful thing to say."
    assert found["units"]["harassment"][0] == 0


@pytest.mark.parametrize(
    ("stage", "hate", "asked"), [(Stage.CASCADE, 0.95, 1), (Stage.ENCODER, 0.95, 3), (Stage.GATE, 0.5, 0)]
)
def test_stages(stage: Stage, hate: float, asked: int) -> None:
    model = FakeModel()
    (line,), _ = scored(json.dumps({"text": LONG}).encode(), stage, model)
    assert json.loads(line)["scores"]["hate"] == hate
    assert len(model.asked) == asked


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("It is fine.", {}),
        ("A grim, damn idiot.", {"hate": "balanced", "harassment": "precise", "profanity": "balanced"}),
    ],
)
def test_the_highest_operating_point_that_is_reached(text: str, levels: dict[str, str]) -> None:
    (line,), _ = scored(json.dumps({"text": text}).encode())
    assert json.loads(line)["levels"] == levels


def test_a_text_of_blanks_scores_nothing() -> None:
    (line,), _ = scored(b'{"text": " "}')
    found = json.loads(line)
    assert (found["scores"]["hate"], found["units"]["hate"]) == (0.0, None)


def test_only_labels_that_the_model_has() -> None:
    (line,), _ = scored(b'{"text": "an awful thing"}', model=FakeModel(["hate"]))
    assert json.loads(line)["scores"] == {"hate": 0.95}


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("no JSON", b"{]", "found no JSON .Expecting property name"),
        ("no UTF-8", b'{"text": "\xff"}', "found the byte 0xff at byte offset 10, expected UTF-8"),
        ("no object", b'["text"]', 'found no object with a string "text", expected a row {"text": "..."}'),
        ("no text", b'{"txt": "a"}', 'found no object with a string "text", expected a row {"text": "..."}'),
        (
            "text that is none",
            b'{"text": null}',
            'found no object with a string "text", expected a row {"text": "..."}',
        ),
        ("too deep", b"[" * 100_000, "nested too deeply"),
        ("scored before", b'{"text": "a", "scores": {}}', "found a field 'scores' already"),
    ],
)
def test_bad_rows(name: str, line: bytes, said: str) -> None:
    with pytest.raises(BadRow, match=said):
        text_of(line)


def test_a_bad_row_of_a_stream_costs_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    lines, bad = scored(b'{"text": "a"}\n\nnope\n{"text": "b"}\n3\n')
    assert bad == 2
    assert [json.loads(line).get("text") for line in lines] == ["a", None, "b", None]
    assert json.loads(lines[1]) == {"error": NO_JSON, "line": 3}
    assert capsys.readouterr().err == (
        f"standard input:3: {NO_JSON}\n"
        'standard input:5: found no object with a string "text", expected a row {"text": "..."}\n'
    )


def test_each_row_is_answered_before_the_next_is_read() -> None:
    out = io.BytesIO()
    seen: list[int] = []

    def rows() -> object:
        for _ in range(3):
            seen.append(out.getvalue().count(b"\n"))
            yield b'{"text": "a"}\n'

    score_each(rows(), out, FakeModel(), Stage.CASCADE, lambda count: None)  # type: ignore[arg-type]
    assert seen == [0, 1, 2]


def test_a_file_with_bad_rows_is_not_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'{"text": "a"}\nnope\n\n{"text": 1}\n')
    model, out = FakeModel(), io.BytesIO()
    assert score_file(file, out, model, Stage.CASCADE) == 2
    assert (out.getvalue(), model.asked) == (b"", [])
    assert capsys.readouterr().err == (
        f"{file}:2: {NO_JSON}\n"
        f'{file}:4: found no object with a string "text", expected a row {{"text": "..."}}\n'
        "guardrail score: 2 of 3 rows are bad; none is scored\n"
    )


def test_a_file_is_scored_as_its_rows_are(tmp_path: Path) -> None:
    rows = b"".join(json.dumps({"text": LONG[: 3 * index], "id": index}).encode() + b"\n" for index in range(30))
    file = tmp_path / "rows.jsonl.gz"
    file.write_bytes(gzip.compress(rows))
    out = io.BytesIO()
    assert score_file(file, out, FakeModel(), Stage.CASCADE) == 0
    assert out.getvalue().splitlines() == scored(rows)[0]


def score(*arguments: str | Path, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(app, ["score", *map(str, arguments)], input=stdin)


def test_the_command(tmp_path: Path) -> None:
    model = tiny.ours(tmp_path / "model")
    row = b'{"text": "You idiot, this is it."}'
    shown = score("--model", model, stdin=row)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert json.loads(shown.stdout)["scores"]["harassment"] == 0.982014
    file = tmp_path / "rows.jsonl"
    file.write_bytes(row)
    assert score("--model", model, file).stdout == shown.stdout
    assert score("--model", model, "--encoder", "-", stdin=row).stdout == shown.stdout


def test_the_stages_of_a_real_model(tmp_path: Path) -> None:
    harmless = "The weather is fine today, and so am I."
    model = gated.folder(tmp_path / "model", harmless)
    rows = b"".join(json.dumps({"text": text}).encode() + b"\n" for text in (harmless, "You idiot, this is it."))
    for options, expected in [
        (["--gate"], [gated.LOW, gated.HIGH]),
        (["--encoder"], [0.017986, 0.982014]),
        ([], [gated.LOW, 0.982014]),
    ]:
        shown = score("--model", model, *options, stdin=rows)
        assert (shown.exit_code, shown.stderr) == (0, "")
        assert [json.loads(line)["scores"]["harassment"] for line in shown.stdout.splitlines()] == expected


def test_what_is_refused(tmp_path: Path) -> None:
    model = tiny.ours(tmp_path / "model")
    file = tmp_path / "rows.jsonl.gz"
    file.write_bytes(b"nope")
    broken = b'{"text": "a"}\n{"text": "It is broken now."}\n{"text": "b"}\n'
    for arguments, stdin, status, said in [
        (["--model", model], b"nope\n", 2, f"standard input:1: {NO_JSON}"),
        (["--model", model, "--gate"], b"", 2, "--gate: the model tiny has no first stage"),
        (["--gate", "--encoder"], b"", 2, "--encoder or --gate, not both"),
        (["--model", model, tmp_path / "no.jsonl"], b"", 1, "no.jsonl: No such file"),
        (["--model", model, file], b"", 1, "rows.jsonl.gz: no complete gzip file"),
        (["--model", tmp_path / "no"], b"", 1, "expected one with a manifest.yaml, or 'guard-small'"),
        (["--model", model], broken, 1, "guardrail score: the model answered what is no number"),
    ]:
        shown = score(*arguments, stdin=stdin)
        assert shown.exit_code == status, arguments
        assert said in shown.stderr
