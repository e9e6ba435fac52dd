"""Rows of a lexicon: what is read, and what cannot be."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.policy.rows import BadRow, Row, csv_rows, jsonl_rows


def told(rows: list[Row | BadRow]) -> list[str]:
    return [f"{row.line}:{row.column}: {row.message}" for row in rows if isinstance(row, BadRow)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("term\nx\n", ["x"]),
        ("term\r\nx\r\n\r\n#y\r\n", ["x"]),
        ("note,term\nsaid, x \n,y\n", ["x", "y"]),
        ('term,note\n"a, b",\n" c ",n\n"say ""x""",n\n"#tag",n', ["a, b", "c", 'say "x"', "#tag"]),
        ('term,note\n x , "two\nlines" \ny,', ["x", "y"]),
        ("term,note\nx", ["x"]),
    ],
)
def test_csv(text: str, expected: list[str]) -> None:
    rows = list(csv_rows(text))
    assert told(rows) == []
    assert [row.term for row in rows if isinstance(row, Row)] == expected


@given(
    st.lists(
        st.lists(st.text("ab,\" '#|é词\n").filter(lambda text: "\r" not in text), min_size=2, max_size=2), max_size=8
    )
)
def test_csv_reads_what_the_standard_library_writes(table: list[list[str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows([["term", "note"], *table])
    rows = list(csv_rows(out.getvalue()))
    assert told(rows) == []
    assert [[row.term, row.note] for row in rows if isinstance(row, Row)] == [
        [cell.strip() for cell in cells] for cells in table
    ]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("term,catgory\nx,y\n", ["1:6: found the unknown column 'catgory', expected 'category' (did you mean that?)"]),
        ("term,note,note\nx,y\n", ["1:11: found the column 'note' again, expected each name once"]),
        ("bomb\nknife\n",
         ["1:1: found a first row without the column 'term', expected the names of the columns: one of term, category, "
          "severity, action, options, allow, language, note"]),
        ("term,note\na,b,c\nd,e\nf,g, ,\n",
         ["2:5: found 3 fields, expected at most 2; a comma in a field needs quotes",
          "4:5: found 4 fields, expected at most 2; a comma in a field needs quotes"]),
        ('term\nx\n"y\nz\n', ["3:1: found a quote that is never closed, expected another"]),
        ('term,note\n"a"b,c\n',
         ["2:4: found text behind a quoted field, expected a comma; a quote inside a field is written twice"]),
        ('term\nsay "x"\n',
         ['2:5: found a quote inside a field, expected the whole field in quotes and this one written twice: '
          '"a ""b"""']),
        ('term,note\nx,"two\nlines"z\ny,"\n',
         ["3:7: found text behind a quoted field, expected a comma; a quote inside a field is written twice",
          "4:3: found a quote that is never closed, expected another"]),
        ('"term\nx\n', ["1:1: found a quote that is never closed, expected another"]),
    ],
)  # fmt: skip
def test_csv_problems(text: str, problems: list[str]) -> None:
    assert told(list(csv_rows(text))) == problems


def test_a_quote_that_is_never_closed_hides_no_other_row() -> None:
    rows = list(csv_rows("term\na\n" + '"b\n' + "c\n" * 500))
    assert told(rows) == ["3:1: found a quote that is never closed, expected another"]
    assert [row.term for row in rows if isinstance(row, Row)] == ["a", *["c"] * 500]


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        ("{", ["1:2: this is not valid JSON: Expecting property name enclosed in double quotes"]),
        ("[" * 100_000, ["1:1: this is not JSON that can be read: a number too long, or nested too deeply"]),
        ('["x"]', ['1:1: found no object, expected one on each line: {"term": …}']),
        ('{"term": "x", "catgory": "y", "note": 1}',
         ["1:15: found the unknown key 'catgory', expected 'category' (did you mean that?)",
          "1:31: found something else, expected a text"]),
        ('{"term": "x", "term": "y"}', ["1:2: found the key 'term' again, expected it once"]),
        ('{"trem": "x"}',
         ["1:1: found no key 'term', expected one",
          "1:2: found the unknown key 'trem', expected 'term' (did you mean that?)"]),
        ('{"term": {"term": "x"}}', ["1:2: found something else, expected a text"]),
        ('{"term": "x", "allow": [1]}', ["1:15: found something else, expected a text or a list of texts"]),
    ],
)  # fmt: skip
def test_jsonl_problems(line: str, problems: list[str]) -> None:
    assert sorted(told(list(jsonl_rows(line + '\n{"term": "good"}')))) == problems


def test_jsonl() -> None:
    (row,) = jsonl_rows('# comment\n{"term": " x ", "options": ["case", "exact"], "allow": ["a | b"], "note": "n"}\n')
    assert isinstance(row, Row)
    assert (row.line, row.term, row.traits, row.allow, row.note) == (
        2,
        "x",
        ("", "", "", "case exact", ""),
        ("a | b",),
        "n",
    )
    assert row.place("note") == (2, 67)
    assert row.place("severity") == (2, 1)
