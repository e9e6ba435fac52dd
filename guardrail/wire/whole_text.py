"""A text that is complete before any of it is delivered, scanned in one go.

Where a classifier reads it, its windows have to be scored first: a pass over the text takes the verdicts that are known
and notes those that are not; when they are known, the same pass again gives the outcome. What came of a pass with
anything missing must not be used.
"""

from __future__ import annotations

from guardrail.policy.policy import Policy
from guardrail.text.rules import Edit
from guardrail.text.ruleset import with_scores
from guardrail.text.scanner import RuleSet, Scanner
from guardrail.text.scored import open_scanner
from guardrail.text.scores import Verdict
from guardrail.text.units import Window
from guardrail.wire.json_text import JsonScanner
from guardrail.wire.request import ModelRequest


class Verdicts:
    """The verdicts for the windows of whole texts."""

    __slots__ = ("known", "missing")

    def __init__(self) -> None:
        self.known: dict[Window, Verdict] = {}
        self.missing: dict[Window, None] = {}
        """Asked for and not known, each once, in order; whoever has them scored empties it."""


class Unscored(Exception):
    """A pass over whole texts needs verdicts that are not known yet: those that its `Verdicts` miss."""


def scan_whole(
    rules: RuleSet, text: str, channel: str, verdicts: Verdicts | None, *, document: bool = False
) -> tuple[Scanner, list[Edit]]:
    """The scanner of a complete text, when all is decided, and its edits. `verdicts`: None leaves the classifier out,
    for what is no prose. `document`: the text is to be JSON."""
    rules = rules.plain if verdicts is None else rules
    scanner = JsonScanner(rules, channel) if document else open_scanner(rules, channel, whole=True)
    edits = [*scanner.feed(text), *scanner.finish()]
    if scanner.scoring is not None and verdicts is not None:
        for number, window in scanner.scoring.take_due():
            verdict = verdicts.known.get(window)
            if verdict is None:
                verdicts.missing[window] = None
            else:
                edits += scanner.score(number, verdict)
    return scanner, edits


def rules_for(policy: Policy, request: ModelRequest) -> RuleSet:
    """The rules of a policy for the answer to this request: the classifier is shown the question if the policy says
    so."""
    scored = policy.rules.scored
    if scored is None or scored.settings.context != "prompt" or not request.prompt:
        return policy.rules
    return with_scores(policy.rules, scored.settings, request.prompt)
