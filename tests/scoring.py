"""A classifier for tests: units and their hits computed plainly, and a model whose scores are a hash of what it sees.

Shares with the engine the plain data types, the limits and the words of docs/design.md, and no code.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from guardrail.text.rules import Rule
from guardrail.text.scores import CATEGORIES, UNAVAILABLE, Failure, ScoreRule, ScoreSettings, Verdict
from guardrail.text.units import CONTEXT, MAX_UNIT, MIN_UNIT, PROMPT, Window

Model = Callable[[Window], Verdict]

LATIN_ENDS, WIDE_ENDS, CLOSERS, BLANKS = ".!?", "。！？；…｡", "\"')]}’”»›」』】》〉〕）］｝｣", " \t\u00a0\u3000"
ENDING = LATIN_ENDS + WIDE_ENDS + CLOSERS
WIDE = (
    *((0x1100, 0x115F), (0x2E80, 0xA4CF), (0xA960, 0xA97F), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFE30, 0xFE4F)),
    *((0xFF01, 0xFF60), (0xFFE0, 0xFFE6), (0x16FE0, 0x18CFF), (0x1B000, 0x1B2FF), (0x1F300, 0x1FAFF)),
    (0x20000, 0x3FFFD),
)


def fake(seed: int = 0) -> Model:
    """Scores that depend on nothing but the window, each of a few values; some windows have none."""

    def model(window: Window) -> Verdict:
        digest = hashlib.sha256(f"{seed}\0{window!r}".encode()).digest()
        if digest[31] < 8:
            return Verdict(None, tuple(Failure)[digest[30] % 3])
        return Verdict(tuple((0.0, 0.0, 0.0, 0.3, 0.6, 0.9, 1.0, float("nan"))[byte % 8] for byte in digest[:8]))

    return model


@cache
def weight(char: str) -> int:
    return 3 if any(low <= ord(char) <= high for low, high in WIDE) else 1


def heavy(text: str) -> int:
    return sum(map(weight, text))


def joined(left: str, right: str) -> bool:
    """Whether the two may be parts of one grapheme."""
    flags = [0x1F1E6 <= ord(char) <= 0x1F1FF for char in (left, right)]
    return (
        (left + right == "\r\n" or all(flags))
        or (unicodedata.category(right) in ("Mn", "Mc", "Me") or unicodedata.combining(right) > 0)
        or ("\u200d" in (left, right) and not right.isascii())
        or (right == "\u200c" or 0x1160 <= ord(right) <= 0x11FF or 0x1F3FB <= ord(right) <= 0x1F3FF)
        or (0xD800 <= ord(left) <= 0xDBFF and 0xDC00 <= ord(right) <= 0xDFFF)
    )


def units(text: str) -> list[tuple[int, int]]:
    found = []
    start = 0
    while start < len(text):
        end = unit_end(text, start)
        found.append((start, end))
        start = end
    return found


def unit_end(text: str, start: int) -> int:
    size = 0
    for end in range(start + 1, len(text) + 1):
        size += weight(text[end - 1])
        if size > MAX_UNIT:
            return latest_end(text, start, end - 1)
        if size >= MIN_UNIT and sentence_ends(text, start, end):
            return end
    return len(text)


def sentence_ends(text: str, start: int, end: int) -> bool:
    if text[end - 1] == "\n":
        return True
    if end == len(text) or text[end] in ENDING or joined(text[end - 1], text[end]):
        return False
    run = text[start:end][len(text[start:end].rstrip(ENDING)) :]
    if text[end] != "\n" and any(char in WIDE_ENDS for char in run):
        return True
    return text[end] in BLANKS and any(char in LATIN_ENDS for char in run)


def latest_end(text: str, start: int, end: int) -> int:
    for at in range(end, start, -1):
        if (
            heavy(text[start:at]) >= MAX_UNIT // 2
            and text[at] in BLANKS
            and heavy(text[start : at + 1]) > MAX_UNIT // 2
        ):
            return at
    for at in range(end, max(end - 32, start + 1), -1):
        if not joined(text[at - 1], text[at]):
            return at
    return end


def tail(text: str, limit: int) -> str:
    end = text
    while heavy(end) > limit:
        end = end[1:]
    if end != text and text[-len(end) - 1] not in BLANKS + "\n":
        for at, char in enumerate(end[: len(end) // 2]):
            if char in BLANKS + "\n":
                return end[at + 1 :]
    return end


@dataclass(frozen=True, slots=True)
class Judged:
    """A unit with its verdict; None for one of blanks."""

    start: int
    end: int
    window: Window | None
    verdict: Verdict | None


def judged(text: str, model: Model, prompt: str = "") -> Iterator[Judged]:
    for start, end in units(text):
        if text[start:end].strip():
            window = Window(tail(text[:start], CONTEXT), text[start:end], tail(prompt, PROMPT))
            yield Judged(start, end, window, model(window))
        else:
            yield Judged(start, end, None, None)


def score_hits(settings: ScoreSettings, text: str, model: Model, prompt: str = "") -> list[tuple[Rule, int, int]]:
    """(rule, start, end) of every level that fires."""
    found: list[tuple[Rule, int, int]] = []
    holds = any(rule.action.removes for rule in settings.rules)
    reached: list[set[ScoreRule]] = []
    for unit in judged(text, model, prompt):
        if unit.verdict is None:
            continue
        said = text[unit.start : unit.end]
        start, end = unit.end - len(said.lstrip()), unit.start + len(said.rstrip())
        scores = unit.verdict.scores
        reached.append({rule for rule in settings.rules if scores is not None and scores[rule.label] >= rule.at})
        if scores is None and holds and settings.fail == "closed":
            found.append((UNAVAILABLE, start, end))
        if len(reached) < settings.debounce:
            continue
        firing = set.intersection(*reached[-settings.debounce :])
        for label in range(len(CATEGORIES)):
            levels = [rule for rule in firing if rule.label == label]
            if levels:
                found.append((max(levels, key=lambda rule: rule.at), start, end))
    return found
