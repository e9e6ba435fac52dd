"""Rule sets, texts in which their rules nearly match, and ways to cut those texts.

Everything is drawn from one tiny pool, so that terms overlap each other, are prefixes of each other and stand in,
around and across allow-phrases, and so that the texts really hold them; then it is mixed with the characters that
make folding, word edges and grapheme clusters hard.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import Any, Literal

from hypothesis import strategies as st

from guardrail.text.rules import (
    Action,
    FixedChar,
    Folds,
    KeepLast,
    KeyedHash,
    KeywordRule,
    Label,
    Mask,
    NearRule,
    PatternEdge,
    PatternRule,
    RightEdge,
    Rule,
    WordEdges,
)
from guardrail.wire.inserts import Inserts
from tests.expressions import Chain, Either, Node, Set, Times, nullable, spell, words
from tests.lanes import BREAK, cased_lane, folded_lane, joiner

HARD = (
    *(" ", ".", "-", "\u2011", "\u2212", "_", "@", "1", "2", "0", "\n", "\r", "\r\n", "\x00", "A", "B", "x", "z"),
    *("炸", "弹", "炸弹", "中", "カ", "ｶ", "ﾞ", "\u3099", "ー", "ก", "ж"),
    *("👩", "👩\u200d👩", "👍🏽", "🏽", "❤\ufe0f", "🇫", "🇷", "🇫🇷", "™", "©", "ℹ", "\u200d", "\ufe0f"),
    *("\u0301", "\u0323", "\u0316", "\u0301\u0323", "\u0316" * 29 + "\u0301", "\u0316" * 30, "\u0316" * 31),
    *("\u0301" * 35, "\u0345", "\u20e3", "é", "á", "e", "ạ", "ấ"),
    *("\u1100", "\u1161", "\u11a8", "가", "각", "\u314f", "\uffc2"),
    *("ａ", "Ａ", "ｂ", "１", "ﬁ", "ﬀ", "ß", "İ", "ŉ", "ǆ", "ſ", "K", "²", "½", "…", "\ufb03"),
    *("\u00ad", "\u200b", "\u2060", "\u202e", "\u2066", "\u2069", "\u034f", "\U000e0041"),
    *("\u200b" * 255, "\u200b" * 256, "\u200b" * 257, "\u00ad" * 514),
    *("\ud83d", "\udc69", "\ud83d\udc69", "\ud835\udc1a", "\ud83d\u200b\udc69", "\ude00", "\uffff"),
    *("\u0600", "क", "\u094d", "ष", "क\u094dष", "\u093f", "\U0001d41a", "\u200d" * 63, "\u200d" * 70),
)
"""Pieces of text that are each hard for some reason."""

SETS = (
    *("a", "b", "a", "b", "[ab]", "1", r"\d", "[0-9]", "@", "-", " ", "[^a]", "[^ab1]", ".", r"\w", r"\D", "(?i:a)"),
    *("é", "[é-ü]", "[^é]", "[a-zé]", "炸", "[一-龥]", "[^一-龥]", "👩", "[👩🇫]", "[\u0300-\u036f]", r"\n", "가", "क"),
)
"""Character sets, as both RE2 and `re` spell them."""

VARIANTS = {
    "a": ("\u0430", "\u03b1", "\U0001f170", "A", "ａ", "4", "@", "á", "a\u0336", "aa", "aaa"),
    "b": ("\U0001f171", "8", "B", "b\u0336", "bb"),
    "o": ("\u043e", "\u03bf", "0", "ö", "o\u0336", "oo"),
    "i": ("\u0456", "1", "!", "i\u0301", "ii"),
    "l": ("1", "|", "l\u0336", "ll"),
    "1": ("一", "壹", "①", "\u0661"),
    "3": ("三", "叁", "３", "\u0663"),
    "三": ("3", "三三"),
    "弹": ("彈", "弹弹"),
    "彈": ("弹",),
    "杀": ("殺", "杀\u0301"),
    "\u0430": ("a", "\u0430\u0336"),
}
"""What is read as a character in some lane, view or reading, and a little that is not."""

NOISE = (
    *(
        "*",
        "**",
        "-",
        "_",
        "\\",
        "~",
        "👍",
        " ",
        "  ",
        "\n",
        "\t",
        ".",
        ". ",
        ",",
        "。",
        "!",
        "?",
        "…",
        "\u00a0",
        "\u2028",
    ),
    *("@", "$", "|", "&", ";", "<", ">", "<b>", "</b>", "<br />", "<b/", "</", "<a x=1>", "<b", "<b ", "<h1>", "<1>"),
    *("&amp;", "&#49;", "&#x2d;", "&#", "&a", "&amp", "&b1;", "<" + "b" * 10 + ">", "<" + "b" * 11 + ">"),
    *("<a " + "y" * 40, "<a " + "." * 40 + ">", "<a " + "." * 41 + ">", "*" * 63, "*" * 64, "*" * 65, "<b>" * 21),
    *("\u200b", "\u00ad" * 257, "\u0336", "\u0301", "\u20e3", " " * 256, "a" * 31, "a" * 32, "a" * 33),
)
"""What stands between letters: noise, and what only looks like it."""

Kind = Literal["letters", "leet", "noise", "repeats", "exact", "near", "context", "raw"]
KINDS: tuple[Kind, ...] = ("letters", "leet", "noise", "repeats", "exact", "near", "context", "raw")
"""What rules may have beyond plain keywords and patterns. `letters`: the look lanes; `context`: also edges and checks
of single expressions; the others as `guardrail.text.rules` calls them."""

HASH_KEY = b"a key of the tests"


@dataclass(frozen=True, slots=True)
class Case:
    """A rule set, the trees of its patterns' expressions, and a text."""

    rules: tuple[Rule, ...]
    trees: dict[str, Node]
    text: str

    def __repr__(self) -> str:
        rules = "".join(f"\n  {_shown(rule)}" for rule in self.rules)
        return f"rules:{rules}\n  text {self.text!a}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # what hypothesis shows of a failing case
        printer.text(repr(self))


