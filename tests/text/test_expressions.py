"""Expressions: what is accepted, what is refused and why, and the prefixes of what they match."""

from __future__ import annotations

import re
import unicodedata
from itertools import product

import pytest
import re2

from guardrail.text.expressions import (
    FEW,
    MAX_DEPTH,
    MAX_WIDTH,
    ExpressionError,
    ascii_members,
    atoms,
    firsts,
    in_set,
    is_ascii_only,
    nullable,
    parse,
    prefixes,
    relaxed,
    render,
    width,
)


def matches(source: str, text: str) -> bool:
    return re2.fullmatch(render(parse(source)), text) is not None


ACCEPTED: list[tuple[str, str, list[str], list[str]]] = [
    ("letters", "bomb", ["bomb"], ["Bomb", "bom", "bombs"]),
    ("beyond ASCII", "炸弹é", ["炸弹é"], ["炸弹e"]),
    ("dot", "a.c", ["abc", "a中c", "a\rc"], ["a\nc", "ac"]),
    ("class", "[a-c_]", ["a", "c", "_"], ["d", "A"]),
    ("negated class", "[^a-c]", ["d", "\n", "中"], ["a"]),
    ("class with brackets", r"[]\]a[]", ["]", "a", "["], ["b"]),
    ("negated class with a bracket", "[^]]", ["["], ["]"]),
    ("named class", "[[:digit:]x]", ["7", "x"], ["a"]),
    ("class escapes", r"\d\w\s\D\W\S", ["1_ a-é"], ["1_ a-é ", "٣_ a-é"]),
    ("Unicode properties", r"\pL\p{Han}\P{Han}\p{^Han}", ["é中ab"], ["1中ab", "é中中b"]),
    ("code points", r"\x41\x{1F600}\x{e9}", ["A😀é"], ["a😀é"]),
    ("control escapes", r"\t\n\r\f\v\a", ["\t\n\r\f\v\a"], ["tnrfva"]),
    ("escaped signs", r"\.\*\\\$\-\/", [r".*\$-/"], ["a*"]),
    ("signs of other syntaxes", "a-b#c&d~e", ["a-b#c&d~e"], []),
    ("alternation", "ab|cd", ["ab", "cd"], ["abcd", "a"]),
    ("option", "ab?c", ["abc", "ac"], ["abbc"]),
    ("repeat", "a{3}", ["aaa"], ["aa", "aaaa"]),
    ("bounded repeat", "a{2,3}", ["aa", "aaa"], ["a", "aaaa"]),
    ("repeat from nothing", "xa{,2}", ["x", "xa", "xaa"], ["xaaa"]),
    ("repeat of a repeat", "(?:a{2}){2}", ["aaaa"], ["aaa"]),
    ("repeats whose counts multiply beyond a thousand", "(?:a{600}){3}", ["a" * 1800], ["a" * 1799, "a" * 1801]),
    ("three deep", "(?:(?:a{40}b?){40}){2}", ["a" * 3200, ("a" * 40 + "b") * 80], ["a" * 3199, "a" * 3201]),
    ("no repeat at all", "ab{0}c", ["ac"], ["abc"]),
    ("braces that count nothing", "a{x}{", ["a{x}{"], ["a"]),
    ("a count of no ASCII digits", "a{1,²}b{,}", ["a{1,2}b{,}"], ["ab"]),
    ("braces that count nothing after a repeat", "a{2}{x}", ["aa{x}"], ["aa"]),
    ("groups", "(a)(?:b)(?P<n>c)(?<m>d)", ["abcd"], ["abc"]),
    ("alternation in a group", "x(?:a|bc)?y", ["xy", "xay", "xbcy"], ["xby"]),
    ("empty alternative", "x(?:a|)y", ["xay", "xy"], ["xaay"]),
    ("empty group", "a()b", ["ab"], ["a"]),
    ("case ignored", "(?i)aß", ["aß", "Aß"], ["ass"]),
    ("case ignored in a class", "(?i)[a-c]\\x64", ["BD", "bd"], ["ed"]),
    ("case ignored in a group", "a(?i:b)c", ["aBc", "abc"], ["abC", "ABc"]),
    ("case ignored to the group's end", "(?i:a|(b))c", ["Ac", "Bc"], ["AC"]),
]


@pytest.mark.parametrize(("name", "source", "yes", "no"), ACCEPTED, ids=[case[0] for case in ACCEPTED])
def test_accepted(name: str, source: str, yes: list[str], no: list[str]) -> None:
    assert [text for text in yes if not matches(source, text)] == []
    assert [text for text in no if matches(source, text)] == []


UNBOUNDED = "which has no upper bound; expected {m,n}"
AGAIN = "a lazy, possessive or repeated repeat; matching is leftmost-longest"

