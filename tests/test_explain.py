"""`guardrail explain`: what it prints, and what it never sends to a terminal."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from guardrail.cli import app
from guardrail.explain import MAX_TEXT, Explained, shown
from guardrail.text.explain import explain
from guardrail.text.rules import Action
from tests.text.script import pattern, word

RUN = CliRunner()


def printed(*arguments: str, text: str | None = None) -> str:
    result = RUN.invoke(app, ["explain", *arguments], input=text)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "policy: mine\nrules:\n"
        "  - {id: words, keywords: [bomb, 大麻], action: redact, allow: [大麻烦], fold: {noise: true}}\n"
        "  - {entity: credit_card, action: halt}\n"
    )
    return str(path)


def test_what_was_found_and_how_it_was_read(policy: str) -> None:
    out = printed("--policy", policy, "a b.o.m.b and b0mb")
    assert "look, without noise" in out
    assert "look, leet" in out
    assert "kept" in out
    assert out.rstrip().endswith("a [REDACTED] and [REDACTED]")


def test_why_a_candidate_was_dropped(policy: str) -> None:
    out = printed("--policy", policy, "bombastic 大麻烦 4111 1111 1111 1112")
    assert "dropped: no word edge behind it" in out
    assert "dropped: inside the allow-phrase '大麻烦'" in out
    assert "dropped: its check fails" in out
    assert "findings" in out


def test_standard_input_and_json(policy: str) -> None:
    row = json.loads(printed("--policy", policy, "--format", "json", text="a bomb"))
    assert row["output"] == "a [REDACTED]"
    assert row["held"] == [0, 0, 1, 2, 3, 4]
    assert [c["rule"] for c in row["candidates"]] == ["words"]
    assert row["findings"][0]["start"] == 2


def test_a_classifier_is_said_to_be_left_out(policy: str, tmp_path: Path) -> None:
    assert "classifier" not in printed("--policy", policy, "a bomb")
    assert json.loads(printed("--policy", policy, "--format", "json", "a bomb"))["classifier"] is None
    path = tmp_path / "scored.yaml"
    remote = '{format: openai, url: "http://h"}'
    path.write_text(f"policy: scored\nclassifier: {{remote: {remote}, categories: {{hate: {{at: 0.5}}}}}}\n")
    out = " ".join(printed("--policy", str(path), "a bomb").split())
    assert "is not asked here" in out
    assert f"guardrail scan --policy {path}" in out
    row = json.loads(printed("--policy", str(path), "--format", "json", "a bomb"))
    assert row["classifier"]["model"].startswith("openai:h@")
    assert row["classifier"]["asked"] is False


@pytest.mark.parametrize(
    ("arguments", "text", "message"),
    [
        (["--policy", "nobody", "x"], None, "unknown policy"),
        (["-"], b"\xff", "guardrail explain: not UTF-8: the byte 0xff at byte offset 0"),
        (["x" * (MAX_TEXT + 1)], None, "expected at most"),
    ],
)
def test_what_cannot_be_explained(arguments: list[str], text: bytes | None, message: str) -> None:
    result = RUN.invoke(app, ["explain", *arguments], input=text)
    assert result.exit_code == 1
    assert message in result.output


def test_control_characters_are_written_out() -> None:
    assert shown("a\x1b[31m\nb\u200b炸") == "a\\x1b[31m\\nb\\u200b炸"
    rules = [word("bomb"), pattern("\x1b", id="esc", lane="raw", action=Action.LOG)]
    out = io.StringIO()
    text = "bomb\x1b]8;;\x07 [bold]x"
    Explained(explain(rules, text), rules, text, "# \x1b", everything=True).print(Console(file=out, width=40))
    assert "\x1b" not in out.getvalue()
    assert "[bold]x" in out.getvalue()


def test_a_long_text_is_wrapped_with_its_bars() -> None:
    rules = [word("bomb")]
    out = io.StringIO()
    text = "a bomb " * 20
    Explained(explain(rules, text), rules, text, text, everything=False).print(Console(file=out, width=40))
    assert all(len(line) <= 40 for line in out.getvalue().splitlines())


def test_by_the_rules_for_requests(policy: str) -> None:
    result = RUN.invoke(app, ["explain", "--input", "--policy", policy, "a bomb"])
    assert (result.exit_code, "the policy 'mine' looks for nothing in requests" in result.output) == (1, True)
    with Path(policy).open("a") as file:
        file.write("input: {rules: [{id: own, keywords: [alpha], action: redact}]}\n")
    out = printed("--input", "--policy", policy, "alpha bomb")
    assert out.rstrip().endswith("[REDACTED] bomb")
    assert "what the model reads" in out
    assert not any(said in out for said in ("client", "held", "hold", "█", "▁"))


def test_of_a_refused_prompt_the_model_reads_nothing(policy: str) -> None:
    with Path(policy).open("a") as file:
        file.write("input: {rules: [{id: own, keywords: [alpha], action: halt}]}\n")
    out = printed("--input", "--policy", policy, "now alpha")
    assert out.rstrip().endswith("nothing: the prompt is refused, and the client gets a refusal")
    row = json.loads(printed("--input", "--policy", policy, "--format", "json", "now alpha"))
    assert (row["output"], "held" in row) == ("", False)
