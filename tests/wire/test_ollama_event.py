"""One line of Ollama's: what is read of it, and how it is said again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.chunk import Chunk, SlotTemplate
from guardrail.wire.ndjson import parse_line
from guardrail.wire.ollama_event import (
    call_value,
    calls,
    envelope,
    explode,
    is_generated,
    read_line,
    template_of,
    with_call,
    with_text,
    without_context,
)
from tests.wire.ollama_client import end, line, says


def read(raw: bytes, *, block: bool = True) -> Chunk:
    return read_line(parse_line(raw), block=block, clean=lambda text: "secret" not in text)


@pytest.mark.parametrize(
    ("raw", "texts"),
    [
        (line({"content": "a"}), [(0, "content", "a")]),
        (line({"thinking": "a"}), [(0, "thinking", "a")]),
        (line({"response": "a"}, chat=False), [(0, "response", "a")]),
        (line({"thinking": "a"}, chat=False), [(0, "thinking", "a")]),
        (line({"thinking": "a", "response": "b"}, chat=False), [(0, "thinking", "a"), (0, "response", "b")]),
        (line({"thinking": "a", "content": "b"}, done=True), [(0, "thinking", "a"), (0, "content", "b")]),
        (line({}), []),
        (line({"content": None}), []),
    ],
)
def test_texts(raw: bytes, texts: list[tuple[int, str, str]]) -> None:
    chunk = read(raw)
    assert chunk.texts == texts
    assert chunk.raw == raw
    assert chunk.choices == [0]
    assert envelope(chunk).keys() == {"model", "created_at"}
    assert is_generated(chunk) == (b'"response"' in raw)


def test_the_last_line() -> None:
    chunk = read(end(context=[1, 2]))
    assert chunk.finished == [(0, "stop")]
    assert chunk.usage is not None
    assert chunk.usage["eval_count"] == 4
    assert read(line({}, done=True)).finished == [(0, "stop")]
    assert read(line({})).finished == []


def test_calls_are_whole() -> None:
    entry = {"id": "call_1", "function": {"index": 2, "name": "f", "arguments": {"q": [1.5, "é"]}}}
    raw = line({"tool_calls": [entry, {"function": {"name": "g"}}, {"function": {}}]})
    chunk = read(raw)
    assert chunk.whole == [
        (0, "tool_calls[2].function", '["f",{"q":[1.5,"é"]}]'),
        (0, "tool_calls[1].function", '["g",null]'),
    ]
    assert chunk.raw == raw
    one = line({"tool_calls": [entry]})
    said = json.loads(with_call(one, '["f",{"q":[1.5,"X"]}]'))
    assert said["message"]["tool_calls"][0]["function"] == {"index": 2, "name": "f", "arguments": {"q": [1.5, "X"]}}
    (_, function), *_ = calls(json.loads(one)["message"])
    assert call_value(function) == ["f", {"q": [1.5, "é"]}]


@pytest.mark.parametrize(
    ("raw", "blocked"),
    [
        (line({"content": ["a"]}), "message.content"),
        (line({"content": {"deep": "a"}}), "message.content"),
        (line({"images": ["aGk="]}), "message.images"),
        (line({"response": "a"}), "message.response"),
        (line({"role": "a role"}), "message.role"),
        (line({"tool_calls": "a"}), "message.tool_calls"),
        (line({"tool_calls": ["a"]}), "message.tool_calls[]"),
        (line({"tool_calls": [{"function": "a"}]}), "message.tool_calls[].function"),
        (line({"tool_calls": [{"id": "an id", "function": {}}]}), "message.tool_calls[].id"),
        (
            line({"tool_calls": [{"function": {"name": "f", "arguments": "a"}}]}),
            "message.tool_calls[].function.arguments",
        ),
        (line({"tool_calls": [{"function": {"name": ["a"]}}]}), "message.tool_calls[].function.name"),
        (line({"tool_calls": [{"function": {"name": "f", "notes": "a"}}]}), "message.tool_calls[].function.notes"),
        (line({}, response="so it is"), "response"),
        (line({}, thinking="so it is"), "thinking"),
        (line({}, notes="so it is"), "notes"),
        (line({}, created_at=["a"]), "created_at"),
        (line({}, eval_count="a"), "eval_count"),
        (line({}, context=["a"]), "context"),
        (line({}, done_reason="a long reason"), "done_reason"),
        (line({}).replace(b"false}", b'"so"}'), "done"),
        (b'{"message":"a","done":false}\n', "message"),
        (line({"content": "a"}, chat=False), None),
        (line({"image": "aGk=" * 20}, chat=False), "image"),
    ],
)
def test_unknown_text_goes(raw: bytes, blocked: str | None) -> None:
    chunk = read(raw)
    assert [path.rstrip(".") for path in chunk.blocked] == ([blocked] if blocked else [])
    again = read(chunk.raw)
    assert again.blocked == []
    assert again.texts == []
    assert (again.raw == raw) == (blocked is None)


def test_progress_and_short_labels_pass() -> None:
    raw = b'{"model":"m","created_at":"2026","completed":1,"total":9,"state":"drawing","done":false}\n'
    assert read(raw).raw == raw
    assert read(line({"notes": "so it is"}), block=False).passed == len("so it is")


def test_a_key_that_came_twice_counts_once() -> None:
    for first in (b'"content":"secret"', b'"content" : "secret"'):
        chunk = read(b'{"model":"m","message":{"role":"assistant",%b,"content":"a"},"done":false}\n' % first)
        assert chunk.texts == [(0, "content", "a")]
        assert b"secret" not in chunk.raw


def test_log_probabilities() -> None:
    def raw(token: str, *others: str) -> bytes:
        top = [{"token": other, "logprob": -2.0} for other in others]
        return line({"content": "Hi"}, logprobs=[{"token": token, "logprob": -1.0, "top_logprobs": top}])

    assert read(raw("Hi", "Ho")).raw == raw("Hi", "Ho")
    for odd in (raw("Ho"), raw("Hi", "secret"), line({"content": "Hi"}, logprobs="Hi")):
        assert "logprobs" not in json.loads(read(odd).raw)
    thought = line({"thinking": "Hm", "content": "Hi"}, logprobs=[{"token": "HmHi", "logprob": 0}])
    assert read(thought).raw == thought


def test_an_error_is_looked_at_by_nothing_else() -> None:
    assert read(b'{"error":"a"}\n').error
    assert not read(line({}, error="")).error


@pytest.mark.parametrize("raw", [b"{\n", b"[]\n", b'"a"\n', b"1\n", b"\xff\n", b"null\n", b"[" * 5000 + b"\n"])
def test_what_is_no_line(raw: bytes) -> None:
    with pytest.raises(WireError):
        read(raw)


def test_a_line_is_taken_apart_and_adds_up() -> None:
    functions = [{"function": {"name": name, "arguments": {}}} for name in "fg"]
    message = {"thinking": "a", "content": "b", "tool_calls": functions}
    raw = line(message, done=True, done_reason="stop", eval_count=3)
    parts = [json.loads(part) for part in explode(raw)]
    assert [part["done"] for part in parts] == [False] * 4 + [True]
    assert [part["message"].get("thinking") for part in parts] == ["a", None, None, None, None]
    assert "".join(part["message"]["content"] for part in parts) == "b"
    assert [call for part in parts for call in part["message"].get("tool_calls", [])] == functions
    assert parts[-1]["eval_count"] == 3
    for part in explode(raw):
        assert read(part).things == 1
    generated = line({"thinking": "a", "response": "b"}, chat=False)
    assert [json.loads(part)["response"] for part in explode(generated)] == ["", "b"]


def test_a_line_with_another_text() -> None:
    raw = says("a b")[0]
    assert with_text(raw, "content", "a c") == raw.replace(b"a b", b"a c")
    assert with_text(raw, "content", "") == b""
    thought = line({"thinking": "a"}, logprobs=[])
    assert with_text(thought, "thinking", "b") == line({"thinking": "b"})
    assert with_text(line({"content": "a", "notes": "x"}), "content", "") == line({"content": "", "notes": "x"})


def test_a_last_line_without_tokens() -> None:
    assert without_context(end(context=[1])) == end()
    assert without_context(end()) == end()


@pytest.mark.parametrize(("chat", "key"), [(True, "content"), (True, "thinking"), (False, "response")])
def test_lines_that_differ_in_text_and_time_share_a_template(chat: bool, key: str) -> None:
    first, second = says("a", 'b "c" \\n', key=key, chat=chat)
    chunk = read(first)
    assert chunk.template
    found = template_of(chunk)
    assert isinstance(found, SlotTemplate)
    assert found.text(second) == 'b "c" \\n'
    assert found.text(end(chat=chat)) is None
    assert found.text(second.replace(b"2025", b"my secret")) is None


def test_no_template_for_lines_with_more() -> None:
    for more in ({"logprobs": []}, {"notes": 1}):
        chunk: Any = read(line({"content": "a"}, **more))
        assert not chunk.template
