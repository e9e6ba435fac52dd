"""The texts of a request, scanned and edited before the model reads them, by the section `input` of a policy.

A message is one text: what it says in several parts is put together with line ends between them, as model servers do,
and looked at once more without, for a term that is cut by the end of a part. A text that comes again in the
conversation is scanned once. Nothing here streams: a prompt is complete when it comes.

Promises: a request in which nothing changes keeps its very bytes; what is edited is edited where it stands, every other
value keeps its meaning; a refused prompt gives no body at all. The record never holds text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from guardrail.policy.policy import InputSection
from guardrail.text.edits import edited
from guardrail.text.rules import Edit, Finding
from guardrail.text.scanner import RuleSet
from guardrail.text.scoring import Tally
from guardrail.wire.record import Excerpt, excerpts_of
from guardrail.wire.request import InputText, ModelRequest, Path, with_texts
from guardrail.wire.tool_arguments import guard_pieces
from guardrail.wire.whole_text import Unscored, Verdicts, scan_whole

_BETWEEN = "\n"
"""Between two parts of a message."""


@dataclass(frozen=True, slots=True)
class PromptRecord:
    """What became of one request. Counts are code points."""

    messages: int
    """Scanned, by whoever the section names."""
    scanned: int
    removed: int
    """Under a mask; 0 for a prompt that was refused."""
    unscanned: int
    """Of the scanned: without the scores that the section's classifier should have given (0 unless `fail: open`)."""
    findings: tuple[Finding, ...]
    """`channel`: the path of the message's text, as `messages[3].content`; offsets within the message's text."""
    refused: Finding | None
    excerpts: tuple[Excerpt, ...] = ()
    """Text around those of `own`; empty unless the request asks for it (`ModelRequest.around`)."""
    own: tuple[Finding, ...] = ()
    """Those of `findings` in what the person wrote since the model last spoke: not in what tools gave back, and not in
    what was said before and is only sent again."""
    classifier: str = ""
    """The classifier's model, `name@digest`; "" for a section without one."""
    units: int = 0
    unit_failures: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class GuardedPrompt:
    """A request that was scanned."""

    body: bytes
    """What to send to the model, the very bytes that came when nothing changes; b"" when it is refused."""
    changed: bool
    record: PromptRecord


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Of one message's text."""

    pieces: list[str]
    removed: int
    findings: list[Finding]
    halted: Finding | None
    tally: Tally


def size_of(section: InputSection, request: ModelRequest) -> int:
    """Code points that `guard_prompt` will look at."""
    return sum(len(said.text) for said in _selected(section, request.inputs))


def guard_prompt(section: InputSection, request: ModelRequest, body: bytes, verdicts: Verdicts) -> GuardedPrompt:
    """Scan what the section asks for in `body`, of which `request` was read. Raises Unscored when verdicts of a
    classifier are missing: have them scored, and call again."""
    rules = section.policy.rules
    done: dict[tuple[str, ...], _Outcome] = {}
    texts: dict[Path, str] = {}
    findings: list[Finding] = []
    own: list[Finding] = []
    excerpts: list[Excerpt] = []
    tally = Tally()
    messages = scanned = removed = 0
    refused: Finding | None = None
    for message in _messages(_selected(section, request.inputs)):
        pieces = tuple(said.text for said in message)
        channel = _spelled(_shared([said.path for said in message]))
        outcome = done.get(pieces)
        if outcome is None:
            outcome = done[pieces] = _scanned(rules, pieces, verdicts)
            tally.add(outcome.tally)
        messages += 1
        scanned += sum(map(len, pieces))
        here = [replace(found, channel=channel) for found in outcome.findings]
        findings += here
        if here and message[0].role == "user" and message[0].turn >= _newest_turn(request.inputs):
            own += here
            if request.around:
                excerpts += excerpts_of(here, _BETWEEN.join(pieces), request.around)
        if outcome.halted is not None:
            refused = replace(outcome.halted, channel=channel)
            break
        removed += outcome.removed
        texts |= {said.path: piece for said, piece in zip(message, outcome.pieces, strict=True) if piece != said.text}
    if verdicts.missing:
        raise Unscored
    settings = section.policy.classifier
    record = PromptRecord(
        messages=messages,
        scanned=scanned,
        removed=0 if refused is not None else removed,
        unscanned=tally.unscanned,
        findings=tuple(findings),
        refused=refused,
        own=tuple(own),
        excerpts=tuple(excerpts),
        classifier="" if settings is None else settings.model,
        units=tally.units,
        unit_failures=tuple(sorted((kind.value, count) for kind, count in tally.failures.items())),
    )
    if refused is not None:
        return GuardedPrompt(b"", False, record)
    return GuardedPrompt(with_texts(body, texts) if texts else body, bool(texts), record)


