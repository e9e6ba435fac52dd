"""Rule sets: which rules are evaluated together, on which lane, and what cannot be compiled."""

from __future__ import annotations

import dataclasses

import pytest

from guardrail.errors import RuleError
from guardrail.text.clusters import Reach
from guardrail.text.editor import Editor
from guardrail.text.rules import Action, Rule
from guardrail.text.ruleset import compile_rules
from tests.text.script import pattern, play, word


def test_no_rules() -> None:
    compiled = compile_rules([])
    assert (compiled.removing, compiled.logging) == (None, None)
    assert play([], "anything", " goes").released == ["anything", " goes", ""]


def test_rules_that_log_are_apart_from_those_that_remove() -> None:
    rules = [
        word("a", id="log", action=Action.LOG),
        word("b", id="redact"),
        word("c", id="halt", action=Action.HALT),
        pattern("d", id="replace", action=Action.REPLACE),
        word("e", id="off", action=Action.ALLOW),
    ]
    compiled = compile_rules(rules)
    assert compiled.removing is not None
    assert compiled.logging is not None
    assert [rule.id for rule in compiled.removing.rules] == ["redact", "halt", "replace"]
    assert [rule.id for rule in compiled.logging.rules] == ["log"]


def test_a_rule_that_is_switched_off_finds_nothing() -> None:
    off = [word("bomb", action=Action.ALLOW), pattern(r"\d{4}", action=Action.ALLOW)]
    compiled = compile_rules(off)
    assert (compiled.removing, compiled.logging) == (None, None)
    assert play(off, "bomb 1234").released == ["bomb 1234", ""]


def test_a_rule_that_is_switched_off_is_not_even_compiled() -> None:
    compile_rules([word("", action=Action.ALLOW), pattern("a*", action=Action.ALLOW)])


@pytest.mark.parametrize(
    ("name", "rules", "lanes"),
    [
        ("words", [word("a")], {"folded"}),
        ("words with case", [word("a", case_sensitive=True)], {"cased"}),
        ("pattern", [pattern("a")], {"patterns"}),
        ("pattern with an allow-phrase", [pattern("a", allow=("ab",))], {"patterns", "folded"}),
        (
            "all of them",
            [word("a"), word("b", case_sensitive=True), pattern("c")],
            {"folded", "cased", "patterns"},
        ),
        ("a rule with no terms", [word()], set()),
    ],
)
def test_only_what_is_needed_is_searched(name: str, rules: list[Rule], lanes: set[str]) -> None:
    removing = compile_rules(rules).removing
    assert removing is not None
    assert {lane for lane in ("folded", "cased", "patterns") if getattr(removing, lane) is not None} == lanes


def test_the_reach_is_that_of_all_rules_together() -> None:
    removing = compile_rules([word("👩"), word("가", case_sensitive=True), pattern("🇦", id="p")]).removing
    assert removing is not None
    assert removing.reach == Reach.PICTOGRAPH | Reach.HANGUL | Reach.REGIONAL


def test_compiled_rules_are_shared_by_streams_that_do_not_disturb_each_other() -> None:
    compiled = compile_rules([word("bomb"), pattern(r"\d{4}")])
    one, other = Editor(compiled), Editor(compiled)
    assert (one.feed("a bo"), other.feed("12")) == ("a ", "")
    assert (one.feed("34"), other.feed("mb")) == ("bo", "12mb")
    assert (one.feed("56"), other.finish()) == ("", "")
    assert one.finish() == "#"


@pytest.mark.parametrize(
    ("name", "rule", "message"),
    [
        ("empty term", word("", id="mine"), "found '', which has nothing to match; expected a term"),
        (
            "empty allow-phrase",
            word("a", id="mine", allow=("",)),
            "found '', which has nothing to match; expected a term",
        ),
        ("long term", word("a" * 257, id="mine"), "a term is 257 characters long; expected at most 256"),
        ("unbounded pattern", pattern("a*", id="mine"), "pattern 'a*': found '*', which has no upper bound"),
        ("malformed pattern", pattern("ab[", id="mine"), "pattern 'ab[': found a '[' that is never closed"),
        ("allow-phrase of a pattern", pattern("a", id="mine", allow=("\u0301",)), "the term '\u0301' begins with"),
    ],
)
@pytest.mark.parametrize("action", [Action.REDACT, Action.HALT, Action.LOG])
def test_a_rule_that_cannot_be_used_is_named(name: str, rule: Rule, message: str, action: Action) -> None:
    with pytest.raises(RuleError) as raised:
        compile_rules([word("fine"), dataclasses.replace(rule, action=action)])
    assert raised.value.rule == "mine"
    assert raised.value.message.startswith(message)
