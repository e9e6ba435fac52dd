"""Edited Markdown is read as what it was: a reader of Markdown is the judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from guardrail.text.editor import Editor
from guardrail.text.markup import BEHIND, fitted, removed_parts
from guardrail.text.rules import FixedChar, KeepLast, Label, Mask, NearRule, Rule
from guardrail.text.ruleset import with_scores
from guardrail.text.scanner import compile_rules
from guardrail.text.scores import CATEGORIES, ScoreRule, ScoreSettings, Verdict
from tests.text.script import pattern, play, word

READER = MarkdownIt("commonmark").enable("table")
LEVEL = ScoreRule(id="level", category="violence", mask=Label("[REMOVED]"), label=CATEGORIES.index("violence"), at=0.5)
UNITS = ScoreSettings(model="fake", labels=CATEGORIES, rules=(LEVEL,))


def structure(text: str) -> list[str]:
    """What a reader makes of a text, but for the words."""

    def kinds(tokens: Sequence[Token]) -> Iterator[str]:
        for token in tokens:
            if token.type == "inline":
                yield from kinds(token.children or ())
            elif token.type != "text":
                yield token.type

    return list(kinds(READER.parse(text)))


def without_units(text: str, fires: str, mask: Mask = LEVEL.mask) -> str:
    """The text under a level that every unit with `fires` in it reaches."""
    level = ScoreRule(id="level", category="violence", mask=mask, label=LEVEL.label, at=LEVEL.at)
    rules = ScoreSettings(model="fake", labels=CATEGORIES, rules=(level,))
    editor = Editor(with_scores(compile_rules([]), rules))
    out = editor.feed(text) + editor.finish()
    while due := editor.take_due():
        for number, window in due:
            out += editor.score(number, Verdict((float(fires in window.text),) * len(CATEGORIES)))
    return out


DOCUMENTS = {
    "fence": "Intro.\n\n```python\nimport @\n@.run(now)\n```\n\nAfter.\n",
    "fence of tildes": "~~~ @\nsome code\n~~~\n\nAfter @.\n",
    "words behind a fence": "Use this:\n\n```@\ncode\n```\n",
    "code in a line": "Before `@` and `x @ y` after.\n",
    "link": "See [the @ page](https://example.com/@/x) for more.\n",
    "all of a link": "See [@](@) and ![@](img/@.png).\n",
    "address in angles": "At <https://example.com/a@> now.\n",
    "reference": "[@]: https://example.com/@\n\nSee [@] or [this][@].\n",
    "table": "| a | b |\n|---|---|\n| @ | 1 |\n| x | a @ b |\n\nAfter.\n",
    "list": "- first @\n- @\n- [ ] @ open\n  - @ below\n\nEnd.\n",
    "numbered list": "1. first\n2. @ second\n3. third\n",
    "emphasis": "A **@** and *the @* and **a @ b**.\n",
    "heading": "# @ and on\n\n## @\n\nText.\n",
    "underlined heading": "Title @\n=====\n\nText.\n",
    "hard break": "one  \n@ two\\\n@  \nthree\n",
    "quotation": "> @ quoted\n> @\n\nnot quoted\n",
    "HTML": "<div>\n@\n</div>\n\nA <b>@</b>.\n",
    "colon": "@: a\n\n- @: b\n\nin a line, @: c\n",
    "bracket behind": "@(really) and [@](x)\n",
    "paragraphs of their own": "Text\n\n@\n\n@ @\n",
    "no blanks": "制作@和@的方法，(@)和(@)。\n",
    "code by indent": "Text.\n\n    a @ b\n    c\n",
}


@pytest.mark.parametrize(
    "mask",
    [Label("[REDACTED]"), Label("[removed by (our) policy]"), Label("removed"), FixedChar(), KeepLast(1)],
    ids=str,
)
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_words_and_patterns(document: str, mask: Mask) -> None:
    text = document.replace("@", "bomb")
    expected = structure(text)
    assert structure(play([word("bomb", mask=mask, edges="never")], text).output) == expected
    assert structure(play([pattern(r"\s{0,3}bomb\s{0,3}", mask=mask)], text).output) == expected
    for removed in play([pattern(r"[\s>#*+-]{0,4}bomb", mask=mask)], text).output, without_units(text, "bomb", mask):
        assert "bomb" not in removed


@pytest.mark.parametrize(
    ("name", "text", "fires", "expected"),
    [
        (
            "a fence at the start",
            "```python\nimport os, sys, harm\n```\nAfter.\n",
            "harm",
            "```\n[REMOVED]\n```\nAfter.\n",
        ),
        ("a fence within", "Run:\n```python\nimport harm\n```\nAfter.\n", "harm", "[REMOVED]\n```\n\n```\nAfter.\n"),
        ("a fence at the end", "Some code that does harm:\n~~~\nx\n~~~\n", "harm", "[REMOVED]\n~~~\nx\n~~~\n"),
        (
            "in a list",
            "- harm that is long enough\n- the second item is fine\n",
            "harm",
            "- [REMOVED]\n- the second item is fine\n",
        ),
        (
            "a number",
            "1. harm that is long enough\n2. the second item is fine\n",
            "harm",
            "1. [REMOVED]\n2. the second item is fine\n",
        ),
        (
            "a number that is none",
            "1994. harm that is long enough\nAnd on it goes\n",
            "harm",
            "[REMOVED]\nAnd on it goes\n",
        ),
        ("a heading", "## A title with harm in it\nAnd the text.\n", "harm", "## [REMOVED]\nAnd the text.\n"),
        (
            "a quotation",
            "> > harm in a quotation of one\n> another line of it\n",
            "harm",
            "> > [REMOVED]\n> another line of it\n",
        ),
        (
            "a table",
            "| a | longer name |\n|---|:-:|\n| harm | this one which is long |\n| last | of the rows |\n",
            "harm",
            "| a | longer name |\n|---|:-:|\n| [REMOVED] |  |\n| last | of the rows |\n",
        ),
        (
            "the head of a table",
            "| harm | b |\n|---|:-:|\n| c | this row is longer |\n| d | the last of the rows |\n",
            "harm",
            "| [REMOVED] |  |\n|---|:-:|\n|  |  |\n| d | the last of the rows |\n",
        ),
        (
            "a link whose end follows",
            "This is it, [see the harm page. It says more](https://a.example) and on.\n",
            "harm",
            "[REMOVED] [ It says more](https://a.example) and on.\n",
        ),
        (
            "a link that had begun",
            "This is it, [see the other page. It says harm](https://a.example) and on.\n",
            "harm",
            "This is it, [see the other page. [REMOVED]]() \n",
        ),
        ("nothing but text", "A first line that does harm\nand goes on\n", "harm", "[REMOVED]\nand goes on\n"),
    ],
)
def test_units(name: str, text: str, fires: str, expected: str) -> None:
    assert without_units(text, fires) == expected


@pytest.mark.parametrize(
    ("name", "rule", "text", "expected"),
    [
        ("blanks stay", pattern(r"\s{0,9}bad\s{0,9}"), "a  bad\n\nb", "a  #\n\nb"),
        ("nothing but blanks", pattern(r"\s{2}"), "a  b", "a#b"),
        ("blanks go with an empty mask", word(" bad", mask=""), "a bad b", "a b"),
        ("a bullet stays", pattern("- bad"), "x\n  - bad\n", "x\n  - #\n"),
        ("elsewhere it is a dash", pattern("- bad"), "x - bad", "x #"),
        ("a number goes", pattern(r"1\. bad"), "1. bad", "#"),
        ("a fence stays", pattern(r"bad\n```\nbad"), "bad\n```\nbad", "#\n```\n"),
        ("a hit of the raw text goes whole", pattern(" bad ", lane="raw"), "a bad b", "a#b"),
        (
            "words near each other, a fence between",
            NearRule(id="near", category="test", first=("bad",), second=("word",), mask=Label("#")),
            "so bad:\n```\na word\n```",
            "so #\n```\n\n```",
        ),
        ("brackets that are there", word("bad", mask="[X]"), "[bad](bad) [bad]", "[X]([X]) [X]"),
        (
            "no definition",
            word("bad", mask="[X]"),
            "bad: word\n> - bad: word, a bad: word",
            "[X] : word\n> - [X] : word, a [X]: word",
        ),
        ("no link", word("bad", mask="[X]"), "bad(word) bad (word)", "[X] (word) [X] (word)"),
        (
            "an address",
            word("bad", mask="[X (y)]"),
            "[a](https://b/(c)/bad) bad",
            "[a](https://b/(c)/[X%20%28y%29]) [X (y)]",
        ),
        ("the same value, the same mask", pattern(r"\s?bad\s?", mask=KeepLast(1)), " bad bad", " ••d ••d"),
    ],
)
def test_hits(name: str, rule: Rule, text: str, expected: str) -> None:
    assert play([rule], text).output == expected
    assert play([rule], *text).output == expected


def test_how_far_back_a_line_is_followed() -> None:
    near, far = " " * (BEHIND - 1), " " * BEHIND
    assert removed_parts(near, "- bad", wide=False)[0].start == 2
    assert removed_parts(far, "- bad", wide=False)[0].start == 0
    assert fitted("[X Y]", f"[a](https://{'b' * 200}", "") == "[X%20Y]"
    assert fitted("[X Y]", f"https://{'b' * 248}", "") == "[X Y]"