def _shown(rule: Rule) -> str:
    """What a rule says beyond what every rule of these tests says; failures are to be read by people."""
    usual = ("id", "category", "action", "severity", "hits", "misses")
    said = [f"{f.name}={getattr(rule, f.name)!a}" for f in fields(rule) if f.name not in usual]
    return f"{rule.id}: {rule.action} {type(rule).__name__}({', '.join(said)})"


def even_digit_sum(matched: str) -> bool:
    return sum(int(c) for c in matched if c in "0123456789") % 2 == 0


def even_length(matched: str) -> bool:
    return len(matched) % 2 == 0


masks: st.SearchStrategy[Mask] = st.sampled_from(
    (Label("[X]"), Label(""), Label("#"), FixedChar("*"), KeepLast(2), KeyedHash("ID", HASH_KEY))
)
accepts: st.SearchStrategy[Callable[[str], bool]] = st.sampled_from((even_digit_sum, even_length))
word_edges: st.SearchStrategy[WordEdges] = st.sampled_from(("auto", "never", "always"))
pattern_edges: st.SearchStrategy[PatternEdge] = st.sampled_from(("none", "digit", "number", "word"))
right_edges: st.SearchStrategy[RightEdge] = st.sampled_from(("none", "digit", "number", "word", "newline"))
removing_actions = st.sampled_from((Action.REDACT, Action.REDACT, Action.REPLACE, Action.HALT))
all_actions = st.sampled_from((*[Action.REDACT] * 3, Action.REPLACE, Action.HALT, Action.LOG, Action.ALLOW))
log_actions = st.just(Action.LOG)


def trees(depth: int = 2) -> st.SearchStrategy[Node]:
    """Expressions of bounded width, which do not match the empty text."""
    return _any_trees(depth).filter(lambda node: not nullable(node))


def _any_trees(depth: int) -> st.SearchStrategy[Node]:
    sets = st.sampled_from(SETS).map(Set)
    if depth == 0:
        return sets
    inner = _any_trees(depth - 1)
    return st.one_of(
        sets,
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Chain(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda options: Either(tuple(options))),
        st.builds(_times, inner, st.integers(0, 2), st.integers(0, 2)),
        st.builds(_times, sets, st.sampled_from((0, 2, 9)), st.sampled_from((1, 3, 9))),
    )


MAX_TERM = 256
MAX_MARKS = 4
"""What docs/policies.md says of a term: so many folded characters, so many marks on one of its letters."""


