"""Scanners that wait for verdicts: what goes when, what halts where, and what a late halt withdraws."""

from __future__ import annotations

import pytest

from guardrail.text.editor import Editor
from guardrail.text.rules import Action, Label, Rule
from guardrail.text.ruleset import RuleSet, with_scores
from guardrail.text.scanner import Scanner, compile_rules
from guardrail.text.scored import HoldingScanner, ReportingScanner, open_scanner
from guardrail.text.scores import CATEGORIES, Failure, ScoreRule, ScoreSettings, Verdict
from tests.text.script import word

ONE = "The first sentence of three here."
TWO = " The second one, as long as it."
THREE = " And the third one is the last."
BAD = Verdict((1.0, *[0.0] * 7))
GOOD = Verdict((0.0,) * 8)
LATE = Verdict(None, Failure.DEADLINE)


def rules(*others: Rule, action: Action = Action.HALT, lag: int = 0) -> RuleSet:
    level = ScoreRule(id="hate", category="hate", action=action, label=0, at=0.5, mask=Label("[S]"))
    settings = ScoreSettings(model="m", labels=CATEGORIES, rules=(level,), lag_budget=lag)
    return with_scores(compile_rules(others), settings)


def found(editor: Editor) -> list[tuple[str, int, int]]:
    return [(finding.rule, finding.start, finding.end) for finding in editor.findings()]


def test_each_policy_gets_the_scanner_that_it_needs() -> None:
    assert type(open_scanner(compile_rules([word("a")]))) is Scanner
    assert type(open_scanner(rules())) is HoldingScanner
    assert type(open_scanner(rules(action=Action.LOG))) is ReportingScanner
    assert type(open_scanner(rules().plain)) is Scanner


def test_a_unit_goes_with_its_score() -> None:
    editor = Editor(rules())
    assert editor.feed(ONE + TWO + " An") == ""
    assert [number for number, _ in editor.take_due()] == [0, 1]
    assert editor.score(1, GOOD) == ""
    assert editor.score(0, GOOD) == ONE + TWO
    assert editor.finish() == ""
    assert editor.scanner.waiting
    assert editor.score(2, GOOD) == " An"
    assert not editor.scanner.waiting


@pytest.mark.parametrize(
    ("action", "output"),
    [(Action.HALT, ONE + " "), (Action.REDACT, ONE + " [S]" + THREE), (Action.LOG, ONE + TWO + THREE)],
)
def test_a_hit_spans_the_unit_without_the_blanks_around_it(action: Action, output: str) -> None:
    editor = Editor(rules(action=action))
    out = editor.feed(ONE + TWO + THREE) + editor.finish()
    out += editor.score(0, GOOD) + editor.score(1, BAD) + editor.score(2, GOOD)
    assert out == output
    assert found(editor) == [("hate", 34, 64)]


def test_a_failure_halts_where_its_unit_starts() -> None:
    editor = Editor(rules())
    out = editor.feed(ONE + TWO + " ") + editor.score(0, GOOD) + editor.score(1, LATE)
    assert out == ONE + " "
    assert found(editor) == [("classifier.unavailable", 34, 64)]


@pytest.mark.parametrize(("first", "output", "rule"), [(GOOD, ONE + " The ", "word"), (BAD, "", "hate")])
def test_a_keyword_halt_waits_for_the_unit_that_it_is_in(first: Verdict, output: str, rule: str) -> None:
    editor = Editor(rules(word("second", action=Action.HALT)))
    assert editor.feed(ONE + TWO + " ") == ""
    assert editor.score(0, first) + editor.score(1, GOOD) == output
    assert [name for name, _, _ in found(editor)] == [rule]


def test_a_late_halt_says_how_much_to_withdraw() -> None:
    editor = Editor(rules(word("second", action=Action.REDACT), lag=100))
    out = editor.feed(ONE + TWO + THREE)
    assert out == ONE + " The # one, as long as it." + THREE
    assert editor.score(0, GOOD) == ""
    assert editor.score(1, BAD) == ""
    halt = editor.halt
    assert halt is not None
    assert (halt.finding.start, halt.cut) == (34, 95)
    assert out[: len(out) - halt.behind] == ONE + " "
    assert out[: len(out) - halt.beyond] == ONE + " The # one, as long as it."
    assert found(editor) == [("hate", 34, 64), ("word", 38, 44)]


def test_the_lag_budget_is_the_most_that_goes_without_a_score() -> None:
    editor = Editor(rules(lag=10))
    assert editor.feed(ONE + TWO + THREE) == ONE[:10]
    assert editor.score(0, GOOD) == (ONE + TWO)[10:43]
    assert Editor(rules(lag=10), whole=True).feed(ONE + TWO + THREE) == ""


def test_what_only_reports_holds_nothing_and_may_come_late() -> None:
    editor = Editor(rules(word("end", action=Action.HALT), action=Action.LOG))
    assert editor.feed(ONE + TWO + " the") == ONE + TWO + " the"
    assert editor.feed(" end!") == " "
    assert editor.halt is not None
    assert [number for number, _ in editor.take_due()] == [0, 1, 2]
    assert editor.score(0, BAD) == editor.score(1, LATE) == editor.score(2, BAD) == ""
    assert found(editor) == [("hate", 0, 33), ("word", 69, 72)]


def test_a_pause_ends_the_unit() -> None:
    editor = Editor(rules())
    editor.feed("Half a sentence")
    assert editor.scanner.cut_unit() == ()
    ((number, _),) = editor.take_due()
    assert editor.score(number, GOOD) == "Half a sentence"


def test_after_a_stop_nothing_goes() -> None:
    editor = Editor(rules())
    editor.feed(ONE + " ")
    editor.scanner.stop()
    assert (editor.score(0, GOOD), editor.feed("more"), editor.finish()) == ("", "", "")
    assert not editor.scanner.waiting


def test_what_was_found_in_delivered_text_outlives_a_stop() -> None:
    editor = Editor(rules(word("first", id="seen", action=Action.LOG)))
    editor.feed(ONE + TWO)
    assert editor.score(0, GOOD) == ONE
    editor.scanner.stop()
    assert found(editor) == [("seen", 4, 9)]
