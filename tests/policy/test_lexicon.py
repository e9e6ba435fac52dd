"""Lexicon files: terms by what is said about them, with their places; every problem with its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrail.policy.lexicon import MAX_TERM, Lexicon, read_lexicon
from guardrail.policy.traits import PLAIN, Traits
from guardrail.text.rules import Action


def read(path: Path, content: str | bytes) -> tuple[Lexicon, list[str]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    lexicon, problems = read_lexicon(path)
    return lexicon, [f"{p.line}:{p.column}: {p.message}" for p in problems]


def terms(lexicon: Lexicon) -> dict[str, int]:
    return {term: place for group in lexicon.groups.values() for term, place in group.items()}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"one\ntwo words\n", {"one": 1, "two words": 2}),
        (b"# note\n\n  padded\t\r\n", {"padded": 3}),
        (b"c#\n#c\n # c\n", {"c#": 1}),
        (b"again\nother\nagain\n", {"again": 1, "other": 2}),
        ("\ufeff词\n".encode(), {"词": 1}),
        ("a\u2028b\nc".encode(), {"a\u2028b": 1, "c": 2}),
        (b"a\tb", {"a\tb": 1}),
        (b"@everyone\n@ here\n", {"@everyone": 1, "@ here": 2}),
    ],
)
def test_plain_terms(tmp_path: Path, content: bytes, expected: dict[str, int]) -> None:
    lexicon, problems = read(tmp_path / "l.txt", content)
    assert problems == []
    assert {traits: group for traits, group in lexicon.groups.items() if group} == {PLAIN: expected}


def test_the_head_of_a_text_file_speaks_for_all_its_terms(tmp_path: Path) -> None:
    head = "# list\n@category slur\n@severity high\n@action log\n@options noise edges=never\n@language en\n"
    lexicon, problems = read(tmp_path / "l.txt", head + "word\n")
    assert problems == []
    traits = Traits("slur", "high", Action.LOG, "never", folds=(("noise", True),), languages=frozenset({"en"}))
    assert lexicon.groups[traits] == {"word": 7}


CSV = """\
term,category,severity,action,options,allow,language,note
# the same in two languages
gift,threat,,,,birthday gift | gift shop,en,a present
"one, two",,high,log,"case edges=never",,,
gift,,low,,,Gift shop,de,poison
plain
"""
JSONL = """\
{"term": "gift", "category": "threat", "allow": ["birthday gift", "gift shop"], "language": "en", "note": "a present"}

