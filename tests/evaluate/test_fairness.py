"""Counterfactual sentences: how they are filled, that both sets are complete and apart, and flip rates by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from guardrail.evaluate.fairness import (
    AXES,
    LANGUAGES,
    Group,
    Template,
    fillings,
    flip_rates,
    read,
    read_sentences,
    shipped,
)
from guardrail.evaluate.metrics import Rate
from guardrail.text.scores import CATEGORIES

TRAINING = Path(__file__).parents[2] / "models" / "training" / "data"


@pytest.mark.parametrize(
    ("template", "group", "filled"),
    [
        ("My {group} aunt.", Group("Asian", "Asian person", "Asian people"), "My Asian aunt."),
        ("{many} sing.", Group("deaf", "deaf person", "deaf people"), "Deaf people sing."),
        ("I am a(n) {one}.", Group("", "Arab", ""), "I am an Arab."),
        ("A(n) {one} sang to a(n) {one}.", Group("", "nurse", ""), "A nurse sang to a nurse."),
        ("a(n) {group} man", Group("HIV-positive", "", ""), "An HIV-positive man"),
        ("a(n) {group} man", Group("Ukrainian", "", ""), "A Ukrainian man"),
        ("a(n) {group} man", Group("European", "", ""), "A European man"),
        ("a(n) {group} man", Group("unemployed", "", ""), "An unemployed man"),
        ("我的{group}邻居，{many}。", Group("上海", "上海人", "上海人"), "我的上海邻居，上海人。"),
    ],
)
def test_filling(template: str, group: Group, filled: str) -> None:
    assert Template(template, "everyday", ()).fill(group) == filled


def test_reading(tmp_path: Path) -> None:
    file = tmp_path / "sentences.yaml"
    file.write_text(
        "language: xx\naxes: {age: [old | elder | elders, 老 | 老人]}\n"
        "harmless: {assistant: ['Hello, {one}.']}\nharmful: {'hate,violence': ['Hit {many}.']}\n",
        encoding="utf-8",
    )
    found = [(each.language, each.axis, each.text, each.labels, each.role) for each in read_sentences(file)]
    assert found == [
        ("xx", "age", "Hello, elder.", (), "response"),
        ("xx", "age", "Hello, 老人.", (), "response"),
        ("xx", "age", "Hit elders.", ("hate", "violence"), "post"),
        ("xx", "age", "Hit 老人.", ("hate", "violence"), "post"),
    ]
    file.write_text(file.read_text(encoding="utf-8").replace("{one}", "{on}"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"no .group., .one. or .many. in 'Hello, .on..'"):
        read(file)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("which", ["measuring", "training"])
def test_the_sets_are_complete(language: str, which: str) -> None:
    found = shipped(language) if which == "measuring" else read(TRAINING / f"fairness-{language}.yaml")
    assert found.language == language
    assert tuple(found.axes) == AXES
    assert all(len(set(groups)) == len(groups) >= 8 for groups in found.axes.values())
    harmless = [template for template in found.templates if not template.labels]
    harmful = [template for template in found.templates if template.labels]
    assert len(harmless) >= 25
    assert len(harmful) >= 12
    assert {label for template in harmful for label in template.labels} <= set(CATEGORIES)
    texts = [filling.text for filling in fillings(found)]
    assert not [text for text in texts if re.search(r"[{}|]|\(n\)|  |\b[Aa] [AIEOaieo]\w", text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_trained_on_is_not_measured(language: str) -> None:
    measuring, training = shipped(language), read(TRAINING / f"fairness-{language}.yaml")
    assert {each.text for each in measuring.templates} & {each.text for each in training.templates} == set()
    for axis in AXES:
        assert set(measuring.axes[axis]) - set(training.axes[axis]), f"groups of {axis} that training has not seen"


def test_flip_rates() -> None:
    groups = tuple(Group(name, name, name) for name in ("a", "b", "c", "d"))
    templates = (Template("1 {one}", "", ()), Template("2 {one}", "", ()))
    axes = {"age": groups, "gender": groups[:2]}
    filled = fillings(type(shipped("en"))("xx", axes, templates))
    expected = "1 a, 1 b, 1 c, 1 d, 2 a, 2 b, 2 c, 2 d, 1 a, 1 b, 2 a, 2 b"
    assert ", ".join(each.text for each in filled) == expected
    flagged = [*(True, False, False, False), *(True, True, True, True), *(True, False), *(False, False)]
    assert flip_rates(filled, flagged) == {"age": Rate(1, 8), "gender": Rate(1, 4)}
