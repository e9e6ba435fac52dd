"""Pattern rules: matches with their edges, and the live tail, over windows that begin with one context character."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import re2

from guardrail.errors import RuleError
from guardrail.text import expressions
from guardrail.text.clusters import Reach
from guardrail.text.entities import ENTITIES
from guardrail.text.fold import fold_whole
from guardrail.text.patterns import PatternMatcher
from guardrail.text.rules import Action, PatternEdge
from tests.text.script import pattern


def matcher(*sources: str, **options: Any) -> PatternMatcher:
    return PatternMatcher([(0, pattern(*sources, **options), number) for number in range(len(sources))])


def even_digits(matched: str) -> bool:
    return sum(map(int, matched)) % 2 == 0


MATCHES: list[tuple[str, str, dict[str, Any], str, list[str]]] = [
    ("one match", "ab", {}, "xabx", ["ab"]),
    ("longest", "ab{0,3}", {}, "xabbx", ["abb"]),
    ("leftmost, then the next from its end", "aa", {}, "aaaaa", ["aa", "aa"]),
    ("at the start", "ab", {}, "abx", ["ab"]),
    ("at the end", "ab", {}, "xab", ["ab"]),
    ("line feed inside", "a\nb", {}, "a\nb", ["a\nb"]),
    ("letter edge before", "ab", {"left": "word"}, "xab ab", ["ab"]),
    ("letter edge after", "ab", {"right": "word"}, "abx ab_ ab", ["ab"]),
    ("letters beyond ASCII satisfy every edge", "ab", {"left": "word", "right": "word"}, "éab中", ["ab"]),
    ("digit edge before", r"\d{3}", {"left": "digit"}, "1234 567", ["123", "567"]),
    ("digit edge after", r"\d{3}", {"right": "digit"}, "1234", ["234"]),
    ("digit edges on both sides", r"\d{3}", {"left": "digit", "right": "digit"}, "1234 567x", ["567"]),
    ("an edge is judged at the longest match", r"a\d{1,3}", {"right": "digit"}, "a1234 a12", ["a12"]),
    ("accepted", r"\d{3}", {"accept": even_digits}, "112", ["112"]),
    ("rejected: on from one character later", r"\d{3}", {"accept": even_digits}, "1124", ["112"]),
    ("rejected, then accepted", r"\d{3}", {"accept": even_digits}, "1112 4", ["112"]),
    ("rejected although a shorter match would do", r"\d{2,3}", {"accept": even_digits}, "111", ["11"]),
]


@pytest.mark.parametrize(("name", "source", "options", "text", "expected"), MATCHES, ids=[c[0] for c in MATCHES])
def test_matches_of_a_whole_text(
    name: str, source: str, options: dict[str, Any], text: str, expected: list[str]
) -> None:
    window = "\n" + text
    found, _, pending = matcher(source, **options).matches(0, window, 1, len(window), len(window), len(window), True)
    assert [window[match.start : match.end] for match in found] == expected
    assert pending == len(window)


UNDECIDED: list[tuple[str, str, dict[str, Any], str, int, int, list[str], int]] = [
    # name, expression, options, text so far, characters of it that are live, that are open; decided, live after
    ("nothing live", "ab", {}, "xabxx", 0, 1, ["ab"], 0),
    ("a match may still grow", "ab{0,3}", {}, "xab", 2, 1, [], 2),
    ("a match in the open segment may still change", "ab", {}, "xab", 0, 1, [], 2),
    ("an edge that is not known yet", "ab", {"right": "digit"}, "xab", 0, 0, [], 2),
    ("a digit there is there to stay", "ab", {"right": "digit"}, "xab1", 0, 1, [], 0),
    ("a letter there may still be changed by a mark", "ab", {"right": "word"}, "xabe", 0, 1, [], 3),
    ("the first letter of a ligature is there to stay", "ab", {"right": "word"}, "xabfi", 0, 2, [], 0),
    ("a letter that no mark changes", "ab", {"right": "word"}, "xab_", 0, 1, [], 0),
    ("one decided, the next not", "ab", {}, "ab ab", 0, 1, ["ab"], 2),
]


@pytest.mark.parametrize(
    ("name", "source", "options", "text", "live", "opened", "expected", "left"),
    UNDECIDED,
    ids=[c[0] for c in UNDECIDED],
)
def test_matches_of_a_text_that_goes_on(
    name: str,
    source: str,
    options: dict[str, Any],
    text: str,
    live: int,
    opened: int,
    expected: list[str],
    left: int,
) -> None:
    window = "\n" + text
    size = len(window)
    found, _, pending = matcher(source, **options).matches(
        0, window, 1, size - live, size - opened, size - min(opened, 1), False
    )
    assert [window[match.start : match.end] for match in found] == expected
    assert size - pending == left


def test_a_search_resumes_after_what_was_decided() -> None:
    several = matcher("aa")
    found, resume, _ = several.matches(0, "\naaa", 1, 4, 3, 3, False)
    assert [(match.start, match.end) for match in found] == [(1, 3)]
    assert resume == 3
    found, resume, _ = several.matches(0, "\naaaa", resume, 5, 5, 5, True)
    assert [(match.start, match.end) for match in found] == [(3, 5)]


LIVE: list[tuple[str, str, PatternEdge, str, str]] = [
    ("nothing", "abc", "none", "xyz", ""),
    ("one character", "abc", "none", "xya", "a"),
    ("the longest start of a match", "aab", "none", "xaa", "aa"),
    ("a start that is over", "abc", "none", "ab ", ""),
    ("a whole match that cannot grow is live still", "abc", "none", "xabc", "abc"),
    ("a whole match that is over", "abc", "none", "abcx", ""),
    ("beyond ASCII", "é中a", "none", "xé中", "é中"),
    ("no left edge", "abc", "word", "xab", ""),
    ("left edge", "abc", "word", "x ab", "ab"),
    ("left edge at the start", "abc", "word", "ab", "ab"),
    ("digits before", r"\d{3}x", "digit", "41234", ""),
    ("too long", r"\d{3}x", "none", "41234", "234"),
    ("a count that is exact although it is large", "a{20,30}b", "none", "a" * 35, "a" * 30),
    ("a large count that is not reached", "xa{20,30}b", "none", "xaaa", "xaaa"),
    ("a large count that is passed", "xa{20,30}b", "none", "x" + "a" * 31, ""),
    ("a large count that a later start still reaches", "xa{10}[ax]{3}", "none", "x" + "a" * 12 + "xa", "xa"),
    ("a large count too small to go on", "a{20}b", "none", "a" * 12 + "b", ""),
    ("a large count, left edge", r"\d{9,12}x", "digit", "1" * 13, ""),
]


@pytest.mark.parametrize(("name", "source", "left", "text", "tail"), LIVE, ids=[case[0] for case in LIVE])
def test_live_tail(name: str, source: str, left: PatternEdge, text: str, tail: str) -> None:
    window = "\n" + text
    one = matcher(source, left=left)
    assert window[one.live(window) :] == tail
    assert window[one.live_of(0, window, 1) :] == tail


def test_the_live_tail_is_the_longest_of_all_expressions() -> None:
    several = matcher("ab", "xxab")
    assert several.live("\nxxa") == 1
    assert [several.live_of(number, "\nxxa", 1) for number in (0, 1)] == [3, 1]


def test_the_live_tail_of_one_expression_starts_where_it_may_resume() -> None:
    assert [matcher("aaab").live_of(0, "\naaa", resume) for resume in (1, 2, 3, 4)] == [1, 2, 3, 4]


SOURCES = ("ab", "a?b{2}", "(?:a|bb)a", "[^a]a", "b(?:ab){1,2}")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("left", ["none", "word"])
def test_the_live_tail_is_live_and_nothing_before_it_is(source: str, left: PatternEdge) -> None:
    """Every text of up to five of three characters."""
    starts = re2.compile(expressions.prefixes(expressions.parse(source)))
    one = matcher(source, left=left)
    for chars in product("ab.", repeat=5):
        text = "".join(chars)
        alive = [
            at for at in range(5) if starts.fullmatch(text[at:]) and (at == 0 or left == "none" or text[at - 1] == ".")
        ]
        assert one.live("\n" + text) - 1 == min(alive, default=5), text


def test_shipped_entities_are_never_missed_by_the_search_that_comes_first() -> None:
    rules = [entity.rule(Action.REDACT) for entity in ENTITIES.values()]
    everything = PatternMatcher([(i, rule, n) for i, rule in enumerate(rules) for n in range(len(rule.expressions))])
    for index, rule in enumerate(rules):
        alone = PatternMatcher([(0, rule, number) for number in range(len(rule.expressions))])
        for example in rule.hits:
            window = "\n" + fold_whole(example)[0]
            assert alone.may_match(window), example
            assert everything.may_match(window), example
            found = {everything.expressions[number].rule for number in everything.candidates(window)}
            assert index in found, example


@pytest.mark.parametrize(
    ("name", "source", "text", "expected"),
    [
        ("no match, nothing live", "ab", "xyz", 4),
        ("no match, live", "ab", "xa", 2),
        ("a match", "ab", "xab", -1),
        ("a match in the middle", "ab", "xabx", -1),
        ("a letter that may become live", "éa", "xe", 2),
        ("a letter that may become live behind an opening sign", "@éa", "x@e", 2),
        ("the same without that sign", "@éa", "xe", 3),
        ("a letter with a mark that more marks make live", "ế", "xê", 2),
        ("a letter that cannot", "éa", "xa", 3),
    ],
)
def test_glance(name: str, source: str, text: str, expected: int) -> None:
    assert matcher(source).glance("\n" + text) == expected


@pytest.mark.parametrize(
    ("name", "source", "parts", "expected"),
    [
        ("one letter", "é", "e", ["é"]),
        ("another letter", "é", "a", []),
        ("through a mark that is there", "ế", "e\u0302", ["ế"]),
        ("past a mark that is there", "é", "e\u0323", []),
        ("what stands there already", "é", "e\u0301", []),
        ("only ASCII", "e", "e", []),
        ("a syllable", "각", "\u1100\u1161", ["각"]),
    ],
)
def test_what_an_open_segment_may_grow_into(name: str, source: str, parts: str, expected: list[str]) -> None:
    assert list(matcher(source).grown(parts)) == expected


def test_one_character_of_each_kind_is_enough() -> None:
    assert len(matcher("[^a-z]").grown("e")) == 1
    assert len(matcher("[^a-zé]x|éy").grown("e")) == 2


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("ab", Reach.NONE),
        (r"\d{4}", Reach.NONE),
        (r"\s{1,2}x", Reach.LINE_FEED),
        ("a\n", Reach.NONE),
        ("👩a", Reach.PICTOGRAPH),
        ("a?👩", Reach.PICTOGRAPH),
        ("[가-각]", Reach.HANGUL),
        ("\u0301", Reach.MARK | Reach.JOINER),
        ("[^x]", Reach.ANY),
        (".", Reach.ANY & ~Reach.LINE_FEED),
        ("[一-龥]", Reach.NONE),
    ],
)
def test_reach(source: str, expected: Reach) -> None:
    assert matcher(source).reach == expected


@pytest.mark.parametrize(("source", "expected"), [("[a-z]@", True), ("[^a]", False), ("é?a", False), (r"\w", True)])
def test_whether_only_ascii_can_extend_a_match(source: str, expected: bool) -> None:
    assert matcher(source).ascii_only is expected


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        (
            "ours",
            "ab*",
            "pattern 'ab*': found '*', which has no upper bound; expected {m,n} (character 3 of the pattern)",
        ),
        ("of RE2", "[z-a]", "pattern '[z-a]': invalid character class range: z-a"),
        ("unknown property", r"\p{Elvish}", r"pattern '\\p{Elvish}': invalid character class range: \p{Elvish}"),
    ],
)
def test_an_expression_that_cannot_be_used_names_its_rule(name: str, source: str, message: str) -> None:
    with pytest.raises(RuleError) as raised:
        matcher("ok", source, id="mine")
    assert (raised.value.rule, raised.value.message) == ("mine", message)


def test_patterns_that_are_too_large_together_are_refused() -> None:
    with pytest.raises(RuleError, match="the patterns of this policy are too large together"):
        matcher(r"\pL{900}x", r"\pL{901}x")


def test_a_long_pattern_is_shown_in_part() -> None:
    with pytest.raises(RuleError) as raised:
        matcher("a" * 200 + "*")
    assert raised.value.message.startswith(f"pattern '{'a' * 80}…': found '*'")
