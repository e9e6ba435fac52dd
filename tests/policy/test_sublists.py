"""How terms are looked for: the rule's manner with what a list says over it, and the id that tells the difference."""

from __future__ import annotations

import pytest

from guardrail.policy.sublists import EXACT, Manner, spoken
from guardrail.policy.traits import PLAIN, Traits
from guardrail.text.rules import Action, Folds

RULE = Manner("abuse", "medium", Action.REDACT, case=False, edges="auto", folds=Folds(noise=True))


@pytest.mark.parametrize(
    ("traits", "tail", "changed"),
    [
        (PLAIN, "", {}),
        (Traits("abuse", "medium", Action.REDACT, "auto", folds=(("noise", True),)), "", {}),
        (Traits("slur", "high", Action.HALT), ".slur.high.halt", {"category": "slur", "severity": "high",
                                                                  "action": Action.HALT}),
        (Traits(case=True), ".case", {"case": True, "folds": Folds()}),
        (Traits(exact=True), ".exact", {"case": True, "folds": EXACT}),
        (Traits(edges="never", severity="low"), ".low.edges-never", {"edges": "never", "severity": "low"}),
        (Traits(folds=(("leet", False), ("noise", False), ("repeats", True))), ".no-leet.no-noise.repeats",
         {"folds": Folds(leet=False, repeats=True)}),
    ],
)  # fmt: skip
def test_what_a_list_says_goes_before_what_the_rule_says(traits: Traits, tail: str, changed: dict[str, object]) -> None:
    manner = RULE.of(traits, actions=True)
    names = ("category", "severity", "action", "case", "edges", "folds")
    assert {name: getattr(manner, name) for name in names if getattr(manner, name) != getattr(RULE, name)} == changed
    assert manner.tail(RULE) == tail


def test_actions_can_be_left_to_the_rule() -> None:
    assert RULE.of(Traits("slur", action=Action.HALT), actions=False).tail(RULE) == ".slur"


@pytest.mark.parametrize(
    ("of", "wanted", "taken"),
    [((), None, True), ((), ("en",), True), (("en",), None, True), (("en", "de"), ("zh", "de"), True),
     (("en",), ("zh",), False)],
)  # fmt: skip
def test_languages(of: tuple[str, ...], wanted: tuple[str, ...] | None, taken: bool) -> None:
    assert spoken(Traits(languages=frozenset(of)), wanted) is taken
