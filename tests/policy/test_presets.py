"""Presets in a configuration: found by name or path, with every problem at its place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer

from guardrail.cli import app
from guardrail.errors import ConfigError
from guardrail.policy.load import shipped_config
from guardrail.policy.presets import check_preset, read_preset, shipped_presets
from guardrail.policy.registry import Snapshot, load_snapshot
from guardrail.settings import Settings

SHIPPED = shipped_presets(shipped_config() / "presets")
ROOT = "version: 1\nupstreams: {default: {url: 'http://127.0.0.1:1'}}\nanonymous: {policy: default}\n"
OWN = """\
preset: house
title: House rules
as_of: 2026-01-01
notice: No legal advice.
sources: []
not_covered: []
duties:
  - {id: d, articles: [Rule 1], asks: Something., operator: The rest.}
minimum: {audit.retention_days: 4000}
"""


def load(tmp_path: Path, more: str) -> Snapshot:
    (tmp_path / "guardrail.yaml").write_text(ROOT + more)
    return load_snapshot(tmp_path, environ={})


def problems(tmp_path: Path, more: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, more)
    return [f"{Path(each.file).name}:{each.line}: {each.message}" for each in caught.value.problems]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_preset_can_be_used(name: str, tmp_path: Path) -> None:
    snapshot = load(tmp_path, f"presets: [{name}]\n")
    assert list(snapshot.presets) == [name] == [check_preset(SHIPPED[name]).preset]
    assert SHIPPED[name] in snapshot.files


def test_the_shipped_presets_can_be_used_together(tmp_path: Path) -> None:
    assert list(load(tmp_path, f"presets: [{', '.join(SHIPPED)}]\n").presets) == list(SHIPPED)


@pytest.mark.parametrize("path", SHIPPED.values(), ids=SHIPPED)
def test_a_shipped_preset_says_what_it_is_not(path: Path) -> None:
    preset = check_preset(path)
    assert "no legal advice" in preset.notice
    assert "political content are not implemented" in preset.notice
    assert any("political content" in each for each in preset.not_covered)
    for duty in preset.duties:
        assert not duty.checks or duty.settings, f"{duty.id} is tried, so something serves it"
        assert "political" not in str(duty), f"{duty.id} is for people, whatever they think"


WAY = re.compile(r"^(terms|service|state|audit)(\.[a-z_.]+)?$")
"""A setting that is named by its way from the top of guardrail.yaml."""


@pytest.mark.parametrize("path", SHIPPED.values(), ids=SHIPPED)
def test_the_settings_that_a_shipped_preset_names_are_there(path: Path) -> None:
    for duty in check_preset(path).duties:
        for way in filter(WAY.match, duty.settings):
            kinds: list[Any] = [Settings]
            for step in way.split("."):
                found = [field for kind in kinds for field in msgspec.structs.fields(kind) if field.encode_name == step]
                assert found, f"{duty.id}: {way}"
                kinds = [kind for field in found for kind in structures(field.type)]


@pytest.mark.parametrize("path", SHIPPED.values(), ids=SHIPPED)
def test_the_commands_that_a_shipped_preset_names_are_there(path: Path) -> None:
    for duty in check_preset(path).duties:
        for said in duty.settings:
            words = said.split()
            if words[0] == "guardrail":
                known: Any = typer.main.get_command(app)
                for word in words[1:]:
                    if not word.startswith("-"):
                        assert word in known.commands, f"{duty.id}: {said}"
                        known = known.commands[word]


def structures(kind: Any) -> list[Any]:
    """The structures that a field may hold."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [kind]
    return [each for part in getattr(kind, "__args__", ()) for each in structures(part)]


def test_a_preset_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(OWN)
    snapshot = load(tmp_path, "presets: [eu-ai-act, house.yaml]\n")
    assert list(snapshot.presets) == ["eu-ai-act", "house"]
    assert snapshot.settings.audit.retention_days == 4000
    assert tmp_path / "house.yaml" in snapshot.files


def test_every_problem_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(OWN.replace("audit.retention_days", "audit.days"))
    told = problems(tmp_path, "presets: [eu-ai-akt, house.yaml, none.yaml]\naudit: {retention_days: 1}\n")
    assert told == [
        "guardrail.yaml:4: found the unknown preset 'eu-ai-akt', expected the path of a file, or 'eu-ai-act' "
        "(did you mean that?)",
        "house.yaml:9: found the unknown setting 'audit.days', expected the way to a number in guardrail.yaml",
        "none.yaml:1: found no file here, expected one",
    ]


def test_a_value_beyond_a_bound_is_told_at_its_place(tmp_path: Path) -> None:
    assert problems(tmp_path, "presets: [eu-ai-act]\naudit:\n  retention_days: 30\n") == [
        "guardrail.yaml:6: found 30, expected at least 184: preset 'eu-ai-act'"
    ]


def test_a_preset_named_twice(tmp_path: Path) -> None:
    assert problems(tmp_path, "presets: [eu-ai-act, eu-ai-act]\n") == [
        "guardrail.yaml:4: found the preset 'eu-ai-act' again, expected each once"
    ]


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("preset: x\n")
    preset, faults = read_preset(tmp_path / "p.yaml")
    assert preset is None
    assert any("as_of" in str(fault) for fault in faults)
