"""Errors in Ollama's shape."""

from __future__ import annotations

import json

from guardrail.text.scanner import compile_rules
from guardrail.wire.ollama_error import error_body, guard_error
from guardrail.wire.whole_text import Verdicts
from tests.wire.chat import halt, redact

RULES = compile_rules([redact("secret"), halt("forbidden")])


def test_an_error_is_one_string() -> None:
    assert json.loads(error_body('It "broke".')) == {"error": 'It "broke".'}


def test_errors_of_the_server_are_scanned() -> None:
    for came, goes in (
        ("model not found", "model not found"),
        ("no secret", "no [X]"),
        ("forbidden", "Stopped."),
        ({"message": "no secret", "code": 1}, "no [X]"),
        (["a", 1], '["a",1]'),
        ({"message": "", "code": 1}, '{"message":"","code":1}'),
    ):
        data = json.dumps({"error": came}).encode()
        said, outcome = guard_error("Stopped.", RULES, data, Verdicts())
        assert json.loads(said) == {"error": goes}
        assert (outcome.halted is not None) == (came == "forbidden")
        assert (said == data) == (came == goes)