REFUSED: list[tuple[str, str, str]] = [
    ("star", "ab*", f"found '*', {UNBOUNDED} (character 3 of the pattern)"),
    ("plus", "a+", f"found '+', {UNBOUNDED} (character 2 of the pattern)"),
    ("open repeat", "a{2,}", f"found {{2,}}, {UNBOUNDED} (character 2 of the pattern)"),
    ("octal code in a class", r"[a\377]", r"found the escape '\3', which is not available here"),
    ("word boundary in a class", r"[\b]", r"found the escape '\b', which is not available here (character 2"),
    ("a count of too many digits", "a{1000000}", "found {1000000}; expected at most 4096 repeats"),
    ("a ligature in a class", "[ﬁ]", "found 'ﬁ' in a class, which rules see as 'fi'"),
    ("an invisible character", "a\u00adb", "found the invisible character"),
    ("star in a group", "x(?:a|b*)", f"found '*', {UNBOUNDED} (character 8 of the pattern)"),
    ("bounds", "a{3,2}", "found {3,2}, whose bounds are the wrong way round (character 2 of the pattern)"),
    ("many repeats", "a{5000}", "found {5000}; expected at most 4096 repeats (character 2 of the pattern)"),
    ("lazy", "a??", f"found {AGAIN} (character 3 of the pattern)"),
    ("lazy count", "a{2}?", f"found {AGAIN} (character 5 of the pattern)"),
    ("possessive", "a?+", f"found {AGAIN} (character 3 of the pattern)"),
    ("repeated", "a{2}*", f"found {AGAIN} (character 5 of the pattern)"),
    ("start anchor", "^a", "found the anchor '^'; a rule's `edge` says what may stand beside a match (character 1"),
    ("end anchor", "a$", "found the anchor '$'; a rule's `edge` says what may stand beside a match (character 2"),
    ("word boundary", r"a\b", r"found the escape '\b', which is not available here (character 2 of the pattern)"),
    ("text start", r"\Aa", r"found the escape '\A', which is not available here (character 1 of the pattern)"),
    ("back-reference", r"(a)\1", r"found the escape '\1', which is not available here (character 4 of the pattern)"),
    ("any byte", r"\C", r"found the escape '\C', which is not available here (character 1 of the pattern)"),
    ("quoting", r"\Qa\E", r"found the escape '\Q', which is not available here (character 1 of the pattern)"),
    ("look-ahead", "a(?=b)", "found '(?=b'; look-around, flags and comments are not available here (character 2"),
    ("look-behind", "(?<=a)b", "found '(?<='; look-around, flags and comments are not available here (character 1"),
    ("negative look-behind", "(?<!a)b", "found '(?<!'; look-around, flags and comments are not available here"),
    ("flags in the middle", "a(?i)b", "found '(?i)'; look-around, flags and comments are not available here"),
    ("named back-reference", "(?P=n)", "found '(?P='; look-around, flags and comments are not available here"),
    ("group not closed", "(a", "found the end of the pattern inside a group (character 3 of the pattern)"),
    ("group name not closed", "(?P<n", "found a group name that never ends (character 1 of the pattern)"),
    ("group not opened", "a)b", "found an unmatched ')' (character 2 of the pattern)"),
    ("class not closed", "a[bc", "found a '[' that is never closed (character 2 of the pattern)"),
    ("class closed by an escape", "[\\]", "found a '[' that is never closed (character 1 of the pattern)"),
    ("named class not closed", "[[:alpha", "found a '[:' that is never closed (character 1 of the pattern)"),
    ("backslash at the end", "a\\", "found a backslash at the end (character 2 of the pattern)"),
    ("code point", r"\x{110000}", r"found a \x escape that is not a code point (character 3 of the pattern)"),
    ("code point not closed", r"a\x{41", r"found a \x escape that is not a code point (character 4 of the pattern)"),
    (
        "code point with a space",
        r"\x{ 41}",
        r"found a \x escape that is not a code point (character 3 of the pattern)",
    ),
    (
        "property not closed",
        r"a\p{L",
        r"found the escape '\p' without the name of a class (character 2 of the pattern)",
    ),
    ("property not named", r"\P", r"found the escape '\P' without the name of a class (character 1 of the pattern)"),
    ("half a surrogate pair", "[\ud800]", "found half a surrogate pair in the pattern; expected whole characters"),
    ("no code point", r"\xzz", r"found a \x escape that is not a code point (character 3 of the pattern)"),
    ("nothing to repeat", "?a", "found '?' with nothing to repeat (character 1 of the pattern)"),
    ("nothing to repeat in a group", "(?:*)", "found '*' with nothing to repeat (character 4 of the pattern)"),
    ("groups in groups", "(" * 50 + "a" + ")" * 50, "found groups nested more than 50 deep (character 51"),
    ("nothing", "", "the expression matches only the empty text"),
    ("nothing, repeated", "(?:){3}", "the expression matches only the empty text"),
    ("everything optional", "a?b{0,3}", "the expression matches the empty text; expected at least one character"),
    ("an empty alternative", "a|", "the expression matches the empty text; expected at least one character"),
    ("too wide", "a{4000}b{97}", "a match can be 4097 characters long; expected at most 4096"),
    (
        "far too wide",
        "(?:(?:a{4096}){4096}){4096}",
        "a match can be 68719476736 characters long; expected at most 4096",
    ),
]


