"""Arguments of tool calls: what is scanned, how it is written again, where findings point."""

from __future__ import annotations

import json

import pytest

from guardrail.text.rules import Action, KeywordRule, Label, PatternRule
from guardrail.text.scanner import RuleSet, compile_rules
from guardrail.wire.tool_arguments import guard_arguments, guard_pieces, guard_whole


def rules(action: Action = Action.REDACT) -> RuleSet:
    return compile_rules(
        [
            KeywordRule(id="word", category="c", terms=("secret",), mask=Label('["X"]'), action=action),
            PatternRule(id="number", category="c", expressions=("4111[0-9]{4}",), mask=Label("[N]"), action=action),
        ]
    )


CASES = [
    ("string", '{"a": "my secret"}', '{"a": "my [\\"X\\"]"}', ["secret"]),
    ("key", '{"secret": 1}', '{"[\\"X\\"]": 1}', ["secret"]),
    ("number becomes a string", '{"n": 41112222, "m": 1}', '{"n": "[N]", "m": 1}', ["41112222"]),
    ("negative number", "[-41112222]", '["-[N]"]', ["41112222"]),
    ("top-level string", '"secret"', '"[\\"X\\"]"', ["secret"]),
    ("escaped", '{"a": "\\u0073ecr\\u0065t"}', '{"a": "[\\"X\\"]"}', ["\\u0073ecr\\u0065t"]),
    ("behind an escaped pair", '{"a": "\\ud83d\\ude00 secret \\n"}', '{"a": "😀 [\\"X\\"] \\n"}', ["secret"]),
    ("white space stays", '{ "a" :\n[ "secret" , true ] }', '{ "a" :\n[ "[\\"X\\"]" , true ] }', ["secret"]),
    ("nested, twice", '[["secret"],{"b":["secret"]}]', '[["[\\"X\\"]"],{"b":["[\\"X\\"]"]}]', ["secret", "secret"]),
    ("values are texts of their own", '["sec","ret"]', '["sec","ret"]', []),
    ("a long number does not make it raw", '{"n":' + "9" * 5000 + ',"a":"\\u0073ecret"}', None, ["\\u0073ecret"]),
    ("deep nesting does not make it raw", "[" * 3000 + '"\\u0073ecret"' + "]" * 3000, None, ["\\u0073ecret"]),
    ("not JSON", '{"a": "secret', '{"a": "["X"]', ["secret"]),
    ("empty", "", "", []),
]


@pytest.mark.parametrize(("raw", "expected", "found"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_arguments_are_scanned_inside_their_values(raw: str, expected: str | None, found: list[str]) -> None:
    outcome = guard_arguments(rules(), raw, "tool")
    if expected is not None:
        assert outcome.text == expected
    assert [raw[f.start : f.end] for f in outcome.findings] == found
    assert outcome.removed == sum(map(len, found))
    assert outcome.halted is None
    assert "secret" not in outcome.text
    assert {f.channel for f in outcome.findings} <= {"tool"}


def test_what_was_valid_stays_valid() -> None:
    raw = json.dumps({"a": ["my secret", {"b": 41112222}], "c": None})
    assert json.loads(guard_arguments(rules(), raw, "tool").text) == {"a": ['my ["X"]', {"b": "[N]"}], "c": None}


@pytest.mark.parametrize("raw", ['{"a":1,"b":"my secret"}', "not JSON, secret"])
def test_a_halt_says_where(raw: str) -> None:
    outcome = guard_arguments(rules(Action.HALT), raw, "tool")
    assert outcome.halted is not None
    assert raw[outcome.halted.start : outcome.halted.end] == "secret"
    assert outcome.halted in outcome.findings
    assert "secret" not in outcome.text


def test_a_whole_text_is_cut_at_its_halt() -> None:
    outcome = guard_whole(rules(Action.HALT), "a secret b", "tool")
    assert (outcome.text, outcome.removed) == ("a ", 8)


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["my sec", "ret!"], ['my ["X"]', "!"]),
        (["a ", "secret", " b"], ["a ", '["X"]', " b"]),
        (["s", "ecre", "t"], ['["X"]', "", ""]),
        (["", "clean"], ["", "clean"]),
        ([], []),
    ],
)
def test_a_text_in_pieces_is_one_text(pieces: list[str], expected: list[str]) -> None:
    assert guard_pieces(rules(), pieces, "content").pieces == expected


def test_pieces_behind_a_halt_say_nothing() -> None:
    outcome = guard_pieces(rules(Action.HALT), ["my ", "old sec", "ret", " b"], "content")
    assert outcome.pieces == ["my ", "old ", "", ""]
    assert outcome.removed == 8
