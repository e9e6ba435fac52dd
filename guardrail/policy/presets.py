"""The presets that a configuration names, read and checked: those of the package by name, others by path.

Promises: every problem of every preset, with its place; a preset that has problems is left out, and the configuration
is not good.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from guardrail.errors import ConfigError, ConfigProblem
from guardrail.governance.presets import PresetFile, repeated_duties, unknown_bounds
from guardrail.policy.document import Document, read_document, tidy
from guardrail.policy.problems import suggestion, validated

SUFFIXES = (".yaml", ".yml")


def read_preset(path: Path) -> tuple[PresetFile | None, list[ConfigProblem]]:
    """The preset in a file, None when it cannot be used; and all that is wrong with it."""
    document, problems = read_document(path)
    if document.data is None:
        return None, problems
    file, faults = validated(document, PresetFile)
    problems += faults
    if file is not None:
        problems += [document.problem(place, message) for place, message in unknown_bounds(file)]
        problems += [document.problem(place, message) for place, message in repeated_duties(file)]
    return (None if problems else file), problems


def check_preset(path: Path) -> PresetFile:
    """The preset of a file. Raises ConfigError."""
    file, problems = read_preset(path)
    if file is None:
        raise ConfigError(problems)
    return file


def shipped_presets(folder: Path) -> dict[str, Path]:
    """The presets that come with the package, by name. `folder`: where they are."""
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def read_presets(
    names: Sequence[str], document: Document, folder: Path
) -> tuple[list[PresetFile], list[Path], list[ConfigProblem]]:
    """The presets that `guardrail.yaml` (`document`) names, their files, and all that is wrong with them."""
    shipped = shipped_presets(folder)
    presets: list[PresetFile] = []
    paths: list[Path] = []
    problems: list[ConfigProblem] = []
    for index, name in enumerate(names):
        path = shipped.get(name)
        if path is None and not name.endswith(SUFFIXES):
            message = f"found the unknown preset {name!r}, expected the path of a file, or {suggestion(name, shipped)}"
            problems.append(document.problem(("presets", index), message))
            continue
        path = tidy(document.path.parent / name) if path is None else path
        paths.append(path)
        preset, faults = read_preset(path)
        problems += faults
        if preset is None:
            continue
        if any(preset.preset == each.preset for each in presets):
            message = f"found the preset {preset.preset!r} again, expected each once"
            problems.append(document.problem(("presets", index), message))
            continue
        presets.append(preset)
    return presets, paths, problems