@pytest.mark.parametrize(("name", "source", "message"), REFUSED, ids=[case[0] for case in REFUSED])
def test_refused(name: str, source: str, message: str) -> None:
    with pytest.raises(ExpressionError, match="^" + re.escape(message)):
        parse(source)


@pytest.mark.parametrize(
    ("source", "expected_width", "expected_nullable"),
    [
        ("abc", 3, False),
        ("a|bcd", 3, False),
        ("ab?", 2, False),
        ("a{2,5}b", 6, False),
        ("(?:ab|c){3}", 6, False),
        (r"(?i)\x{1F600}[a-z]", 2, False),
        ("a(?:b?|c{0,4})", 5, False),
    ],
)
def test_width_and_nullability(source: str, expected_width: int, expected_nullable: bool) -> None:
    node = parse(source)
    assert (width(node), nullable(node)) == (expected_width, expected_nullable)


def test_the_widest_and_the_deepest_expression() -> None:
    assert width(parse(f"a{{{MAX_WIDTH}}}")) == MAX_WIDTH
    groups = MAX_DEPTH - 1  # the expression itself is the first level
    assert width(parse("(" * groups + "a" + ")" * groups)) == 1


SMALL = (
    "a",
    "ab",
    "a|b",
    "a|bb",
    "ab?",
    "a?b",
    "a?b?a",
    "(?:a|b){3}",
    "a{2,4}b",
    "a{0,2}b",
    "a{0}b",
    "(?:ab){2,3}",
    "(?:a|bb)(?:aa|b)?",
    "(?:ab?){1,3}",
    "(?:a?b?){2}b",
    "(?:a|ab)(?:a|ba)",
    "(?:(?:a{1,2})b){2}",
    "a(?:)b",
    "a(?:b|)a",
    "(?:a?){3}b{2}",
    "(?:|a)(?:|b)ab",
    "[^a]a.",
    "(?:b{2}|a{3}){1,2}",
    "(?i)aB",
)
TEXTS = ["".join(chars) for size in range(8) for chars in product("ab", repeat=size)]


@pytest.mark.parametrize("source", SMALL)
def test_prefixes_are_exactly_the_starts_of_what_matches(source: str) -> None:
    """Every text over two letters up to the width of the widest of these expressions."""
    node = parse(source)
    assert width(node) <= 7
    words = {text for text in TEXTS if re2.fullmatch(render(node), text)}
    starts = {word[:end] for word in words for end in range(1, len(word) + 1)}
    assert words
    assert {text for text in TEXTS if re2.fullmatch(prefixes(node), text)} == starts


@pytest.mark.parametrize(
    ("source", "lengths"),
    [
        ("a{1000}", range(1000, 1001)),
        ("a{1001}", range(1001, 1002)),
        ("a{0,1500}a", range(1, 1502)),
        ("a{1200,2500}", range(1200, 2501)),
        ("a{999,4096}", range(999, 4097)),
        ("a{2000,3000}", range(2000, 3001)),
        ("(?:a{1,700}){2,3}", range(2, 2101)),
        ("(?:a{0,1500}){2}a", range(1, 3002)),
    ],
)
def test_repeats_beyond_a_thousand(source: str, lengths: range) -> None:
    node = parse(source)
    expression, starts = re2.compile(render(node)), re2.compile(prefixes(node))
    for size in {1, lengths.start - 1, lengths.start, lengths.start + 1, 1000, 1001, lengths.stop - 1, lengths.stop}:
        assert (expression.fullmatch("a" * size) is not None) == (size in lengths), size
        assert (starts.fullmatch("a" * size) is not None) == (1 <= size < lengths.stop), size


@pytest.mark.parametrize("source", SMALL)
def test_an_expression_of_small_counts_is_relaxed_to_itself(source: str) -> None:
    assert relaxed(parse(source)) == parse(source)


