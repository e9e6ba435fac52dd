"""What a removal leaves of Markdown: the reference's result however text is cut, and no word of a hit."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from guardrail.text.editor import Editor
from guardrail.text.markup import BEHIND, removed_parts
from guardrail.text.rules import Action, Folds, Label, NearRule, Rule
from guardrail.text.ruleset import with_scores
from guardrail.text.scanner import compile_rules
from guardrail.text.scores import ScoreSettings
from tests import strategies
from tests.property.test_text_classifier import Played, settings
from tests.reference import Classifier, reference
from tests.scoring import fake
from tests.text.script import pattern, word

PIECES = (
    *("bad", "word", "bad word", "b*a*d", " ", " ", "\n", "\n", "\n\n", "  ", "\t", "\r\n", "x", "word " * 60),
    *("```", "```python\n", "```\n", "~~~", "~~~ x\n", "````", "\n```\n", "```a`", "`bad`"),
    *("- ", "* ", "+ ", "1. ", "12) ", "> ", ">", "# ", "### ", "#bad", "1234. "),
    *("| ", "|bad|word|\n", "| a | b |\n|---|:-:|\n", "|\\|", "---\n", "|"),
    *(
        "[",
        "]",
        "](",
        ")",
        "[bad](",
        "[x]: ",
        "![",
        "<http://x/",
        ">",
        "(",
        "\\[",
        "\\]",
        "(bad)",
        "https://x.y/bad",
        ": ",
    ),
    *("This is a sentence that is long enough. ", "这是一个足够长的句子。", "And so is this one, bad as it is!\n"),
)
texts = st.lists(st.sampled_from(PIECES), max_size=24).map("".join)
RULES: tuple[Rule, ...] = (
    word("bad", id="word"),
    word("bad", id="exact", edges="never", mask="[A B]"),
    word("bad", "word bad", id="noisy", folds=Folds(noise=True), mask="<gone (a)>"),
    pattern(r"\s{0,2}bad[\s\S]{0,12}", id="wide", mask="[W]"),
    pattern(r"[-#>|` \n]{1,5}word", id="marks", mask="[M]"),
    pattern(r"bad\]\(", id="link", mask="#"),
    pattern(r"\[", id="stop", action=Action.HALT),
    NearRule(id="near", category="test", first=("bad",), second=("word",), mask=Label("[N]")),
    NearRule(id="silent", category="test", first=("bad",), second=("word",), mask=Label("")),
)


@given(text=texts, chosen=st.lists(st.sampled_from(RULES), min_size=1, max_size=3, unique=True), data=st.data())
def test_rules_give_the_reference(text: str, chosen: list[Rule], data: st.DataObject) -> None:
    expected = reference(chosen, text)
    for pieces in ([text], data.draw(strategies.cuts(text))):
        editor = Editor(compile_rules(chosen))
        out = ""
        for piece in pieces:
            out += editor.feed(piece)
            assert expected.output.startswith(out)
        out += editor.finish()
        assert out == expected.output
        assert editor.findings() == expected.findings
        assert editor.removed == len(expected.removed)


LEVELS = settings(Action.REDACT, Action.REDACT, Action.REPLACE, Action.HALT)


@given(text=texts, chosen=st.lists(st.sampled_from(RULES), max_size=2, unique=True), levels=LEVELS, data=st.data())
def test_units_give_the_reference(text: str, chosen: list[Rule], levels: ScoreSettings, data: st.DataObject) -> None:
    model = fake(data.draw(st.integers(0, 1000)))
    expected = reference(chosen, text, Classifier(levels, model))
    for pieces in ([text], data.draw(strategies.cuts(text))):
        played = Played(Editor(with_scores(compile_rules(chosen), levels)), model)
        late = data.draw(st.sampled_from((0, 3)))
        for piece in pieces:
            played.feed(piece)
            while len(played.waiting) > late:
                played.answer(data.draw(st.integers(0, len(played.waiting) - 1)) if late else 0)
                assert expected.output.startswith(played.out)
        played.finish()
        while played.waiting:
            played.answer(0)
        assert played.out == expected.output
        assert played.editor.findings() == expected.findings


@given(before=texts, hit=texts.filter(bool), wide=st.booleans())
def test_what_stays_of_a_hit_says_nothing(before: str, hit: str, wide: bool) -> None:
    parts = removed_parts(before[-BEHIND:], hit, wide=wide)
    assert sum(part.masked for part in parts) == 1
    stays, at = [], 0
    for part in parts:
        assert at <= part.start < part.end <= len(hit)
        stays.append(hit[at : part.start])
        at = part.end
    left = "".join((*stays, hit[at:]))
    assert re.fullmatch(r"[\s`~>#|:+*!()\[\]-]*", re.sub(r"\d{1,3}[.)]", "", left) if wide else left)