{"term": "one, two", "severity": "high", "action": "log", "options": ["case", "edges=never"]}
{"term": "gift", "severity": "low", "allow": "Gift shop", "language": ["de"], "note": "poison"}
{"term": "plain"}
"""


@pytest.mark.parametrize(("name", "content"), [("l.csv", CSV), ("l.jsonl", JSONL), ("L.CSV", CSV)])
def test_rows_say_what_each_term_is(tmp_path: Path, name: str, content: str) -> None:
    lexicon, problems = read(tmp_path / name, content)
    assert problems == []
    assert {traits: set(group) for traits, group in lexicon.groups.items() if group} == {
        Traits("threat", "low", languages=frozenset({"en", "de"})): {"gift"},
        Traits(severity="high", action=Action.LOG, edges="never", case=True): {"one, two"},
        PLAIN: {"plain"},
    }
    assert list(lexicon.allow) == ["birthday gift", "gift shop", "Gift shop"]
    assert lexicon.notes == {"gift": "a present"}


def test_includes_are_relative_and_speak_for_themselves(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more/a.csv").write_text("term,severity\nred,high\nblue,\n", encoding="utf-8")
    (tmp_path / "more/b.txt").write_text("@include a.csv\n@category c\ngreen\n", encoding="utf-8")
    lexicon, problems = read(tmp_path / "l.txt", "@severity low\n@include more/b.txt\nwhite\n@include ./more/a.csv\n")
    assert problems == []
    assert {
        term: (traits.severity, traits.category, lexicon.at(place).file, lexicon.at(place).line)
        for traits, group in lexicon.groups.items()
        for term, place in group.items()
    } == {
        "red": ("high", None, f"{tmp_path}/more/a.csv", 2),
        "blue": (None, None, f"{tmp_path}/more/a.csv", 3),
        "green": (None, "c", f"{tmp_path}/more/b.txt", 3),
        "white": ("low", None, f"{tmp_path}/l.txt", 3),
    }
    assert lexicon.files == [tmp_path / "l.txt", tmp_path / "more/b.txt", tmp_path / "more/a.csv"]


def test_problems_of_includes(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\n@include l.txt\n@include b.txt\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("b\x07\n", encoding="utf-8")
    (tmp_path / "l.txt").write_text("@include none.txt\n  @include a.txt\n@include l.txt\nx\n", encoding="utf-8")
    problems = [str(problem).removeprefix(f"{tmp_path}/") for problem in read_lexicon(tmp_path / "l.txt")[1]]
    assert problems == [
        "l.txt:1:1: found no file 'none.txt' here, expected a lexicon",
        "a.txt:2:1: found a circle of lexicons, expected none: l.txt → a.txt → l.txt",
        "b.txt:1:2: found the control character U+0007 in a term, expected printable text",
        "l.txt:3:1: found a circle of lexicons, expected none: l.txt → l.txt",
    ]


def test_entries_of_one_term_that_contradict_each_other(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("term,severity\na,high\nb,low\nb,\nc,high\n", encoding="utf-8")
    (tmp_path / "l.txt").write_text("@severity low\n@include other.csv\na\nb\nc\n", encoding="utf-8")
    lexicon, problems = read_lexicon(tmp_path / "l.txt")
    assert [str(problem).replace(f"{tmp_path}/", "") for problem in problems] == [
        f"l.txt:{line}:1: found {term!r} again, expected what line {first} of other.csv says about it, or nothing else"
        for line, term, first in ((3, "a", 2), (5, "c", 5))
    ]
    assert terms(lexicon).keys() == {"a", "b", "c"}
    again = read(tmp_path / "m.csv", "term,options\nx,noise\nx,no-leet\n")[1]
    assert again == ["3:1: found 'x' again, expected what line 2 says about it, or nothing else"]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("l.txt", b"", "1:1: found no term, expected one a line"),
        ("l.txt", b"# only\n# comments\n", "1:1: found no term, expected one a line"),
        ("l.csv", b"term\n", "1:1: found no term, expected one a line"),
        ("l.jsonl", b"\n", "1:1: found no term, expected one a line"),
        ("l.txt", b"good\nb\x07d\n", "2:2: found the control character U+0007 in a term, expected printable text"),
        ("l.txt", b"good\nbad\xff\n", "2:4: found the byte 0xFF, expected UTF-8"),
        ("l.txt", b"ok\n  " + b"x" * (MAX_TERM + 1),
         f"2:3: found a term of {MAX_TERM + 1} characters, expected at most {MAX_TERM}"),
        ("l.yaml", b"x", "1:1: found a lexicon 'l.yaml', expected a name that ends in one of .txt, .csv, .jsonl"),
        ("l.txt", b"@catgory slur\nx\n",
         "1:1: found the unknown line '@catgory', expected '@category' (did you mean that?); a term that looks like "
         "one needs a .csv or .jsonl"),
        ("l.txt", b"x\n@severity high\n",
         "2:1: found '@severity' behind a term, expected it before the first one: it speaks for the whole file"),
        ("l.txt", b"@action log\n@action halt\nx\n", "2:1: found '@action' again, expected it once"),
        ("l.txt", b"@severity grave\nx\n", "1:1: found 'grave', expected one of low, medium, high, critical"),
        ("l.csv", b"term,severity\nx,hihg\ny,low\n", "2:3: found 'hihg', expected 'high' (did you mean that?)"),
        ("l.csv", b"term,note\n,empty\nx,\n", "2:1: found no term in this row, expected one"),
        ("l.csv", b"term,allow\nx,a | \x01b\n",
         "2:3: found the control character U+0001 in an allow-phrase, expected printable text"),
        ("l.jsonl", b'{"term": "x", "allow": [""]}\n', "1:15: found an allow-phrase with nothing in it, expected one"),
        ("l.jsonl", b'{"term": "x", "severity": "hihg"}', "1:15: found 'hihg', expected 'high' (did you mean that?)"),
    ],
)  # fmt: skip
def test_problems(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    assert read(tmp_path / name, content)[1] == [problem]


def test_thousands_of_lines_with_every_problem(tmp_path: Path) -> None:
    rows = [f"t{n},{'grave' if n % 100 == 0 else 'high'}" for n in range(5000)]
    lexicon, problems = read(tmp_path / "l.csv", "term,severity\n" + "\n".join(rows))
    assert [line.split(":")[0] for line in problems] == [str(n + 2) for n in range(0, 5000, 100)]
    assert len(terms(lexicon)) == 5000