def _selected(section: InputSection, inputs: Sequence[InputText]) -> Iterator[InputText]:
    """The texts that the section asks for. Instructions (`system`) stand for every turn, so they are always new."""
    first = 0 if section.turns == "all" else _newest_turn(inputs)
    for said in inputs:
        if said.text and said.role in section.roles and (said.turn >= first or said.role == "system"):
            yield said


def _newest_turn(inputs: Iterable[InputText]) -> int:
    """The message with which the newest turn begins: behind the answer that the newest words of the user are behind.
    What tools gave back since then belongs to it."""
    answered = begins = 0
    for said in inputs:
        if said.role == "assistant":
            answered = said.turn + 1
        elif said.role == "user":
            begins = answered
    return begins


def _messages(inputs: Iterable[InputText]) -> Iterator[list[InputText]]:
    """The texts of each message together. In some protocols a message of the user carries results of tools too, which
    are texts of their own."""
    found: dict[tuple[int, str], list[InputText]] = {}
    for said in inputs:
        found.setdefault((said.turn, said.role), []).append(said)
    yield from found.values()


def _scanned(rules: RuleSet, pieces: Sequence[str], verdicts: Verdicts) -> _Outcome:
    apart = [piece for part in pieces for piece in (_BETWEEN, part)][1:]
    found = guard_pieces(rules, apart, "", verdicts)
    outcome = _Outcome(found.pieces[::2], found.removed, found.findings, found.halted, found.tally)
    if len(pieces) == 1 or found.halted is not None:
        return outcome
    return _joined(rules, outcome)


def _joined(rules: RuleSet, outcome: _Outcome) -> _Outcome:
    """The message once more, its parts without anything between them: what is found across the end of a part."""
    pieces = outcome.pieces
    ends = list(accumulate(map(len, pieces)))
    scanner, edits = scan_whole(rules, "".join(pieces), "", None)

    def across(one: Finding | Edit) -> bool:
        return any(one.start < end < one.end for end in ends)

    def moved(one: Finding) -> Finding:
        """With the offsets that it has with line ends between the parts."""
        before, within = (sum(end <= at for end in ends[:-1]) for at in (one.start, one.end - 1))
        return replace(one, start=one.start + before, end=one.end + within)

    found = [moved(one) for one in scanner.findings() if across(one)]
    if not found:
        return outcome
    halt = scanner.halt
    halted = moved(halt.finding) if halt is not None and across(halt.finding) else None
    kept = [edit for edit in edits if across(edit)]
    out, start = [], 0
    for piece, end in zip(pieces, ends, strict=True):
        inside = [
            Edit(max(edit.start, start) - start, min(edit.end, end) - start, edit.text if edit.start >= start else "")
            for edit in kept
            if edit.start < end and edit.end > start
        ]
        out.append(edited(piece, inside))
        start = end
    removed = outcome.removed + sum(edit.end - edit.start for edit in kept)
    return _Outcome(out, removed, sorted({*outcome.findings, *found}), halted, outcome.tally)


def _shared(paths: Sequence[Path]) -> Path:
    """The longest beginning that all have."""
    size = 0
    for steps in zip(*paths, strict=False):
        if len(set(steps)) > 1:
            break
        size += 1
    return paths[0][:size]


def _spelled(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
