"""Scoring in one call: by a model, by a detector, and what failures come to."""

from __future__ import annotations

import asyncio
from pathlib import Path

from guardrail.classify.classifier import LocalClassifier
from guardrail.classify.detector import DetectorEntry
from guardrail.classify.judge import judge_of, key_of, settle, verdicts_of
from guardrail.classify.model import load_model
from guardrail.policy.policy import Policy
from guardrail.text.editor import Editor
from guardrail.text.scanner import compile_rules
from guardrail.text.scores import Failure, Verdict
from guardrail.text.units import Window
from tests.classify import tiny
from tests.classify.faulty import FINE, FaultyModel
from tests.proxy.scored import scored_policy

BROKEN = Verdict(None, Failure.BROKEN)


def test_a_model_scores_in_the_callers_thread(tmp_path: Path) -> None:
    judge = judge_of(scored_policy(load_model(tiny.ours(tmp_path / "m"))))
    idiot, fine = judge([Window("", "You idiot."), Window("You idiot.", " Hello.")])
    assert idiot.scores is not None
    assert fine.scores is not None
    assert (idiot.scores[1] > 0.9, judge([])) == (True, [])


def test_what_a_model_fails_on_is_a_failure_of_that_window_alone() -> None:
    model = FaultyModel()
    judge = judge_of(scored_policy(model))
    said = ["fine", "raise", "sure", "nan", "gate-raise", "high", "fine"]
    verdicts = judge([Window("", text) for text in said])
    assert verdicts == [Verdict(FINE), BROKEN, Verdict(FINE), BROKEN, BROKEN, BROKEN, Verdict(FINE)]


def test_a_detector_that_is_not_there_is_a_failure() -> None:
    entry = DetectorEntry(format="openai", url="http://127.0.0.1:9")
    assert judge_of(scored_policy(entry), {})([Window("", "a")]) == [BROKEN]


async def test_a_detector_can_be_asked_while_a_loop_runs() -> None:
    entry = DetectorEntry(format="openai", url="http://127.0.0.1:9")
    assert judge_of(scored_policy(entry), {})([Window("", "a")]) == [BROKEN]


def test_the_key_of_a_detector_comes_from_the_environment() -> None:
    entry = DetectorEntry(format="openai", url="http://127.0.0.1:9", api_key_env="KEY")
    assert (key_of(entry, {"KEY": "k"}), key_of(entry, {}), key_of(entry, {"KEY": ""})) == ("k", None, None)


def test_an_editor_is_settled() -> None:
    policy = scored_policy(FaultyModel())
    editor = Editor(policy.rules)
    assert editor.feed("fine is this sentence, and long. ") == ""
    assert settle(editor, judge_of(policy)) == "fine is this sentence, and long."
    plain = Policy("p", "d", compile_rules(()))
    assert settle(Editor(plain.rules), judge_of(plain)) == ""


async def test_many_windows_go_through_a_small_queue() -> None:
    classifier = LocalClassifier(FaultyModel(), capacity=64)
    windows = [Window("", f"{word} {number}") for number in range(100) for word in ("fine", "sure", "nan")]
    verdicts, asked = await verdicts_of(classifier, windows, 5.0)
    assert verdicts == [Verdict(FINE), Verdict(FINE), BROKEN] * 100
    assert asked == 200
    await asyncio.wait_for(classifier.close(), 10)