def usable(term: str) -> bool:
    """Whether a rule may have this term: more than white space, no mark at its start, no break, not too long."""
    for folded in (term, cased_lane(term).text, folded_lane(term).text):
        if not folded.strip() or len(folded) > MAX_TERM or BREAK in folded:
            return False
        if joiner(folded[0]) or unicodedata.category(folded[0]).startswith("M"):
            return False
        marks = 0
        for char in folded:
            own = len(unicodedata.normalize("NFD", char))
            marks = marks + own if joiner(char) else own - 1
            if marks > MAX_MARKS:
                return False
    return True


def _times(inner: Node, low: int, more: int) -> Node:
    return Times(inner, low, max(low + more, 1))


def terms(kinds: Sequence[Kind] = ()) -> st.SearchStrategy[str]:
    plain = st.text("ab", min_size=1, max_size=3)
    mixed = st.lists(st.one_of(plain, st.sampled_from(HARD)), min_size=1, max_size=3).map("".join)
    if not kinds:
        return st.one_of(plain, plain, plain, mixed.filter(usable))
    longer = st.text("aabboil", min_size=2, max_size=5)
    odd = st.text("ab炸弹彈杀三13\u0430é .-+", min_size=1, max_size=4).filter(usable)
    return st.one_of(plain, longer, longer, odd, mixed.filter(usable))


@st.composite
def _relatives(draw: st.DrawFn, pool: list[str]) -> str:
    """A term of the pool, or one made of two of them: inside, around, across."""
    one, other = draw(st.sampled_from(pool)), draw(st.sampled_from(pool))
    made = draw(
        st.sampled_from(
            (
                *(one, one, one, one[:-1] or one, one[1:] or one, one + "b", "a" + one, " " + one, one + " "),
                *(one + other, other + one, one + " " + other),
                *(one[:1] + other, one + other[-1:], one[-1:] + other),
            )
        )
    )
    return made if usable(made) else one


@st.composite
def folds(draw: st.DrawFn, kinds: Sequence[Kind]) -> Folds:
    """Switches, those that the kinds do not name off."""
    letters = ("marks", "lookalikes", "simplified", "numbers") if "letters" in kinds else ()
    switches = (*letters, *(kind for kind in ("leet", "noise", "repeats") if kind in kinds))
    off = dict.fromkeys(("marks", "lookalikes", "simplified", "numbers", "leet"), False)
    on = {name: draw(st.sampled_from((True, True, False))) for name in switches}
    return Folds(**off | on, exact="exact" in kinds and draw(st.integers(0, 5)) == 5)


@st.composite
def _keyword_rules(draw: st.DrawFn, pool: list[str], kinds: Sequence[Kind]) -> KeywordRule:
    relatives = _relatives(pool)
    return KeywordRule(
        id="",
        category="test",
        terms=tuple(draw(st.lists(relatives, min_size=1, max_size=3))),
        allow=tuple(draw(st.lists(relatives, max_size=2))),
        case_sensitive=draw(st.sampled_from((False, False, True))),
        edges=draw(word_edges),
        folds=draw(folds(kinds)),
    )


@st.composite
def _near_rules(draw: st.DrawFn, pool: list[str], kinds: Sequence[Kind]) -> NearRule:
    words = st.lists(_relatives(pool), min_size=1, max_size=2).map(tuple)
    return NearRule(
        id="",
        category="test",
        first=draw(words),
        second=draw(words),
        within=draw(st.sampled_from((None, 0, 1, 3, 8))),
        sentence=draw(st.booleans()),
        allow=tuple(draw(st.lists(_relatives(pool), max_size=1))),
        edges=draw(word_edges),
        folds=draw(folds(kinds)),
    )


@st.composite
def _pattern_rules(
    draw: st.DrawFn, pool: list[str], found: dict[str, Node], accept: bool, kinds: Sequence[Kind]
) -> PatternRule:
    drawn = {spell(node): node for node in draw(st.lists(trees(), min_size=1, max_size=2))}
    found.update(drawn)
    checks = st.one_of(st.none(), accepts) if accept else st.none()
    rule = PatternRule(
        id="",
        category="test",
        expressions=tuple(drawn),
        allow=tuple(draw(st.lists(_relatives(pool), max_size=1))),
        left=draw(pattern_edges),
        right=draw(pattern_edges),
        accept=draw(checks),
    )
    if "context" in kinds:
        count = len(drawn)
        rule = replace(
            rule,
            left=draw(st.tuples(*[pattern_edges] * count)),
            right=draw(st.tuples(*[right_edges] * count)),
            accept=draw(st.tuples(*[checks] * count)),
            contextual=draw(st.tuples(*[st.booleans()] * count)),
            context=tuple(draw(st.lists(_relatives(pool), min_size=1, max_size=2))),
            within=draw(st.sampled_from((0, 1, 3, 48))),
        )
    if "raw" in kinds and draw(st.booleans()):
        rule = replace(rule, lane="raw", allow=(), context=(), contextual=False)
    return rule


