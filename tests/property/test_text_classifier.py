"""Promises 1, 2 and 4 with a classifier: the reference's result however text is cut and verdicts come, nothing
delivered before its score, and nothing beyond the lag budget."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from guardrail.text.editor import Editor
from guardrail.text.rules import Action, FixedChar, KeepLast, Label
from guardrail.text.ruleset import RuleSet, with_scores
from guardrail.text.scanner import compile_rules
from guardrail.text.scored import open_scanner
from guardrail.text.scores import CATEGORIES, ScoreRule, ScoreSettings, Verdict
from guardrail.text.units import Window
from tests import strategies
from tests.reference import Classifier, reference
from tests.scoring import fake, units
from tests.strategies import Case

SENTENCES = (
    *("This sentence is long enough to be a unit. ", "And this one? ", "Short. ", "Another line of text goes here!\n"),
    *(
        "这是一个足够长的句子。",
        "炸弹，然后是别的话；",
        "“好的，我们明天再说吧。”",
        " " * 30,
        "\n",
        "word " * 30,
        "x" * 120,
    ),
)


@st.composite
def settings(draw: st.DrawFn, *actions: Action, lag_budget: int = 0) -> ScoreSettings:
    rules = []
    for label in sorted(draw(st.sets(st.integers(0, 7), min_size=1, max_size=3))):
        for at in sorted(draw(st.sets(st.sampled_from((0.3, 0.5, 0.9, 1.0)), min_size=1, max_size=2)), reverse=True):
            category = CATEGORIES[label]
            rules.append(
                ScoreRule(
                    id=f"classifier.{category}.{at}",
                    category=category,
                    action=draw(st.sampled_from(actions)),
                    mask=draw(st.sampled_from((Label("[S]"), FixedChar("*"), KeepLast(2)))),
                    label=label,
                    at=at,
                )
            )
    return ScoreSettings(
        model="fake",
        labels=CATEGORIES,
        rules=tuple(rules),
        lag_budget=lag_budget,
        fail=draw(st.sampled_from(("closed", "open", "open"))),
        debounce=draw(st.sampled_from((1, 1, 2))),
    )


@st.composite
def texts(draw: st.DrawFn, case: Case) -> str:
    """The case's text among sentences, so that there are units."""
    pieces = draw(st.lists(st.one_of(st.sampled_from(SENTENCES), st.just(case.text[:150])), min_size=1, max_size=5))
    return "".join(pieces)


ANY = (Action.HALT, Action.REDACT, Action.REDACT, Action.REPLACE, Action.LOG)
cases = strategies.cases(kinds=strategies.KINDS, max_pieces=6, max_length=300)


@dataclass
class Played:
    """A stream whose verdicts come when the test says."""

    editor: Editor
    model: object
    out: str = ""

    def __post_init__(self) -> None:
        self.waiting: list[tuple[int, Window]] = []

    def feed(self, piece: str) -> None:
        self.out += self.editor.feed(piece)
        self.waiting += self.editor.take_due()

    def finish(self) -> None:
        self.out += self.editor.finish()
        self.waiting += self.editor.take_due()

    def answer(self, position: int) -> None:
        number, window = self.waiting.pop(position)
        verdict = self.model(window)  # type: ignore[operator]
        assert isinstance(verdict, Verdict)
        self.out += self.editor.score(number, verdict)
        self.waiting += self.editor.take_due()


def rules_of(case: Case, chosen: ScoreSettings) -> RuleSet:
    return with_scores(compile_rules(case.rules), chosen)


@given(case=cases, data=st.data())
def test_the_result_is_the_reference_however_text_and_verdicts_come(case: Case, data: st.DataObject) -> None:
    text = data.draw(texts(case))
    chosen = data.draw(settings(*data.draw(st.sampled_from((ANY, (Action.LOG,))))))
    model = fake(data.draw(st.integers(0, 1000)))
    expected = reference(case.rules, text, Classifier(chosen, model))
    late = data.draw(st.sampled_from((0, 1, 3)))
    for pieces in ([text], data.draw(strategies.cuts(text))):
        played = Played(Editor(rules_of(case, chosen)), model)
        for piece in pieces:
            played.feed(piece)
            assert expected.output.startswith(played.out)
            while len(played.waiting) > late:
                played.answer(data.draw(st.integers(0, len(played.waiting) - 1)) if late else 0)
                assert expected.output.startswith(played.out)
        played.finish()
        while played.waiting:
            played.answer(data.draw(st.integers(0, len(played.waiting) - 1)) if late else 0)
        assert played.out == expected.output
        assert played.editor.findings() == expected.findings
        assert (played.editor.halt is not None) == expected.halted
        assert played.editor.held == 0
        assert not played.editor.scanner.waiting


@given(case=cases, data=st.data())
def test_nothing_is_delivered_before_its_unit_has_a_score(case: Case, data: st.DataObject) -> None:
    text = data.draw(texts(case))
    chosen = data.draw(settings(Action.HALT, Action.REDACT))
    scanner = open_scanner(rules_of(case, chosen))
    edits = [edit for piece in data.draw(strategies.cuts(text)) for edit in scanner.feed(piece)]
    first = next((end for start, end in units(text) if text[start:end].strip()), 0)
    started = next((start for start, end in units(text) if text[start:end].strip()), 0)
    assert scanner.halt is None or scanner.halt.cut <= started or edits
    assert all(edit.start < started or first == 0 for edit in edits)
    covered = {at for edit in edits for at in range(edit.start, edit.end)}
    assert set(range(started, scanner.settled)) <= covered


@given(case=cases, lag=st.sampled_from((1, 20, 100)), data=st.data())
def test_a_lag_budget_is_the_most_that_is_delivered_unscored(case: Case, lag: int, data: st.DataObject) -> None:
    text = data.draw(texts(case))
    chosen = data.draw(settings(Action.HALT, Action.LOG, lag_budget=lag))
    model = fake(data.draw(st.integers(0, 1000)))
    played = Played(Editor(rules_of(case, chosen)), model)
    scanner = played.editor.scanner

    def check() -> None:
        scoring = scanner.scoring
        if scoring is not None and scanner.halt is None and chosen.holds:
            removed = (found.end for found in scanner.findings() if found.action is not Action.LOG)
            assert scanner.settled <= max(scoring.open + lag, max(removed, default=0))

    for piece in data.draw(strategies.cuts(text)):
        played.feed(piece)
        check()
        if played.waiting and data.draw(st.booleans()):
            played.answer(data.draw(st.integers(0, len(played.waiting) - 1)))
            check()
    played.finish()
    while played.waiting:
        played.answer(0)
    halt = scanner.halt
    if halt is None:
        assert scanner.settled == len(text)
        assert played.out == reference(case.rules, text, Classifier(chosen, model)).output
        return
    assert 0 <= halt.beyond <= halt.behind <= len(played.out)
    strict = reference(case.rules, text, Classifier(chosen, model))
    assert strict.halted
    kept = played.out[: len(played.out) - halt.behind]
    if halt.finding in strict.findings:
        assert kept == strict.output
