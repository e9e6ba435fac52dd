"""Writes docs/clients.md from the tables that the conformance tests assert: `python -m tests.conformance.matrix`.

What the page says of a cell is what `test_clients.py` demands of it; nothing is measured here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tests.conformance.cases import CASES, Case
from tests.conformance.clients import CLIENTS, Client

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "clients.md"

HEAD: Final = """\
# Clients

Point a client at guardrail by its address and key, and nothing else. The clients below are driven, unmodified and
pinned, by the conformance tests (`tests/conformance`), through their own high-level helpers, against guardrail in front
of the [simulated model server](simulate.md). This page is written by `python -m tests.conformance.matrix` from the
tables that those tests assert.

## The line to change

`KEY` is a guardrail key of the tenant, or, where anonymous access is granted, the model server's own.
"""

READING: Final = """\
## What their users get

In each cell: the reason of the ending as the client tells it, or what it raises. Besides, the tests assert the text,
reasoning and tool calls that its helper returns, that usage arrives, and that nothing removed is in any of it.

- **Edits** are ordinary text to every client.
- **A halt** ends the text with the policy's notice. In OpenAI's Responses the notice is a refusal part, which
  `output_text` leaves out: look at the parts of type `refusal`. A halt in reasoning or in a tool call is told there,
  too; no tool call of that answer is delivered.
- **A late verdict** (under a policy with a lag budget) ends the answer as a halt does, in every client. What to take
  back is in a note ([wire](wire.md)) that the `openai` clients keep. Those of `ollama` and `google-genai` drop it, and
  those of Anthropic have it among raw events only: a lag budget is not for their users, unless they read the raw
  stream.
- **Structured output** stays valid JSON under redaction. Cut by a halt it is no JSON, so helpers that parse it raise,
  as they do when a filter of the service itself ends it; OpenAI's tell of a refusal.
- **A fault** of the model server raises, after everything that had arrived was delivered; Vercel's `streamText` yields
  an `error` part.
- **A refused prompt** is an error before the answer begins, and is not retried; Gemini tells it in the answer.
"""


def page() -> str:
    """The whole page."""
    return "\n".join(
        (
            HEAD,
            *_table(("client", "version", "line"), ((c.name, _version(c), f"`{c.change}`") for c in CLIENTS)),
            "",
            READING,
            *_cells("Text that goes on", [case for case in CASES if not case.fails and "halt" not in case.endings]),
            *_cells("Halts, faults and refusals", [case for case in CASES if case.fails or "halt" in case.endings]),
        )
    )


def _cells(title: str, cases: list[Case]) -> Iterator[str]:
    notes: list[str] = []
    rows = [(client.name, *(_cell(client, case, notes) for case in cases)) for client in CLIENTS]
    yield f"### {title}"
    yield ""
    yield from _table(("client", *(case.title for case in cases)), rows)
    yield ""
    yield from (f"{number}. {note}" for number, note in enumerate(notes, 1))
    yield ""


def _cell(client: Client, case: Case, notes: list[str]) -> str:
    """What the cell says; its reason is put to `notes`, once."""

    def noted(reason: str) -> str:
        if reason not in notes:
            notes.append(reason)
        return f"<sup>{notes.index(reason) + 1}</sup>"

    if case.name in client.absent:
        return "–" + noted(client.absent[case.name])
    fields, reason = client.odd.get(case.name, ({}, ""))
    mark = noted(reason) if reason else ""
    if case.fails == "json":
        return f"raises `{client.unparsed}`" if client.unparsed else "no output"
    if case.fails and "error" not in fields:
        raised = client.fault if case.fails == "fault" else client.refusal
        return "an `error` part" if raised == "error part" else f"raises `{raised}`{mark}"
    words = fields.get("finish") or [client.words[ending] for ending in case.endings]
    if client.final and "halt" in case.endings and case.ask.get("stream", True):
        mark += noted(f"The stream ends without an error; the helper for the final answer raises `{client.final}`.")
    return ", ".join(f"`{word}`" for word in words) + mark


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    titles = tuple(head)
    for row in (titles, ("---",) * len(titles), *rows):
        yield "| " + " | ".join(row) + " |"


def _version(client: Client) -> str:
    """The version that is pinned."""
    if client.runs_on == "node":
        pinned: dict[str, str] = json.loads((ROOT / "tests/conformance/js/package.json").read_text())["dependencies"]
        return f"{client.package} {pinned[client.package]}"
    lock = (ROOT / ".ci" / "clients.lock").read_text()
    found = re.search(rf"^{re.escape(client.package)}==(\S+)", lock, re.MULTILINE)
    assert found, f"{client.package} is not in the lock"
    return f"{client.package} {found[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
