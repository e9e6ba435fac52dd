"""Passages against a plain whole-text reading, for every cut; and what a stream is held for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from guardrail.text.editor import Editor
from guardrail.text.protected import MAX_GAP, SYSTEM_PROMPT, Passage, Passages, PromptFingerprints, ProtectRule
from guardrail.text.rules import Action, Finding, KeywordRule, Label, PatternRule
from guardrail.text.scanner import RuleSet, compile_rules
from guardrail.text.shingles import Shape, UnitReader, shingles

SHAPE = Shape(words=3, characters=5)


class Documents:
    """Fingerprints of some texts, as plainly as can be."""

    def __init__(self, *texts: str, shape: Shape = SHAPE) -> None:
        self.shape = shape
        self.texts = texts

    def documents(self, shingle: int) -> Sequence[int]:
        return [
            number
            for number, text in enumerate(self.texts)
            if any(shingle == found for found, _ in shingles(text, self.shape))
        ]

    def opens(self, opening: int) -> bool:
        return any(opening == found for text in self.texts for _, found in shingles(text, self.shape))

    def name(self, document: int) -> str:
        return f"document {document}"


def rule(action: Action = Action.REDACT, *texts: str, allow: tuple[str, ...] = ()) -> ProtectRule:
    return ProtectRule(
        id="protected",
        category="protected_text",
        action=action,
        mask=Label("[P]"),
        allow=allow,
        fingerprints=Documents(*texts) if texts else None,
    )


def passages(*texts: str, action: Action = Action.REDACT, shape: Shape = SHAPE) -> Passages:
    return Passages([(0, rule(action), Documents(*texts, shape=shape))])


def found(track: Passages, pieces: Sequence[str]) -> list[Passage]:
    for piece in pieces:
        if piece:
            track.feed(piece)
    track.finish()
    return track.hits


# What is found: (documents, text, expected raw spans of the passages, joined)

CASES = {
    "the third word and all that follow": (["one two three four five"], "So one two three four six", [(11, 21)]),
    "one word less may be quoted": (["one two three four"], "one two. One two", []),
    "signs, lines and case do not matter": (["one two three"], "**One**\n> TWO -- thréé!", [(17, 22)]),
    "nor do look-alikes": (["one two code"], "one two c\u043ede", [(8, 12)]),
    "from the middle": (["a b c d e"], "c d e", [(4, 5)]),
    "two passages": (["a b c", "x y z"], "a b c x y z", [(4, 5), (10, 11)]),
    "on into another document": (["a b c d", "c d e f"], "a b c d e", [(4, 9)]),
    "a document in itself": (["a b a b a b"], "a b a b a b a b", [(4, 15)]),
    "five characters": (["一二三四五六七"], "零二三四五六八", [(5, 6)]),
    "characters and words": (["go 一二三四 on"], "go 一二三四 on", [(6, 10)]),
    "syllables": (["안녕하세요 여러분"], "안녕하세요 여러분.", [(4, 9)]),
    "syllables in jamo": (["안녕하세요"], "안녕하세\u110b\u116d", [(4, 6)]),
    "the last word is another": (["one two three"], "one two threes", []),
    "the end of the text ends a word": (["one two threes"], "one two three", []),
    "a wide gap parts passages": (["a b c d"], "a b c" + " " * (MAX_GAP + 1) + "d", [(4, 5), (262, 263)]),
    "one not so wide does not": (["a b c d"], "a b c" + " " * MAX_GAP + "d", [(4, 262)]),
    "shorter than a shingle": (["one two"], "one two one two", []),
    "two halves": (["a b 一\U00020000"], "a b 一\ud840\udc00", [(5, 7)]),
}


def joined(hits: Sequence[Passage]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for hit in hits:
        if spans and hit.start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(hit.end, spans[-1][1]))
        else:
            spans.append((hit.start, hit.end))
    return spans


@pytest.mark.parametrize(("documents", "text", "expected"), CASES.values(), ids=CASES.keys())
def test_passages(documents: list[str], text: str, expected: list[tuple[int, int]]) -> None:
    for pieces in ([text], list(text)):
        assert joined(found(passages(*documents), pieces)) == expected


def test_a_passage_names_its_document() -> None:
    def names(*documents: str) -> list[str]:
        return [hit.document for hit in found(passages(*documents), ["a b c d e"])]

    assert names("x y z", "a b c") == ["document 1"]
    assert names("b c d e", "a b c d e") == ["document 1"] * 3  # all of the passage is from it
    assert names("a b c", "b c d", "c d e") == ["document 0", "document 1", "document 2"]


def test_hits_of_a_rule_that_halts_stand_alone() -> None:
    track = passages("a b c d", action=Action.HALT)
    track.feed("a b c ")
    assert [(hit.start, hit.end) for hit in track.hits] == [(4, 5)]
    assert track.hold == 6
    track.feed("d ")
    assert [(hit.start, hit.end) for hit in track.hits] == [(4, 5), (6, 7)]


def test_each_rule_has_its_own_documents() -> None:
    track = Passages([(3, rule(), Documents("a b c")), (5, rule(), Documents("b c", shape=Shape(2, 2)))])
    assert [(hit.rule, hit.start) for hit in found(track, ["a b c"])] == [(3, 4), (5, 4)]


# What is held: (documents, text so far, where holding begins)

HELD = {
    "nothing in ordinary text": (["one two three"], "some other words", 16),
    "nothing while a passage may be quoted": (["one two three"], "one tw", 6),
    "nothing between the words before it": (["one two three"], "one two ", 8),
    "the word that may complete a shingle": (["one two three"], "one two th", 8),
    "whatever it is": (["one two three"], "one two fo", 8),
    "until it is another": (["one two three"], "one two four ", 13),
    "what follows a passage": (["one two three"], "one two three. ", 13),
    "until it has ended": (["one two three"], "one two three. The", 18),
    "through its next word": (["one two three four"], "one two three. Fo", 13),
    "not for ever": (["one two three"], "one two three" + " " * (MAX_GAP + 1), 14 + MAX_GAP),
    "but on from the next word": (["one two three four"], "one two three" + " " * (MAX_GAP + 1) + "f", 14 + MAX_GAP),
    "no character, which is whole when it comes": (["一二三四五"], "一二三四", 4),
    "a syllable, which is not": (["안녕하세요"], "안녕하세요", 4),
    "a half character": (["one two three"], "some \ud840", 5),
}


@pytest.mark.parametrize(("documents", "text", "expected"), HELD.values(), ids=HELD.keys())
def test_hold(documents: list[str], text: str, expected: int) -> None:
    for pieces in ([text], list(text)):
        track = passages(*documents)
        for piece in pieces:
            track.feed(piece)
        assert track.hold == expected


def plainly(documents: Sequence[str], text: str, *, joins: bool) -> list[Passage]:
    """The passages of a whole text, by comparing words with words."""

    def read(text: str) -> list[tuple[str, int, int]]:
        reader = UnitReader()
        return [*(reader.push(text) if text else ()), *reader.finish()]

    def run(units: Sequence[tuple[str, int, int]], last: int) -> tuple[str, ...] | None:
        for first in range(last, -1, -1):
            texts = tuple(unit[0] for unit in units[first : last + 1])
            if sum(5 if one.endswith(" ") else 3 for one in texts) >= 15:
                return texts
        return None

    known = [{run(units, last) for last in range(len(units))} - {None} for units in map(read, documents)]
    units = read(text)
    hits: list[Passage] = []
    candidates: list[int] = []
    before: int | None = None
    for last, (_, start, end) in enumerate(units):
        sources = [number for number, runs in enumerate(known) if run(units, last) in runs]
        if not sources:
            before = None
            continue
        if joins and before is not None and start - before <= MAX_GAP:
            sources = [number for number in candidates if number in sources] or sources
            start = min(start, before)
        candidates, before = sources, end
        hits.append(Passage(0, start, end, f"document {sources[0]}"))
    return hits


PIECES = [
    *("a ", "b ", "c ", "d ", "a", "b", "É ", "e\u0301 ", "\u0430 ", "½", "㍿", "一", "二", "が", "한", "\u1112\u1161"),
    *(
        "\u11ab",
        ". ",
        "\n\n",
        "**",
        "\u200b",
        "\u0301",
        "\u0301" * 257,
        " " * 200,
        "x" * 63,
        "\ud840",
        "\udc00",
        "\u0600",
    ),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)


@given(st.lists(TEXTS, min_size=1, max_size=3), TEXTS, st.booleans(), st.data())
@example(["½ ½ a"], "½½½ a", True, None)
@example(["a a ½"], "a a ½㍿", True, None)
def test_passages_and_what_is_held_for_any_cut(
    documents: list[str], text: str, joins: bool, data: st.DataObject | None
) -> None:
    # A part of a document somewhere in the text, or else hardly anything would be found.
    if data is not None:
        source = data.draw(st.sampled_from(documents))
        start = data.draw(st.integers(0, len(source)))
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + source[start : start + data.draw(st.integers(0, 40))] + text[at:]
    action = Action.REDACT if joins else Action.HALT
    expected = plainly(documents, text, joins=joins)
    for size in (1, 2, 3, 7, len(text) or 1):
        track = passages(*documents, action=action)
        for at in range(0, len(text), size):
            hold, before = track.hold, len(track.hits)
            track.feed(text[at : at + size])
            assert all(hit.start >= hold for hit in track.hits[before:])
            assert hold <= track.hold <= at + size
        hold, before = track.hold, len(track.hits)
        track.finish()
        assert all(hit.start >= hold for hit in track.hits[before:])
        assert track.hits == expected
        assert track.hold == len(text)


def test_a_system_prompt() -> None:
    prompt = PromptFingerprints([
        "You are Nova, the assistant of a shop for garden tools. Never tell what a customer has paid.",
        "我们的商店出售杀虫剂和弹簧，客服不可以告诉任何人进货的价格，也不要谈论利润。",
    ])  # fmt: skip
    track = Passages([(0, rule(), prompt)])
    text = 'My instructions say: "You are nova, the assistant of a shop for garden tools; never tell." 好的'
    (passage,) = joined(found(track, [text]))
    assert text[slice(*passage)] == "never tell"
    assert {hit.document for hit in track.hits} == {SYSTEM_PROMPT}
    track = Passages([(0, rule(), prompt)])
    text = "他说：我们的商店出售殺虫剂和彈簧，客服不可以告诉任何人进货的价格。"
    (passage,) = joined(found(track, [text]))
    assert text[slice(*passage)] == "诉任何人进货的价格"


def test_texts_of_a_system_prompt_are_apart_and_short_ones_protect_nothing() -> None:
    assert len(PromptFingerprints(["one two three four five six"] * 2)) == 0
    assert len(PromptFingerprints([])) == 0


# In the engine

FIVE = "one two three four five"


def edited(rules: RuleSet, pieces: Sequence[str]) -> tuple[str, list[Finding]]:
    editor = Editor(rules)
    return "".join(editor.feed(piece) for piece in pieces if piece) + editor.finish(), editor.findings()


@pytest.mark.parametrize(
    ("action", "allow", "text", "expected", "spans"),
    [
        (Action.REDACT, (), "See one two three, four. Five six", "See one two [P] six", [(12, 29)]),
        (Action.REDACT, (), "One two three; two three four", "One two [P]; two three [P]", [(8, 13), (25, 29)]),
        (Action.LOG, (), "See one two three, four. Five six", "See one two three, four. Five six", [(12, 29)]),
        (Action.HALT, (), "See one two three, four. Five six", "See one two ", [(12, 17)]),
        (Action.REDACT, (), "one two \u0600three", "one two \u0600[P]", [(9, 14)]),
        (Action.REDACT, (), "one two thre\u0301e\u0301 five", "one two [P] five", [(8, 15)]),
        (Action.REDACT, ("two three",), "one two three", "one two three", []),
        (Action.HALT, ("two three",), "one two three four", "one two three ", [(14, 18)]),
        (Action.REDACT, ("two three",), "one two three four five", "one two three[P]", [(13, 23)]),
    ],
)
def test_edits(action: Action, allow: tuple[str, ...], text: str, expected: str, spans: list[tuple[int, int]]) -> None:
    rules = compile_rules([rule(action, FIVE, allow=allow)])
    for pieces in ([text], list(text)):
        output, findings = edited(rules, pieces)
        assert output == expected
        assert [(one.start, one.end) for one in findings] == spans
        assert {one.document for one in findings} <= {"document 0"}


def test_a_rule_for_the_system_prompt_finds_nothing_before_it_is_known() -> None:
    assert edited(compile_rules([rule(Action.REDACT)]), [FIVE])[0] == FIVE


ACTIONS = st.sampled_from([Action.LOG, Action.REDACT, Action.REPLACE, Action.HALT])


@settings(deadline=None)
@given(TEXTS, TEXTS, ACTIONS, ACTIONS, st.sampled_from([(), ("b c",), ("a b c",)]), st.data())
def test_edits_beside_other_rules_for_any_cut(
    document: str, text: str, action: Action, other: Action, allow: tuple[str, ...], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(document)))
    at = data.draw(st.integers(0, len(text)))
    text = text[:at] + document[start : start + data.draw(st.integers(0, 60))] + text[at:]
    words = KeywordRule(id="w", category="c", action=other, mask=Label("[W]"), terms=("c d", "é", "二が", ". a", "b"))
    signs = PatternRule(id="s", category="c", action=other, mask=Label("[S]"), expressions=(r"[.]\s?[a-c]",))
    rules = compile_rules([rule(action, document, allow=allow), words, signs])
    whole = edited(rules, [text])
    for size in (1, 2, 3, 7):
        assert edited(rules, [text[at : at + size] for at in range(0, len(text), size)]) == whole
