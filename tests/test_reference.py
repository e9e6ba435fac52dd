"""The reference is itself pinned by hand: small texts whose edited form anyone can work out on paper."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

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
    PatternRule,
    Rule,
)
from tests.reference import reference

SEES_NOTHING = Folds(marks=False, lookalikes=False, simplified=False, numbers=False, leet=False)
NOISE, REPEATS, EXACT = Folds(noise=True), Folds(repeats=True), Folds(exact=True)
REDACT, REPLACE, HALT, LOG, ALLOW = Action.REDACT, Action.REPLACE, Action.HALT, Action.LOG, Action.ALLOW


def word(rule_id: str, *terms: str, mask: str | Mask = "#", **options: Any) -> KeywordRule:
    """A keyword rule; a mask that is plain text is a label."""
    shown = Label(mask) if isinstance(mask, str) else mask
    return KeywordRule(id=rule_id, category="test", terms=terms, mask=shown, **options)


def pattern(rule_id: str, *expressions: str, mask: str | Mask = "#", **options: Any) -> PatternRule:
    """A pattern rule; a mask that is plain text is a label."""
    shown = Label(mask) if isinstance(mask, str) else mask
    return PatternRule(id=rule_id, category="test", expressions=expressions, mask=shown, **options)


def near(rule_id: str, first: str, second: str, **options: Any) -> NearRule:
    """A near rule with one word on either side, or several with a bar between."""
    one, other = tuple(first.split("|")), tuple(second.split("|"))
    return NearRule(id=rule_id, category="test", mask=Label("#"), first=one, second=other, **options)


def even(matched: str) -> bool:
    return sum(int(c) for c in matched if c.isdigit()) % 2 == 0


class Case(NamedTuple):
    name: str
    rules: list[Rule]
    text: str
    output: str
    findings: list[str]
    """`rule start-end`, in code points of the text."""


CASES = [
    # Folding: lanes, segments, ignorables, surrogates
    Case("nothing to find", [word("a", "bad")], "good", "good", []),
    Case("empty text", [word("a", "bad")], "", "", []),
    Case("no rules", [], "bad", "bad", []),
    Case("case is folded by default", [word("a", "Bad")], "a bAD b", "a # b", ["a 2-5"]),
    Case("case_sensitive keeps it", [word("a", "Bad", case_sensitive=True)], "bad Bad", "bad #", ["a 4-7"]),
    Case("full-width letters", [word("a", "bad")], "ｂａｄ!", "#!", ["a 0-3"]),
    Case("full-width, case kept", [word("a", "bad", case_sensitive=True)], "ｂａｄ Bad", "# Bad", ["a 0-3"]),
    Case(
        "dashes are hyphens", [word("a", "x-y"), pattern("p", r"\d-\d")], "x\u2011y 1\u22122", "# #", ["a 0-3", "p 4-7"]
    ),
    Case("a dash in a term is a hyphen", [word("a", "x\u2013y")], "x-y", "#", ["a 0-3"]),
    Case("an em dash is one, a swung one is none", [word("a", "x-y")], "x\u2014y x\u2053y", "# x\u2053y", ["a 0-3"]),
    Case("sharp s folds to two", [word("a", "strasse")], "Straße", "#", ["a 0-6"]),
    Case("a ligature is whole: fi holds i", [word("a", "ink", edges="never")], "xﬁnk", "x#", ["a 1-4"]),
    Case("ignorable inside a term", [word("a", "bad")], "b\u00ada\u200bd.", "#.", ["a 0-5"]),
    Case("ignorable between words is no edge", [word("a", "bad")], "x\u200bbad", "x\u200bbad", []),
    Case("ignorable in the term is dropped", [word("a", "b\u200bad")], "bad", "#", ["a 0-3"]),
    Case("combining mark composes", [word("a", "café")], "cafe\u0301", "#", ["a 0-5"]),
    Case("mark that the term lacks", [word("a", "cafe", folds=SEES_NOTHING)], "cafe\u0301", "cafe\u0301", []),
    Case("marks out of order", [word("a", "a\u0323\u0301")], "a\u0301\u0323", "#", ["a 0-3"]),
    Case("ignorable inside a segment", [word("a", "é")], "e\u200d\u0301!", "#!", ["a 0-3"]),
    Case("Hangul jamo compose", [word("a", "각")], "\u1100\u1161\u11a8", "#", ["a 0-3"]),
    Case("half-width kana joins its mark", [word("a", "ガ")], "ｶﾞ", "#", ["a 0-2"]),
    Case(
        "the 31st joiner starts a segment",
        [word("a", "\u0316", edges="never")],
        "x" + "\u0316" * 31 + "y",
        "#y",
        ["a 0-32"],
    ),
    Case(
        "the 31st joiner does not compose",
        [word("a", "é", edges="never")],
        "e" + "\u0316" * 29 + "\u0301" + "|e" + "\u0316" * 30 + "\u0301",
        "#|e" + "\u0316" * 30 + "\u0301",
        ["a 0-31"],
    ),
    Case("256 ignorables are dropped", [word("a", "bad")], "b" + "\u200b" * 256 + "ad", "#", ["a 0-259"]),
    Case(
        "257 ignorables break",
        [word("a", "bad", "ad")],
        "b" + "\u200b" * 257 + "ad",
        "b" + "\u200b" * 257 + "#",
        ["a 258-260"],
    ),
    Case(
        "a joiner after a break starts a segment",
        [word("a", "e\u0301", edges="never")],
        "e" + "\u00ad" * 257 + "\u0301",
        "e" + "\u00ad" * 257 + "\u0301",
        [],
    ),
    Case(
        "a break can be matched by a pattern, and is its 257th ignorable",
        [pattern("p", r"x[^x]y")],
        "x" + "\u00ad" * 257 + "y",
        "#",
        ["p 0-259"],
    ),
    Case(
        "two breaks in 514 ignorables",
        [pattern("p", r"x[^x]{2}y")],
        "x" + "\u00ad" * 514 + "y",
        "#",
        ["p 0-516"],
    ),
    Case("surrogate halves are one character", [word("a", "😀")], "a\ud83d\ude00", "a#", ["a 1-3"]),
    Case("a lone half is itself", [pattern("p", "b[^b]b")], "b\ud83db", "#", ["p 0-3"]),
    Case("halves apart stay apart", [word("a", "😀")], "\ud83d\u200b\ude00", "\ud83d\u200b\ude00", []),
    # Keywords: occurrences and word edges
    Case("inside a word", [word("a", "ass")], "assess class ass", "assess class #", ["a 13-16"]),
    Case("edges never", [word("a", "ass", edges="never")], "class", "cl#", ["a 2-5"]),
    Case("edges always, Han", [word("a", "炸弹", edges="always")], "大炸弹。x炸弹", "大#。x炸弹", ["a 1-3"]),
    Case("Han needs no edge", [word("a", "炸弹")], "x炸弹x", "x#x", ["a 1-3"]),
    Case(
        "each end by its own script",
        [word("a", "x弹")],
        "ax弹a x弹a 弹x弹",
        "ax弹a #a 弹#",
        ["a 5-7", "a 10-12"],
    ),
    Case("digits are word characters", [word("a", "bad")], "bad2 2bad bad", "bad2 2bad #", ["a 10-13"]),
    Case("underscore is not", [word("a", "bad")], "_bad_", "_#_", ["a 1-4"]),
    Case("Cyrillic neighbour is", [word("a", "bad")], "badж bad", "badж #", ["a 5-8"]),
    Case("Thai neighbour is not", [word("a", "bad")], "badก", "#ก", ["a 0-3"]),
    Case("a mark is a word character", [word("a", "b", folds=SEES_NOTHING)], "b\u0302 b", "b\u0302 #", ["a 3-4"]),
    Case("a term that ends in punctuation", [word("a", "c++")], "c++x ac++", "#x ac++", ["a 0-3"]),
    Case(
        "always, term that ends in punctuation",
        [word("a", "c++", edges="always")],
        "c++x c++",
        "c++x #",
        ["a 5-8"],
    ),
    Case("occurrences overlap", [word("a", "aa", edges="never")], "aaa", "#", ["a 0-2", "a 1-3"]),
    Case("prefix and longer term", [word("a", "bad", "bad dog")], "bad dog", "#", ["a 0-3", "a 0-7"]),
    # Patterns
    Case("leftmost longest", [pattern("p", "ab|abcd|bcde")], "abcde", "#e", ["p 0-4"]),
    Case("longest though first is shorter", [pattern("p", "(?:a|ab)(?:c|bcd)")], "abcd", "#", ["p 0-4"]),
    Case("resumes at the end", [pattern("p", "aba")], "ababa", "#ba", ["p 0-3"]),
    Case("case is kept", [pattern("p", "bad")], "Bad bad", "Bad #", ["p 4-7"]),
    Case("full-width digits", [pattern("p", r"\d{3}")], "１２３", "#", ["p 0-3"]),
    Case("digits of other scripts are \\d", [pattern("p", r"\d{2}")], "٤٥ 45", "# #", ["p 0-2", "p 3-5"]),
    Case("ignorables do not hide", [pattern("p", r"\d{3}")], "1\u20602\ufe0f3", "#", ["p 0-5"]),
    Case("zero-length matches do not count", [pattern("p", "a{0,2}")], "xaaax", "x##x", ["p 1-3", "p 3-4"]),
    Case("left edge digit", [pattern("p", r"7[0-9]", left="digit")], "177 x77", "177 x#", ["p 5-7"]),
    Case("left edge costs nothing", [pattern("p", r"a?77", left="digit")], "1a77 177", "1a# 177", ["p 2-4"]),
    Case("right edge digit", [pattern("p", r"7[0-9]", right="digit")], "711 77a", "711 #a", ["p 4-6"]),
    Case(
        "word edges",
        [pattern("p", "ab", left="word", right="word")],
        "ab_ _ab é.ab.",
        "ab_ _ab é.#.",
        ["p 10-12"],
    ),
    Case("edge by ASCII only", [pattern("p", "ab", left="word", right="word")], "éabé", "é#é", ["p 1-3"]),
    Case(
        "the longest match alone is checked",
        [pattern("p", "ab{1,2}", right="word")],
        "abbb abb",
        "abbb #",
        ["p 5-8"],
    ),
    Case("accept", [pattern("p", r"\d\d", accept=even)], "12 13 2", "12 # 2", ["p 3-5"]),
    Case("rejected, resumes one further", [pattern("p", r"\d\d", accept=even)], "1231", "12#", ["p 2-4"]),
    Case("accepted ones do not overlap", [pattern("p", r"\d\d", accept=even)], "111", "#1", ["p 0-2"]),
    Case("accept sees folded text", [pattern("p", r"\d\d", accept=even)], "１\u200b１", "#", ["p 0-3"]),
    Case("two expressions overlap", [pattern("p", "abc", "bcd")], "abcd", "#", ["p 0-3", "p 1-4"]),
    Case("two expressions, one span", [pattern("p", "abc", "ab.")], "abc", "#", ["p 0-3"]),
    # Allow-phrases
    Case("allowed phrase", [word("a", "大麻", allow=("大麻烦",))], "大麻烦 大麻", "大麻烦 #", ["a 4-6"]),
    Case(
        "allow needs its own edges",
        [word("a", "kill", allow=("kill it",))],
        "kill it kill its",
        "kill it # its",
        ["a 8-12"],
    ),
    Case(
        "allow follows the rule's case",
        [word("a", "Bad", case_sensitive=True, allow=("Bad Ems",))],
        "Bad ems Bad Ems",
        "# ems Bad Ems",
        ["a 0-3"],
    ),
    Case(
        "a hit around the phrase stays",
        [word("a", "abc", allow=("ab",), edges="never")],
        "abc",
        "#",
        ["a 0-3"],
    ),
    Case("a hit over its edge stays", [word("a", "bc", allow=("ab",), edges="never")], "abc", "a#", ["a 1-3"]),
    Case("equal span is inside", [word("a", "ab", allow=("ab",))], "ab", "ab", []),
    Case(
        "allow of one rule is not another's",
        [word("a", "ab", allow=("ab c",)), word("b", "ab")],
        "ab c",
        "# c",
        ["b 0-2"],
    ),
    Case(
        "pattern: allow ignores case",
        [pattern("p", r"\w{1,9}@x", allow=("INFO@x",))],
        "info@x me@x",
        "info@x #",
        ["p 7-11"],
    ),
    Case("pattern: allow has auto edges", [pattern("p", "@x", allow=("@x",))], "@xy @x", "#y @x", ["p 0-2"]),
    Case("allowed match still uses its text up", [pattern("p", "ab|bc", allow=("abc",))], "abc", "abc", []),
    # Disguises: what tests/test_occurrences.py does not show
    Case(
        "a hit reaches from its first character to its last",
        [word("a", "bomb", folds=NOISE)],
        "(b.o.m.b)",
        "(#)",
        ["a 1-8"],
    ),
    Case(
        "what noise hides goes too", [word("a", "bomb", folds=NOISE, mask=FixedChar("*"))], "bo👍mb", "*****", ["a 0-5"]
    ),
    Case("widened behind the last letter", [word("a", "bomb", folds=NOISE)], "b-omb\u200d!", "#!", ["a 0-6"]),
    Case("one finding for a span found twice", [word("a", "bomb", "b0mb")], "b0mb", "#", ["a 0-4"]),
    Case(
        "an allow-phrase in disguise", [word("a", "bomb", allow=("bath bomb",))], "b\u0430th b0mb", "b\u0430th b0mb", []
    ),
    Case(
        "an allow-phrase through noise",
        [word("a", "bomb", allow=("bath bomb",), folds=NOISE)],
        "b*ath b-omb b-omb",
        "b*ath b-omb #",
        ["a 12-17"],
    ),
    Case(
        "an allow-phrase with noise where the rule sees none",
        [word("a", "bomb", allow=("bath bomb",))],
        "b*ath bomb",
        "b*ath #",
        ["a 6-10"],
    ),
    Case(
        "a phrase of exact terms is exact",
        [word("a", "Bad", allow=("Bad Ems",), folds=EXACT)],
        "Bad Ems Bad ems",
        "Bad Ems # ems",
        ["a 8-11"],
    ),
    Case(
        "exact hits are not widened",
        [word("a", "b", edges="never", folds=EXACT)],
        "b\u0301 b\u200d",
        "#\u0301 #\u200d",
        ["a 0-1", "a 3-4"],
    ),
    Case("repeats halt before the run", [word("a", "bomb", action=HALT, folds=REPEATS)], "a bbomb", "a ", ["a 2-7"]),
    # Near rules
    Case("either order", [near("n", "how", "bomb|gun")], "how a bomb. bomb, how", "#", ["n 0-10", "n 0-16", "n 6-21"]),
    Case("only one of the two", [near("n", "how", "bomb")], "how how", "how how", []),
    Case("one word cannot be both", [near("n", "bomb", "bomb")], "bomb", "bomb", []),
    Case("but two of them can", [near("n", "bomb", "bomb")], "bomb bomb", "#", ["n 0-9"]),
    Case("words that overlap are not near", [near("n", "a b", "b c")], "a b c", "a b c", []),
    Case("words side by side are", [near("n", "炸", "弹")], "炸弹", "#", ["n 0-2"]),
    Case("from the earliest that is near", [near("n", "a", "b", within=3)], "a a a b", "a #", ["n 2-7"]),
    Case(
        "so many raw characters between",
        [near("n", "a", "b", within=3)],
        "a - b a\u200b - b",
        "#\u200b - b",
        ["n 0-5", "n 4-7"],
    ),
    Case("none between", [near("n", "炸", "弹", within=0)], "炸弹炸-弹", "#-弹", ["n 0-2", "n 1-3"]),
    Case("256 at most", [near("n", "a", "b")], "a" + " " * 256 + "b", "#", ["n 0-258"]),
    Case("not 257", [near("n", "a", "b")], "a" + " " * 257 + "b", "a" + " " * 257 + "b", []),
    Case(
        "an end of a sentence between",
        [near("n", "a", "b", sentence=True)],
        "a, b? a! b… a。 b\na; b",
        "#? a! b… a。 b\n#",
        ["n 0-4", "n 17-21"],
    ),
    Case("a full stop before a blank ends one", [near("n", "a", "b", sentence=True)], "a. b", "a. b", []),
    Case("a full stop before none does not", [near("n", "a", "b", sentence=True)], "a.c b", "#", ["n 0-5"]),
    Case("one within a word does not part it", [near("n", "a! c", "b", sentence=True)], "a! c b", "#", ["n 0-6"]),
    Case("a sentence does not matter by default", [near("n", "a", "b")], "a. b", "#", ["n 0-4"]),
    Case("near words in disguise", [near("n", "bomb", "how", folds=NOISE)], "b0mb h*o*w", "#", ["n 0-10"]),
    Case("near words, exact", [near("n", "Bomb", "how", folds=EXACT)], "Bomb How bomb how", "#", ["n 0-17"]),
    Case(
        "near rules have allow-phrases",
        [near("n", "a", "b", within=1, allow=("x a b y",))],
        "a b x a b y",
        "# x a b y",
        ["n 0-3"],
    ),
    Case("a hit that reaches out of the phrase stays", [near("n", "a", "b", allow=("a b",))], "a b b", "#", ["n 0-5"]),
    Case("near hits are widened", [near("n", "👩", "b")], "x👨\u200d👩 b", "x#", ["n 1-6"]),
    # Context words
    Case(
        "only behind a context word",
        [pattern("p", r"\d{3}", contextual=True, context=("pin",))],
        "123 PIN 456 pins",
        "123 PIN # pins",
        ["p 8-11"],
    ),
    Case("without context words none", [pattern("p", r"\d{3}", contextual=True)], "pin 123", "pin 123", []),
    Case(
        "so many raw characters before",
        [pattern("p", r"\d", contextual=True, context=("pin",), within=3)],
        "pin\u200b  1  2 pin",
        "pin\u200b  #  2 pin",
        ["p 6-7"],
    ),
    Case(
        "48 if not given",
        [pattern("p", r"\d", contextual=True, context=("pin",))],
        "pin" + "-" * 48 + "12",
        "pin" + "-" * 48 + "#2",
        ["p 51-52"],
    ),
    Case(
        "a word beside the match",
        [pattern("p", r"\d", contextual=True, context=("号",), within=0)],
        "号1",
        "号#",
        ["p 1-2"],
    ),
    Case(
        "a word needs its edge",
        [pattern("p", r"\d", contextual=True, context=("pin",))],
        "pin1 pin: 1",
        "pin1 pin: #",
        ["p 10-11"],
    ),
    Case(
        "a word inside the match is none",
        [pattern("p", r"pin \d", contextual=True, context=("pin",))],
        "pin 1",
        "pin 1",
        [],
    ),
    Case(
        "words are folded but not seen through",
        [pattern("p", r"\d", contextual=True, context=("pin",))],
        "ＰＩＮ 1" + " " * 60 + "p\u0456n 1 pïn 1",
        "ＰＩＮ #" + " " * 60 + "p\u0456n 1 pïn 1",
        ["p 4-5"],
    ),
    Case(
        "one expression needs a word, the other none",
        [pattern("p", r"a\d", r"b\d", contextual=(True, False), context=("pin",))],
        "a1 b1 pin a1",
        "a1 # pin #",
        ["p 3-5", "p 10-12"],
    ),
    Case(
        "a match without context is rejected, and the search goes on inside it",
        [pattern("p", r"[a-z ]{0,9}\d", contextual=True, context=("pin",))],
        "pin no 1",
        "pin #",
        ["p 3-8"],
    ),
    # What each expression has of its own
    Case(
        "a right edge for each",
        [pattern("p", "a", "b", right=("digit", "none"))],
        "a1 b1 a",
        "a1 #1 #",
        ["p 3-4", "p 6-7"],
    ),
    Case(
        "a check for each",
        [pattern("p", r"a\d", r"b\d", accept=(even, None))],
        "a1 b1 a2",
        "a1 # #",
        ["p 3-5", "p 6-8"],
    ),
    Case("no line feed beside", [pattern("p", r"a\r?", right="newline")], "a\n a\r\n a", "a\n a\r\n #", ["p 7-8"]),
    Case(
        "literals are read as text is",
        [pattern("p", "1\u20132\u2019", "\u0664ﬁ?")],
        "1-2' 4fi 4",
        "# # #",
        ["p 0-4", "p 5-8", "p 9-10"],
    ),
    # The raw lane
    Case(
        "raw: nothing is folded", [pattern("p", r"\d{2}", lane="raw")], "１２ 1\u200b2 12", "１２ 1\u200b2 #", ["p 7-9"]
    ),
    Case(
        "raw: invisible characters can be found",
        [pattern("p", "[\u200b\u202e]{1,9}", lane="raw")],
        "a\u200b\u202eb",
        "a#b",
        ["p 1-3"],
    ),
    Case(
        "raw: hits are not widened",
        [pattern("p", "a", lane="raw")],
        "a\u0301 \u200da\u200d",
        "#\u0301 \u200d#\u200d",
        ["p 0-1", "p 4-5"],
    ),
    Case("raw: half of CR LF", [pattern("p", "\r", lane="raw", right="newline")], "a\r\nb\rc", "a\r\nb#c", ["p 4-5"]),
    Case("raw: literals as they are", [pattern("p", "\u2013", lane="raw")], "-\u2013", "-#", ["p 1-2"]),
    # Raw spans and clusters
    Case("widened to the emoji sequence", [word("a", "👩")], "x👨\u200d👩\u200d👧y", "x#y", ["a 1-6"]),
    Case("skin tone goes too", [word("a", "👍")], "👍🏽!", "#!", ["a 0-2"]),
    Case("variation selector goes too", [word("a", "❤")], "❤\ufe0f!", "#!", ["a 0-2"]),
    Case("half a flag", [word("a", "🇷")], "🇫🇷🇫", "#🇫", ["a 0-2"]),
    Case("a flag by its letters", [word("a", "🇷🇫")], "🇫🇷🇫🇷", "#", ["a 0-4"]),
    Case("prepended sign goes too", [word("a", "12")], "x \u060012", "x #", ["a 2-5"]),
    Case("CR LF is one", [pattern("p", r"\n")], "a\r\nb\nc", "a#b#c", ["p 1-3", "p 4-5"]),
    Case(
        "a linker without a consonant joins nothing", [word("a", "ष", edges="never")], "a\u094dष", "a\u094d#", ["a 2-3"]
    ),
    Case("conjunct is one", [word("a", "ष")], "क\u094dष", "क\u094dष", []),
    Case("conjunct, no edges", [word("a", "ष", edges="never")], "क\u094dष", "#", ["a 0-3"]),
    Case("trade mark is a letter", [word("a", "👩")], "™\u200d👩", "™\u200d#", ["a 2-3"]),
    Case("trailing joiner goes too", [word("a", "bad")], "bad\u200d.", "#.", ["a 0-4"]),
    Case("a soft hyphen after stays", [word("a", "bad")], "bad\u00ad.", "#\u00ad.", ["a 0-3"]),
    Case("surrogate halves are not parted", [pattern("p", "[^a]")], "a\ud83d\ude00a", "a#a", ["p 1-3"]),
    Case(
        "a cluster ends after 64",
        [pattern("p", "a")],
        "a" + "\u200d" * 70,
        "#" + "\u200d" * 7,
        ["p 0-64"],
    ),
    # Actions and masks
    Case("allow action is absent", [word("a", "bad", action=ALLOW)], "bad", "bad", []),
    Case("log changes nothing", [word("a", "bad", action=LOG)], "bad", "bad", ["a 0-3"]),
    Case("replace", [word("a", "Acme", mask="Bolt", action=REPLACE)], "acme!", "Bolt!", ["a 0-4"]),
    Case(
        "fixed character counts ignorables",
        [word("a", "bad", mask=FixedChar("*"))],
        "b\u200bad",
        "****",
        ["a 0-4"],
    ),
    Case(
        "keep the last four",
        [pattern("p", r"[0-9 ]{9}", mask=KeepLast(4))],
        "1234 5678",
        "•••• 5678",
        ["p 0-9"],
    ),
    Case("too short to keep", [word("a", "1234", mask=KeepLast(4))], "1234", "••••", ["a 0-4"]),
    Case("keyed hash", [word("a", "bad", mask=KeyedHash("X", b"k"))], "bad", "[X:a0477812]", ["a 0-3"]),
    # The sweep
    Case("halt cuts at its start", [word("h", "bad", action=HALT)], "one bad two", "one ", ["h 4-7"]),
    Case(
        "the first halt wins",
        [word("h", "bad", action=HALT), word("g", "two", action=HALT)],
        "bad two",
        "",
        ["h 0-3"],
    ),
    Case("halt before redact", [word("a", "bad dog"), word("h", "bad", action=HALT)], "bad dog", "", ["h 0-3"]),
    Case(
        "replace before redact",
        [word("a", "bad dog", mask="A"), word("r", "bad", action=REPLACE, mask="R")],
        "bad dog",
        "R",
        ["r 0-3", "a 0-7"],
    ),
    Case(
        "longest of one kind",
        [word("a", "bad", mask="A"), word("b", "bad dog", mask="B")],
        "bad dog",
        "B",
        ["a 0-3", "b 0-7"],
    ),
    Case(
        "smaller id on equal spans",
        [word("b", "bad", mask="B"), word("a", "bad", mask="A")],
        "bad",
        "A",
        ["a 0-3", "b 0-3"],
    ),
    Case(
        "overlap extends without a mask",
        [word("a", "a b", mask="A"), word("b", "b c", mask="B")],
        "a b c d",
        "A d",
        ["a 0-3", "b 2-5"],
    ),
    Case(
        "a chain of overlaps",
        [word("a", "a b", "b c", "c d")],
        "a b c d e",
        "# e",
        ["a 0-3", "a 2-5", "a 4-7"],
    ),
    Case("side by side are two", [word("a", "ab", "cd", edges="never")], "abcd", "##", ["a 0-2", "a 2-4"]),
    Case(
        "halt inside a removal: after the mask",
        [word("a", "a b", mask="A"), word("h", "b c", action=HALT)],
        "x a b c d",
        "x A",
        ["a 2-5", "h 4-7"],
    ),
    Case(
        "halt inside an extension",
        [word("a", "a b", "b c"), word("h", "c d", action=HALT)],
        "a b c d",
        "#",
        ["a 0-3", "a 2-5", "h 4-7"],
    ),
    Case(
        "halt right after a removal",
        [word("a", "ab", edges="never"), word("h", "cd", edges="never", action=HALT)],
        "abcd",
        "#",
        ["a 0-2", "h 2-4"],
    ),
    Case(
        "the longer halt wins at one start",
        [word("h", "bad", "bad dog", action=HALT)],
        "bad dog",
        "",
        ["h 0-7"],
    ),
    Case("halt widens its end", [word("h", "👩", action=HALT)], "a👩\u200d👧", "a", ["h 1-4"]),
    Case("halt widens its start", [word("h", "👧", action=HALT)], "a👩\u200d👧", "a", ["h 1-4"]),
    # Findings
    Case(
        "in order, whoever wins",
        [word("z", "a"), word("b", "a b"), word("l", "b", action=LOG)],
        "a b",
        "#",
        ["z 0-1", "b 0-3", "l 2-3"],
    ),
    Case("one for one rule and span", [word("a", "bad", "BAD")], "bad", "#", ["a 0-3"]),
    Case(
        "removals after a halt are not reported",
        [word("a", "x", "y"), word("h", "bad", action=HALT)],
        "x bad y",
        "# ",
        ["a 0-1", "h 2-5"],
    ),
    Case(
        "a removal that reaches past the halt is",
        [word("a", "a bad dog"), word("h", "bad", action=HALT)],
        "a bad dog",
        "#",
        ["a 0-9", "h 2-5"],
    ),
    Case(
        "logs up to the halt are",
        [word("l", "x", "y", action=LOG), word("h", "bad", action=HALT)],
        "x bad y",
        "x ",
        ["l 0-1", "h 2-5"],
    ),
    Case(
        "a log inside the halt is not",
        [word("l", "ad", edges="never", action=LOG), word("h", "bad", action=HALT)],
        "bad",
        "",
        ["h 0-3"],
    ),
    Case(
        "a log that reaches into the halt is not",
        [word("l", "a b", action=LOG), word("h", "b", action=HALT)],
        "a b",
        "a ",
        ["h 2-3"],
    ),
    Case(
        "logs are found as if the text ended with the halt",
        [pattern("l", "ab|abcde", action=LOG), word("h", "cd", edges="never", action=HALT)],
        "abcde",
        "ab",
        ["l 0-2", "h 2-4"],
    ),
    Case(
        "a log whose phrase ends after the halt is excused no more",
        [word("l", "a", allow=("a b c",), action=LOG), word("h", "b", action=HALT)],
        "a b c",
        "a ",
        ["l 0-1", "h 2-3"],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    result = reference(case.rules, case.text)
    assert result.output == case.output
    assert [f"{f.rule} {f.start}-{f.end}" for f in result.findings] == case.findings


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    ("text", "cut"), [("bad", 0), ("one bad", 4), ("one", None), ("a b bad", 4), ("x a bad, too", 7)]
)
def test_cut_is_at_the_halt_or_behind_the_removal_that_it_overlaps(text: str, cut: int | None) -> None:
    result = reference([word("a", "a bad"), word("h", "bad", action=HALT)], text)
    assert result.cut == cut
    assert result.halted == (cut is not None)


def test_finding_carries_what_its_rule_says() -> None:
    rule = word("a", "bad", action=REPLACE, severity="high")
    (finding,) = reference([rule], "bad").findings
    assert (finding.category, finding.severity, finding.action) == ("test", "high", REPLACE)
    assert finding.channel == "content"
