"""`guardrail policy`: an operator pushes, activates and rolls back, over a real state."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from guardrail.cli import app
from guardrail.policy.signing import SIGNING_KEY
from tests.policy.tree import write

ROOT = """\
version: 1
upstreams: {{default: {{url: "http://127.0.0.1:9"}}}}
pushed_policies: {{public_keys: ["{public}"]}}
"""
SCENARIO = "policy: p\nscenarios:\n  - {name: it is masked, input: a one., output: 'a [REDACTED].'}\n"


def policy_file(word: str) -> str:
    return f"policy: p\nrules:\n  - {{id: r, keywords: [{word}], action: redact, examples: {{hit: [{word}]}}}}\n"


class Operator:
    """A configuration, a signing key, and the command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = str(folder / "sign.key")
        self.public = CliRunner().invoke(app, ["policy", "keygen", self.key]).stdout.strip()
        root = ROOT.format(public=self.public)
        self.write({"guardrail.yaml": root, "policies/p.yaml": policy_file("zero"), "new/p.yaml": policy_file("one")})

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    def run(self, *arguments: str, status: int = 0) -> str:
        done = CliRunner().invoke(app, ["policy", *arguments, "--config", str(self.folder)])
        assert done.exit_code == status, done.output
        return done.output

    def sign(self, *arguments: str, status: int = 0) -> str:
        return self.run(*arguments, "--key", self.key, "--by", "ann", status=status)

    def push(self, word: str) -> str:
        self.write({"new/p.yaml": policy_file(word)})
        return self.sign("push", str(self.folder / "new" / "p.yaml"))

    def head(self) -> Any:
        return json.loads(self.run("list", "--format", "json"))

    def audited(self) -> list[Any]:
        lines = [line for path in self.folder.glob("state/audit/*/*.jsonl") for line in path.read_text().splitlines()]
        return [said for line in lines if (said := json.loads(line))["kind"].startswith("policy.")]


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def test_versions_from_push_to_rollback(operator: Operator) -> None:
    assert "nothing was pushed" in operator.run("list")
    assert operator.push("one").startswith("p@1  ")
    assert operator.push("two").startswith("p@2  ")
    operator.sign("activate", "p@1")
    operator.sign("activate", "p@2", "--percent", "10")
    line = operator.head()["policies"]["p"]
    assert (line["live"], line["canary"]) == (1, {"version": 2, "percent": 10.0})
    assert re.search(r"p@2 .* canary 10 %", operator.run("list"))
    assert "p: version 1 is live" in operator.sign("rollback", "p")
    operator.sign("shadow", "p@2", "--percent", "50")
    assert operator.head()["policies"]["p"]["shadow"] == {"version": 2, "percent": 50.0}
    operator.sign("shadow", "p@off")
    assert operator.head()["policies"]["p"]["shadow"] is None
    assert "own file is live" in operator.sign("rollback", "p")
    kinds = [said["kind"] for said in operator.audited()]
    assert kinds.count("policy.pushed") == 2
    assert kinds[-1] == "policy.rolled_back"
    assert {said["body"]["actor"] for said in operator.audited()} == {"ann"}


def test_what_is_in_a_version_and_what_differs(operator: Operator) -> None:
    operator.push("one")
    operator.push("two")
    assert '"one"' in operator.run("show", "p@1")
    assert json.loads(operator.run("show", "p@1", "--format", "json"))["files"][0]["name"] == "policies/p.yaml"
    assert operator.run("diff", "p@1", "p@1") == ""
    changed = operator.run("diff", "p@1", "p@2", status=1)
    assert '-    "one"' in changed
    assert '+    "two"' in changed


def test_what_fails_its_own_tests_is_not_pushed(operator: Operator) -> None:
    wrong = "policy: p\nrules:\n  - {id: r, keywords: [one], action: redact, examples: {hit: [other]}}\n"
    operator.write({"new/p.yaml": wrong})
    assert "found nothing in this example" in operator.sign("push", str(operator.folder / "new/p.yaml"), status=1)
    operator.write({"new/p.yaml": policy_file("two"), "scenarios/p.yaml": SCENARIO})
    assert "it is masked" in operator.sign("push", str(operator.folder / "new/p.yaml"), status=1)
    assert operator.head()["policies"] == {}
    operator.push("one")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["activate", "p@7"], "versions: 1"),
        (["activate", "p"], "expected NAME@VERSION"),
        (["activate", "q@1"], "no version of the policy 'q'"),
        (["rollback", "p"], "nothing before it"),
        (["push", "/nowhere/p.yaml"], "expected one"),
    ],
)
def test_what_cannot_be(operator: Operator, arguments: list[str], why: str) -> None:
    operator.push("one")
    before = operator.head()
    assert why in operator.sign(*arguments, status=1)
    assert operator.head() == before


def test_a_key_that_replicas_would_not_believe_signs_nothing(operator: Operator, tmp_path: Path) -> None:
    CliRunner().invoke(app, ["policy", "keygen", str(tmp_path / "other.key")])
    file = str(operator.folder / "new/p.yaml")
    said = operator.run("push", file, "--key", str(tmp_path / "other.key"), status=1)
    assert "none of pushed_policies.public_keys" in said
    assert "no signing key" in operator.run("push", file, status=1)


def test_the_key_from_the_environment(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SIGNING_KEY, Path(operator.key).read_text())
    assert operator.run("push", str(operator.folder / "new/p.yaml")).startswith("p@1")


def test_keygen_replaces_nothing(operator: Operator) -> None:
    done = CliRunner().invoke(app, ["policy", "keygen", operator.key])
    assert (done.exit_code, "is there already" in done.output) == (1, True)


def test_a_configuration_without_the_section_is_told(tmp_path: Path) -> None:
    write(tmp_path, {})
    done = CliRunner().invoke(app, ["policy", "list", "--config", str(tmp_path)])
    assert done.exit_code == 1
    assert "pushed_policies" in done.output


def test_comparing_without_a_shadow(operator: Operator) -> None:
    operator.push("one")
    assert "no shadow of p" in operator.run("compare", "p", status=1)
    operator.sign("shadow", "p@1")
    assert "answers judged by both   0" in operator.run("compare", "p")
