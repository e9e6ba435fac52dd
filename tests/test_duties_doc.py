"""The page of duties says what the presets say, and its acceptance commands are run, with one proxy for each preset."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from guardrail.cli import app
from guardrail.governance.presets import PresetFile
from guardrail.policy.load import shipped_config
from guardrail.policy.presets import check_preset, shipped_presets

PAGE = (Path(__file__).parent.parent / "docs" / "duties.md").read_text(encoding="utf-8")
PRESETS = {name: check_preset(path) for name, path in shipped_presets(shipped_config() / "presets").items()}
COMMAND = re.compile(r"`guardrail evidence --preset (\S+) --duty (\S+)`")


def table(preset: PresetFile) -> str:
    """What the page has of a preset."""
    rows = ["| duty | asked by | served by | acceptance |", "| --- | --- | --- | --- |"]
    for duty in preset.duties:
        served = ", ".join(f"`{each}`" for each in duty.settings) or "nothing here: the operator"
        run = f"`guardrail evidence --preset {preset.preset} --duty {duty.id}`"
        command = run if duty.checks else "cannot be tried"
        rows.append(f"| {duty.id}: {duty.asks} | {'; '.join(duty.articles)} | {served} | {command} |")
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("name", PRESETS)
def test_the_page_has_every_duty(name: str) -> None:
    assert table(PRESETS[name]) in PAGE


@pytest.mark.parametrize("name", PRESETS)
def test_every_acceptance_command_is_run_and_holds(name: str, tmp_path: Path) -> None:
    duties = [duty for preset, duty in COMMAND.findall(PAGE) if preset == name]
    assert duties == [duty.id for duty in PRESETS[name].duties if duty.checks]
    target = tmp_path / "evidence.json"
    one = shlex.split(f"evidence --preset {name} {' '.join(f'--duty {duty}' for duty in duties)} -o {target}")
    result = CliRunner().invoke(app, one)
    told = json.loads(target.read_text())
    failed = [
        f"{duty['id']}: {check['check']}: {check['said']}"
        for duty in told["duties"]
        for check in duty["checks"]
        if check["state"] != "holds"
    ]
    assert failed == []
    assert [duty["id"] for duty in told["duties"] if duty["verdict"] == "holds"] == duties
    assert result.exit_code == 0
