"""`guardrail test`: the rules of a configuration by their own examples, and its policies by scenario files.

A scenario is played whole, character by character, in small pieces and cut at random, and must come out the same each
time. Prints what failed, with what was expected beside what came; the exit status tells a build.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TextIO

from msgspec import UNSET
from rich.console import Console
from rich.text import Text

from guardrail.classify.judge import judge_of, settle
from guardrail.errors import ConfigError, ConfigProblem
from guardrail.explain import rules_of, shown
from guardrail.policy.compile import load_policy
from guardrail.policy.load import root_file
from guardrail.policy.model import Scenario
from guardrail.policy.policy import Policy
from guardrail.policy.registry import load_snapshot
from guardrail.policy.scenarios import FOLDER, Script, read_scenarios, scenario_output
from guardrail.scan import Chunks
from guardrail.text.editor import Editor

CUTS = ("whole", "char", "3", "random:1", "random:2", "random:3")
"""How each scenario's text is cut, as `guardrail scan --chunks` spells it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy made of a text."""

    output: str
    halt: bool
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A scenario that came out otherwise than it says."""

    at: ConfigProblem
    name: str
    cut: str
    input: str
    expected: Outcome
    came: Outcome
    """In `expected`, findings are those that came where the scenario names none."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was tested."""

    rules: int
    examples: int
    scenarios: int
    failures: tuple[Failure, ...]


def run(
    path: Path, out: TextIO, *, form: Literal["text", "json"] = "text", environ: Mapping[str, str] | None = None
) -> int:
    """Test the configuration at `path`. The exit status: 0 when everything holds, else 1."""
    try:
        report = trial(path, environ=environ)
    except ConfigError as error:
        if form == "json":
            rows = [{"file": p.file, "line": p.line, "column": p.column, "message": p.message} for p in error.problems]
            _write_json({"ok": False, "problems": rows}, out)
        else:
            for problem in error.problems:
                out.write(str(problem).encode("utf-8", "backslashreplace").decode() + "\n")
            out.write(f"{_count(len(error.problems), 'problem')}\n")
        return 1
    if form == "json":
        _write_json(_as_json(report), out)
    else:
        _print(report, Console(file=out, width=None if out.isatty() else 120, highlight=False))
    return 1 if report.failures else 0


def trial(path: Path, *, environ: Mapping[str, str] | None = None) -> Report:
    """Test a configuration. Raises ConfigError with every problem of it: a rule that fails its own examples is one."""
    root = root_file(path)
    snapshot = load_snapshot(path, environ=environ, thorough=True)
    scripts, problems = read_scenarios(root.parent / FOLDER)
    policies = dict(snapshot.policies)
    for script in scripts:
        name = script.file.policy
        if name not in policies:
            try:
                policies[name] = load_policy(name, root, environ=environ)
            except ConfigError as error:
                problems += [
                    script.document.problem(("policy",), problem.message) if not problem.line else problem
                    for problem in error.problems
                ]
    problems += [problem for script in scripts for problem in _without_input(script, policies.get(script.file.policy))]
    if problems:
        raise ConfigError(sorted(set(problems)))
    proved = [rule for policy in policies.values() for part in policy.parts for rule in rules_of(part)]
    return Report(
        rules=len(proved),
        examples=sum(len(rule.hits) + len(rule.misses) for rule in proved),
        scenarios=sum(len(script.file.scenarios) for script in scripts),
        failures=tuple(failure for script in scripts for failure in failures(script, policies[script.file.policy])),
    )


def _without_input(script: Script, policy: Policy | None) -> Iterator[ConfigProblem]:
    """Scenarios of prompts for a policy that looks at none."""
    for index, scenario in enumerate(script.file.scenarios):
        if scenario.prompt and policy is not None and policy.input is None:
            message = f"found a scenario of a prompt, expected none: the policy {policy.name!r} looks for nothing there"
            yield script.problem(index, message)


def failures(script: Script, policy: Policy) -> Iterator[Failure]:
    """The scenarios of a file that fail, each at the first cut that shows it."""
    for index, scenario in enumerate(script.file.scenarios):
        tried = policy.input.policy if scenario.prompt and policy.input is not None else policy
        for cut in CUTS:
            came = play(tried, scenario.input, cut)
            if scenario.prompt and came.halt:
                came = replace(came, output="")  # the model is not asked
            expected = _expected(scenario, came)
            if came != expected:
                at = script.problem(index, f"the scenario {scenario.name!r} comes out otherwise")
                yield Failure(at, scenario.name, cut, scenario.input, expected, came)
                break


def play(policy: Policy, text: str, cut: str) -> Outcome:
    """What a policy makes of a text that comes in pieces."""
    editor, judge = Editor(policy.rules), judge_of(policy)
    output = "".join(editor.feed(piece) + settle(editor, judge) for piece in Chunks.parse(cut).cut(text))
    output += editor.finish() + settle(editor, judge)
    return Outcome(output, editor.halt is not None, tuple(finding.rule for finding in editor.findings()))


def _expected(scenario: Scenario, came: Outcome) -> Outcome:
    findings = came.findings if scenario.findings is UNSET else scenario.findings
    return Outcome(scenario_output(scenario), scenario.halt, findings)


def _print(report: Report, console: Console) -> None:
    for failure in report.failures:
        console.print(Text(f"{failure.at.file}:{failure.at.line}", style="bold") + Text(f"  {failure.name}"))
        cut = "" if failure.cut == "whole" else f" (cut: {failure.cut})"
        console.print(Text(f"  input     {shown(failure.input)}{cut}", style="dim"))
        for name, wanted, came in (
            ("output", shown(failure.expected.output), shown(failure.came.output)),
            ("halt", str(failure.expected.halt).lower(), str(failure.came.halt).lower()),
            ("findings", ", ".join(failure.expected.findings) or "none", ", ".join(failure.came.findings) or "none"),
        ):
            if wanted != came:
                same = _shared(wanted, came) if name == "output" else (0, 0)
                console.print(Text(f"  {name:9} ") + Text("expected ", style="dim") + _marked(wanted, same, "green"))
                console.print(Text(" " * 12) + Text("    came ", style="dim") + _marked(came, same, "red"))
    tested = f"{_count(report.rules, 'rule')} by {_count(report.examples, 'example')}"
    played = f"{_count(report.scenarios, 'scenario')}, each cut in {len(CUTS)} ways"
    failed = f": {len(report.failures)} failed" if report.failures else ""
    console.print(Text(f"{tested}; {played}{failed}", style="red" if report.failures else "green"))


def _shared(one: str, other: str) -> tuple[int, int]:
    """How many characters two texts have in common at their start and at their end."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return start, end


def _marked(text: str, same: tuple[int, int], style: str) -> Text:
    """The text with what differs in colour, and in brackets for those who see none."""
    start, end = same[0], len(text) - same[1]
    return Text(text[:start]) + Text(f"⟦{text[start:end]}⟧", style=style) + Text(text[end:])


def _as_json(report: Report) -> dict[str, object]:
    def outcome(one: Outcome) -> dict[str, object]:
        return {"output": one.output, "halt": one.halt, "findings": list(one.findings)}

    return {
        "ok": not report.failures,
        "rules": report.rules,
        "examples": report.examples,
        "scenarios": report.scenarios,
        "failures": [
            {
                "file": failure.at.file,
                "line": failure.at.line,
                "name": failure.name,
                "cut": failure.cut,
                "expected": outcome(failure.expected),
                "came": outcome(failure.came),
            }
            for failure in report.failures
        ],
    }


def _write_json(value: object, out: TextIO) -> None:
    out.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
