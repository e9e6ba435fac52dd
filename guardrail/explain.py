"""`guardrail explain`: why a policy does what it does to a text, in a terminal.

Shows the text as the rules read it, every candidate with why it counts or does not, how many characters were held
back after each character, and what comes out. Of the rules alone: that a classifier is not asked is said. Control
characters are shown by name, never sent to the terminal.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from guardrail.errors import ConfigError
from guardrail.policy.compile import load_policy
from guardrail.policy.policy import Policy
from guardrail.scan import BadText, decoded
from guardrail.stream import guard_text
from guardrail.text.explain import Candidate, Explanation, explain
from guardrail.text.rules import Action, Rule

MAX_TEXT = 20_000
"""Characters: more is no example, and nobody reads the answer."""
_BARS = " ▁▂▃▄▅▆▇█"
_FULL = 16
"""Held characters that a full bar stands for."""


def run(
    text: str | None, policy: str, config: Path | None, *, as_json: bool, everything: bool, prompts: bool = False
) -> int:
    """The command; `text` None: standard input; `prompts`: by the policy's rules for requests.
    The exit status: 0, or 1 for what cannot be read or loaded."""
    if text is None:
        try:
            text = decoded(sys.stdin.buffer.read())
        except BadText as error:
            print(f"guardrail explain: {error}", file=sys.stderr)
            return 1
    if len(text) > MAX_TEXT:
        print(f"guardrail explain: found {len(text)} characters, expected at most {MAX_TEXT}", file=sys.stderr)
        return 1
    try:
        loaded = load_policy(policy, config)
        if prompts:
            loaded = loaded.of_input()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    rules = rules_of(loaded)
    found = explain(rules, text)
    if as_json:
        write_json(found, text, edited(loaded, text, prompt=prompts), loaded, sys.stdout, prompt=prompts)
    else:
        console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
        output = edited(loaded, text, prompt=prompts)
        Explained(found, rules, text, output, everything=everything, prompt=prompts).print(console)
        if loaded.classifier is not None:
            console.rule("classifier", align="left")
            console.print(Text(unasked(loaded.classifier.model, policy, prompt=prompts)))
    return 0


def rules_of(policy: Policy) -> list[Rule]:
    """The rules in force."""
    return [
        rule
        for group in (policy.rules.plain.removing, policy.rules.plain.logging)
        if group is not None
        for rule in group.rules
    ]


def edited(policy: Policy, text: str, *, prompt: bool = False) -> str:
    """What a client gets; of a `prompt`, what the model does: nothing of one that is refused."""
    guarded = guard_text(text, policy)
    return "" if prompt and guarded.halted else guarded.output


def unasked(model: str, policy: str, *, prompt: bool = False) -> str:
    """What to tell of a policy's classifier; `policy` as it was named."""
    command = f"guardrail scan {'--input ' if prompt else ''}--policy {policy}"
    return (
        f"{model} is not asked here: the above is what the rules do. What the classifier adds: "
        f"{command}. What a model scores: guardrail score."
    )


def write_json(
    found: Explanation, text: str, output: str, policy: Policy, out: TextIO, *, prompt: bool = False
) -> None:
    """One JSON object: lanes, candidates, held (one number for each character; not of a prompt, which is read whole),
    findings, output, and the policy's classifier if it has one, which is not asked."""
    classifier = None if policy.classifier is None else {"model": policy.classifier.model, "asked": False}
    row = {
        "text": text,
        "output": output,
        "lanes": found.lanes,
        "candidates": [asdict(candidate) for candidate in found.candidates],
        **({} if prompt else {"held": found.held}),
        "findings": [asdict(finding) for finding in found.findings],
        "classifier": classifier,
    }
    out.write(json.dumps(row, ensure_ascii=False, indent=2) + "\n")


