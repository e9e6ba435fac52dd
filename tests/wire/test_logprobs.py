"""When log probabilities may pass."""

from __future__ import annotations

from typing import Any

import pytest

from guardrail.wire.logprobs import may_pass, prompt_may_pass


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
        ({"content": [token("a", id=17)]}, {"content": "a"}, True),
        ({"content": [token("a", id="b")]}, {"content": "a"}, False),
        ({"content": [token("a")]}, {"reasoning": "a"}, True),
        ({"content": [token("a"), token("b")]}, {"reasoning_content": "a", "content": "b"}, True),
        ({"content": [token("b")]}, {"reasoning_content": "a"}, False),
        ({"tokens": ["a", " b"], "token_logprobs": [None, -1.0], "text_offset": [0, 1]}, {"content": "a b"}, True),
        ({"tokens": ["a"], "top_logprobs": [{"a": -1.0, "good": -2.0}]}, {"content": "a"}, True),
        ({"tokens": ["a"], "top_logprobs": [None]}, {"content": "a"}, True),
        ({"tokens": ["bytes:\\xf0\\x9f", "bytes:\\x98\\x80"]}, {"content": "😀"}, True),
        ({"tokens": ["a"], "top_logprobs": [{"bad": -2.0}]}, {"content": "a"}, False),
        ({"tokens": ["a"], "top_logprobs": [{"a": "b"}]}, {"content": "a"}, False),
        ({"tokens": ["a"], "top_logprobs": "b"}, {"content": "a"}, False),
        ({"tokens": ["a"], "token_logprobs": ["b"]}, {"content": "a"}, False),
        ({"tokens": ["a"], "text_offset": "b"}, {"content": "a"}, False),
        ({"tokens": ["a"], "notes": "b"}, {"content": "a"}, False),
        ({"tokens": ["b"]}, {"content": "a"}, False),
        ({"tokens": [1]}, {"content": "a"}, False),
        ({"tokens": []}, {"content": ""}, True),
        ({}, {"content": "a"}, True),
        ([token("a")], {"content": "a"}, False),
    ],
)
def test_they_pass_when_they_spell_the_text_and_nothing_else(logprobs: Any, message: Any, passes: bool) -> None:
    assert may_pass(logprobs, message, lambda text: "bad" not in text) == passes


def told(token: Any, **fields: Any) -> dict[str, Any]:
    return {"logprob": -1.0, "rank": 1, "decoded_token": token, **fields}


@pytest.mark.parametrize(
    ("logprobs", "passes"),
    [
        (None, True),
        ([None, {"12": told(" good"), "13": told(None)}], True),
        ([{"12": told("b")}, {"14": told("ad")}], False),
        ([{"12": told("good"), "13": told("bad")}], False),
        ([{"a": told("good")}], False),
        ([{"12": told("good", notes="x")}], False),
        ([{"12": told("good", rank="x")}], False),
        ([{"12": told(["good"])}], False),
        ([{"12": "good"}], False),
        (["good"], False),
        ("good", False),
    ],
)
def test_those_of_a_prompt_pass_when_nothing_in_them_would_be_removed(logprobs: Any, passes: bool) -> None:
    assert prompt_may_pass(logprobs, lambda text: "bad" not in text) == passes
