"""What is not delivered before it is whole, since a client may act on any part of it: a tool call, code to run.

Its events are kept as they came, up to `KEPT_BYTES`, and its texts. When it is complete, its texts are scanned and
edited; with nothing changed the kept events go out, else a codec says it anew. One that halts is not delivered.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

from guardrail.text.rules import Finding
from guardrail.text.scanner import RuleSet
from guardrail.text.scoring import Tally
from guardrail.wire.strict_json import whole_surrogates
from guardrail.wire.tool_arguments import Arguments, guard_arguments, guard_whole
from guardrail.wire.whole_text import Verdicts

KEPT_BYTES = 1 << 18
"""Of events kept as they came, per part. An event is some fifty times its piece of text: beyond this only the text is
kept, and the part is said whole."""


class Withheld(Protocol):
    """A part of a choice that is withheld, and what became of it. Counts are code points of its texts."""

    @property
    def received(self) -> int: ...
    @property
    def withheld(self) -> int:
        """Of those received, the ones whose fate is open."""
        ...

    @property
    def removed(self) -> int: ...
    @property
    def dropped(self) -> int:
        """Not delivered, though no rule removed them."""
        ...

    @property
    def size(self) -> int:
        """Bytes of the events taken."""
        ...

    @property
    def findings(self) -> list[Finding]: ...
    @property
    def tally(self) -> Tally: ...
    @property
    def halted(self) -> Finding | None: ...

    def take(self, raw: bytes, value: Any, said: Any) -> None:
        """Withhold an event that carries nothing but a piece of it. `value`: the event, decoded; `said`: the piece."""
        ...

    def scan(self, rules: RuleSet, prefix: str, verdicts: Verdicts) -> None:
        """It is complete: scan it. May be called again when `verdicts` were missing. `prefix` begins the paths of its
        choice's channels."""
        ...

    def release(self) -> list[bytes]:
        """After a scan with all verdicts: the events to deliver; none when it halts."""
        ...

    def drop(self) -> None:
        """It will not be delivered."""
        ...


@dataclass(slots=True)
class Text:
    """One text of a withheld part. `json`: it is scanned inside its JSON values, and read by the classifier; else as
    the name that it is."""

    path: str
    raw: str
    json: bool = True
    now: str = ""
    """What it is after edits."""

    @property
    def changed(self) -> bool:
        return self.now != self.raw


class Part(ABC):
    """The common part: the account, the kept events, the scan. Subclasses take events, and say what was edited."""

    __slots__ = (
        "_events",
        "_outcomes",
        "_texts",
        "dropped",
        "findings",
        "halted",
        "received",
        "removed",
        "size",
        "tally",
        "withheld",
    )

    def __init__(self) -> None:
        self._events: list[bytes] | None = []
        self._texts: list[Text] = []
        self._outcomes: list[Arguments] = []
        self.size = 0
        self.received = 0
        self.withheld = 0
        self.removed = 0
        self.dropped = 0
        self.findings: list[Finding] = []
        self.tally = Tally()
        self.halted: Finding | None = None

    def keep(self, raw: bytes, characters: int) -> None:
        """Take an event with so many code points of text."""
        self.size += len(raw)
        self.received += characters
        self.withheld += characters
        if self._events is not None:
            self._events.append(raw)
            if self.size > KEPT_BYTES:
                self._events = None

    @abstractmethod
    def take(self, raw: bytes, value: Any, said: Any) -> None:
        """See `Withheld`. For subclasses."""

    @abstractmethod
    def texts(self) -> list[Text]:
        """Its texts, complete; paths without the choice's prefix. For subclasses."""

    @abstractmethod
    def say(self, texts: list[Text]) -> list[bytes]:
        """Its events with the texts as they are now. For subclasses."""

    def scan(self, rules: RuleSet, prefix: str, verdicts: Verdicts) -> None:
        self._texts = self.texts()
        self._outcomes = []
        for text in self._texts:
            whole, path = whole_surrogates(text.raw), prefix + text.path
            self._outcomes.append(
                guard_arguments(rules, whole, path, verdicts) if text.json else guard_whole(rules, whole, path)
            )
        self.halted = next((outcome.halted for outcome in self._outcomes if outcome.halted is not None), None)

    def release(self) -> list[bytes]:
        self.withheld = 0
        for text, outcome in zip(self._texts, self._outcomes, strict=True):
            self.findings += outcome.findings
            self.tally.add(outcome.tally)
            if outcome.halted is not None:
                self.removed = self.received
                self._events = None
                return []
            self.removed += outcome.removed
            text.now = outcome.text
        if self._events is not None and not any(text.changed for text in self._texts):
            return self._events
        return self.say(self._texts)

    def drop(self) -> None:
        self.dropped += self.withheld
        self.withheld = 0
        self._events = None
