"""Which readings of a look lane's window can matter, and what they show at a glance.

Decides by cheap looks at the window what is worth reading; what a reading is stands in `disguise`.
"""

from __future__ import annotations

from collections.abc import Iterator

from guardrail.text.disguise import (
    LEET_I,
    LEET_L,
    LEET_SIGN,
    NOISE_LEET_I,
    NOISE_LEET_L,
    Reading,
    is_noisy,
    is_repetitive,
    noise,
    plain,
    repeats,
)
from guardrail.text.keywords import NOTHING, Alive, KeywordMatcher
from guardrail.text.ruleset import Disguises
from guardrail.text.terms import Way

_LEETS: tuple[dict[int, int], ...] = (LEET_I, LEET_L)
_NOISE_LEETS: tuple[dict[int, int] | None, ...] = (None, NOISE_LEET_I, NOISE_LEET_L)


def readings(
    group: Disguises, window: str, soft: int, markup: set[tuple[int, int]], *, final: bool
) -> Iterator[tuple[KeywordMatcher, int, Reading, Way]]:
    """What to look for in what reading of a look lane's window, but for the window as it is; each with a number.

    Adds to `markup` where tags and entities stand.
    """
    leet = LEET_SIGN.search(window) is not None
    # The readings differ in what they make of this digit only.
    leets, noise_leets = (_LEETS, _NOISE_LEETS) if "1" in window else (_LEETS[:1], _NOISE_LEETS[:2])
    if group.leet and leet:
        for number, table in enumerate(leets):
            yield group.words, number, plain(window, window.translate(table), soft), Way.LEET
    if group.noise is not None and is_noisy(window):
        for number, read in enumerate(noise_leets):
            if read is not None and not (leet and group.noise.finds(Way.LEET)):
                continue
            view = noise(window if read is None else window.translate(read), final=final)
            markup.update(view.markup)
            for reading in view.readings:
                yield group.noise, number, reading, Way.PLAIN if read is None else Way.LEET
    if group.repeats is not None:
        if is_repetitive(window):
            yield group.repeats, 0, repeats(window, final=final), Way.PLAIN
        if leet and group.repeats.finds(Way.LEET):
            for number, table in enumerate(leets, 1):
                yield group.repeats, number, repeats(window.translate(table), final=final), Way.LEET


def glance_readings(group: Disguises, window: str, *, known: bool) -> Alive | None:
    """What is alive in a look lane's window, or None when something was hit. `known`: the window is that of the
    folded lane, whose matcher has the words too."""
    alive: Alive | None = NOTHING
    if not known and group.words.finds(Way.LOOK) and (alive := group.words.glance(window, Way.LOOK)) is None:
        return None
    if not (
        (group.leet and LEET_SIGN.search(window))
        or (group.noise is not None and is_noisy(window))
        or (group.repeats is not None and (is_repetitive(window) or LEET_SIGN.search(window)))
    ):
        return alive
    size = len(window)
    joined = Alive(size, size, size)
    if alive is not None:
        joined.join(alive)
    markup: set[tuple[int, int]] = set()
    for matcher, _, reading, way in readings(group, window, size, markup, final=False):
        found = matcher.glance_reading(window, reading, way)
        if found is None:
            return None
        joined.join(found)
    for start, end in markup:
        if start < joined.keep < end:
            joined.keep = start
    return joined
