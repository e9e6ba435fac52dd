"""`guardrail scan`: a policy over any text, as a stream would see it.

Promises: how the text is cut (`Chunks`) changes neither output nor findings; input is read as bytes and given back
as bytes, line ends untouched; the matched text is in the result only where it was asked for; a bad row of a batch
costs that row and no other.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from guardrail.classify.judge import judge_of, settle
from guardrail.errors import ConfigError, GuardrailError
from guardrail.policy.compile import load_policy
from guardrail.policy.policy import Policy
from guardrail.text.editor import Editor

_MAX_RANDOM = 16
"""Characters of the longest random chunk: a few tokens, so that cuts fall both inside and between words."""

HALTED = 3
"""The exit status when a text was halted: a build tells it from a text that could not be read."""


class BadText(GuardrailError):
    """The text to scan cannot be read: it is not UTF-8, or not a row of the form that was promised."""


@dataclass(frozen=True, slots=True)
class Chunks:
    """How to cut a text: whole (`size` None), in pieces of `size` code points, or (`seed`) at random."""

    size: int | None = None
    seed: str | None = None

    @classmethod
    def parse(cls, spelled: str) -> Chunks:
        """From `whole`, `char`, a number, or `random:SEED`. Raises ValueError."""
        kind, colon, seed = spelled.partition(":")
        if spelled == "whole":
            return cls()
        if spelled == "char":
            return cls(size=1)
        if kind == "random" and colon and seed:
            return cls(seed=seed)
        if spelled.isascii() and spelled.isdigit() and len(spelled) < 10 and int(spelled) > 0:
            return cls(size=int(spelled))
        raise ValueError(f"found {spelled!r}, expected whole, char, a number of characters, or random:SEED")

    def cut(self, text: str) -> Iterator[str]:
        """The pieces of `text`, none of them empty."""
        if self.seed is not None:
            # Seeded by the text's own run, not by what was cut before: a row gives the same in any batch.
            chance = random.Random(self.seed)  # noqa: S311 (test cuts, no secrets)
            at = 0
            while at < len(text):
                end = at + chance.randint(1, _MAX_RANDOM)
                yield text[at:end]
                at = end
        elif text:
            step = self.size or len(text)
            for at in range(0, len(text), step):
                yield text[at : at + step]


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a policy makes of one text. Offsets are code points of the raw text."""

    output: str
    halted: bool
    findings: list[dict[str, Any]]
    held_max: int
    """Most code points held back at once. The one figure that depends on how the text was cut."""
    policy_digest: str
    unscanned: int = 0
    """Code points that passed although the policy's classifier gave them no score, as `fail: open` has it."""

    def row(self) -> dict[str, Any]:
        return {
            "output": self.output,
            "halted": self.halted,
            "findings": self.findings,
            "held_max": self.held_max,
            "policy_digest": self.policy_digest,
            "unscanned": self.unscanned,
        }


