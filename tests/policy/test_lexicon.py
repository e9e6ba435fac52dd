"""Lexicon files: terms with their lines, problems with theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrail.policy.lexicon import MAX_TERM, read_lexicon


def read(path: Path, content: bytes) -> tuple[dict[str, int], list[str]]:
    path.write_bytes(content)
    lexicon, problems = read_lexicon(path)
    return lexicon.terms, [f"{p.line}:{p.column}: {p.message}" for p in problems]


@pytest.mark.parametrize(
    ("content", "terms"),
    [
        (b"one\ntwo words\n", {"one": 1, "two words": 2}),
        (b"# note\n\n  padded\t\r\n", {"padded": 3}),
        (b"c#\n#c\n # c\n", {"c#": 1}),
        (b"again\nother\nagain\n", {"again": 1, "other": 2}),
        ("\ufeff词\n".encode(), {"词": 1}),
        ("a\u2028b\nc".encode(), {"a\u2028b": 1, "c": 2}),
        (b"a\tb", {"a\tb": 1}),
    ],
)
def test_terms(tmp_path: Path, content: bytes, terms: dict[str, int]) -> None:
    assert read(tmp_path / "l.txt", content) == (terms, [])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "1:1: found no term, expected one a line"),
        (b"# only\n# comments\n", "1:1: found no term, expected one a line"),
        (b"good\nb\x07d\n", "2:2: found the control character U+0007 in a term, expected printable text"),
        (b"good\nbad\xff\n", "2:4: found the byte 0xFF, expected UTF-8"),
        (b"ok\n  " + b"x" * (MAX_TERM + 1),
         f"2:3: found a term of {MAX_TERM + 1} characters, expected at most {MAX_TERM}"),
    ],
)  # fmt: skip
def test_problems(tmp_path: Path, content: bytes, problem: str) -> None:
    assert read(tmp_path / "l.txt", content)[1] == [problem]
