"""Scenario files: texts with what a policy must make of them, beside the policies in the folder `scenarios`.

Read like the other files of a configuration: every problem at once, with its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET

from guardrail.errors import ConfigProblem
from guardrail.policy.document import Document, read_document
from guardrail.policy.model import Scenario, ScenarioFile
from guardrail.policy.problems import validated

FOLDER = "scenarios"
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Script:
    """A scenario file that has the right shape."""

    document: Document
    file: ScenarioFile

    def problem(self, index: int, message: str) -> ConfigProblem:
        """A problem with one of its scenarios."""
        return self.document.problem(("scenarios", index), message)


def read_scenarios(folder: Path) -> tuple[list[Script], list[ConfigProblem]]:
    """The scenario files of a folder in the order of their names, and every problem with them. No folder, no files."""
    scripts: list[Script] = []
    problems: list[ConfigProblem] = []
    for path in _files(folder):
        document, found = read_document(path)
        problems += found
        if document.data is None:
            continue
        file, found = validated(document, ScenarioFile)
        problems += found
        if file is not None:
            scripts.append(Script(document, file))
            problems += _repeated(document, file)
    return scripts, problems


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in _SUFFIXES and not path.name.startswith("."):
                yield path


def _repeated(document: Document, file: ScenarioFile) -> Iterator[ConfigProblem]:
    seen: set[str] = set()
    for index, scenario in enumerate(file.scenarios):
        if scenario.name in seen:
            message = f"found the scenario {scenario.name!r} again, expected each name once"
            yield document.problem(("scenarios", index, "name"), message)
        seen.add(scenario.name)


def scenario_output(scenario: Scenario) -> str:
    """What the client must get; of a prompt, what the model must read."""
    if scenario.output is UNSET:
        return "" if scenario.prompt and scenario.halt else scenario.input
    return scenario.output
