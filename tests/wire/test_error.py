"""What a client may see of an error that upstream sent."""

from __future__ import annotations

import pytest

from guardrail.text.scanner import compile_rules
from guardrail.wire.error import guarded_error
from guardrail.wire.whole_text import Verdicts
from tests.wire.chat import halt, redact

RULES = compile_rules([redact("secret"), halt("forbidden")])


@pytest.mark.parametrize(
    ("data", "told", "rules"),
    [
        (b'{"error":\n "busy"}', b'{"error":\n "busy"}', []),
        (b'{"error":\r\n"a secret"}', b'{"error":  "a [X]"}', ["redact"]),
        (b'{"secret":"forbidden"}', b"no", ["redact", "halt"]),
    ],
)
def test_an_error_is_scanned_like_text(data: bytes, told: bytes, rules: list[str]) -> None:
    said, outcome = guarded_error(RULES, data, Verdicts(), b"no")
    assert said == told
    assert [finding.rule for finding in outcome.findings] == rules
