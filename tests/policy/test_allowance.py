"""Where a phrase is to be written: shown by writing it there, and by what the policy finds afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrail.policy.allowance import Addition, NoSuchRule, addition
from guardrail.policy.load import load_configuration
from guardrail.policy.registry import load_snapshot
from guardrail.stream import guard_text

ROOT = "version: 1\nupstreams: {default: {url: http://127.0.0.1:1}}\nanonymous: {policy: own}\n"
PARENT = """policy: parent
rules:
  - id: bombs
    keywords: [bomb]
    action: halt
    allow: [bath bomb]
"""
OWN = """policy: own
extends: parent
rules:
  - id: brands
    keywords: [Acme]
    action: halt
input:
  rules:
    - id: asked
      keywords: [poison]
      action: halt
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "guardrail.yaml").write_text(ROOT)
    (tmp_path / "policies" / "parent.yaml").write_text(PARENT)
    (tmp_path / "policies" / "own.yaml").write_text(OWN)
    return tmp_path


def added(folder: Path, rule: str, phrase: str) -> Addition:
    return addition(load_configuration(folder), "own", rule, [phrase])


def written(folder: Path, made: Addition) -> None:
    """Write it where it says."""
    path = Path(made.file)
    lines = path.read_text().splitlines()
    indent = "    " if made.here else "  "
    lines.insert(made.line if made.here else made.line - 1, indent + made.entry)
    path.write_text("\n".join(lines) + "\n")


def halted(folder: Path, text: str) -> bool:
    return guard_text(text, load_snapshot(folder, environ={}).policies["own"]).halted


def test_a_rule_of_the_policy_itself(folder: Path) -> None:
    made = added(folder, "brands", "Acme Street")
    assert (Path(made.file).name, made.line, made.here) == ("own.yaml", 4, True)
    assert made.entry == 'allow: ["Acme Street"]'
    assert halted(folder, "in Acme Street")
    written(folder, made)
    assert not halted(folder, "in Acme Street")
    assert halted(folder, "in Acme")


def test_a_rule_of_a_parent_keeps_the_phrases_that_it_has(folder: Path) -> None:
    made = added(folder, "bombs", "cherry bomb")
    assert (Path(made.file).name, made.here) == ("own.yaml", False)
    assert made.entry == '- {id: bombs, allow: ["bath bomb", "cherry bomb"]}'
    written(folder, made)
    assert not halted(folder, "a bath bomb and a cherry bomb")
    assert halted(folder, "a bomb")


def test_a_rule_for_prompts(folder: Path) -> None:
    made = added(folder, "asked", "poison ivy")
    assert (made.line, made.here, made.entry) == (9, True, 'allow: ["poison ivy"]')


def test_a_rule_that_is_not_there(folder: Path) -> None:
    with pytest.raises(NoSuchRule, match="the policy 'own' has no rule 'bomb'"):
        added(folder, "bomb", "x")
