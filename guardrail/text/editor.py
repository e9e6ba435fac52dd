"""A scanner with the text that it holds: strings in, edited strings out."""

from __future__ import annotations

from collections.abc import Sequence

from guardrail.text.rules import Edit, Finding
from guardrail.text.scanner import Halt, RuleSet
from guardrail.text.scored import open_scanner
from guardrail.text.scores import Verdict
from guardrail.text.units import Window


class Editor:
    """The edited text of one channel as it becomes deliverable.

    What `feed` and `finish` return, joined, is the same for every way of cutting the text. `held` and `held_max`
    count code points: those held after the last call, and the most after any. `removed`: raw code points that edits
    took out so far, a halt not counted.

    Under a policy with a classifier the caller looks at `take_due` after each call, and gives every verdict to `score`;
    the text is complete when it has `finish`ed and nothing is due any more. `whole`: see `open_scanner`.
    """

    __slots__ = ("_at", "_held", "held_max", "removed", "scanner")

    def __init__(self, rules: RuleSet, channel: str = "content", *, whole: bool = False) -> None:
        self.scanner = open_scanner(rules, channel, whole=whole)
        self.held_max = 0
        self.removed = 0
        self._held = ""
        self._at = 0

    def feed(self, text: str) -> str:
        """Take the next text; return what may be delivered now."""
        if self.scanner.ended:
            return ""
        self._held += text
        delivered = self._release(self.scanner.feed(text))
        if self.held > self.held_max:
            self.held_max = self.held
        return delivered

    def finish(self) -> str:
        """The text is complete: return the rest."""
        return self._release(self.scanner.finish())

    def take_due(self) -> list[tuple[int, Window]]:
        """The units that wait for a score and were not taken yet, each with its number."""
        scoring = self.scanner.scoring
        return scoring.take_due() if scoring is not None and scoring.due else []

    def score(self, number: int, verdict: Verdict) -> str:
        """The verdict of a unit; return what may be delivered now."""
        return self._release(self.scanner.score(number, verdict))

    @property
    def halt(self) -> Halt | None:
        return self.scanner.halt

    @property
    def held(self) -> int:
        return len(self._held)

    @property
    def unscanned(self) -> int:
        """Code points that passed without the scores of a classifier."""
        scoring = self.scanner.scoring
        return 0 if scoring is None else scoring.tally.unscanned

    def findings(self) -> list[Finding]:
        """See `Scanner.findings`."""
        return self.scanner.findings()

    def _release(self, edits: Sequence[Edit]) -> str:
        settled = self.scanner.settled
        if not edits:
            cut = settled - self._at
            delivered, self._held = self._held[:cut], self._held[cut:]
        else:
            pieces: list[str] = []
            at = self._at
            for edit in edits:
                pieces += (self._held[at - self._at : edit.start - self._at], edit.text)
                at = edit.end
                self.removed += edit.end - edit.start
            pieces.append(self._held[at - self._at : settled - self._at])
            delivered = "".join(pieces)
            self._held = self._held[settled - self._at :]
        self._at = settled
        if self.scanner.halt is not None:
            self._held = ""
        return delivered