def shown(text: str) -> str:
    """Text for a terminal: what does not print is written out."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape", "replace").decode() for char in text)


class Explained:
    """An explanation on its way to a terminal."""

    def __init__(
        self,
        found: Explanation,
        rules: list[Rule],
        text: str,
        output: str,
        *,
        everything: bool,
        prompt: bool = False,
    ) -> None:
        self._found = found
        self._actions = {rule.id: rule.action for rule in rules}
        self._text = text
        self._output = output
        self._everything = everything
        """Also candidates that are only another rule's word, context or excuse."""
        self._prompt = prompt
        """The text is a prompt: it is read whole, so nothing of it is held back, and a halt refuses all of it."""

    def print(self, console: Console) -> None:
        console.rule("prompt" if self._prompt else "text and hold-back", align="left")
        self._print_text(console)
        console.rule("as the rules read it", align="left")
        for name, lane in self._found.lanes.items():
            console.print(Text(f"{name:>8}  ", style="dim") + Text(shown(lane)))
        console.rule("candidates", align="left")
        self._print_candidates(console)
        console.rule("findings", align="left")
        for finding in self._found.findings:
            where = f"{finding.start}-{finding.end}"
            console.print(
                Text(f"{where:>9}  ", style="dim")
                + Text(finding.action.value, style=_STYLES[finding.action])
                + Text(f"  {finding.rule}  {finding.category}, {finding.severity}")
                + Text(f"  of {finding.document}" if finding.document else "")
            )
        if not self._found.findings:
            console.print(Text("none", style="dim"))
        console.rule("what the model reads" if self._prompt else "what the client gets", align="left")
        if self._prompt and any(finding.action is Action.HALT for finding in self._found.findings):
            console.print(
                Text("nothing: the prompt is refused, and the client gets a refusal", style=_STYLES[Action.HALT])
            )
        else:
            console.print(Text(shown(self._output)))

    def _print_text(self, console: Console) -> None:
        """The text with what was found in colour, and, but for a prompt, under each character how much was held after
        it."""
        styles = [""] * len(self._text)
        for finding in self._found.findings:
            for at in range(finding.start, finding.end):
                styles[at] = styles[at] or _STYLES[finding.action]
        line, bars = Text(), ""
        for char, style, held in zip(self._text, styles, self._found.held, strict=True):
            spelled = shown(char)
            width = Text(spelled).cell_len
            if line.cell_len + width > console.width - 2:
                self._print_line(console, line, bars)
                line, bars = Text(), ""
            line.append(spelled, style=style)
            level = min(held, _FULL) * (len(_BARS) - 1) // _FULL
            bars += _BARS[max(level, 1) if held else 0] * max(width, 0)
        self._print_line(console, line, bars)
        if self._prompt:
            return
        most = max(self._found.held, default=0)
        mean = sum(self._found.held) / len(self._found.held) if self._found.held else 0
        console.print(Text(f"held back after each character: {mean:.1f} on average, {most} at most", style="dim"))

    def _print_line(self, console: Console, line: Text, bars: str) -> None:
        console.print(line)
        if not self._prompt:
            console.print(Text(bars, style="dim"))

    def _print_candidates(self, console: Console) -> None:
        table = Table(box=None, pad_edge=False)
        for heading in ("where", "rule", "read as", "says", "so"):
            table.add_column(heading, overflow="fold")
        rows = [one for one in self._found.candidates if self._everything or one.kind == "hit" or not one.fault]
        for one in rows:
            table.add_row(
                Text(f"{one.start}-{one.end}", style="dim"),
                Text(one.rule),
                Text(one.lane, style="dim"),
                Text(shown(one.text)),
                self._verdict(one),
            )
        console.print(table if rows else Text("none", style="dim"))

    def _verdict(self, one: Candidate) -> Text:
        if one.fault:
            return Text(f"dropped: {one.fault}", style="dim")
        if one.kind != "hit":
            return Text(one.kind, style="cyan")
        return Text("kept", style=_STYLES[self._actions.get(one.rule, Action.LOG)])


_STYLES = {
    Action.HALT: "bold red",
    Action.REPLACE: "magenta",
    Action.REDACT: "yellow",
    Action.LOG: "blue",
    Action.ALLOW: "dim",
}
