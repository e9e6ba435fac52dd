"""An error that upstream sent in the place of an answer, or in the middle of one, as a client may see it.

Servers quote what they choked on, so what an error says is scanned like the model's text. In which words one is told
that halts is the protocol's to say.
"""

from __future__ import annotations

from guardrail.text.scanner import RuleSet
from guardrail.wire.tool_arguments import Arguments, guard_arguments
from guardrail.wire.whole_text import Verdicts


def guarded_error(rules: RuleSet, data: bytes, verdicts: Verdicts, instead: bytes) -> tuple[bytes, Arguments]:
    """What is told of an error, and what was found in it: the same bytes when nothing changes, without line ends when
    something does, `instead` when it halts. `data`: JSON. `verdicts`: see `scan_whole`."""
    text = data.decode()
    outcome = guard_arguments(rules, text, "error", verdicts)
    if outcome.halted is not None:
        return instead, outcome
    if outcome.text == text:
        return data, outcome
    # A line end outside of a string is white space, and inside of one there is none.
    return outcome.text.replace("\n", " ").replace("\r", " ").encode(), outcome