@pytest.mark.parametrize(
    "source",
    ["a{9}b", "a{0,12}b", "b(?:ab){9,10}", "(?:a|b){20,30}a", "(?:a?b{9}){1,9}", "a{3}b{10}a{4}", "(?:a?){9,12}b"],
)
def test_large_counts_are_relaxed_to_a_superset_that_is_exact_where_no_such_count_is_reached(source: str) -> None:
    exact, loose = parse(source), relaxed(parse(source))
    assert loose != exact
    for size in range(FEW + 1):
        for text in map("".join, product("ab", repeat=size)):
            assert bool(re2.fullmatch(prefixes(exact), text)) == bool(re2.fullmatch(prefixes(loose), text)), text
    longer = [unit * count for unit in ("a", "b", "ab", "aab") for count in range(40)]
    for text in [*longer, *(text + more for text in longer for more in ("a", "b", "ba"))]:
        for one, other in ((render(exact), render(loose)), (prefixes(exact), prefixes(loose))):
            assert re2.fullmatch(one, text) is None or re2.fullmatch(other, text) is not None, text


@pytest.mark.parametrize(
    ("source", "all_sets", "first_sets"),
    [
        ("ab", {"a", "b"}, {"a"}),
        ("a?b[c-d]", {"a", "b", "[c-d]"}, {"a", "b"}),
        ("a|(?:b|c)d", {"a", "b", "c", "d"}, {"a", "b", "c"}),
        ("a{0}b{2}c", {"b", "c"}, {"b"}),
        ("(?i)a.", {"(?i:a)", r"(?i:[^\n])"}, {"(?i:a)"}),
        ("(?:a?b?){2}c", {"a", "b", "c"}, {"a", "b", "c"}),
        ("é", {r"\x{e9}"}, {r"\x{e9}"}),
    ],
)
def test_sets_of_an_expression(source: str, all_sets: set[str], first_sets: set[str]) -> None:
    node = parse(source)
    assert (atoms(node), firsts(node)) == (all_sets, first_sets)


STABLE = "".join(
    char
    for char in map(chr, range(0x80, 0x110000))
    if not "\ud800" <= char <= "\udfff" and unicodedata.normalize("NFKC", char) == char
)
"""Every character beyond ASCII that can stand on a lane."""

SETS = [
    *("a", "\\.", "[a-z]", "[^a-z]", "[A-Za-z0-9_.-]", "[]a]", "[^]a]", "[a^]", r"[\^a]", "é", "中"),
    *("[[:alpha:]]", "[[:^alpha:]]", "[[:print:]]", "[[:^print:]]", "[[:word:]]", "[^[:word:]]"),
    *(r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"[\d]", r"[\D]", r"[^\D]", r"\pN", r"\p{Han}", r"[\PL]", "."),
    *(r"\x41", r"\xe9", r"\x7f", r"\x80", r"\x{41}", r"\x{7f}", r"\x{80}", r"\x{0041}", r"\x{1F600}"),
    *(r"[\x41-\x5a]", r"[\x41-\xff]", r"[a\x{e9}]", r"[!-\x{2000}]", r"[\x{000021}-\x{00007e}]", "[é]", "[a-é]"),
    *("(?i)k", "(?i)s", "(?i)[a-z]", r"(?i)\w", "(?i)é", "(?i)[^k]"),
]


@pytest.mark.parametrize("source", SETS)
def test_no_set_with_a_member_beyond_ascii_is_taken_for_one_without(source: str) -> None:
    (one,) = atoms(parse(source))
    if is_ascii_only(one):
        assert re2.search(one, STABLE) is None


@pytest.mark.parametrize(
    "source", ["a", "[a-z]", "[A-Za-z0-9_.-]", r"\d", r"\w", r"\s", r"\x41", r"[\x{21}-\x{7e}]", "(?i)k", r"\-"]
)
def test_usual_sets_are_known_to_stay_in_ascii(source: str) -> None:
    (one,) = atoms(parse(source))
    assert is_ascii_only(one)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a", "a"),
        ("(?i)a", "Aa"),
        (r"\d", "0123456789"),
        ("[^\x00-~]", "\x7f"),
        ("[x-zé]", "xyz"),
        ("中", ""),
        (r"[\x{7a}-\x{ff}]", "z{|}~\x7f"),
    ],
)
def test_ascii_members(source: str, expected: str) -> None:
    (one,) = atoms(parse(source))
    assert ascii_members(one) == frozenset(expected)


@pytest.mark.parametrize(
    ("source", "char", "expected"), [("[a-c]", "b", True), ("[a-c]", "d", False), ("é", "é", True)]
)
def test_membership(source: str, char: str, expected: bool) -> None:
    (one,) = atoms(parse(source))
    assert in_set(one, char) is expected


@pytest.mark.parametrize(
    ("source", "text"),
    [("a–b", "a-b"), ("[—–]", "-"), ("ﬁ", "fi"), ("Ａ{2}", "AA"), ("e\u0301", "é"), ("[Ａ-Ｃ]", "B")],
)
def test_literals_are_read_as_the_lane_has_them(source: str, text: str) -> None:
    assert re2.fullmatch(render(parse(source)), text)
