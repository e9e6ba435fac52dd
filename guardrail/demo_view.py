"""How the demo looks in a terminal: what was sent beside what was received, with the changed parts marked.

Pure but for printing. In colour the parts are coloured; without colour, or piped, they stand in `[-removed-]` and
`{+put in its place+}`. A `¦` inside a removed part is where one token ended and the next began.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_NOISE: Final = 0.00005
"""Seconds; less would be printed as 0.0 ms."""
TOKEN_SIZE: Final = 4
"""Characters of one token of the simulated model server, unless told otherwise."""
Kind = Literal["same", "removed", "mask"]
STYLES: Final = {"same": "", "removed": "bold red", "mask": "bold green"}
MARKS: Final = {"same": ("", ""), "removed": ("[-", "-]"), "mask": ("{+", "+}")}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One prompt's outcome. Times in seconds, sizes in characters; `findings` as in the record."""

    title: str
    prompt: str
    sent: dict[str, str]
    received: dict[str, str]
    findings: list[dict[str, Any]]
    finish: str
    added_first: float
    added_total: float
    held_max: int
    generated: int
    planned: int

    @property
    def halted(self) -> bool:
        return any(finding["action"] == "halt" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Part:
    kind: Kind
    text: str


def sides(sent: str, received: str, findings: Sequence[dict[str, Any]], size: int = TOKEN_SIZE) -> list[list[Part]]:
    """Cut both texts into parts: what stayed, what was removed, what stands for it.

    `findings`: those of this channel. `size`: characters of one token, for the boundaries inside removed parts.
    """
    spans: list[tuple[int, int]] = []
    for finding in sorted(findings, key=lambda f: (f["start"], f["end"])):
        if finding["action"] not in ("redact", "replace", "halt"):
            continue
        start, end = finding["start"], len(sent) if finding["action"] == "halt" else finding["end"]
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    left: list[Part] = []
    right: list[Part] = []
    at = there = 0
    for index, (start, end) in enumerate(spans):
        kept = sent[at:start]
        following = sent[end : spans[index + 1][0] if index + 1 < len(spans) else len(sent)]
        there += len(kept)
        resumes = received.find(following, there) if following else len(received)
        if resumes < 0:
            resumes = len(received)
        # What follows a halt is removed too, but only the hit itself was cut into tokens to hide.
        hit = min(end, max(f["end"] for f in findings if f["start"] < end))
        left += [Part("same", kept), Part("removed", _with_boundaries(sent, start, hit, size) + sent[hit:end])]
        right += [Part("same", kept), Part("mask", received[there:resumes])]
        at, there = end, resumes
    left.append(Part("same", sent[at:]))
    right.append(Part("same", received[there:]))
    return [[part for part in side if part.text] for side in (left, right)]


def _with_boundaries(sent: str, start: int, end: int, size: int) -> str:
    return "".join(("¦" if at > start and at % size == 0 else "") + sent[at] for at in range(start, end))


def _text(parts: Sequence[Part], coloured: bool) -> Text:
    text = Text()
    for part in parts:
        before, after = ("", "") if coloured else MARKS[part.kind]
        text.append(before + part.text + after, STYLES[part.kind])
    return text


def _coloured(console: Console) -> bool:
    return console.color_system is not None and not console.no_color


def show_intro(console: Console, direct: str, guarded: str) -> None:
    console.print(f"A simulated model server on {direct}, and guardrail in front of it on {guarded}.")
    legend = [Part("removed", "removed"), Part("same", "   "), Part("mask", "put in its place")]
    console.print(_text(legend, _coloured(console)), Text("   ¦ token boundary"), sep="")
    console.print()


def show_outcome(console: Console, number: int, outcome: Outcome) -> None:
    """Print one prompt: both texts side by side, then the facts."""
    table = Table(
        box=box.ROUNDED,
        expand=True,
        caption=_facts(outcome),
        caption_justify="left",
        caption_style="",
        safe_box=True,
    )
    table.add_column("the model server sent", ratio=1, overflow="fold")
    table.add_column("the client received", ratio=1, overflow="fold")
    coloured = _coloured(console)
    for channel in outcome.sent:
        sent = outcome.sent[channel]
        found = [f for f in outcome.findings if f["channel"].startswith(channel)]
        if channel == "content" and any(f["action"] == "halt" for f in found):
            sent = sent[: outcome.generated * TOKEN_SIZE]
        left, right = sides(sent, outcome.received.get(channel, ""), found)
        label = "" if channel == "content" else "tool call: "
        given = Text(label) + _text(right, coloured) if channel in outcome.received else Text("(withheld)")
        table.add_row(Text(label) + _text(left, coloured), given)
    console.print(Text(f"{number}. {outcome.title}", "bold"))
    console.print(Text.assemble(("prompt: ", "dim"), outcome.prompt))
    console.print(table)
    console.print()


def _facts(outcome: Outcome) -> Text:
    facts = [f"finish {outcome.finish}"]
    if outcome.halted:
        early = outcome.generated < outcome.planned
        stopped = (
            f"stopped after {outcome.generated} of {outcome.planned}" if early else f"had said all {outcome.planned}"
        )
        facts.append(f"model server {stopped} tokens")
    facts += [f"first token {_ms(outcome.added_first)}", f"held at most {outcome.held_max} characters"]
    if not outcome.halted:
        facts.insert(2, f"whole answer {_ms(outcome.added_total)}")
    facts += [f"{f['rule']} {f['action']}" for f in outcome.findings]
    return Text(" · ".join(facts))


def _ms(seconds: float) -> str:
    # A proxy is not faster than what it asks: less than nothing is the noise of two runs.
    return "±0 ms" if seconds < _NOISE else f"{seconds * 1000:+.1f} ms"


def show_summary(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Print all prompts in one table."""
    table = Table(box=box.SIMPLE, expand=False)
    table.add_column("", no_wrap=True)
    table.add_column("finish")
    for heading in ("first token", "whole", "held", "tokens"):
        table.add_column(heading, justify="right")
    for number, outcome in enumerate(outcomes, 1):
        table.add_row(
            str(number),
            outcome.finish,
            _ms(outcome.added_first),
            "halted" if outcome.halted else _ms(outcome.added_total),
            str(outcome.held_max),
            f"{outcome.generated}/{outcome.planned}",
        )
    console.print(table)
    console.print(
        "first token, whole: time added to asking the model server directly, ±0: less than two runs differ by; a first "
        "word that is held waits for the tokens that clear it, with a classifier for its sentence. held: the most "
        "characters withheld at one moment. "
        "tokens: generated by the model server, of all it would have generated."
    )


def show_stay(console: Console, guarded: str, direct: str, prompt: str, admin: str, token: str) -> None:
    """Print how to ask both servers, and the operator's listener; the lines can be copied as they stand."""
    body = json.dumps({"model": "sim", "stream": True, "messages": [{"role": "user", "content": prompt}]})
    lines = f"""
Both stay up until Ctrl-C. Ask guardrail:

curl -N {guarded}/v1/chat/completions -H 'content-type: application/json' -d '{body}'

or with the openai package:

from openai import OpenAI

client = OpenAI(base_url="{guarded}/v1", api_key="none")
stream = client.chat.completions.create(
    model="sim", stream=True, messages=[{{"role": "user", "content": "{prompt}"}}]
)
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="", flush=True)

Without guardrail: put {direct} in the place of {guarded}.

What guardrail did, as its operator sees it (or ask for /metrics, /policies):

curl -H 'authorization: Bearer {token}' '{admin}/records?limit=3'
"""
    console.print(lines, markup=False, soft_wrap=True)
