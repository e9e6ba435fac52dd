"""What a path is: guarded, passed, refused. A trick must not open what its plain form does not."""

from __future__ import annotations

import pytest

from guardrail.proxy.routes import Own, Unguarded, public_path, route, spoken_at
from guardrail.settings import PASSED
from guardrail.wire import anthropic, gemini, ollama, openai_chat, openai_responses, openai_text

DEFAULT = ("/v1/models", "/v1/models/*", "/v1/embeddings")
WIDE = ("/v1/*", "/*")

CASES = [
    ("/v1/chat/completions", DEFAULT, openai_chat.PROTOCOL),
    ("/openai/v1/chat/completions", DEFAULT, openai_chat.PROTOCOL),
    ("/api/v1/chat/completions", DEFAULT, openai_chat.PROTOCOL),
    ("/v1beta/openai/chat/completions", DEFAULT, openai_chat.PROTOCOL),
    ("/openai/deployments/my%20model/chat/completions", DEFAULT, openai_chat.PROTOCOL),
    ("/v1/completions", WIDE, openai_text.PROTOCOL),
    ("/openai/deployments/my%20model/completions", DEFAULT, openai_text.PROTOCOL),
    ("/v1/responses", DEFAULT, openai_responses.PROTOCOL),
    ("/openai/responses", DEFAULT, openai_responses.PROTOCOL),
    ("/v1/responses/resp_1", DEFAULT, openai_responses.PROTOCOL),
    ("/v1/responses/resp_1/cancel", DEFAULT, openai_responses.PROTOCOL),
    ("/v1/responses/resp_1/input_items", WIDE, Unguarded.REFUSED),
    ("/v1/responses/input_tokens", PASSED, Unguarded.UNSCANNED),
    ("/v1/messages", DEFAULT, anthropic.PROTOCOL),
    ("/anthropic/v1/messages", DEFAULT, anthropic.PROTOCOL),
    ("/v1/Messages", WIDE, Unguarded.REFUSED),
    ("/v1/messages/count_tokens", PASSED, Unguarded.UNSCANNED),
    ("/api/chat", DEFAULT, ollama.PROTOCOL),
    ("/api/generate", DEFAULT, ollama.PROTOCOL),
    ("/v1/models", DEFAULT, Unguarded.UNSCANNED),
    ("/v1/models/gpt-4o", DEFAULT, Unguarded.UNSCANNED),
    ("/v1/models/org/name:7b", DEFAULT, Unguarded.UNSCANNED),
    ("/v1/models/org%2Fname", DEFAULT, Unguarded.UNSCANNED),
    ("/v1/embeddings", DEFAULT, Unguarded.UNSCANNED),
    ("/v1/files", WIDE, Unguarded.UNSCANNED),
    ("/", PASSED, Unguarded.UNSCANNED),
    # not listed
    ("/", DEFAULT, Unguarded.REFUSED),
    ("/", WIDE, Unguarded.REFUSED),
    ("", PASSED, Unguarded.REFUSED),
    ("//", PASSED, Unguarded.REFUSED),
    ("/%2f", PASSED, Unguarded.REFUSED),
    ("/x", PASSED, Unguarded.REFUSED),
    ("/completions", DEFAULT, Unguarded.REFUSED),
    ("/v1/models/", DEFAULT, Unguarded.REFUSED),
    ("/v1/modelsx", DEFAULT, Unguarded.REFUSED),
    ("/v1/embeddings/x", DEFAULT, Unguarded.REFUSED),
    ("/V1/models", DEFAULT, Unguarded.REFUSED),
    # the guarded endpoint, spelt otherwise
    ("/v1/chat/completions/", WIDE, Unguarded.REFUSED),
    ("/v1/Chat/Completions", WIDE, Unguarded.REFUSED),
    ("/v1/chat%2Fcompletions", WIDE, Unguarded.REFUSED),
    ("/v1/%63hat/completions", WIDE, Unguarded.REFUSED),
    ("/openai/deployments/a%2Fb/chat/completions", WIDE, Unguarded.REFUSED),
    ("/openai/deployments/a/%63hat/completions", WIDE, Unguarded.REFUSED),
    ("/v1//chat/completions", WIDE, Unguarded.REFUSED),
    ("/v1/chat/completions%20", WIDE, Unguarded.REFUSED),
    ("/v1/./chat/completions", WIDE, Unguarded.REFUSED),
    ("/v1/models/gemini:generateContent", DEFAULT, gemini.PROTOCOL),
    ("/v1beta/models/gemini-2:streamGenerateContent", (), gemini.PROTOCOL),
    ("/v1beta/tunedModels/mine:generateContent", (), gemini.PROTOCOL),
    ("/v1/projects/p/locations/l/publishers/google/models/g:generateContent", (), gemini.PROTOCOL),
    ("/v1beta/models/gemini-2:%67enerateContent", WIDE, Unguarded.REFUSED),
    ("/v1beta/models/a/b:generateContent", WIDE, Unguarded.REFUSED),
    # other endpoints that answer with a model's text, under a wildcard
    ("/v1/complete", WIDE, Unguarded.REFUSED),
    ("/v1/responses/other", WIDE, Unguarded.REFUSED),
    ("/completion", WIDE, Unguarded.REFUSED),
    ("/infill", WIDE, Unguarded.REFUSED),
    ("/generate_stream", WIDE, Unguarded.REFUSED),
    ("/invocations", WIDE, Unguarded.REFUSED),
    ("/v1/conversations/conv_1/items", WIDE, Unguarded.REFUSED),
    ("/v1beta/interactions", WIDE, Unguarded.REFUSED),
    ("/model/anthropic.m:0/converse-stream", WIDE, Unguarded.REFUSED),
    ("/model/anthropic.m:0/invoke-with-response-stream", WIDE, Unguarded.REFUSED),
    ("/api/Chat", WIDE, Unguarded.REFUSED),
    ("/api//generate", WIDE, Unguarded.REFUSED),
    ("/v1/models/org/chat-model", DEFAULT, Unguarded.UNSCANNED),
    # what guardrail answers itself, spelt plainly and not handed on
    ("/v1/guardrail/check", DEFAULT, Own.CHECK),
    ("/v1/moderations", WIDE, Own.MODERATIONS),
    ("/v1/guardrail/complaints", WIDE, Own.COMPLAINTS),
    ("/v1/guardrail/complaints", ("/v1/guardrail/complaints",), Own.COMPLAINTS),
    ("/v1/guardrail/complaints/f-1", WIDE, Own.COMPLAINT),
    ("/v1/guardrail/complaints/f-1", ("/v1/guardrail/complaints/f-1",), Own.COMPLAINT),
    ("/v1/guardrail/complaints/*", DEFAULT, Unguarded.REFUSED),
    ("/v1/guardrail/complaints/f-1/x", DEFAULT, Unguarded.REFUSED),
    ("/v1/guardrail/complaint%73", DEFAULT, Unguarded.REFUSED),
    ("/v1/guardrail/data-requests", DEFAULT, Own.DATA_REQUESTS),
    ("/v1/guardrail/data-requests/f-1", DEFAULT, Own.DATA_REQUEST),
    ("/v1/guardrail/cases/c-1", DEFAULT, Own.CASE),
    ("/v1/guardrail/cases", DEFAULT, Unguarded.REFUSED),
    ("/.well-known/ai-service.json", WIDE, Own.SERVICE),
    ("/v1/moderations", ("/v1/moderations",), Unguarded.UNSCANNED),
    ("/v1/moderation%73", WIDE, Unguarded.REFUSED),
    ("/v1/guardrail/check/", DEFAULT, Unguarded.REFUSED),
    # tricks
    ("/v1/models/../chat/completions", DEFAULT, Unguarded.REFUSED),
    ("/v1/models/..%2Fadmin", DEFAULT, Unguarded.REFUSED),
    ("/v1/models/%2e%2e/admin", DEFAULT, Unguarded.REFUSED),
    ("/v1/models/%252e%252e/admin", DEFAULT, Unguarded.REFUSED),
    ("/v1/models/..;/admin", DEFAULT, Unguarded.REFUSED),
    ("/v1/models/.../x", DEFAULT, Unguarded.REFUSED),
    ("/v1/models//x", DEFAULT, Unguarded.REFUSED),
    ("//v1/models", DEFAULT, Unguarded.REFUSED),
    ("/v1/models/a\\b", DEFAULT, Unguarded.REFUSED),
    ("/v1/models/a%5Cb", DEFAULT, Unguarded.REFUSED),
    ("/v1/models/a%00b", DEFAULT, Unguarded.REFUSED),
    ("/v1/models/a%3Fb", DEFAULT, Unguarded.REFUSED),
    ("/v1/models/a%23b", DEFAULT, Unguarded.REFUSED),
    ("/v1/models/%FF", DEFAULT, Unguarded.REFUSED),
    ("/v1/models/%E4%B8%AD", DEFAULT, Unguarded.REFUSED),
    ("", DEFAULT, Unguarded.REFUSED),
    ("*", DEFAULT, Unguarded.REFUSED),
]


