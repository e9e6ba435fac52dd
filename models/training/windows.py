"""What the models are trained on: windows of rows, cut as a stream is cut, some of them disguised or unfinished.

Pure and seeded: the same rows and the same seed give the same windows.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from guardrail.text.tables import LOOKALIKES
from guardrail.text.units import Window, cut_text
from models.training.corpus import FAIRNESS_SET, OWN_SET, Row

SHARES: dict[str, float] = {
    # Windows taken of each row of a set in one pass: fewer where a set is large and one-sided, more where what it
    # has is rare or its texts are long.
    "benign_wildbench": 1.8,
    "benign_arena_hard": 1.8,
    "benign_llamafactory_demo": 2.5,
    "benign_counselchat_en": 2.5,
    "benign_smilechat_zh": 0.6,
    "benign_cpsycoun_zh": 0.5,
    "benign_gaokao_zh": 2.0,
    "benign_oasst_zh": 3.0,
    "benign_wiki_en": 1.5,
    "benign_wiki_zh": 3.0,
    "davidson_offensive": 0.25,
    "paradetox": 0.25,
    "stormfront": 0.4,
    "implicit_hate_subset": 0.4,
    "edos_sexism": 0.45,
    "cold_train_dev": 0.6,
    "swsr_sexism_zh": 0.5,
    "convabuse": 1.5,
    "decodingtrust_perspective": 1.3,
    "jailbreak_artifacts": 4.0,
    "gptfuzz_train": 4.0,
    "derta_malicious": 6.0,
    "jade_alignment_zh": 5.0,
    "jade_prompts_zh": 2.0,
    "catqa_prompts": 3.0,
    "star1_safe_replies": 3.0,
    "jigsaw_binary": 0.6,
    "benign_cyber_prompts": 0.7,
    OWN_SET: 3.0,
    FAIRNESS_SET: 0.4,
}
"""The rest: one window of each row. Chosen on the dev split."""

ROLE_WEIGHT = {"response": 1.0, "post": 0.8, "prompt": 0.8}
"""Posts are short and informal, unlike what a model says."""
LONG_REPLY = 0.7
"""What a label counts on a window of a labelled text with more than three units: it may be another window's."""


@dataclass(frozen=True, slots=True)
class Example:
    """One window with what it is, per category, and how much that counts."""

    window: Window
    targets: tuple[float, ...]
    weights: tuple[float, ...]
    lang: str


def sample(rows: Sequence[Row], seed: int, scale: float = 1.0) -> list[Example]:
    """One pass over the rows, in random order."""
    rng = random.Random(seed)
    examples: list[Example] = []
    for row in rows:
        share = SHARES.get(row.name, 1.0) * scale
        times = int(share) + (rng.random() < share % 1)
        if times:
            examples += _windows(row, times, rng)
    rng.shuffle(examples)
    return examples


def _windows(row: Row, times: int, rng: random.Random) -> list[Example]:
    windows = [cut.window for cut in cut_text(row.text) if cut.window is not None]
    if not windows:
        return []
    if len(windows) > times:
        chosen = rng.sample(range(len(windows)), times)
    else:
        chosen = list(range(len(windows))) + [rng.randrange(len(windows)) for _ in range(times - len(windows))]
        # A short text with a label is best seen whole: its last window, with what stands before it.
        if row.labels and len(windows) <= 3 and times == 1:
            chosen = [len(windows) - 1]
    long = bool(row.labels) and len(windows) > 3
    weights = tuple(known * ROLE_WEIGHT[row.role] * (LONG_REPLY if long else 1.0) for known in row.known)
    return [Example(_vary(windows[at], row, rng), row.targets, weights, row.lang) for at in chosen]


def _vary(window: Window, row: Row, rng: random.Random) -> Window:
    """Sometimes another way to see or write the same."""
    context, text = window.context, window.text
    draw = rng.random()
    if draw < 0.12 and context:
        context = ""  # the unit alone
    elif draw < 0.22 and len(text) > 12:
        # The stream has not said the rest yet. What is left of a harmful unit must still be most of it.
        least = 0.75 if row.labels else 0.15
        text = text[: max(4, int(len(text) * rng.uniform(least, 1.0)))]
    if rng.random() < 0.12:
        text = rng.choice(DISGUISES)(text, rng)
    return Window(context, text)


def _other_case(text: str, rng: random.Random) -> str:
    return text.upper() if rng.random() < 0.4 else text.lower()


def _spaced(text: str, rng: random.Random) -> str:
    """One stretch of the text with blanks between its letters."""
    start = rng.randrange(max(1, len(text) - 8))
    end = start + rng.randrange(4, 16)
    return text[:start] + " ".join(text[start:end]) + text[end:]


def _typos(text: str, rng: random.Random) -> str:
    letters = list(text)
    for _ in range(1 + len(letters) // 25):
        at = rng.randrange(len(letters))
        kind = rng.randrange(3)
        if kind == 0:
            letters[at] = ""
        elif kind == 1:
            letters[at] *= 2
        elif at:
            letters[at - 1], letters[at] = letters[at], letters[at - 1]
    return "".join(letters)


_ALIKE: dict[str, list[str]] = {}
for _sign, _letter in LOOKALIKES.items():
    if len(_letter) == 1 and _letter.isascii() and _letter.isalpha() and unicodedata.category(_sign)[0] == "L":
        _ALIKE.setdefault(_letter.lower(), []).append(_sign)
_LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7", "u": "*", "f": "ph"}


def _look_alikes(text: str, rng: random.Random) -> str:
    return "".join(rng.choice(_ALIKE[c]) if c in _ALIKE and rng.random() < 0.15 else c for c in text)


def _leet(text: str, rng: random.Random) -> str:
    return "".join(rng.choice(_LEET[c]) if c in _LEET and rng.random() < 0.25 else c for c in text)


def _noise(text: str, rng: random.Random) -> str:
    return "".join(c + rng.choice(".-*_") if c.isalnum() and rng.random() < 0.08 else c for c in text)


DISGUISES: tuple[Callable[[str, random.Random], str], ...] = (
    _other_case,
    _other_case,
    _spaced,
    _typos,
    _typos,
    _look_alikes,
    _leet,
    _noise,
)
