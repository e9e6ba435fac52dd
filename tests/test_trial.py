"""`guardrail test`: rules by their examples, policies by scenario files, and a failure that can be read."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Literal

import pytest

from guardrail.policy.load import shipped_config
from guardrail.trial import CUTS, run
from tests.classify import tiny

POLICY = """policy: mine
rules:
  - id: words
    keywords: [bomb]
    action: redact
    examples: {hit: [a bomb], miss: [bombastic]}
  - {id: end, keywords: [stop now], action: halt}
"""
GOOD = """policy: mine
scenarios:
  - {name: nothing, input: all is well}
  - {name: masked, input: a bomb!, output: "a [REDACTED]!", findings: [words]}
  - {name: ended, input: please stop now and go, output: "please ", halt: true, findings: [end]}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "guardrail.yaml").write_text(
        "version: 1\nupstreams: {default: {url: http://127.0.0.1:1}}\nanonymous: {policy: mine}\n"
    )
    (tmp_path / "policies" / "mine.yaml").write_text(POLICY)
    (tmp_path / "scenarios" / "mine.yaml").write_text(GOOD)
    return tmp_path


def reported(config: Path, form: Literal["text", "json"]) -> tuple[int, str]:
    out = io.StringIO()
    status = run(config, out, form=form)
    return status, out.getvalue()


def test_everything_holds(config: Path) -> None:
    status, said = reported(config, "text")
    assert (status, said) == (0, f"2 rules by 2 examples; 3 scenarios, each cut in {len(CUTS)} ways\n")


def test_the_shipped_configuration_holds() -> None:
    status, said = reported(shipped_config(), "text")
    assert status == 0, said


FAILURES: list[tuple[str, str, list[str]]] = [
    (
        "output",
        "{name: wrong, input: a bomb!, output: 'a ***!'}",
        ["output    expected a ⟦***⟧!", "came a ⟦[REDACTED]⟧!"],
    ),
    ("a halt that does not come", "{name: wrong, input: fine, halt: true}", ["halt      expected ⟦true⟧"]),
    (
        "a halt that was not expected",
        "{name: wrong, input: stop now}",
        ["halt      expected ⟦false⟧", "output    expected ⟦stop now⟧"],
    ),
    (
        "findings",
        "{name: wrong, input: a bomb, output: 'a [REDACTED]', findings: []}",
        ["findings  expected ⟦none⟧", "came ⟦words⟧"],
    ),
]


@pytest.mark.parametrize(("name", "scenario", "lines"), FAILURES, ids=[case[0] for case in FAILURES])
def test_what_differs_is_shown(config: Path, name: str, scenario: str, lines: list[str]) -> None:
    path = config / "scenarios" / "mine.yaml"
    path.write_text(f"policy: mine\nscenarios:\n  - {scenario}\n")
    status, said = reported(config, "text")
    assert status == 1
    assert f"{path}:3  wrong" in said.replace("\n", "")
    for line in lines:
        assert line in said
    assert "1 failed" in said


def test_as_json(config: Path) -> None:
    status, said = reported(config, "json")
    assert (status, json.loads(said)["ok"]) == (0, True)
    (config / "scenarios" / "mine.yaml").write_text("policy: mine\nscenarios: [{name: wrong, input: a bomb}]\n")
    status, said = reported(config, "json")
    (failure,) = json.loads(said)["failures"]
    assert (status, failure["came"]["output"], failure["expected"]["output"]) == (1, "a [REDACTED]", "a bomb")


def test_a_policy_that_nobody_uses_can_be_reported(config: Path) -> None:
    (config / "policies" / "other.yaml").write_text("policy: other\nrules: []\n")
    (config / "scenarios" / "other.yaml").write_text("policy: other\nscenarios: [{name: a, input: a bomb}]\n")
    assert reported(config, "text")[0] == 0


def test_a_rule_that_fails_its_examples_is_a_problem(config: Path) -> None:
    path = config / "policies" / "mine.yaml"
    path.write_text(POLICY.replace("bombastic", "a bomb."))
    forms: tuple[Literal["text", "json"], ...] = ("text", "json")
    for form in forms:
        status, said = reported(config, form)
        assert status == 1
        assert "expected nothing" in said


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("an unknown policy", "policy: nobody\nscenarios: [{name: a, input: b}]\n", "unknown policy 'nobody'"),
        ("a key that is none", "policy: mine\nscenarios: [{name: a, input: b, out: c}]\n", "out"),
        ("a name twice", "policy: mine\nscenarios: [{name: a, input: b}, {name: a, input: c}]\n", "again"),
        ("no scenarios", "policy: mine\n", "scenarios"),
    ],
)
def test_a_file_that_is_wrong(config: Path, name: str, text: str, message: str) -> None:
    (config / "scenarios" / "mine.yaml").write_text(text)
    status, said = reported(config, "text")
    assert status == 1
    assert "mine.yaml:" in said
    assert message in said


def test_scenarios_are_scored(config: Path) -> None:
    tiny.ours(config / "policies" / "tiny")
    section = "classifier: {model: tiny, categories: {harassment: {}}}"
    (config / "policies" / "mine.yaml").write_text(POLICY + section + "\n")
    rude = '  - {name: rude, input: You idiot., output: "", halt: true, findings: [classifier.harassment.high]}\n'
    (config / "scenarios" / "mine.yaml").write_text(GOOD + rude)
    status, said = reported(config, "text")
    assert (status, "4 scenarios" in said) == (0, True), said


PROMPTS = """policy: mine
scenarios:
  - {name: clean, input: hello, prompt: true}
  - {name: masked, input: my card alpha, output: "my card [REDACTED]", findings: [card], prompt: true}
  - {name: refused, input: now open sesame, halt: true, findings: [open], prompt: true}
  - {name: an answer may say so, input: open sesame}
"""
INPUT = """input:
  rules:
    - {id: card, keywords: [alpha], action: redact, examples: {hit: [alpha]}}
    - {id: open, keywords: [open sesame], action: halt}
"""


def test_prompts_have_scenarios_of_their_own(config: Path) -> None:
    (config / "policies" / "mine.yaml").write_text(POLICY + INPUT)
    (config / "scenarios" / "mine.yaml").write_text(PROMPTS)
    assert reported(config, "text") == (0, f"4 rules by 3 examples; 4 scenarios, each cut in {len(CUTS)} ways\n")
    (config / "scenarios" / "mine.yaml").write_text(PROMPTS.replace("hello", "open sesame"))
    status, said = reported(config, "text")
    assert status == 1
    assert "expected open sesame" in said.replace("⟦", "").replace("⟧", "")


def test_a_scenario_of_a_prompt_needs_a_policy_that_looks_at_prompts(config: Path) -> None:
    (config / "scenarios" / "mine.yaml").write_text(PROMPTS)
    status, said = reported(config, "text")
    assert status == 1
    assert "mine.yaml:3:5: found a scenario of a prompt, expected none: the policy 'mine' looks for nothing" in said
