"""Which requests are guarded, and by which protocol."""

from __future__ import annotations

from typing import Any

import pytest

from guardrail.asgi_paths import PathTable

CHAT = "/v1/chat/completions"

DEFAULT: list[tuple[str, str, str | None]] = [
    ("plain", CHAT, "openai_chat"),
    ("behind a prefix", "/llm/v1/chat/completions", "openai_chat"),
    ("a slash at the end", "/v1/chat/completions/", "openai_chat"),
    ("doubled slashes", "//v1//chat/completions", "openai_chat"),
    ("dot segments", "/v1/x/../chat/./completions", "openai_chat"),
    ("backslashes", "\\v1\\chat\\completions", "openai_chat"),
    ("with a name in it", "/openai/deployments/mine/chat/completions", "openai_chat"),
    ("Responses", "/v1/responses", "openai_responses"),
    ("Completions", "/v1/completions", "openai_text"),
    ("Anthropic", "/llm/v1/messages", "anthropic"),
    ("Ollama", "/api/chat", "ollama"),
    ("Gemini", "/v1beta/models/m:generateContent", "gemini"),
    ("another", "/v1/chat", None),
    ("the root", "/", None),
    ("more behind it", "/v1/chat/completions/x", None),
]


def scope(path: str, **more: Any) -> dict[str, Any]:
    return {"type": "http", "path": path, "query_string": b"", "root_path": "", **more}


@pytest.mark.parametrize(("path", "name"), [case[1:] for case in DEFAULT], ids=[case[0] for case in DEFAULT])
def test_the_paths_that_the_proxy_guards(path: str, name: str | None) -> None:
    found = PathTable(None).find(scope(path))
    assert (found and found.protocol.name) == name


def test_what_the_reader_is_told() -> None:
    table = PathTable(None)
    found = table.find(scope("/llm/v1beta/models/m:streamGenerateContent", query_string=b"alt=sse"))
    assert found is not None
    assert found.target == "/v1beta/models/m:streamGenerateContent?alt=sse"


def test_paths_of_ones_own() -> None:
    table = PathTable({"/ask/": "openai_chat", "/models/*:answer": "gemini"})
    assert table.find(scope(CHAT)) is None
    assert table.find(scope("/x/ask")) is None
    for path, name in (("/ask", "openai_chat"), ("//ask", "openai_chat"), ("/models/m:answer", "gemini")):
        found = table.find(scope(path))
        assert found is not None
        assert found.protocol.name == name
    assert table.find(scope("/models/a/b:answer")) is None
    mounted = table.find(scope("/llm/ask", root_path="/llm"))
    assert mounted is not None
    assert mounted.target == "/ask"


def test_an_unknown_protocol() -> None:
    with pytest.raises(ValueError, match="found the protocol 'chat', expected one of anthropic, gemini, "):
        PathTable({"/ask": "chat"})


@pytest.mark.parametrize("given", ["/ask", ["/ask"], {"/ask": None}, {3: "gemini"}])
def test_paths_of_another_type(given: Any) -> None:
    with pytest.raises(TypeError, match="`paths`, expected a"):
        PathTable(given)
