"""Near rules: words of two lists that stand close together, in a stream.

A word that was found waits for a partner as long as one may still come: what it would remove begins with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from guardrail.text.rules import MAX_NEAR, NearRule, Rule
from guardrail.text.terms import Role

_SENTENCE_END = re.compile("[!?\u3002\uff01\uff1f\u2026\n]|\\.\\s")


@dataclass(slots=True)
class _Word:
    """An occurrence of a word, in raw offsets."""

    start: int
    end: int
    role: Role
    paired: bool = False
    """Whether it was seen to which earlier words it is near."""


class Near:
    """The words of the near rules in one channel. `hold`: where the first word that may yet get a partner begins."""

    __slots__ = ("_rules", "_words", "hold")

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = {number: rule for number, rule in enumerate(rules) if isinstance(rule, NearRule)}
        self._words: dict[int, list[_Word]] = {}
        self.hold = 0

    def __bool__(self) -> bool:
        """Whether a word waits for a partner."""
        return bool(self._words)

    def add(self, rule: int, role: Role, start: int, end: int) -> None:
        words = self._words.setdefault(rule, [])
        if not any(word.start == start and word.end == end and word.role is role for word in words):
            words.append(_Word(start, end, role))

    def step(self, raw: str, raw_at: int, settled: int, *, final: bool) -> list[tuple[int, int, int]]:
        """The hits, as (rule, start, end), that are certain when every word that starts before `settled` was added.

        `raw`: the raw text from the offset `raw_at` to the end of what was received.
        """
        received = raw_at + len(raw)
        self.hold = received
        hits: list[tuple[int, int, int]] = []
        for number, words in list(self._words.items()):
            rule = self._rules[number]
            words.sort(key=lambda word: (word.start, word.end))
            for word in words:
                if not word.paired and (final or word.start < settled):
                    word.paired = True
                    first = min(
                        (
                            other.start
                            for other in words
                            if other.role is not word.role
                            and other.end <= word.start
                            and _near(rule, raw, other.end - raw_at, word.start - raw_at)
                        ),
                        default=None,
                    )
                    if first is not None:
                        hits.append((number, first, word.end))
            reach = min(settled, received)
            kept = [
                word
                for word in words
                if not final and (not word.paired or _near(rule, raw, word.end - raw_at, reach - raw_at))
            ]
            if kept:
                self._words[number] = kept
                self.hold = min(self.hold, kept[0].start)
            else:
                del self._words[number]
        return hits


def _near(rule: NearRule, raw: str, end: int, start: int) -> bool:
    """Whether what lies between two places in the raw text keeps words there near each other."""
    within = MAX_NEAR if rule.within is None else rule.within
    if start - end > within:
        return False
    return not rule.sentence or start <= end or _SENTENCE_END.search(raw, end, start) is None
