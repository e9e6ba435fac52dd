"""Which rules can match from the middle of a cluster or a segment, judged by the first character of a match."""

from __future__ import annotations

import regex

from guardrail.text.clusters import Reach, is_sequence_pictograph
from guardrail.text.fold import is_joiner

_MARK = regex.compile(r"[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]")
_HANGUL = regex.compile(r"[\p{GCB=L}\p{GCB=LV}\p{GCB=LVT}]")
_HANGUL_TAIL = regex.compile(r"[\p{GCB=V}\p{GCB=T}]")
_CONSONANT = regex.compile(r"\p{InCB=Consonant}")


def reach_of(char: str) -> Reach:
    """The reach of rules whose matches can start with this lane character."""
    if char == "\n":
        return Reach.LINE_FEED
    if char.isascii():
        return Reach.NONE
    reach = Reach.NONE
    if is_sequence_pictograph(char):
        reach |= Reach.PICTOGRAPH
    if "\U0001f1e6" <= char <= "\U0001f1ff":
        reach |= Reach.REGIONAL
    if _HANGUL.match(char):
        reach |= Reach.HANGUL
    if _HANGUL_TAIL.match(char):
        reach |= Reach.HANGUL_TAIL
    if is_joiner(char):
        reach |= Reach.JOINER
    if _CONSONANT.match(char):
        reach |= Reach.CONSONANT
    if _MARK.match(char):
        reach |= Reach.MARK
    return reach
