"""Editors: pieces of text in, edited text out as soon as it may go."""

from __future__ import annotations

import pytest

from guardrail.text.editor import Editor
from guardrail.text.rules import Action, FixedChar, KeepLast, Rule
from guardrail.text.scanner import compile_rules
from tests.text.script import pattern, play, word

HALT, LOG = Action.HALT, Action.LOG
BOMB = word("bomb")

SCRIPTS: list[tuple[str, list[Rule], list[str], list[str]]] = [
    # name, rules, pieces; what is released after each, and at the end
    ("nothing to do", [BOMB], ["a cat", " sat"], ["a cat", " sat", ""]),
    ("no rules", [], ["a ", "bomb"], ["a ", "bomb", ""]),
    ("a word in two pieces", [BOMB], ["a bo", "mb!"], ["a ", "#!", ""]),
    ("a word that does not come", [BOMB], ["a bo", "at!"], ["a ", "boat!", ""]),
    ("a word at the end", [BOMB], ["a bomb"], ["a ", "#"]),
    ("a start of a word at the end", [BOMB], ["a bom"], ["a ", "bom"]),
    ("character by character", [BOMB], list("a bomb."), ["a", " ", "", "", "", "", "#.", ""]),
    ("several in one piece", [BOMB, pattern(r"\d{4}", mask=KeepLast(1))], ["bomb 1234, bomb!"], ["# •••4, #!", ""]),
    ("empty pieces", [BOMB], ["", "a bo", "", "mb", "", "."], ["", "a ", "", "", "", "#.", ""]),
    ("a mask that is longer", [word("bomb", mask="[something else]")], ["a bomb."], ["a [something else].", ""]),
    ("no mask at all", [word("bomb ", mask="")], ["a bomb b"], ["a ", "b"]),
    (
        "an extension over two pieces",
        [word("abc", id="x", edges="never"), word("cde", id="y", edges="never")],
        ["abcd", "ef", "g"],
        ["#", "f", "g", ""],
    ),
    (
        "a pattern that may have begun anywhere",
        [pattern("[a-z]{1,3}@[a-z]{1,3}", mask="[EMAIL]")],
        ["some", "one@", "ab", " or"],
        ["s", "ome", "", "[EMAIL] ", "or"],
    ),
    ("a halt", [word("bomb", action=HALT)], ["a bo", "mb. A", " cat"], ["a ", "", "", ""]),
    ("a halt at the end", [word("bomb", action=HALT)], ["a bomb"], ["a ", ""]),
    ("a halt after a removal", [BOMB, word("cat", id="cat", action=HALT)], ["a bomb, a ca", "t."], ["a #, a ", "", ""]),
    ("a rule that logs", [word("bomb", action=LOG)], ["a bo", "mb."], ["a bo", "mb.", ""]),
    ("every character masked", [word("bomb", mask=FixedChar("x"))], ["a b\u00adomb "], ["a xxxxx ", ""]),
    ("halves of a character", [BOMB], ["a\ud83d", "\ude00"], ["a", "\ud83d\ude00", ""]),
]


@pytest.mark.parametrize(("name", "rules", "pieces", "released"), SCRIPTS, ids=[case[0] for case in SCRIPTS])
def test_scripts(name: str, rules: list[Rule], pieces: list[str], released: list[str]) -> None:
    assert play(rules, *pieces).released == released


@pytest.mark.parametrize(("name", "rules", "pieces", "released"), SCRIPTS, ids=[case[0] for case in SCRIPTS])
def test_the_pieces_make_no_difference(name: str, rules: list[Rule], pieces: list[str], released: list[str]) -> None:
    text = "".join(pieces)
    cut, whole, single = play(rules, *pieces), play(rules, text), play(rules, *text)
    assert cut.output == whole.output == single.output == "".join(released)
    assert cut.findings == whole.findings == single.findings
    assert cut.cut == whole.cut == single.cut


def test_held_text_is_counted() -> None:
    editor = Editor(compile_rules([BOMB]))
    counts = []
    for piece in ("a bo", "m", "bast", "", " b"):
        editor.feed(piece)
        counts.append((editor.held, editor.held_max))
    assert counts == [(2, 2), (3, 3), (0, 3), (0, 3), (1, 3)]
    editor.finish()
    assert (editor.held, editor.held_max) == (0, 3)


def test_a_halt_lets_go_of_what_was_held() -> None:
    editor = Editor(compile_rules([word("bomb", action=HALT)]))
    editor.feed("a bom")
    assert editor.held == 3
    editor.feed("b. And so on")
    assert editor.held == 0
    assert editor.halt is not None
    assert editor.halt.cut == 2
    assert editor.feed("more") == editor.finish() == ""
    assert editor.held == 0


def test_findings_are_those_of_the_scanner() -> None:
    editor = Editor(compile_rules([BOMB]), channel="refusal")
    editor.feed("a bomb ")
    assert editor.halt is None
    (found,) = editor.findings()
    assert (found.start, found.end, found.rule, found.channel) == (2, 6, "word", "refusal")
    assert editor.scanner.channel == "refusal"


def test_finish_is_idempotent_and_final() -> None:
    editor = Editor(compile_rules([BOMB]))
    editor.feed("a bomb")
    assert editor.finish() == "#"
    assert editor.finish() == editor.feed("more") == ""
    assert (editor.held, editor.held_max) == (0, 4)
