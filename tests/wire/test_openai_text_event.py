"""One event of a legacy Completions stream."""

from __future__ import annotations

from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.chunk import Chunk
from guardrail.wire.openai_text_event import read_event, template_of
from guardrail.wire.sse import parse_event
from tests.wire.chat import sse
from tests.wire.openai_text_client import ENVELOPE, event


def read(raw: bytes) -> Chunk:
    return read_event(parse_event(raw), block=True, clean=lambda text: "secret" not in text)


@pytest.mark.parametrize(
    ("raw", "texts", "finished"),
    [
        (event("a"), [(0, "text", "a")], []),
        (event("a", "stop", 2, stop_reason="x"), [(2, "text", "a")], [(2, "stop")]),
        (event("", "length"), [], [(0, "length")]),
        (event("a", index=1, matched_stop=None, prompt_logprobs=None), [(1, "text", "a")], []),
        (event("a", top={"usage": {"total_tokens": 1}}), [(0, "text", "a")], []),
    ],
)
def test_texts(raw: bytes, texts: Any, finished: Any) -> None:
    chunk = read(raw)
    assert (chunk.texts, chunk.finished, chunk.raw) == (texts, finished, raw)


def test_two_ways_in_read_the_same() -> None:
    for raw in (event("a"), event("", "stop"), event("a", index=3)):
        slow = raw.replace(b'"choices"', b'"extra":1,"choices"')
        fast, long = read(raw), read(slow)
        assert (fast.texts, fast.finished, fast.choices) == (long.texts, long.finished, long.choices)
        assert long.raw == slow
        assert fast.template == bool(fast.texts)


def test_a_key_that_came_twice_counts_once() -> None:
    for first in (b'"text":"secret"', b'"text" : "secret"'):
        twice = read(event("a").replace(b'"text":', first + b',"text":'))
        assert twice.texts == [(0, "text", "a")]
        assert b"secret" not in twice.raw


@pytest.mark.parametrize(
    ("choice", "path"),
    [
        ({"text": ["a"], "index": 0}, "choices[].text"),
        ({"text": "a", "notes": "b"}, "choices[].notes"),
        ({"text": "", "message": {"content": "b"}}, "choices[].message"),
    ],
)
def test_unknown_text_goes(choice: Any, path: str) -> None:
    assert read(sse({**ENVELOPE, "choices": [choice]})).blocked == [path]


def test_prompt_log_probabilities_pass_when_nothing_in_them_would_go() -> None:
    def told(token: str) -> bytes:
        return event("a", prompt_logprobs=[None, {"7": {"logprob": -1, "rank": 1, "decoded_token": token}}])

    assert read(told(" of")).raw == told(" of")
    assert b"secret" not in read(told(" secret")).raw


def test_events_share_a_template_with_their_choice_only() -> None:
    found = template_of(read(event("a", index=1)))
    assert found is not None
    assert found.text(event('b "', index=1).replace(b'\\"', b"x")) == "b x"
    assert found.text(event("b")) is None


@pytest.mark.parametrize("index", [-1, 128, True, "a"])
def test_an_index_that_cannot_be(index: Any) -> None:
    with pytest.raises(WireError):
        read(event("a", index=index))