def run(
    file: Path | None,
    policy: str,
    config: Path | None,
    *,
    chunks: str,
    as_json: bool,
    jsonl: bool,
    show: bool,
    prompts: bool = False,
) -> int:
    """The command. `prompts`: by the policy's rules for requests. The exit status: 0 for a text that comes out whole,
    edited or not, and for rows, each of which says what became of it; 1 for a configuration or a text that cannot be
    read; 2 for bad usage; 3 for a text that was halted, or a prompt that was refused."""
    try:
        cut = Chunks.parse(chunks)
    except ValueError as error:
        print(f"guardrail scan: --chunks: {error}", file=sys.stderr)
        return 2
    try:
        loaded = load_policy(policy, config)
        if prompts:
            loaded = loaded.of_input()
        with sys.stdin.buffer if file is None or str(file) == "-" else file.open("rb") as source:
            if jsonl:
                return 1 if scan_rows(source, sys.stdout.buffer, loaded, cut, show=show, prompts=prompts) else 0
            out = sys.stdout.buffer
            halted = scan_document(source, out, loaded, cut, as_json=as_json, show=show, prompts=prompts)
            return HALTED if halted else 0
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    except BadText as error:
        print(f"guardrail scan: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever reads has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at exit
        return 1
    except OSError as error:
        print(f"guardrail scan: {file or 'standard input'}: {error.strerror}", file=sys.stderr)
        return 1


def scan_text(text: str, policy: Policy, chunks: Chunks, *, show: bool = False, prompt: bool = False) -> Scanned:
    """Run a policy over one text. `show`: put the matched text into the findings. `prompt`: the text is one, of which
    a model gets nothing when it halts."""
    editor = Editor(policy.rules)
    judge = judge_of(policy)
    delivered: list[str] = []
    for chunk in chunks.cut(text):
        delivered += (editor.feed(chunk), settle(editor, judge))
        if editor.halt is not None:
            break
    delivered += (editor.finish(), settle(editor, judge))
    findings = []
    for finding in editor.findings():
        row: dict[str, Any] = {
            "rule": finding.rule,
            "category": finding.category,
            "severity": finding.severity,
            "action": finding.action.value,
            "start": finding.start,
            "end": finding.end,
            "channel": finding.channel,
        }
        if finding.document:
            row["document"] = finding.document
        if show:
            row["text"] = text[finding.start : finding.end]
        findings.append(row)
    halted = editor.halt is not None
    output = "" if halted and prompt else "".join(delivered)
    return Scanned(output, halted, findings, editor.held_max, policy.digest, editor.unscanned)


def scan_document(
    source: BinaryIO,
    out: BinaryIO,
    policy: Policy,
    chunks: Chunks,
    *,
    as_json: bool,
    show: bool,
    prompts: bool = False,
) -> bool:
    """Scan everything in `source` as one text; write the edited text, or one JSON object. Whether it was halted.
    Raises BadText.

    A text that was cut short by a halt, or passed without scores, is told on standard error, since the output alone
    does not show it."""
    scanned = scan_text(decoded(source.read()), policy, chunks, show=show, prompt=prompts)
    out.write(_json_line(scanned.row()) if as_json else scanned.output.encode())
    out.flush()
    if scanned.unscanned:
        passed = f"{scanned.unscanned:,} characters passed without a score of the classifier"
        print(f"guardrail scan: {passed}", file=sys.stderr)
    if scanned.halted and not as_json:
        halt = next(row for row in scanned.findings if row["action"] == "halt")
        became = "refused" if prompts else "halted"
        print(f"guardrail scan: {became} by {halt['rule']} at character {halt['start']}", file=sys.stderr)
    return scanned.halted


def scan_rows(
    source: Iterable[bytes], out: BinaryIO, policy: Policy, chunks: Chunks, *, show: bool, prompts: bool = False
) -> int:
    """Scan rows `{"text": …}`, one a line; write one JSON result a line, each as soon as it is there.

    A row that cannot be read gives `{"error": …, "line": n}` in its place. Returns how many did.
    """
    bad = 0
    for number, line in enumerate(source, 1):
        try:
            result = scan_text(_text_of(line), policy, chunks, show=show, prompt=prompts).row()
        except BadText as error:
            bad += 1
            result = {"error": str(error), "line": number}
        out.write(_json_line(result))
        out.flush()
    return bad


def _text_of(line: bytes) -> str:
    try:
        row = json.loads(decoded(line))
    except json.JSONDecodeError as error:
        raise BadText(f"not JSON: {error.msg} at character {error.pos}") from None
    except (ValueError, RecursionError):
        raise BadText("not JSON that can be read: a number too long, or nested too deeply") from None
    text = row.get("text") if isinstance(row, dict) else None
    if not isinstance(text, str):
        raise BadText('expected an object with a string "text"')
    return text


def decoded(data: bytes) -> str:
    """Text that was read. Raises BadText."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BadText(f"not UTF-8: the byte 0x{data[error.start]:02x} at byte offset {error.start}") from None


_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _json_line(value: dict[str, Any]) -> bytes:
    """One line of JSON in UTF-8. Half a surrogate pair, which JSON can spell and UTF-8 cannot, stays an escape; so
    does whatever else some reader may take for the end of a line."""
    text = json.dumps(value, ensure_ascii=False)
    return (_ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n").encode()
