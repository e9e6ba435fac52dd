import pytest

from guardrail.text.output import OUTPUT_RULES
from guardrail.text.output.rule import Hosts, OutputRule
from guardrail.text.rules import Action, Label


def _mentions(matched: str, hosts: Hosts) -> bool:
    return matched not in hosts


NOTE = OutputRule(
    name="note",
    severity="low",
    mask=Label("(note)"),
    expressions=("[a-z]{1,20}", "\r"),
    right=("none", "newline"),
    checks=(_mentions, None),
    takes_hosts=True,
    edits=(("abc", "(note)"),),
    misses=("ABC",),
)


def test_a_rule_has_the_fields_and_the_policy_s_choice() -> None:
    rule = NOTE.rule(Action.REDACT)
    assert (rule.id, rule.category, rule.severity) == ("output.note", "output_handling", "low")
    assert (rule.action, rule.mask, rule.lane) == (Action.REDACT, Label("(note)"), "raw")
    assert (rule.expressions, rule.right) == (("[a-z]{1,20}", "\r"), ("none", "newline"))
    assert (rule.hits, rule.misses) == (("abc",), ("ABC",))


def test_only_checks_that_there_are_are_asked_about_the_hosts() -> None:
    accept = NOTE.rule(Action.LOG, ("localhost",)).accept
    assert isinstance(accept, tuple)
    check, none = accept
    assert none is None
    assert check is not None
    assert check("other")
    assert not check("localhost")


def test_rules_that_ask_the_same_are_equal() -> None:
    assert NOTE.rule(Action.LOG, ("a.example", "B.example")) == NOTE.rule(Action.LOG, ("b.example", "a.example"))
    assert NOTE.rule(Action.LOG, ("a.example",)) != NOTE.rule(Action.LOG)


def test_a_host_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="found the host 'https"):
        NOTE.rule(Action.LOG, ("https://a.example",))


def test_rules_go_by_their_names() -> None:
    assert list(OUTPUT_RULES) == ["terminal_escapes", "links", "html", "invisible"]
    assert all(name == rule.name for name, rule in OUTPUT_RULES.items())
    assert [name for name, rule in OUTPUT_RULES.items() if rule.takes_hosts] == ["links", "html"]
