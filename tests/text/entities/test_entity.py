import pytest

from guardrail.text.entities import Entity
from guardrail.text.rules import Action, FixedChar, Label

BADGE = Entity(
    name="badge",
    label="[BADGE]",
    category="personal_data",
    severity="low",
    expressions=(r"BDG-\d{6}",),
    left="word",
    right="digit",
    contextual=True,
    context=("badge",),
    within=10,
    hits=("badge BDG-123456",),
    misses=("BDG-12345",),
)


def test_a_rule_has_the_entity_s_fields_and_the_policy_s_choice() -> None:
    rule = BADGE.rule(Action.REDACT, FixedChar("#"), ("BDG-000000",))
    assert (rule.id, rule.category, rule.severity) == ("entity.badge", "personal_data", "low")
    assert (rule.action, rule.mask, rule.allow) == (Action.REDACT, FixedChar("#"), ("BDG-000000",))
    assert (rule.expressions, rule.left, rule.right, rule.accept) == ((r"BDG-\d{6}",), "word", "digit", None)
    assert (rule.contextual, rule.context, rule.within) == (True, ("badge",), 10)
    assert (rule.hits, rule.misses) == (("badge BDG-123456",), ("BDG-12345",))


def test_the_label_is_the_mask_unless_one_is_chosen() -> None:
    assert BADGE.rule(Action.REDACT).mask == Label("[BADGE]")


@pytest.mark.parametrize("action", list(Action))
def test_only_a_halt_is_content_with_the_opening(action: Action) -> None:
    long = Entity(
        name="long",
        label="[LONG]",
        category="secret",
        severity="low",
        expressions=("BEGIN[a-z]{0,100}",),
        opening=("BEGIN",),
        hits=("BEGINabc",),
        misses=("begin",),
    )
    assert long.rule(action).expressions == (long.opening if action is Action.HALT else long.expressions)
