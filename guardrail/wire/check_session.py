"""The slices of one text, or of several side by side, as the Check API gets them: joined, edited, released.

A session has channels; each goes through the engine as a streamed answer does, so that how a text is sliced changes
neither what is released nor what is found. A halt in one ends all. What a classifier has to score is waited for: a
policy's lag budget has no meaning here, since nobody could withdraw what was released.
"""

from __future__ import annotations

from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.text.editor import Editor
from guardrail.text.rules import Finding
from guardrail.text.scores import Verdict
from guardrail.text.scoring import Tally
from guardrail.text.units import Window
from guardrail.wire.check import CheckedText
from guardrail.wire.record import StreamRecord, classifier_part
from guardrail.wire.strict_json import whole_surrogates

MAX_CHANNELS = 64
"""Of one session: each may hold text back."""


class _Channel:
    """One text."""

    def __init__(self, policy: Policy, name: str) -> None:
        self.editor = Editor(policy.rules, name, whole=True)
        self.half = ""
        """The first half of a surrogate pair, with which a slice has ended."""
        self.told: set[Finding] = set()
        self.tally = Tally()
        """What was told of the classifier's verdicts."""
        self.received = 0
        """Also what came after a halt."""

    def join(self, text: str, *, final: bool) -> str:
        """The text as valid Unicode: pairs of surrogates that a client has cut apart are joined."""
        text, self.half = self.half + text, ""
        if not final and "\ud800" <= text[-1:] <= "\udbff":
            text, self.half = text[:-1], text[-1]
        return text if text.isascii() else whole_surrogates(text)


class CheckSession:
    """The state of one session. One slice after the other: `take`, then `due` and `score` until nothing is due, then
    `checked` and `record`. `received`: code points in all channels."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.received = 0
        self.halted = ""
        """The case id of what halted it."""
        self._channels: dict[str, _Channel] = {}
        self._now = _Channel(policy, "")
        self._out: list[str] = []
        self._final = False
        self._case_id = ""
        self._fresh = self._removed_before = self._settled_before = 0
        self._tally = Tally()
        self._late = False
        """The slice came when the session had halted."""

    @property
    def complete(self) -> bool:
        """Whether every channel has ended, not by a halt."""
        return not self.halted and all(channel.editor.scanner.ended for channel in self._channels.values())

    @property
    def weight(self) -> int:
        """About how much work there is in telling what was found: the number of findings so far in this channel."""
        return len(self._now.told)

    def expects(self, channel: str) -> int:
        """Code points that came in this channel."""
        known = self._channels.get(channel)
        return 0 if known is None else known.received

    def take(self, text: str, channel: str, case_id: str, *, final: bool) -> None:
        """The next slice. Raises WireError, with a message fit for the client, when it cannot be taken."""
        now = self._channels.get(channel)
        if now is None:
            if len(self._channels) >= MAX_CHANNELS:
                raise WireError(f"A session has at most {MAX_CHANNELS} channels.")
            now = self._channels[channel] = _Channel(self.policy, channel)
        elif now.editor.scanner.ended and not self.halted:
            raise WireError("This channel has ended: an earlier slice was final.")
        self._now, self._out, self._case_id, self._late = now, [], case_id, bool(self.halted)
        self._removed_before, self._settled_before = now.editor.removed, now.editor.scanner.settled
        self._final = final
        text = now.join(text, final=final)
        self._fresh = len(text)
        now.received += len(text)
        self.received += len(text)
        if self._late:
            return
        self._out.append(now.editor.feed(text))
        if final:
            self._out.append(now.editor.finish())
        self._look()

    def due(self) -> list[tuple[int, Window]]:
        """Units that wait for a score, each with its number; they become the caller's business."""
        return [] if self.halted else self._now.editor.take_due()

    def score(self, number: int, verdict: Verdict) -> None:
        self._out.append(self._now.editor.score(number, verdict))
        self._look()

    def checked(self) -> CheckedText:
        """What is told of the slice, once."""
        now = self._now
        scanner = now.editor.scanner
        found = [] if self._late else [one for one in now.editor.findings() if one not in now.told]
        now.told.update(found)
        self._tally = Tally()
        if scanner.scoring is not None:
            after, before = scanner.scoring.tally, now.tally
            unscanned = after.unscanned - before.unscanned
            self._tally = Tally(after.units - before.units, after.failures - before.failures, unscanned)
            now.tally = Tally(after.units, after.failures.copy(), after.unscanned)
        return CheckedText(
            text="".join(self._out),
            received=now.received,
            released_up_to=scanner.settled,
            findings=found,
            unscanned=self._tally.unscanned,
            halted=self.halted,
        )

    def record(self, checked: CheckedText) -> StreamRecord:
        """The account of this slice. Over all slices of a channel, what was received is what was released, removed,
        dropped, and held at the end."""
        now, editor = self._now, self._now.editor
        settled = editor.scanner.settled
        removed = editor.removed - self._removed_before
        halted = bool(self.halted) and not self._late
        held = 0 if self.halted else editor.held
        return StreamRecord(
            case_id=self._case_id,
            policy=self.policy.tag,
            policy_digest=self.policy.digest,
            model="",
            choices=1,
            received=self._fresh,
            scanned=0 if self._late else self._fresh,
            released=settled - self._settled_before - removed,
            held=held,
            held_max=editor.held_max,
            removed=removed + (now.received - settled if halted else 0),
            dropped=self._fresh if self._late else 0,
            unscanned=checked.unscanned,
            events=1,
            events_delayed=int(held > 0),
            tokens=0,
            usage=None,
            findings=tuple(checked.findings),
            halted=halted,
            finish_reasons=("content_filter" if self.halted else "stop" if self._final else None,),
            blocked=(),
            fault=None,
            **classifier_part(self.policy, self._tally),
        )

    def _look(self) -> None:
        if self._now.editor.halt is not None and not self.halted:
            self.halted = self._case_id
