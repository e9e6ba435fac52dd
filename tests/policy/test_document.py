"""Every file gives values with places, or problems with a place; never an exception."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.policy.document import MAX_FILE, read_document


def read(path: Path, content: bytes) -> tuple[object, list[str]]:
    path.write_bytes(content)
    document, problems = read_document(path)
    return document.data, [f"{p.line}:{p.column}: {p.message}" for p in problems]


@pytest.mark.parametrize(
    ("content", "data"),
    [
        (b"a: 1\nb: -3\nc: 1.5", {"a": 1, "b": -3, "c": 1.5}),
        (b"a: true\nb: False", {"a": True, "b": False}),
        (b"a: [yes, no, on, 12:30, 2024-01-01, 007, 0x1F, 1e3, .5, NaN]",
         {"a": ["yes", "no", "on", "12:30", "2024-01-01", "007", "0x1F", "1e3", ".5", "NaN"]}),
        (b"a: '1'\nb: \"true\"\nc: ''", {"a": "1", "b": "true", "c": ""}),
        (b"a: |\n  x\n  y\n", {"a": "x\ny\n"}),
        (b"1: x\ntrue: y", {"1": "x", "true": "y"}),
        ("名: 值".encode(), {"名": "值"}),
        (b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
        (b"- 1\n- [2, {c: 3}]", [1, [2, {"c": 3}]]),
        (b"a: 12345678901234567890", {"a": "12345678901234567890"}),
        (b"{}", {}),
    ],
)  # fmt: skip
def test_values(tmp_path: Path, content: bytes, data: object) -> None:
    assert read(tmp_path / "f.yaml", content) == (data, [])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "1:1: found an empty file, expected keys and values"),
        (b" \n\t\n", "1:1: found an empty file, expected keys and values"),
        (b"# nothing\n", "1:1: found only comments, expected keys and values"),
        (b"a: 1\nb: 2\na: 3", "3:1: found the key 'a' again, expected it once (first on line 1)"),
        (b"a:\n\tb: 1", "2:1: found a tab, expected spaces to indent with"),
        (b"a:\nb: 1", "1:3: found nothing, expected a value (or leave the key out)"),
        (b"a: 1\nb: ~", "2:4: found nothing, expected a value (or leave the key out)"),
        (b"a: !!python/object:os.system x",
         "1:4: found the tag 'tag:yaml.org,2002:python/object:os.system', expected a plain value"),
        (b"a: !secret x", "1:4: found the tag '!secret', expected a plain value"),
        (b"? [1]\n: x", "1:3: found a list, mapping or alias as a key, expected a word"),
        (b"a: 1\n---\nb: 2", "2:1: found a second document, expected one for each file"),
        (b"a: b: c", "1:5: this is not valid YAML: mapping values are not allowed in this context"),
        (b"ok: 1\ncaf\xe9: 2", "2:4: found the byte 0xE9, expected UTF-8"),
        ("a: 1".encode("utf-16"), "1:1: found UTF-16, expected UTF-8"),
        (b"a: x\0y", "1:5: found the control character U+0000, expected printable text"),
        (b"b: 1\na: \x1b[0m", "2:4: found the control character U+001B, expected printable text"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    assert read(tmp_path / "f.yaml", content)[1] == [problem]


def test_aliases_are_refused_so_that_nothing_can_multiply(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    data, problems = read(tmp_path / "f.yaml", "\n".join(levels).encode())
    assert data["a59"] == [None, None]  # type: ignore[index]
    assert problems[0] == "1:5: found the anchor &a0, expected none: policies share by `extends`"
    assert len(problems) == 60 + 2 * 59


def test_a_value_that_holds_itself_ends(tmp_path: Path) -> None:
    assert read(tmp_path / "f.yaml", b"a: &a [*a]")[0] == {"a": [None]}


@pytest.mark.parametrize("content", [b"[" * 100_000, b"a: " + b"[" * 41 + b"]" * 41, b"- " * 5000, b"{a: " * 900])
def test_deep_nesting_is_a_problem_not_a_crash(tmp_path: Path, content: bytes) -> None:
    assert any("nesting" in problem for problem in read(tmp_path / "f.yaml", content)[1])


def test_all_problems_of_a_file_are_found_in_one_run(tmp_path: Path) -> None:
    content = b"a: &x 1\na: 2\nb:\nc: !t 3\n"
    assert [problem.split(": ")[0] for problem in read(tmp_path / "f.yaml", content)[1]] == ["1:4", "2:1", "3:3", "4:4"]


def test_places_of_keys_and_values(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("a: 1\nb:\n  - 名: x\n    other: y\n", encoding="utf-8")
    document, _ = read_document(path)
    assert document.values[("b", 0, "other")] == (4, 12)
    assert document.keys[("b", 0, "名")] == (3, 5)
    assert str(document.problem(("b", 0, "名"), "m")) == f"{path}:3:8: m"
    assert str(document.problem(("b", 0, "名"), "m", key=True)) == f"{path}:3:5: m"
    assert str(document.problem(("b", 0, "missing", 7), "m")) == f"{path}:3:5: m"
    assert str(document.problem(("nowhere",), "m")) == f"{path}:1:1: m"


def test_what_is_no_file(tmp_path: Path) -> None:
    def message(path: Path) -> str:
        return read_document(path)[1][0].message

    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    assert message(tmp_path / "none.yaml") == "found no file here, expected one"
    assert message(tmp_path / "folder.yaml") == "found a folder, expected a file"
    assert message(tmp_path / "pipe.yaml") == "found a device, socket or pipe, expected a file"
    assert message(tmp_path / "loop.yaml").startswith("this file cannot be read: ")
    assert message(tmp_path / ("x" * 300)).startswith("this file cannot be read: ")


def test_a_file_that_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    with path.open("wb") as file:
        file.truncate(MAX_FILE + 1)
    assert read_document(path)[1][0].message == f"found more than {MAX_FILE} bytes, expected a smaller file"


@given(
    content=st.binary(max_size=200)
    | st.text(alphabet="ab:-[]{}&*!|>'\"#\n\t ,?~1é\0\u2028", max_size=200).map(str.encode)
)
def test_any_bytes_give_a_document_or_problems(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    data, problems = read(tmp_path_factory.getbasetemp() / "any.yaml", content)
    assert data is not None or problems
