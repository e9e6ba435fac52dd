"""Rules as data, and what the masks render."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac

import pytest

from guardrail.text.rules import (
    SEVERITIES,
    Action,
    Edit,
    Finding,
    FixedChar,
    KeepLast,
    KeyedHash,
    KeywordRule,
    Label,
    Mask,
)


@pytest.mark.parametrize(
    ("name", "mask", "matched", "expected"),
    [
        ("label", Label("[EMAIL]"), "a@b.c", "[EMAIL]"),
        ("empty label", Label(""), "a@b.c", ""),
        ("fixed character", FixedChar(), "a b😀", "••••"),
        ("another fixed character", FixedChar("█"), "ab", "██"),
        ("fixed character for each code point", FixedChar("x"), "e\u0301\u200b", "xxx"),
        ("keep last", KeepLast(), "4111 1111 1111 1234", "•••• •••• •••• 1234"),
        ("keep last, separators stay", KeepLast(2, "#"), "ab-cd (ef)", "##-## (ef)"),
        ("keep last of just as many", KeepLast(4), "1-234", "•-•••"),
        ("keep last of fewer", KeepLast(4), "12", "••"),
        ("keep last of one more", KeepLast(4), "12345", "•2345"),
        ("keep none", KeepLast(0), "12", "••"),
        ("keep last, nothing but signs", KeepLast(4), "+-", "+-"),
        ("keep last beyond ASCII", KeepLast(1), "张三丰", "••丰"),
    ],
)
def test_masks(name: str, mask: Mask, matched: str, expected: str) -> None:
    assert mask.render(matched) == expected


def test_the_keyed_hash_is_an_hmac_cut_short() -> None:
    digest = hmac.new(b"key", b"a@b.c", hashlib.sha256).hexdigest()
    assert KeyedHash("EMAIL", b"key").render("a@b.c") == f"[EMAIL:{digest[:8]}]"


def test_the_keyed_hash_tells_texts_and_keys_apart() -> None:
    rendered = [KeyedHash("X", key).render(text) for key in (b"1", b"2") for text in ("a", "b", "\ud800")]
    assert len(set(rendered)) == 6


def test_the_key_of_a_hash_is_never_shown() -> None:
    assert "secret" not in repr(KeyedHash("EMAIL", b"secret"))


@pytest.mark.parametrize(
    ("action", "removes"),
    [("allow", False), ("log", False), ("redact", True), ("replace", True), ("halt", True)],
)
def test_which_actions_remove(action: str, removes: bool) -> None:
    assert Action(action).removes is removes


def test_severities_ascend() -> None:
    assert SEVERITIES == ("low", "medium", "high", "critical")


def test_rules_and_what_comes_of_them_cannot_be_changed() -> None:
    rule = KeywordRule(id="r", category="c", terms=("a",))
    with pytest.raises(dataclasses.FrozenInstanceError):
        rule.id = "s"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Edit(0, 1, "").text = "x"  # type: ignore[misc]


def test_findings_are_ordered_by_start_end_and_rule() -> None:
    def found(start: int, end: int, rule: str) -> Finding:
        return Finding(start, end, rule, "c", "low", Action.LOG)

    shuffled = [found(1, 2, "a"), found(0, 2, "b"), found(0, 1, "b"), found(0, 2, "a")]
    assert sorted(shuffled) == [found(0, 1, "b"), found(0, 2, "a"), found(0, 2, "b"), found(1, 2, "a")]
