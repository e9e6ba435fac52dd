"""Log probabilities pass when they say what the text beside them says."""

from __future__ import annotations

from typing import Any

import pytest

from guardrail.wire.gemini_logprobs import may_pass


def token(said: str, **more: Any) -> dict[str, Any]:
    return {"token": said, "tokenId": 7, "logProbability": -0.5, **more}


TEXT = {"chosenCandidates": [token("ab")]}
CASES: list[tuple[str, Any, bool]] = [
    ("the text", {"chosenCandidates": [token("a"), token("b")]}, True),
    ("with the others", {"chosenCandidates": [token("ab")], "topCandidates": [{"candidates": [token("ax")]}]}, True),
    ("the sum", {"chosenCandidates": [token("ab")], "logProbabilitySum": -3.5}, True),
    ("another text", {"chosenCandidates": [token("a")]}, False),
    ("an alternative that is not clean", {**TEXT, "topCandidates": [{"candidates": [token("bad")]}]}, False),
    ("a field that nobody knows", {"chosenCandidates": [token("ab", bytes="ab")]}, False),
    ("text for a number", {"chosenCandidates": [token("ab", tokenId="secret")]}, False),
    ("text for the sum", {"chosenCandidates": [token("ab")], "logProbabilitySum": "x"}, False),
    ("no object", ["ab"], False),
    ("no list", {"chosenCandidates": "ab"}, False),
    ("more at the top", {"chosenCandidates": [token("ab")], "text": "ab"}, False),
    ("alternatives of another shape", {**TEXT, "topCandidates": [{"candidates": "x"}]}, False),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_what_may_pass(case: tuple[str, Any, bool]) -> None:
    _, logprobs, passes = case
    assert may_pass(logprobs, "ab", lambda text: text != "bad") is passes
