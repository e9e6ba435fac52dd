"""One group of rules over one channel: text in; hits out, with what must be held and what is still undecided.

Two ways through: text that is simple (see `fold`) and hits nothing takes `_glance`, a handful of calls into
compiled code; everything else takes `_study`, which is exact about every case. Both see each character a bounded
number of times: what is searched is the live tail kept from before, plus the new text.

Offsets that leave this module are raw, in code points from the channel's start.
"""

from __future__ import annotations

from dataclasses import dataclass

from guardrail.text.clusters import Reach, cluster_starts, is_prepend, open_cluster
from guardrail.text.fold import (
    BLANKS,
    BREAK,
    SIMPLE_CASED,
    SIMPLE_FOLDED,
    Segmenter,
    decompose_last,
    fold_case,
    is_high_surrogate,
)
from guardrail.text.keywords import KeywordMatcher
from guardrail.text.lane import Lane
from guardrail.text.patterns import PatternMatcher
from guardrail.text.ruleset import Matchers


@dataclass(frozen=True, slots=True)
class Span:
    """A hit, or an occurrence of an allow-phrase, of the rule with index `rule`."""

    rule: int
    start: int
    end: int


class Track:
    """The matching state of one channel for one group of rules.

    After each `feed` or `finish`: `hold` is where text begins that some continuation may yet remove (other than by
    the hits already handed out), and `wait` where hits begin that are not decided yet; `wait` is also before any
    hit that a longer one or an allow-phrase may still change. Hits and allow-phrases found are in `hits` and `allowed`;
    the caller empties `hits`, drops what it no longer needs of `allowed`, and says when to `forget` raw text.
    """

    __slots__ = (
        "_cased",
        "_folded",
        "_half",
        "_open",
        "_plain",
        "_resume",
        "_segment",
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
        self._folded = Lane()
        self._cased = Lane()
        self._half = ""
        """A high surrogate at the very end of the text: no character yet, so nothing looks at it."""
        self._segment: Segmenter | None = None
        self._open = (0, 0)
        """How many cased and folded characters the open segment has, when `_segment` is set."""
        self._resume: dict[int, int] = {}
        self._plain = True
        """Whether `_glance` may be tried: both lanes are regular and nothing is open."""

    def feed(self, text: str) -> None:
        """Take the next text, not empty."""
        if self._half:
            text = self._half + text
            self._half = ""
        if text.isascii():
            cased, folded = text, text.lower()
            if not text.isprintable():
                folded = folded.translate(BLANKS)
            simple = True
        else:
            if is_high_surrogate(text[-1]):
                self._half = text[-1]
                text = text[:-1]
                if not text:
                    return
            cased, folded = text.translate(SIMPLE_CASED), text.translate(SIMPLE_FOLDED)
            simple = BREAK not in cased
        self.raw += text
        if not (simple and self._plain and self._glance(text, cased, folded)):
            self._study(text, cased, folded, simple=simple, final=False)

    def finish(self) -> None:
        """No more text comes: decide everything."""
        half, self._half = self._half, ""
        self.raw += half
        self._study(half, "", "", simple=not half, final=True)

    def forget(self, before: int) -> None:
        """Drop the raw text before this offset."""
        if before > self.raw_at:
            self.raw = self.raw[before - self.raw_at :]
            self.raw_at = before

    def _glance(self, text: str, cased: str, folded: str) -> bool:
        """The usual case, or False with nothing changed."""
        matchers = self.matchers
        reach = matchers.reach
        if reach and not (self.raw.isascii() and not reach & Reach.ALWAYS and "\r" not in self.raw):
            return False
        hold = wait = received = self.received + len(text)
        lane, other = self._folded, self._cased
        window, window_cased = lane.text + folded, other.text + cased
        keep, keep_cased = len(window) - 1, len(window_cased) - 1
        if matchers.folded is not None:
            alive, undecided = matchers.folded.glance(window)
            if alive < 0:
                return False
            hold, wait = lane.at + alive, lane.at + undecided
            keep = undecided - 1
        if matchers.cased is not None:
            alive, undecided = matchers.cased.glance(window_cased)
            if alive < 0:
                return False
            hold = min(hold, other.at + alive)
            wait = min(wait, other.at + undecided)
            keep_cased = undecided - 1
        if matchers.patterns is not None:
            alive = matchers.patterns.glance(window_cased)
            if alive < 0:
                return False
            if alive <= keep_cased:
                keep_cased = alive - 1
            alive += other.at
            if alive < hold:
                hold = alive
            if alive < wait:
                wait = alive
        lane.text = window[keep:]
        lane.at += keep
        other.text = window_cased[keep_cased:]
        other.at += keep_cased
        self.received = received
        self.hold = hold
        self.wait = wait
        return True

    def _study(self, text: str, cased: str, folded: str, *, simple: bool, final: bool) -> None:
        """Everything, exactly."""
        before_cased = self._extent(self._cased, 0)
        before_folded = self._extent(self._folded, 1)
        if simple and text:
            self._segment = None
            self._cased.append(cased, self.received)
            self._folded.append(folded, self.received)
        elif text:
            self._fold(text)
        self.received += len(text)
        self.hold = self.wait = self.received
        matchers = self.matchers
        if matchers.folded is not None:
            keep_folded = self._keywords(matchers.folded, self._folded, before_folded, 1, final=final)
        else:
            keep_folded = len(self._folded.text) - 1
        keep_cased = len(self._cased.text) - 1
        if matchers.cased is not None:
            keep_cased = self._keywords(matchers.cased, self._cased, before_cased, 0, final=final)
        if matchers.patterns is not None:
            keep_cased = min(keep_cased, self._patterns(matchers.patterns, final=final))
        self._trim(self._folded, keep_folded, 1)
        self._trim(self._cased, keep_cased, 0)
        self._resume = {n: resume for n, resume in self._resume.items() if resume > self._cased.base + 1}
        clustered = self._snap(matchers.reach, final=final)
        self._plain = (
            self._segment is None
            and not clustered
            and not self._resume
            and self._cased.spans is None
            and self._folded.spans is None
        )

    def _extent(self, lane: Lane, which: int) -> tuple[int, int]:
        """(length, where the open segment begins, which a joiner may still change) of a lane as it stands."""
        size = len(lane.text)
        if self._segment is not None:
            return size, size - self._open[which]
        return size, size - 1 if self.received else size

    def _fold(self, text: str) -> None:
        """Fold text that is not simple onto the lanes, beginning with what is open."""
        segment = self._segment
        if segment is None:
            # What is open is the last lane character, if there is one: its cased form folds on as the raw one would.
            last = self._cased.text[-1] if self.received else ""
            segment = self._segment = Segmenter(last, self.received - len(last))
            self._open = (len(last), len(fold_case(last)) if last else 0)
        self._cased.pop(self._open[0])
        self._folded.pop(self._open[1])
        pieces = segment.push(text, self.received)
        for piece_cased, piece_folded, start, end in pieces:
            self._cased.append(piece_cased, start, end)
            self._folded.append(piece_folded, start, end)
        self._open = (len(pieces[-1][0]), len(pieces[-1][1])) if segment.open and pieces else (0, 0)

    def _keywords(
        self, matcher: KeywordMatcher, lane: Lane, before: tuple[int, int], which: int, *, final: bool
    ) -> int:
        """Search a lane for keywords; return the index from which the window must be kept."""
        window = lane.text
        size, soft = self._extent(lane, which)
        if final:
            soft = size
        seen = matcher.examine(window, matcher.search(window), before, soft, final)
        for hit in seen.hits:
            span = Span(hit.rule, lane.start(hit.start, self.received), lane.end(hit.end))
            (self.allowed if hit.allow else self.hits).append(span)
        self.hold = min(self.hold, lane.start(seen.hold, self.received))
        self.wait = min(self.wait, lane.start(seen.wait, self.received))
        return seen.wait - 1

    def _patterns(self, matcher: PatternMatcher, *, final: bool) -> int:
        """Search the cased lane for patterns; return the index from which the window must be kept."""
        lane = self._cased
        window = lane.text
        size, soft = self._extent(lane, 0)
        grown: list[str] = []
        base = size
        if final:
            soft = size
        elif soft < size:
            base, parts = decompose_last(window, soft)
            grown = [window[:base] + char for char in matcher.grown(parts)]
        views = () if final else (window, *grown)
        resumes = {number: max(1, at - lane.base) for number, at in self._resume.items()}
        undecided = size
        for number in matcher.candidates(window) if matcher.may_match(window) else ():
            resume = resumes.get(number, 1)
            pending = 0
            while pending < resume:
                # Again after a match was accepted beyond where the expression was live: it may live on behind it.
                limit = self._limit(matcher, number, views, resume)
                found, resume, pending = matcher.matches(number, window, resume, limit, soft, base, final)
                for match in found:
                    self.hits.append(Span(match.rule, lane.start(match.start, self.received), lane.end(match.end)))
            undecided = min(undecided, pending)
            if resume > 1:
                resumes[number] = resume
                self._resume[number] = lane.base + resume
        alive = size
        for view in views:
            start = matcher.live(view)
            alive = min(alive, start if start < len(view) else size)
        if any(resume > alive for resume in resumes.values()):
            # Something lives inside a match that was accepted: ask each expression where it may go on.
            alive = min(
                self._limit(matcher, number, views, resumes.get(number, 1))
                for number in range(len(matcher.expressions))
            )
        alive = min(alive, undecided)
        raw = lane.start(alive, self.received)
        self.hold = min(self.hold, raw)
        self.wait = min(self.wait, raw)
        return alive - 1

    def _limit(self, matcher: PatternMatcher, number: int, views: tuple[str, ...], resume: int) -> int:
        """Where the live tail of one expression starts, at or after `resume`; the window's length if nowhere."""
        limit = size = len(self._cased.text)
        for view in views:
            start = matcher.live_of(number, view, resume)
            limit = min(limit, start if start < len(view) else size)
        return limit

    def _trim(self, lane: Lane, keep: int, which: int) -> None:
        """Forget what no match can touch, but never what is open, nor the character before it."""
        size = len(lane.text)
        if self._segment is not None:
            keep = min(keep, size - self._open[which] - 1)
        lane.trim(keep)
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
                opened = min(opened, self._cased.start(self._extent(self._cased, 0)[1], self.received))
            self.hold = min(self.hold, opened)
            self.wait = min(self.wait, opened)
        self.hold = self._cluster_start(starts, self.hold)
        self.wait = self._cluster_start(starts, self.wait)
        return not reach

    def _cluster_start(self, starts: list[int], offset: int) -> int:
        within = offset - self.raw_at
        return self.raw_at + max((s for s in starts if s <= within), default=within)
