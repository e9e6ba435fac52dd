"""What guardrail itself says around the words of the model: labels, reminders, where to find help.

It is text of the channel that people read, and ours: it is not scanned, not counted, and no offset counts it. It stands
in front of the first words of a choice and behind its last ones, never inside a call of a tool, and nowhere where a
program takes the text as it is (`ModelRequest.inserts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

GAP = "\n\n"
"""Between paragraphs, in plain text and in Markdown."""


@dataclass(frozen=True, slots=True)
class Inserts:
    """What is said in every choice of an answer, with the white space that sets it off."""

    before: str = ""
    behind: str = ""

    @classmethod
    def of(cls, before: Sequence[str], behind: Sequence[str]) -> Inserts:
        """Of paragraphs, each without white space at its ends."""
        return cls("".join(said + GAP for said in before), "".join(GAP + said for said in behind))

    def __bool__(self) -> bool:
        return bool(self.before or self.behind)

    def around(self, notice: str, *, spoke: bool) -> str:
        """The last words of a choice that was halted: the notice, and what is said around it. `spoke`: what stands in
        front has been said."""
        if spoke:
            return notice + self.behind
        return self.before + notice + self.behind if notice else ""


NONE = Inserts()


def insert_note(place: str) -> dict[str, Any]:
    """The `guardrail` field of an event that says an insert. `place`: "before" or "behind"."""
    return {"action": "insert", "place": place}


def note_inserts(body: dict[str, Any], inserts: Inserts) -> None:
    """Say in the `guardrail` field of a body how many code points at the ends of its texts are guardrail's own."""
    note = body.get("guardrail")
    inserted = {"before": len(inserts.before), "behind": len(inserts.behind)}
    body["guardrail"] = {**(note if isinstance(note, dict) else {}), "inserted": inserted}
