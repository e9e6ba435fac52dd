"""One channel of a streamed response: its scanner, and the events whose text is not settled yet.

Text goes in with the event that carried it; events come out, in order, as soon as the scanner has settled their text:
as the bytes that came when no edit touches them, else said again with the edited text, near the rhythm in which it
came. An event of at most `WHOLE_TEXT` code points waits until all of it is settled; a longer one is delivered in parts.
Text that has gone is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from guardrail.text.edits import edited
from guardrail.text.rules import Edit
from guardrail.text.scanner import RuleSet
from guardrail.text.scored import open_scanner
from guardrail.text.scores import Verdict
from guardrail.wire.chunk import AnyTemplate
from guardrail.wire.json_text import JsonScanner
from guardrail.wire.strict_json import whole_surrogates

WHOLE_TEXT = 32
"""Code points. An event of this length or less is never cut in two to hold back its end, so that clean events pass as
the bytes that came in (a promise of the design)."""


class Rewrite(Protocol):
    """How a codec says an event again with its one text, that of channel `key`, changed; b"" when nothing is left to
    say. `again`: another part of the event has gone before, so that only the text is said."""

    def __call__(self, raw: bytes, key: str, text: str, *, again: bool = False) -> bytes: ...


class Piece:
    """An event of one channel, or what is left of it: text from raw offset `start`."""

    __slots__ = ("again", "order", "raw", "start", "template", "text")

    def __init__(self, raw: bytes, text: str, start: int, order: int, template: AnyTemplate | None = None) -> None:
        self.raw = raw
        self.text = text
        self.start = start
        self.order = order
        self.template = template
        self.again = False
        """A part of the event has gone before."""

    def say(self, channel: str, text: str, size: int, rewrite: Rewrite) -> bytes:
        """The event with another text, in the place of `size` code points; b"" when it would say nothing. A text that
        is much longer than they are comes in several events, so that it does not appear at one stroke."""
        most = max(WHOLE_TEXT, 2 * size)
        out: list[bytes] = []
        while len(text) > most:
            cut = text.rfind(" ", most // 2, most) + 1 or most
            out.append(self._event(channel, text[:cut], rewrite))
            text = text[cut:]
        out.append(self._event(channel, text, rewrite))
        return b"".join(out)

    def _event(self, channel: str, text: str, rewrite: Rewrite) -> bytes:
        if self.template is not None:
            said = self.template.event(self.raw, text) if text else b""
        else:
            said = rewrite(self.raw, channel, text, again=self.again)
        self.again = True
        return said


class Channel:
    """The state of one channel. `key` names it inside its choice; offsets are code points of its raw text."""

    __slots__ = (
        "_applied",
        "_fresh",
        "_rewrite",
        "annotated",
        "dropped",
        "edits",
        "half",
        "held_max",
        "kept",
        "key",
        "masked",
        "queue",
        "received",
        "removed",
        "scanner",
    )

    def __init__(
        self, rules: RuleSet, key: str, path: str, rewrite: Rewrite, *, keep: bool = False, document: bool = False
    ) -> None:
        """`keep`: the protocol repeats the text when it has ended, so it is kept until then. `document`: the text is to
        be JSON."""
        self.key = key
        self._rewrite = rewrite
        self.kept: list[str] | None = [] if keep else None
        """All that was taken."""
        self._applied: list[Edit] = []
        self.scanner = JsonScanner(rules, path) if document else open_scanner(rules, path)
        self.queue: list[Piece] = []
        self.received = 0
        self.removed = 0
        """Code points under the edits delivered so far, and all that came from a halt on."""
        self.dropped = 0
        """Code points that will not be delivered, though nothing was found in them."""
        self.masked = 0
        """Code points of the masks delivered."""
        self.held_max = 0
        self.annotated = 0
        """How far the client was told that the text is checked, in code points of output."""
        self._fresh: list[str] = []
        self.edits: list[Edit] = []
        """Decided but not delivered yet, because the event that they fall into is not settled."""
        self.half: Piece | None = None
        """An event that ended in the first half of a surrogate pair."""

    @property
    def held(self) -> int:
        """Code points received and not delivered."""
        return self.received - self.queue[0].start if self.queue else 0

    @property
    def delivered(self) -> int:
        """Code points of edited text delivered."""
        return self.received - self.held - self.removed - self.dropped + self.masked

    @property
    def checked(self) -> int:
        """Of the text delivered, the code points that nothing is open about."""
        return max(self.delivered - self.scanner.unchecked(self.received - self.held), 0)

    def passed(self, text: str) -> None:
        """All that was taken before has gone, and this went with it."""
        self.received += len(text)
        if self.kept is not None:
            self.kept.append(text)

    def whole(self) -> tuple[str, str]:
        """Of a channel that is settled, or was halted or abandoned, and keeps its text: the text as it came; and what
        there is of it edited, without what a late verdict withdraws."""
        assert self.kept is not None
        raw = "".join(self.kept)
        halt = self.scanner.halt
        end = len(raw) - self.dropped if halt is None else halt.cut
        text = edited(raw[:end], [edit for edit in self._applied if edit.start < end])
        return raw, text if halt is None else text[: len(text) - halt.behind]

    def take(self, raw: bytes, text: str, order: int) -> None:
        """Queue an event with its text. Surrogate halves that servers cut apart are joined first."""
        if self.half is not None or not text.isascii():
            whole = self._join(raw, text, order)
            if whole != text:
                raw, text = self._rewrite(raw, self.key, whole), whole
                if not raw:
                    return
        self.add(raw, text, order)
        self._fresh.append(text)

    def add(self, raw: bytes, text: str, order: int, template: AnyTemplate | None = None) -> None:
        """Queue an event whose text the scanner has, or gets by other ways."""
        self.queue.append(Piece(raw, text, self.received, order, template))
        self.received += len(text)
        if self.kept is not None:
            self.kept.append(text)

    def _join(self, raw: bytes, text: str, order: int) -> str:
        if self.half is not None:
            text = self.half.text + text
            self.half = None
        if "\ud800" <= text[-1:] <= "\udbff":
            self.half = Piece(raw, text[-1], 0, order)
            text = text[:-1]
        try:
            text.encode()
        except UnicodeEncodeError:
            return whole_surrogates(text)
        return text

    def flush(self, out: list[tuple[int, bytes]]) -> int:
        """Scan what was taken since the last call, add the events that may go to `out` as (order, bytes); the number
        of events that stay behind although they came since."""
        fresh = len(self._fresh)
        text = self._fresh[0] if fresh == 1 else "".join(self._fresh)
        self._fresh.clear()
        self.deliver(self.scanner.feed(text), out)
        return min(fresh, len(self.queue))

    def finish(self, out: list[tuple[int, bytes]]) -> None:
        """The channel has ended: settle and deliver everything."""
        if self.half is not None:
            half, self.half = self.half, None
            self.take(self._rewrite(half.raw, self.key, "\ufffd", again=True), "\ufffd", half.order)
        if self._fresh:
            self.flush(out)
        self.deliver(self.scanner.finish(), out)

    def pause(self, out: list[tuple[int, bytes]]) -> None:
        """Another channel speaks now: what a classifier has to read together ends here."""
        self.deliver(self.scanner.cut_unit(), out)

    def score(self, number: int, verdict: Verdict, out: list[tuple[int, bytes]]) -> None:
        """Take the verdict of a unit."""
        self.deliver(self.scanner.score(number, verdict), out)

    def abandon(self) -> None:
        """What still waits for verdicts will not be delivered."""
        self.dropped += self.held
        self.queue.clear()
        self.edits.clear()
        self.scanner.stop()

    def deliver(self, edits: Sequence[Edit], out: list[tuple[int, bytes]]) -> None:
        """Take the scanner's new edits and move what is settled from the queue to `out`."""
        if edits:
            self.edits += edits
            if self.kept is not None:
                self._applied += edits
        queue = self.queue
        settled = self.scanner.settled
        halted = self.scanner.halt is not None
        gone = 0
        for piece in queue:
            end = piece.start + len(piece.text)
            if end <= settled:
                gone += 1
                out.append((piece.order, self._said(piece)))
                continue
            if piece.start < settled and (halted or piece.again or len(piece.text) > WHOLE_TEXT):
                out.append((piece.order, self._part(piece, settled)))
            break
        if gone:
            del queue[:gone]
        if halted and queue:
            self.removed += self.received - settled
            queue.clear()
        if self.held > self.held_max:
            self.held_max = self.held

    def _said(self, piece: Piece) -> bytes:
        end = piece.start + len(piece.text)
        if self.edits and (self.edits[0].start < end):
            text = self._edited(piece.start, end, piece.text)
            if text != piece.text or piece.again:
                return piece.say(self.key, text, len(piece.text), self._rewrite)
        return piece.say(self.key, piece.text, len(piece.text), self._rewrite) if piece.again else piece.raw

    def _part(self, piece: Piece, settled: int) -> bytes:
        """Deliver the first part of a piece; the rest of it stays."""
        cut = settled - piece.start
        said = piece.say(self.key, self._edited(piece.start, settled, piece.text[:cut]), cut, self._rewrite)
        piece.text = piece.text[cut:]
        piece.start = settled
        return said

    def _edited(self, start: int, end: int, text: str) -> str:
        """`text`, which is raw [start, end), edited; edits that reach beyond it stay, without their mask."""
        edits = self.edits
        out: list[str] = []
        at = start
        done = 0
        for edit in edits:
            if edit.start >= end:
                break
            first = max(edit.start, start)
            out.append(text[at - start : first - start])
            if edit.start >= start:
                out.append(edit.text)
                self.masked += len(edit.text)
            at = min(edit.end, end)
            self.removed += at - first
            if edit.end > end:
                break
            done += 1
        del edits[:done]
        out.append(text[at - start :])
        return "".join(out)
