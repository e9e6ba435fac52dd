"""Overlapping hits resolved: masks, extensions, halts; hits that allow-phrases cover; hits widened to clusters."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from guardrail.text.edits import Pending, Sweep
from guardrail.text.rules import Action, FixedChar, KeepLast, Rule
from guardrail.text.ruleset import compile_rules
from guardrail.text.track import Track
from tests.text.script import pattern, word

HALT, REPLACE = Action.HALT, Action.REPLACE


def track(rules: Sequence[Rule], text: str = "") -> Track:
    removing = compile_rules(rules).removing
    assert removing is not None
    one = Track(removing)
    one.feed(text)
    return one


def spell(term: str, id: str, **options: object) -> Rule:
    """A rule for a term wherever it stands, whose mask is its id in brackets."""
    return word(term, id=id, mask=f"[{id}]", edges="never", **options)


CASES: list[tuple[str, list[Rule], str, str, list[tuple[str, int, int]], int | None]] = [
    # name, rules, text; the edited text, findings in the order of resolution, where a halt cut
    ("one", [spell("bc", "x")], "abcd", "a[x]d", [("x", 1, 3)], None),
    ("apart", [spell("b", "x"), spell("d", "y")], "abcde", "a[x]c[y]e", [("x", 1, 2), ("y", 3, 4)], None),
    ("touching", [spell("ab", "x"), spell("cd", "y")], "abcd", "[x][y]", [("x", 0, 2), ("y", 2, 4)], None),
    ("overlapping", [spell("abc", "x"), spell("bcd", "y")], "abcde", "[x]e", [("x", 0, 3), ("y", 1, 4)], None),
    ("one inside another", [spell("abcd", "x"), spell("bc", "y")], "abcde", "[x]e", [("x", 0, 4), ("y", 1, 3)], None),
    (
        "a chain",
        [spell("ab", "x"), spell("bc", "y"), spell("cd", "z")],
        "abcde",
        "[x]e",
        [("x", 0, 2), ("y", 1, 3), ("z", 2, 4)],
        None,
    ),
    ("one rule, overlapping", [spell("aa", "x")], "aaab", "[x]b", [("x", 0, 2), ("x", 1, 3)], None),
    (
        "same start: the longest",
        [spell("ab", "x"), spell("abc", "y")],
        "abcd",
        "[y]d",
        [("y", 0, 3), ("x", 0, 2)],
        None,
    ),
    (
        "same span: the smaller id",
        [spell("ab", "y"), spell("ab", "x")],
        "abc",
        "[x]c",
        [("x", 0, 2), ("y", 0, 2)],
        None,
    ),
    (
        "same start: replace before redact, though shorter",
        [spell("abc", "x"), spell("ab", "y", action=REPLACE)],
        "abcd",
        "[y]d",
        [("y", 0, 2), ("x", 0, 3)],
        None,
    ),
    ("halt", [spell("bc", "x", action=HALT)], "abcd", "a", [("x", 1, 3)], 1),
    ("halt at the very start", [spell("a", "x", action=HALT)], "abcd", "", [("x", 0, 1)], 0),
    (
        "same start: halt before all",
        [spell("bcd", "x"), spell("bc", "y", action=REPLACE), spell("b", "z", action=HALT)],
        "abcd",
        "a",
        [("z", 1, 2)],
        1,
    ),
    (
        "halt inside a removal: after its mask",
        [spell("abc", "x"), spell("cd", "y", action=HALT)],
        "abcdef",
        "[x]",
        [("x", 0, 3), ("y", 2, 4)],
        3,
    ),
    (
        "halt inside what another removal extended",
        [spell("abc", "x"), spell("bcd", "y"), spell("d", "z", action=HALT)],
        "abcdef",
        "[x]",
        [("x", 0, 3), ("y", 1, 4), ("z", 3, 4)],
        4,
    ),
    (
        "halt right after a removal",
        [spell("ab", "x"), spell("c", "y", action=HALT)],
        "abcdef",
        "[x]",
        [("x", 0, 2), ("y", 2, 3)],
        2,
    ),
    (
        "nothing after a halt",
        [spell("b", "x", action=HALT), spell("d", "y"), spell("c", "z", action=HALT)],
        "abcd",
        "a",
        [("x", 1, 2)],
        1,
    ),
    (
        "an allow-phrase covers a hit of its rule",
        [spell("b", "x", allow=("abc",)), spell("bc", "y")],
        "abc",
        "a[y]",
        [("y", 1, 3)],
        None,
    ),
    (
        "an allow-phrase covers no part of a hit",
        [spell("bcd", "x", allow=("abc",))],
        "abcd",
        "a[x]",
        [("x", 1, 4)],
        None,
    ),
    ("an allow-phrase may be the hit itself", [spell("bc", "x", allow=("bc",))], "abcd", "abcd", [], None),
    (
        "two allow-phrases together cover nothing",
        [spell("bc", "x", allow=("ab", "cd"))],
        "abcd",
        "a[x]d",
        [("x", 1, 3)],
        None,
    ),
    (
        "the longer of two allow-phrases with one start",
        [spell("c", "x", allow=("ab", "abcd"))],
        "abcd",
        "abcd",
        [],
        None,
    ),
    (
        "of allow-phrases that overlap, the one that reaches further",
        [spell("d", "x", allow=("abcde", "bc"))],
        "abcde",
        "abcde",
        [],
        None,
    ),
    (
        "an allow-phrase of a pattern",
        [pattern(r"\d{3}", id="x", mask="[x]", allow=("room 101",))],
        "room 101, 102",
        "room 101, [x]",
        [("x", 10, 13)],
        None,
    ),
    ("a mark after a hit goes with it", [spell("b", "x")], "ab\u20ddc", "a[x]c", [("x", 1, 3)], None),
    (
        "a cluster that holds a hit goes whole",
        [spell("👧", "x")],
        "a👩\u200d👧\u200d👦b",
        "a[x]b",
        [("x", 1, 6)],
        None,
    ),
    (
        "carriage return and line feed go together",
        [pattern("\n", id="x", mask="[x]")],
        "a\r\nb",
        "a[x]b",
        [("x", 1, 3)],
        None,
    ),
    (
        "a halt is widened too",
        [spell("👧", "x", action=HALT)],
        "a👩\u200d👧b",
        "a",
        [("x", 1, 4)],
        1,
    ),
    (
        "hits that are widened to one cluster",
        [spell("👧", "x"), spell("👩", "y")],
        "a👩\u200d👧b",
        "a[x]b",
        [("x", 1, 4), ("y", 1, 4)],
        None,
    ),
]


def swept(rules: Sequence[Rule], text: str) -> tuple[str, list[tuple[str, int, int]], int | None]:
    one = track(rules, text)
    one.finish()
    sweep = Sweep("content")
    output, at = "", 0
    for edit in sweep.step(one, final=True):
        assert at <= edit.start < edit.end
        output += text[at : edit.start] + edit.text
        at = edit.end
    output += text[at : sweep.halt.cut if sweep.halt else len(text)]
    found = [(hit.rule, hit.start, hit.end) for hit in sweep.findings]
    return output, found, sweep.halt.cut if sweep.halt else None


@pytest.mark.parametrize(("name", "rules", "text", "output", "findings", "cut"), CASES, ids=[case[0] for case in CASES])
def test_resolution(
    name: str, rules: list[Rule], text: str, output: str, findings: list[tuple[str, int, int]], cut: int | None
) -> None:
    assert swept(rules, text) == (output, findings, cut)


@pytest.mark.parametrize(
    ("name", "rule", "text", "output"),
    [
        ("every code point", word("Ｂomb", mask=FixedChar()), "a b\u00adomb!", "a •••••!"),
        ("the raw text, not the folded", word("abc1", mask=KeepLast(1)), "ＡＢＣ１", "•••１"),
        ("the whole cluster", word("b", mask=FixedChar(), edges="never"), "b\u20dd", "••"),
    ],
)
def test_masks_see_the_raw_text_that_is_removed(name: str, rule: Rule, text: str, output: str) -> None:
    assert swept([rule], text)[0] == output


def test_a_finding_carries_what_its_rule_says() -> None:
    one = track([word("bomb", id="w", severity="critical", action=HALT)], "a bomb")
    one.finish()
    sweep = Sweep("reasoning")
    sweep.step(one, final=True)
    (found,) = sweep.findings
    assert (found.rule, found.category, found.severity, found.action, found.channel) == (
        "w",
        "test",
        "critical",
        HALT,
        "reasoning",
    )
    assert sweep.halt is not None
    assert sweep.halt.finding is found


def test_a_hit_waits_for_what_may_still_come_before_it_in_order() -> None:
    one = track([spell("bc", "short"), spell("abcd", "long", action=HALT)], "abc")
    sweep = Sweep("content")
    assert sweep.step(one, final=False) == ()
    one.feed("x")
    assert decided(sweep, one) == [(1, 3, "[short]")]


def decided(sweep: Sweep, one: Track) -> list[tuple[int, int, str]]:
    return [(edit.start, edit.end, edit.text) for edit in sweep.step(one, final=False)]


def test_a_hit_waits_for_the_end_of_its_cluster() -> None:
    sweep = Sweep("content")
    one = track([spell("b", "x")], "ab\u0903")
    assert decided(sweep, one) == []
    assert sweep.pending.start(one) == 1
    one.feed("c")
    assert decided(sweep, one) == [(1, 3, "[x]")]
    assert sweep.removed == 3
    assert sweep.pending.start(one) == 4


def test_an_extension_that_comes_later_is_an_edit_without_a_mask() -> None:
    sweep = Sweep("content")
    one = track([spell("ab", "x"), spell("bc", "y")], "abc")
    assert decided(sweep, one) == [(0, 2, "[x]")]
    one.feed("d")
    assert decided(sweep, one) == [(2, 3, "")]


def test_nothing_pending_starts_where_the_text_ends() -> None:
    one = track([word("bomb")], "a cat")
    pending = Pending()
    pending.take(one)
    assert pending.start(one) == 5
    assert pending.due(one, final=False) == []


def test_allow_phrases_are_forgotten_when_no_hit_can_need_them() -> None:
    one = track([word("麻", allow=("大麻烦",))])
    pending = Pending()
    for _ in range(50):
        one.feed("大麻烦")
        pending.take(one)
        assert len(one.allowed) <= 2
        assert len(pending.hits) <= 1
    one.feed("!")
    pending.take(one)
    assert pending.hits == {}
