"""When log probabilities may pass."""

from __future__ import annotations

from typing import Any

import pytest

from guardrail.wire.logprobs import may_pass


def token(text: str, **fields: Any) -> dict[str, Any]:
    return {"token": text, "logprob": -1.0, **fields}


@pytest.mark.parametrize(
    ("logprobs", "message", "passes"),
    [
        ({"content": [token("a"), token("b")]}, {"content": "ab"}, True),
        ({"content": [token("a")], "refusal": None}, {"content": "a"}, True),
        ({"refusal": [token("a", bytes=[97])]}, {"refusal": "a"}, True),
        ({"content": None}, {}, True),
        ({"content": [token("\\xf0\\x9f\\x98\\x80", bytes=[240, 159, 152, 128])]}, {"content": "😀"}, True),
        ({"content": [token("a", top_logprobs=[token("good")])]}, {"content": "a"}, True),
        ({"content": [token("a", top_logprobs=[token("bad")])]}, {"content": "a"}, False),
        ({"content": [token("a", top_logprobs=[token("x", top_logprobs=[token("bad")])])]}, {"content": "a"}, False),
        ({"content": [token("a")]}, {"content": "ab"}, False),
        ({"content": [token("a")]}, {"content": None}, False),
        ({"content": [token("b", bytes=[97])]}, {"content": "a"}, False),
        ({"content": [token("a", bytes=["b"])]}, {"content": "a"}, False),
        ({"content": [token("a", bytes=[300])]}, {"content": "a"}, False),
        ({"content": [token("a", note="b")]}, {"content": "a"}, False),
        ({"content": [{"token": "a", "logprob": "b"}]}, {"content": "a"}, False),
        ({"content": ["a"]}, {"content": "a"}, False),
        ({"content": "a"}, {"content": "a"}, False),
        ({"text": [token("a")]}, {"content": "a"}, False),
        ([token("a")], {"content": "a"}, False),
    ],
)
def test_they_pass_when_they_spell_the_text_and_nothing_else(logprobs: Any, message: Any, passes: bool) -> None:
    assert may_pass(logprobs, message, lambda text: "bad" not in text) == passes
