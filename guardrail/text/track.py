"""One group of rules over one channel: text in; hits out, with what must be held and what is still undecided.

Two ways through: text that is simple (see `fold`) and hits nothing takes `_glance`, a handful of calls into
compiled code; everything else takes `_study`, which is exact about every case. Both see each character a bounded
number of times: what is searched is the live tail kept from before, plus the new text.

Offsets that leave this module are raw, in code points from the channel's start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from guardrail.text.clusters import MAX_CLUSTER, Reach, cluster_starts, is_prepend, open_cluster
from guardrail.text.contexts import Contexts
from guardrail.text.disguise import is_one_alphabet
from guardrail.text.fold import (
    BLANKS,
    BREAK,
    SIMPLE_CASED,
    SIMPLE_FOLDED,
    Segmenter,
    fold_case,
    is_high_surrogate,
    stand_in,
)
from guardrail.text.keywords import NOTHING, KeywordFindings, KeywordMatcher, Spare
from guardrail.text.lane import Lane
from guardrail.text.markup import BEHIND
from guardrail.text.near import Near
from guardrail.text.patterned import Patterned
from guardrail.text.protected import Passages
from guardrail.text.readings import glance_readings, readings
from guardrail.text.ruleset import Disguises, Matchers
from guardrail.text.terms import Role, Way

_CASED, _FOLDED, _LOOKS = 0, 1, 2
"""Where the lanes stand in a track's list; the look lanes come last."""
_SURROGATE = re.compile("[\ud800-\udfff]")


Softs = dict[tuple[KeywordMatcher, int], tuple[int, int]]
"""For a reading: how much of its lane was examined, and from where on it was not decided, in lane positions."""


@dataclass(frozen=True, slots=True)
class Span:
    """A hit, or an occurrence of an allow-phrase, of the rule with index `rule`."""

    rule: int
    start: int
    end: int
    document: str = ""
    """For protected text: which document it is of."""


