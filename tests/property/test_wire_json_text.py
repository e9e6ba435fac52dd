"""Promises 1 and 2 for an answer that is JSON: what the whole document gives, however it comes; valid stays valid."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guardrail.text.editor import Editor
from guardrail.text.rules import Action, KeepLast, Rule
from guardrail.text.ruleset import RuleSet, with_scores
from guardrail.text.scanner import compile_rules
from guardrail.text.scores import ScoreSettings
from guardrail.wire.json_text import JsonScanner
from guardrail.wire.tool_arguments import guard_arguments
from guardrail.wire.whole_text import Verdicts
from tests import strategies
from tests.property.test_text_classifier import Played, settings
from tests.scoring import fake
from tests.text.script import pattern, word

WORDS = (
    "bad",
    "ba",
    "d",
    " ",
    "bad word",
    "1234",
    "12",
    "\n",
    '"',
    "\\",
    "é",
    "炸弹",
    "👩‍👩",
    "stop",
    "- ",
    "```",
    "[",
    "(",
)
strings = st.lists(st.sampled_from(WORDS), max_size=5).map("".join)
numbers = st.sampled_from((0, 12, 1234, -1234, 12.5, 1e30, 1234567890123))
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(strings, numbers, st.sampled_from((True, False, None))),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(strings, inner, max_size=3)),
    max_leaves=8,
)
roots = st.one_of(st.lists(values, max_size=3), st.dictionaries(strings, values, max_size=4))


@st.composite
def documents(draw: st.DrawFn) -> str:
    indent = draw(st.sampled_from((None, None, 2)))
    said = json.dumps(draw(roots), ensure_ascii=draw(st.booleans()), indent=indent)
    return draw(st.sampled_from(("", "", " ", "\n"))) + said


JUNK = (
    '{"a": "',
    '"',
    "}",
    "]",
    "{",
    "[",
    ":",
    ",",
    "tru",
    "true",
    "null",
    "-",
    "1234",
    "1e",
    "\\",
    "\\u00",
    "\\ud83d",
)
JUNK += ("\\u0062ad", "\\ude00", "bad", "stop", " ", "\n", " " * 70, "1" * 300, "```json\n", "é", "炸弹")
junk = st.lists(st.sampled_from(JUNK), max_size=12).map("".join)
RULES: tuple[Rule, ...] = (
    word("bad", id="w", mask='a "mask"\n', edges="never"),
    word("bad word", "炸弹", id="k", mask=KeepLast(2)),
    pattern(r"\d{4}", id="pin", mask="[PIN]", left="digit", right="digit"),
    pattern(r"1\d", id="digits", mask="7"),
    pattern(r"\s{0,2}[-(\[]\s{0,2}", id="signs", mask="#"),
)
STOP = word("stop", id="s", action=Action.HALT, edges="never")
chosen = st.lists(st.sampled_from(RULES), min_size=1, max_size=3, unique=True)


def said(document: str) -> Any:
    """What a document says; how its characters are spelled is no matter."""
    return json.loads(document, object_pairs_hook=list)


def opened(rules: RuleSet) -> Editor:
    editor = Editor(rules)
    editor.scanner = JsonScanner(rules)
    return editor


@given(document=documents(), rules=chosen, data=st.data())
def test_a_document_is_edited_as_arguments_are(document: str, rules: list[Rule], data: st.DataObject) -> None:
    compiled = compile_rules(rules)
    expected = guard_arguments(compiled, document, "content")
    for pieces in ([document], document, data.draw(strategies.cuts(document))):
        editor = opened(compiled)
        out = "".join([*map(editor.feed, pieces), editor.finish()])
        assert said(out) == said(expected.text)
        assert editor.findings() == expected.findings
        if not expected.removed:
            assert out == document


@given(
    document=documents(),
    rules=st.lists(st.sampled_from(RULES), max_size=2, unique=True),
    levels=settings(Action.REDACT, Action.REPLACE, Action.LOG),
    data=st.data(),
)
def test_verdicts_are_those_of_the_arguments_of_a_tool(
    document: str, rules: list[Rule], levels: ScoreSettings, data: st.DataObject
) -> None:
    compiled = with_scores(compile_rules(rules), levels)
    model = fake(data.draw(st.integers(0, 1000)))
    verdicts = Verdicts()
    expected = guard_arguments(compiled, document, "content", verdicts)
    while verdicts.missing:
        verdicts.known.update({window: model(window) for window in verdicts.missing})
        verdicts.missing.clear()
        expected = guard_arguments(compiled, document, "content", verdicts)
    late = data.draw(st.sampled_from((0, 3)))
    played = Played(opened(compiled), model)
    for piece in data.draw(strategies.cuts(document)):
        played.feed(piece)
        while len(played.waiting) > late:
            played.answer(data.draw(st.integers(0, len(played.waiting) - 1)) if late else 0)
    played.finish()
    while played.waiting:
        played.answer(0)
    assert (played.editor.halt is None) == (expected.halted is None)
    if expected.halted is None:
        assert said(played.out) == said(expected.text)
        assert played.editor.findings() == expected.findings
        assert played.editor.held == 0


@given(text=st.one_of(junk, st.tuples(documents(), junk).map("".join)), rules=chosen, data=st.data())
def test_whatever_comes_is_edited_the_same_however_it_is_cut(text: str, rules: list[Rule], data: st.DataObject) -> None:
    compiled = compile_rules([*rules, STOP])
    whole = opened(compiled)
    expected = whole.feed(text) + whole.finish()
    for pieces in (text, data.draw(strategies.cuts(text))):
        editor = opened(compiled)
        out = ""
        for piece in pieces:
            out += editor.feed(piece)
            assert expected.startswith(out)
            assert editor.halt is not None or editor.held + editor.scanner.settled == editor.scanner.received
        assert out + editor.finish() == expected
        assert editor.findings() == whole.findings()
        assert (editor.halt is None) == (whole.halt is None)
        assert editor.held == 0
    assert "stop" not in expected
