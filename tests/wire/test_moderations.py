"""OpenAI's moderation endpoint over a policy's rules and classifier."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.text.rules import Action, KeywordRule
from guardrail.text.ruleset import with_scores
from guardrail.text.scores import Failure, Verdict
from guardrail.wire.moderations import (
    OPENAI_CATEGORIES,
    ModerationRequest,
    answer_moderations,
    moderate_all,
    read_moderations,
    record_of,
)
from guardrail.wire.whole_text import Unscored, Verdicts
from tests.wire.chat import halt, policy, redact
from tests.wire.scored import evil, hate


def read(given: Any, **more: Any) -> ModerationRequest:
    return read_moderations(json.dumps({"input": given, **more}).encode())


def parts(*texts: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text} for text in texts]


@pytest.mark.parametrize(
    ("given", "expected"),
    [("a", ("a",)), (["a", "b"], ("a", "b")), (parts("a", "b"), ("a\nb",)), ("", ("",)), ("\ud83d", ("\ufffd",))],
)
def test_what_is_read(given: Any, expected: tuple[str, ...]) -> None:
    assert read(given, model="omni-moderation-latest") == ModerationRequest(expected, "omni-moderation-latest")


WRONG: list[tuple[Any, str]] = [
    (None, "'input' must be a string"),
    ([], "'input' must be a string"),
    ({"text": "a"}, "'input' must be a string"),
    (["a", 3], "A part of 'input' must be"),
    (["a", *parts("b")], "A part of 'input' must be"),
    ([*parts("a"), {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}], "Images are not scanned"),
    (["a"] * 1025, "'input' has more than 1024 entries"),
]


@pytest.mark.parametrize(("given", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_cannot_be_scanned_is_an_error(given: Any, message: str) -> None:
    with pytest.raises(WireError) as caught:
        read(given)
    assert str(caught.value).startswith(message)


def results(chosen: Policy, *texts: str) -> list[Any]:
    request, verdicts = ModerationRequest(texts), Verdicts()
    try:
        found = moderate_all(chosen, request, verdicts)
    except Unscored:
        verdicts.known.update({window: evil(window) for window in verdicts.missing})
        verdicts.missing.clear()
        found = moderate_all(chosen, request, verdicts)
    said = json.loads(answer_moderations(chosen, "g-1", found))
    assert said["id"] == "modr-1"
    for result in said["results"]:
        for key in ("categories", "category_scores", "category_applied_input_types"):
            assert tuple(result[key]) == OPENAI_CATEGORIES
    return list(said["results"])


def flagged(result: Any) -> list[str]:
    return [name for name, on in result["categories"].items() if on]


LOGGED = KeywordRule(id="log", category="hate", action=Action.LOG, terms=("heard",))
CASES: list[tuple[str, bool, list[str], str]] = [
    ("nothing", False, [], "pass"),
    ("some violent thing", True, ["violence"], "halt"),
    ("Acme", False, [], "redact"),
    ("a hidden word", True, ["self-harm"], "redact"),
    ("heard", False, [], "log"),
    ("the recipe", True, [], "halt"),
]


@pytest.mark.parametrize(("text", "flag", "names", "action"), CASES, ids=[case[0] for case in CASES])
def test_the_rules_answer(text: str, flag: bool, names: list[str], action: str) -> None:
    chosen = policy(
        halt("violent"), redact("Acme"), LOGGED,
        KeywordRule(id="hidden", category="self_harm", action=Action.REDACT, terms=("hidden",)),
        KeywordRule(id="own", category="house_rules", action=Action.HALT, terms=("recipe",)),
    )  # fmt: skip
    (result,) = results(chosen, text)
    assert (result["flagged"], flagged(result), result["guardrail"]["action"]) == (flag, names, action)
    assert [name for name, score in result["category_scores"].items() if score] == names


def test_the_classifier_answers_with_its_scores() -> None:
    good, bad = results(hate(), "This is a good one.", "This is an evil one.")
    assert (good["flagged"], good["category_scores"]["hate"]) == (False, 0.0)
    assert (bad["flagged"], flagged(bad), bad["category_scores"]["hate"]) == (True, ["hate"], 1.0)
    assert set(bad["guardrail"]["scores"]) == {
        "hate", "harassment", "sexual", "violence", "self_harm", "illicit", "profanity", "unsafe"
    }  # fmt: skip


def test_a_level_that_only_logs_is_told_and_not_flagged() -> None:
    (result,) = results(hate(action=Action.LOG), "This is an evil one.")
    assert (result["flagged"], result["category_scores"]["hate"]) == (False, 1.0)
    assert result["guardrail"]["categories"] == {"hate": "high"}


def test_a_halt_by_a_rule_hides_nothing_that_the_classifier_sees() -> None:
    (result,) = results(hate(halt("stop")), "Please stop. And this is an evil one, the second of them.")
    assert flagged(result) == ["hate", "violence"]


def test_what_has_no_scores_is_flagged_unless_the_policy_fails_open() -> None:
    for fail, expected in (("closed", True), ("open", False)):
        chosen = failing(fail)
        request, verdicts = ModerationRequest(("This is a text.",)), Verdicts()
        with pytest.raises(Unscored):
            moderate_all(chosen, request, verdicts)
        verdicts.known.update({window: Verdict(None, Failure.BROKEN) for window in verdicts.missing})
        verdicts.missing.clear()
        found = moderate_all(chosen, request, verdicts)
        (result,) = json.loads(answer_moderations(chosen, "g-1", found))["results"]
        assert result["flagged"] is expected
        record = record_of(chosen, request, "g-1", found)
        assert (record.unit_failures, record.unscanned) == ((("broken", 1),), 0 if expected else 15)


def failing(fail: Any) -> Policy:

    chosen = hate()
    assert chosen.classifier is not None
    settings = dataclasses.replace(chosen.classifier, fail=fail)
    return dataclasses.replace(chosen, rules=with_scores(chosen.rules, settings))


def test_the_account() -> None:
    chosen = policy(redact("Acme"))
    request = ModerationRequest(("Acme", "你好"), "m")
    record = record_of(chosen, request, "g-1", moderate_all(chosen, request, Verdicts()))
    assert (record.received, record.released, record.choices, record.model) == (6, 6, 2, "m")
    assert [found.rule for found in record.findings] == ["redact"]