class Track:
    """The matching state of one channel for one group of rules.

    After each `feed` or `finish`: `hold` is where text begins that some continuation may yet remove (other than by
    the hits already handed out), and `wait` where hits begin that are not decided yet; `wait` is also before any
    hit that a longer one or an allow-phrase may still change. Hits and allow-phrases found are in `hits` and `allowed`;
    the caller empties `hits`, drops what it no longer needs of `allowed`, and says when to `forget` raw text.
    """

    __slots__ = (
        "_behind",
        "_contexts",
        "_half",
        "_lanes",
        "_late",
        "_near",
        "_opens",
        "_passages",
        "_patterns",
        "_plain",
        "_raw_lane",
        "_raw_patterns",
        "_reads_raw",
        "_segment",
        "_soft",
        "allowed",
        "hits",
        "hold",
        "matchers",
        "raw",
        "raw_at",
        "received",
        "wait",
    )

    def __init__(self, matchers: Matchers) -> None:
        self.matchers = matchers
        self.received = 0
        self.hold = 0
        self.wait = 0
        self.hits: list[Span] = []
        self.allowed: list[Span] = []
        self.raw = ""
        """Raw text from `raw_at` on; begins with a grapheme cluster whenever that can matter."""
        self.raw_at = 0
        self._behind: list[str] = []
        """What stands directly before it, in pieces: `BEHIND` code points or more, or all there is."""
        self._lanes = [Lane() for _ in range(_LOOKS + len(matchers.disguises))]
        self._raw_lane = Lane()
        self._reads_raw = matchers.raw is not None or matchers.raw_patterns is not None
        self._half = ""
        """A high surrogate at the very end of the text: no character yet, so nothing looks at it."""
        self._segment: Segmenter | None = None
        self._opens = [0] * len(self._lanes)
        """How many characters of each lane the open segment has, when `_segment` is set."""
        self._soft: Softs = {}
        cased = self._lanes[_CASED]
        self._contexts = Contexts(matchers.rules) if matchers.contextual is not None else None
        # A mark may join a character that was let go, and a match that begins with it begins there.
        self._late = MAX_CLUSTER if matchers.contextual is not None and matchers.contextual.reach else 0
        self._patterns = [Patterned(matcher, cased) for matcher in (matchers.patterns,) if matcher is not None]
        if matchers.contextual is not None:
            self._patterns.append(Patterned(matchers.contextual, cased, self._contexts))
        self._raw_patterns = None if matchers.raw_patterns is None else Patterned(matchers.raw_patterns, self._raw_lane)
        known = [(index, rule, rule.fingerprints) for index, rule in matchers.protecting]
        watched = [(index, rule, documents) for index, rule, documents in known if documents is not None]
        self._passages = Passages(watched) if watched else None
        self._near = Near(matchers.rules) if matchers.has_near else None
        self._plain = True
        """Whether `_glance` may be tried: the lanes are regular and nothing is open."""

    def feed(self, text: str) -> None:
        """Take the next text, not empty."""
        if self._half:
            text = self._half + text
            self._half = ""
        if text.isascii():
            folded = text.lower()
            if not text.isprintable():
                folded = folded.translate(BLANKS)
            texts = [text, folded, *[folded] * len(self.matchers.disguises)]
            simple = True
        else:
            if is_high_surrogate(text[-1]):
                self._half = text[-1]
                text = text[:-1]
                if not text:
                    return
            texts = [text.translate(SIMPLE_CASED), text.translate(SIMPLE_FOLDED)]
            texts += [text.translate(one.look.simple) for one in self.matchers.disguises]
            simple = not any(BREAK in one for one in texts)
        self.raw += text
        if not (simple and self._plain and self._glance(text, texts)):
            self._study(text, texts, simple=simple, final=False)
        if self._passages is not None:
            self._passages.feed(text)
            self._take_passages(self._passages)

    def finish(self) -> None:
        """No more text comes: decide everything."""
        half, self._half = self._half, ""
        self.raw += half
        self._study(half, [""] * len(self._lanes), simple=not half, final=True)
        if self._passages is not None:
            if half:
                self._passages.feed(half)
            self._passages.finish()
            self._take_passages(self._passages)

    def forget(self, before: int) -> None:
        """Drop the raw text before this offset."""
        if before > self.raw_at:
            self._behind.append(self.raw[: before - self.raw_at])
            if len(self._behind) > BEHIND:
                self._behind = ["".join(self._behind)[-BEHIND:]]
            self.raw = self.raw[before - self.raw_at :]
            self.raw_at = before

    def between(self, start: int, end: int) -> str:
        """The raw text of a span that was not forgotten, or from `BEHIND` before what was not."""
        if start < self.raw_at:
            behind = "".join(self._behind)
            return stretch(behind + self.raw, self.raw_at - len(behind), start, end)
        return self.raw[start - self.raw_at : end - self.raw_at]

    def _glance(self, text: str, texts: Sequence[str]) -> bool:
        """The usual case, or False with nothing changed."""
        matchers = self.matchers
        reach = matchers.reach
        if reach and not (self.raw.isascii() and not reach & Reach.ALWAYS and "\r" not in self.raw):
            return False
        # The lanes are regular, so that all of them end at the same place, and an index counts the same from there.
        lanes = self._lanes
        received = self.received + len(text)
        cased, folded = lanes[_CASED], lanes[_FOLDED]
        window_cased = cased.text + texts[_CASED]
        window = folded.text + texts[_FOLDED]
        keep_cased = size_cased = len(window_cased)
        keep = size = len(window)
        hold = wait = received
        if matchers.folded is not None:
            alive = matchers.folded.glance(window)
            if alive is None:
                return False
            if alive is not NOTHING:
                at = received - size
                hold, wait, keep = at + alive.hold, at + alive.wait, alive.keep
        looks: list[tuple[str, int, bool]] = []
        for number, group in enumerate(matchers.disguises, _LOOKS):
            lane = lanes[number]
            same = lane.text is folded.text and texts[number] is texts[_FOLDED]
            look = window if same else lane.text + texts[number]
            same = same or look == window
            keep_look = len(look)
            alive = glance_readings(group, look, known=same)
            if alive is None:
                return False
            if alive is not NOTHING:
                at = received - len(look)
                hold, wait, keep_look = min(hold, at + alive.hold), min(wait, at + alive.wait), alive.keep
            if same and keep < keep_look:
                keep_look = keep
            looks.append((look, keep_look, same and keep_look == keep))
        if matchers.cased is not None:
            alive = matchers.cased.glance(window_cased)
            if alive is None:
                return False
            if alive is not NOTHING:
                at = received - size_cased
                hold, wait, keep_cased = min(hold, at + alive.hold), min(wait, at + alive.wait), alive.keep
        for patterned in self._patterns:
            index = patterned.glance(window_cased)
            if index < 0:
                return False
            if index < size_cased:
                keep_cased = min(keep_cased, index)
                at = received - size_cased + index
                hold, wait = min(hold, at), min(wait, at)
        if self._reads_raw:
            seen = self._glance_raw(text)
            if seen is None:
                return False
            hold, wait = min(hold, received - seen[0]), min(wait, received - seen[1])
        folded.text = window[keep - 1 :]
        folded.at += keep - 1
        folded.base += keep - 1
        for number, (look, keep_look, same) in enumerate(looks, _LOOKS):
            lane = lanes[number]
            # One string where it is one text, so that the next look can tell at a glance.
            lane.text = folded.text if same else look[keep_look - 1 :]
            lane.at += keep_look - 1
            lane.base += keep_look - 1
        cased.text = window_cased[keep_cased - 1 :]
        cased.at += keep_cased - 1
        cased.base += keep_cased - 1
        if self._contexts:
            self._contexts.forget(received - self._late)
        if self._soft:
            self._soft = {}
        self.received = received
        self.hold = hold
        self.wait = wait
        return True

    def _glance_raw(self, text: str) -> tuple[int, int] | None:
        """How far before the end holding and waiting must begin for the raw lane, which moves on; None when something
        was hit."""
        matchers, lane = self.matchers, self._raw_lane
        window = lane.text + text
        size = hold = wait = keep = len(window)
        if matchers.raw is not None:
            alive = matchers.raw.glance(window)
            if alive is None:
                return None
            if alive is not NOTHING:
                hold, wait, keep = alive.hold, alive.wait, alive.keep
        if self._raw_patterns is not None:
            index = self._raw_patterns.glance(window)
            if index < 0:
                return None
            hold, wait, keep = min(hold, index), min(wait, index), min(keep, index)
        lane.text = window[keep - 1 :]
        lane.at += keep - 1
        lane.base += keep - 1
        return size - hold, size - wait

    def _study(self, text: str, texts: Sequence[str], *, simple: bool, final: bool) -> None:
        """Everything, exactly."""
        matchers = self.matchers
        befores = [self._extent(which) for which in range(len(self._lanes))]
        seen = len(self._raw_lane.text)
        if text:
            if simple:
                self._segment = None
                for lane, new in zip(self._lanes, texts, strict=True):
                    lane.append(new, self.received)
            else:
                self._fold(text)
            if self._reads_raw:
                whole = "".join(map(stand_in, text)) if _SURROGATE.search(text) else text
                self._raw_lane.append(whole, self.received)
        self.received += len(text)
        self.hold = self.wait = self.received
        keeps = [len(lane.text) for lane in self._lanes]
        if matchers.folded is not None:
            keeps[_FOLDED] = self._keywords(matchers.folded, _FOLDED, befores[_FOLDED], final=final)
        if matchers.cased is not None:
            keeps[_CASED] = self._keywords(matchers.cased, _CASED, befores[_CASED], final=final)
        softs: Softs = {}
        for which, group in enumerate(matchers.disguises, _LOOKS):
            keeps[which] = self._disguised(group, which, befores[which], keeps[_FOLDED], softs, final=final)
        self._soft = softs
        for patterned in self._patterns:
            soft = self._extent(_CASED)[1]
            keep = self._match(patterned, self._lanes[_CASED], soft, marks=True, final=final)
            keeps[_CASED] = min(keeps[_CASED], keep)
        if self._reads_raw:
            self._study_raw(seen, final=final)
        for which, keep in enumerate(keeps):
            self._trim(which, keep)
        for patterned in self._patterns:
            patterned.forget()
        if self._contexts is not None:
            self._contexts.forget(min(self.wait, self.received) - self._late)
        if self._near is not None:
            hits = self._near.step(self.raw, self.raw_at, self.wait, final=final)
            self.hits += [Span(*hit) for hit in hits]
            self.hold = min(self.hold, self._near.hold)
            self.wait = min(self.wait, self._near.hold)
        clustered = self._snap(matchers.reach, final=final)
        self._plain = (
            self._segment is None
            and not clustered
            and not self._near
            and not any(self._patterns)
            and not self._raw_patterns
            and all(lane.spans is None for lane in self._lanes)
        )

    def _extent(self, which: int) -> tuple[int, int]:
        """(length, where the open segment begins, which a joiner may still change) of a lane as it stands."""
        size = len(self._lanes[which].text)
        if self._segment is not None:
            return size, size - self._opens[which]
        return size, size - 1 if self.received else size

    def _fold(self, text: str) -> None:
        """Fold text that is not simple onto the lanes, beginning with what is open."""
        folds: list[Callable[[str], str]] = [str, fold_case, *(group.look.segment for group in self.matchers.disguises)]
        segment = self._segment
        if segment is None:
            # What is open is the last lane character, if there is one: its cased form folds on as the raw one would.
            last = self._lanes[_CASED].text[-1] if self.received else ""
            segment = self._segment = Segmenter(last, self.received - len(last))
            self._opens = [len(fold(last)) if last else 0 for fold in folds]
        for lane, count in zip(self._lanes, self._opens, strict=True):
            lane.pop(count)
        pieces = segment.push(text, self.received)
        for lane, fold in zip(self._lanes, folds, strict=True):
            for cased, start, end in pieces:
                lane.append(fold(cased), start, end)
        closed = not (segment.open and pieces)
        self._opens = [0 if closed else len(fold(pieces[-1][0])) for fold in folds]

    def _keywords(self, matcher: KeywordMatcher, which: int, before: tuple[int, int], *, final: bool) -> int:
        """Search a lane for keywords; return the index from which the window must be kept."""
        size, soft = self._extent(which)
        found = matcher.examine(self._lanes[which].text, before, size if final else soft, final)
        self._take(self._lanes[which], found)
        return found.alive.keep

    def _disguised(
        self, group: Disguises, which: int, before: tuple[int, int], known: int, softs: Softs, *, final: bool
    ) -> int:
        """Search a look lane, in every reading; return the index from which the window must be kept. `known`: what
        that index is for the folded lane."""
        lane = self._lanes[which]
        window = lane.text
        size, soft = self._extent(which)
        if final:
            soft = size
        spare = self._spare(lane)
        keep = size
        if group.words is self.matchers.folded and lane == self._lanes[_FOLDED]:
            # What was found and is alive there is so here.
            keep = known
        elif group.words.finds(Way.LOOK):
            found = group.words.examine(window, before, soft, final, Way.LOOK, spare, group.repeats is not None)
            self._take(lane, found)
            keep = found.alive.keep
        markup: set[tuple[int, int]] = set()
        for matcher, number, reading, way in readings(group, window, soft, markup, final=final):
            place = self._soft.get((matcher, number))
            earlier = before if place is None else (place[0] - lane.base, place[1] - lane.base)
            found = matcher.examine_reading(window, reading, earlier, soft, final, way, spare)
            softs[matcher, number] = size + lane.base, found.soft + lane.base
            self._take(lane, found)
            keep = min(keep, found.alive.keep)
        for start, end in markup:
            if start < keep < end:
                keep = start
        return keep

    def _take(self, lane: Lane, found: KeywordFindings) -> None:
        """Note what was found in a lane, and what is alive in it."""
        for hit in found.hits:
            entry = hit.entry
            start, end = lane.start(hit.start, self.received), lane.end(hit.end)
            match entry.role:
                case Role.TERM:
                    _add(self.hits, Span(entry.rule, start, end))
                case Role.ALLOW:
                    _add(self.allowed, Span(entry.rule, start, end))
                case Role.CONTEXT:
                    if self._contexts is not None:
                        self._contexts.add(entry.rule, end)
                case _:
                    if self._near is not None:
                        self._near.add(entry.rule, entry.role, start, end)
        self.hold = min(self.hold, lane.start(found.alive.hold, self.received))
        self.wait = min(self.wait, lane.start(found.alive.wait, self.received))

    def _take_passages(self, passages: Passages) -> None:
        self.hits += [Span(found.rule, found.start, found.end, found.document) for found in passages.hits]
        passages.hits.clear()
        self.hold = min(self.hold, passages.hold)
        if passages.hold < self.wait:
            self.wait = passages.hold
            if not self.raw.isascii():
                # The raw text that is kept begins with a cluster, whatever else may be in it.
                self.wait = self._cluster_start(cluster_starts(self.raw), self.wait)

    def _spare(self, lane: Lane) -> Spare:
        """Whether what stands in a stretch of the lane is a word of another alphabet."""
        return lambda start, end: is_one_alphabet(
            self.raw[lane.start(start, self.received) - self.raw_at : lane.end(end) - self.raw_at]
        )

    def _match(self, patterned: Patterned, lane: Lane, soft: int, *, marks: bool, final: bool) -> int:
        """Search a lane for patterns; return the index from which the window must be kept."""
        found = patterned.study(soft, self.received, marks=marks, final=final)
        for match in found.matches:
            self.hits.append(Span(match.rule, lane.start(match.start, self.received), lane.end(match.end)))
        raw = lane.start(found.alive, self.received)
        self.hold = min(self.hold, raw)
        self.wait = min(self.wait, raw)
        return found.alive

    def _study_raw(self, seen: int, *, final: bool) -> None:
        """Search the raw lane, of whose window `seen` characters were examined earlier."""
        lane = self._raw_lane
        size = keep = len(lane.text)
        if self.matchers.raw is not None:
            found = self.matchers.raw.examine(lane.text, (seen, seen), size, final)
            self._take(lane, found)
            keep = found.alive.keep
        if self._raw_patterns is not None:
            keep = min(keep, self._match(self._raw_patterns, lane, size, marks=False, final=final))
        lane.trim(keep - 1)
        if self._raw_patterns is not None:
            self._raw_patterns.forget()

    def _trim(self, which: int, keep: int) -> None:
        """Forget what stands before the index `keep`, but never what is open, nor the character before either."""
        lane = self._lanes[which]
        if self._segment is not None:
            keep = min(keep, len(lane.text) - self._opens[which])
        lane.trim(keep - 1)
        if len(lane.text) == 1 and self._segment is None:
            # Context only: its own raw span matters no more.
            lane.spans = None
            lane.at = self.received - 1

    def _snap(self, reach: Reach, *, final: bool) -> bool:
        """Move `hold` and `wait` to cluster starts where rules can start inside clusters; True if they can here."""
        if not reach and (self.raw.isascii() or not any(map(is_prepend, self.raw))):
            return False
        starts = cluster_starts(self.raw)
        if not final:
            opened = self.raw_at + open_cluster(self.raw, reach)
            if Reach.JOINER in reach:
                opened = min(opened, self._lanes[_CASED].start(self._extent(_CASED)[1], self.received))
            self.hold = min(self.hold, opened)
            self.wait = min(self.wait, opened)
        self.hold = self._cluster_start(starts, self.hold)
        self.wait = self._cluster_start(starts, self.wait)
        return not reach

    def _cluster_start(self, starts: list[int], offset: int) -> int:
        within = offset - self.raw_at
        return self.raw_at + max((s for s in starts if s <= within), default=within)


def stretch(text: str, at: int, start: int, end: int) -> str:
    """Code points [start, end) of a channel, of which `text` is what begins at `at`."""
    return text[start - at : end - at]


def _add(spans: list[Span], span: Span) -> None:
    """Several readings may find the same."""
    if span not in spans:
        spans.append(span)
