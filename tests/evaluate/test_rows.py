"""Labelled rows: what is read, what is refused with its place, and what a row says of a category."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from guardrail.evaluate.rows import BadRows, Row, check_scope, positives, read_rows, read_scope, vouched
from guardrail.text.scores import CATEGORIES

ROW = 'a row {"text": "...", "labels": [...]}'


def write(path: Path, *rows: dict[str, Any] | str) -> Path:
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def test_plain_and_packed(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.jsonl", {"text": "a", "labels": ["hate"], "lang": "en", "source": "s:t", "more": 1}, "")
    packed = write(tmp_path / "b.jsonl.gz", {"text": "b", "labels": []})
    found = read_rows([plain, packed])
    assert found.rows == [Row("a", ["hate"], lang="en", source="s:t"), Row("b", [])]
    assert found.rows[0].set == "s"


def test_splits(tmp_path: Path) -> None:
    rows = [{"text": split, "labels": [], "split": split} for split in ("train", "dev", "")]
    file = write(tmp_path / "a.jsonl", *rows)
    found = read_rows([file], split="dev")
    assert [row.text for row in found.rows] == ["dev", ""]
    assert found.other_splits == 1
    assert len(read_rows([file]).rows) == 3


def test_a_draw(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", *({"text": str(index), "labels": []} for index in range(100)))
    first = read_rows([file], limit=10, seed=1)
    assert first == read_rows([file], limit=10, seed=1)
    assert first.rows != read_rows([file], limit=10, seed=2).rows
    assert (len(first.rows), first.not_drawn) == (10, 90)
    texts = [int(row.text) for row in first.rows]
    assert texts == sorted(texts)
    assert read_rows([file], limit=100).not_drawn == 0


def test_every_bad_line_is_told(tmp_path: Path) -> None:
    bad = write(tmp_path / "a.jsonl", '{"text": 1, "labels": []}', {"text": "fine", "labels": []}, "{]", "hello", "3")
    worse = write(tmp_path / "b.jsonl.gz", {"text": "", "labels": ["rude"]}, {"lang": 3, "labels": ["hate", None]})
    with pytest.raises(BadRows) as raised:
        read_rows([bad, worse])
    known = ", ".join(CATEGORIES)
    assert raised.value.problems == [
        f"{bad}:1: text: found 1, expected a text; put it in quotes",
        f"{bad}:3: found no JSON (JSON is malformed: object keys must be strings (byte 1)), expected {ROW}",
        f"{bad}:4: found no JSON (JSON is malformed: invalid character (byte 0)), expected {ROW}",
        f"{bad}:5: found no object, expected {ROW}",
        f"{worse}:1: found the label 'rude', expected one of {known}",
        f"{worse}:2: found no key 'text', expected one",
        f"{worse}:2: labels.1: found nothing, expected a text",
        f"{worse}:2: lang: found 3, expected a text; put it in quotes",
    ]


@pytest.mark.parametrize("data", [b"no gzip", gzip.compress(b'{"text": "a", "labels": []}', mtime=0)[:-9]])
def test_a_broken_archive(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(data)
    with pytest.raises(BadRows, match="no complete gzip file"):
        read_rows([file])


def test_what_a_row_says() -> None:
    scope = {"narrow": frozenset({"hate"}), "wide": frozenset(CATEGORIES) - {"unsafe"}, "silent": frozenset[str]()}
    labelled = Row("", ["hate"], source="wide:x")
    assert positives(labelled) == {"hate", "unsafe"}, "any label is a harm"
    assert vouched(labelled, scope) == set(), "a label that is missing says nothing"
    assert positives(Row("", [])) == set()
    assert vouched(Row("", [], source="narrow:x"), scope) == {"hate"}
    assert vouched(Row("", [], source="wide"), scope) == set(CATEGORIES)
    assert vouched(Row("", [], source="silent:"), scope) == set()
    assert vouched(Row("", []), None) == set(CATEGORIES)


def test_a_scope(tmp_path: Path) -> None:
    file = tmp_path / "scope.json"
    file.write_text('{"a": ["hate"], "b": []}')
    scope = read_scope(file)
    assert scope == {"a": {"hate"}, "b": set()}
    check_scope([Row("", [], source="a:1"), Row("", ["hate"], source="c:1")], scope)
    with pytest.raises(BadRows, match=r"nothing of 'c', which has 2 empty rows\n.*of '', which has 1 "):
        check_scope([Row("", [], source="c:1"), Row("", [], source="c:2"), Row("", [])], scope)
    file.write_text('{"a": ["rude"]}')
    with pytest.raises(BadRows, match="a: found 'rude', expected one of hate"):
        read_scope(file)
    file.write_text("[]")
    with pytest.raises(BadRows, match=r"scope.json: found another shape, expected \{"):
        read_scope(file)