@pytest.mark.parametrize(("path", "listed", "expected"), CASES)
def test_route(path: str, listed: tuple[str, ...], expected: object) -> None:
    assert route(path, listed) is expected


def test_an_endpoint_that_is_listed_by_its_full_name_passes_whatever_it_answers_with() -> None:
    assert route("/v1/complete", ("/v1/complete",)) is Unguarded.UNSCANNED


@pytest.mark.parametrize(
    "path", ["/v1/embeddings", "/v1/messages/count_tokens", "/v1beta/models/gemini-2:countTokens", "/api/tags"]
)
def test_what_carries_no_text_of_a_model_passes_by_default(path: str) -> None:
    assert route(path, PASSED) is Unguarded.UNSCANNED


@pytest.mark.parametrize(
    "path",
    [
        "/v1/audio/speech",
        "/v1/images/generations",
        "/v1/files",
        "/v1/batches",
        "/v1/messages/batches",
        "/v1/realtime",
        "/v1beta/models/gemini-2:batchGenerateContent",
        "/api/pull",
    ],
)
def test_what_may_carry_any_is_refused_by_default(path: str) -> None:
    assert route(path, PASSED) is Unguarded.REFUSED


def test_an_error_is_told_in_the_words_of_the_path() -> None:
    for path in ("/v1/chat/completions", "/v1/files", "/%FF", "", "/api/v1/files"):
        assert spoken_at(path) is openai_chat.PROTOCOL
    for path in ("/api/chat", "/api/pull"):
        assert spoken_at(path) is ollama.PROTOCOL


def test_what_people_ask_is_answered_by_no_server() -> None:
    assert public_path("/v1/guardrail/complaints") is Own.COMPLAINTS
    assert public_path("/v1/guardrail/check") is None
    assert public_path("/v1/models") is None
    assert public_path("/v1/chat/completions") is None
    assert {own: own.methods for own in Own} == {
        Own.CHECK: ("POST",),
        Own.MODERATIONS: ("POST",),
        Own.COMPLAINTS: ("POST",),
        Own.COMPLAINT: ("GET",),
        Own.DATA_REQUESTS: ("POST",),
        Own.DATA_REQUEST: ("GET",),
        Own.CASE: ("GET",),
        Own.SERVICE: ("GET", "HEAD"),
    }