@st.composite
def cases(
    draw: st.DrawFn,
    actions: st.SearchStrategy[Action] = all_actions,
    accept: bool = True,
    max_pieces: int = 14,
    max_length: int = 2000,
    kinds: Sequence[Kind] = (),
) -> Case:
    """A rule set with a text made of its terms, of words of its patterns, of disguises, and of what is hard."""
    pool = draw(st.lists(terms(kinds), min_size=1, max_size=4))
    found: dict[str, Node] = {}
    rule = st.one_of(_keyword_rules(pool, kinds), _pattern_rules(pool, found, accept, kinds))
    if "near" in kinds:
        rule = st.one_of(rule, _near_rules(pool, kinds))
    drawn = draw(st.lists(rule, min_size=1, max_size=4))
    ids = draw(st.permutations([f"rule{i}" for i in range(len(drawn))]))
    rules = tuple(
        replace(rule, id=rule_id, action=draw(actions), mask=draw(masks))
        for rule, rule_id in zip(drawn, ids, strict=True)
    )
    whole = [word for rule in rules for word in words_of(rule)]
    whole += [word for node in found.values() for word in islice(words(node), 6)]
    text = draw(_texts(tuple(whole), max_pieces, kinds).filter(lambda text: len(text) <= max_length))
    return Case(rules, found, text)


def words_of(rule: Rule) -> tuple[str, ...]:
    """The terms, context words and allow-phrases of a rule."""
    match rule:
        case KeywordRule(terms=terms):
            return terms + rule.allow
        case NearRule(first=first, second=second):
            return first + second + rule.allow
        case PatternRule(context=context):
            return context + rule.allow
    return rule.allow


def _texts(whole: tuple[str, ...], max_pieces: int, kinds: Sequence[Kind]) -> st.SearchStrategy[str]:
    near = st.sampled_from(whole).flatmap(_near)
    piece = st.one_of(near, near, st.sampled_from(("a", "b", " ")), st.sampled_from(HARD))
    if kinds:
        disguised = st.sampled_from(whole).flatmap(_disguised)
        plain = st.sampled_from(whole)
        piece = st.one_of(piece, plain, disguised, disguised, st.sampled_from(NOISE), st.just(" "))
    return st.lists(piece, max_size=max_pieces).map("".join)


@st.composite
def _disguised(draw: st.DrawFn, word: str) -> str:
    """The word with one or two characters in a variant, and noise within it: at one place, or at all."""
    letters = list(word)
    for at in draw(st.lists(st.integers(0, len(word) - 1), max_size=2)):
        letters[at] = draw(st.sampled_from((*VARIANTS.get(word[at], ()), word[at] * 2, word[at].swapcase())))
    between = draw(st.sampled_from(("", "", "", *NOISE)))
    if draw(st.booleans()):
        return between.join(letters)
    at = draw(st.integers(0, len(letters)))
    return "".join(letters[:at]) + between + "".join(letters[at:])


@st.composite
def _near(draw: st.DrawFn, word: str) -> str:
    """The word, a beginning or an end of it, or the word disguised."""
    at = draw(st.integers(0, len(word)))
    disguised = [word[:at] + between + word[at:] for between in ("\u00ad", "\u0301", "\u200d")]
    made: str = draw(st.sampled_from((word, word, word, word[:at], word[at:], word.upper(), *disguised)))
    return made


@st.composite
def cuts(draw: st.DrawFn, text: str) -> list[str]:
    """The text in pieces: whole, character by character, or at random places; some pieces may be empty."""
    places = draw(
        st.one_of(
            st.just(()),
            st.just(tuple(range(1, len(text)))),
            st.lists(st.integers(0, len(text)), max_size=8).map(lambda drawn: tuple(sorted(drawn))),
        )
    )
    return [text[a:b] for a, b in zip((0, *places), (*places, len(text)), strict=True)]


said_with = st.sampled_from((Inserts(), Inserts("\u2039\u2021\u203a\n\n", "\n\n\u2039\u2021\u203a")))
"""What guardrail is to say around an answer; no letter of it is one that the tests of codecs look for."""
