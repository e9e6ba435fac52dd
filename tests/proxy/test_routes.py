"""What a path is: guarded, passed, refused. A trick must not open what its plain form does not."""

from __future__ import annotations

import pytest

from guardrail.proxy.routes import Route, route

DEFAULT = ("/v1/models", "/v1/models/*", "/v1/embeddings")
WIDE = ("/v1/*", "/*")

CASES = [
    ("/v1/chat/completions", DEFAULT, Route.CHAT),
    ("/v1/models", DEFAULT, Route.UNSCANNED),
    ("/v1/models/gpt-4o", DEFAULT, Route.UNSCANNED),
    ("/v1/models/org/name:7b", DEFAULT, Route.UNSCANNED),
    ("/v1/models/org%2Fname", DEFAULT, Route.UNSCANNED),
    ("/v1/embeddings", DEFAULT, Route.UNSCANNED),
    ("/v1/files", WIDE, Route.UNSCANNED),
    # not listed
    ("/", DEFAULT, Route.REFUSED),
    ("/v1/completions", DEFAULT, Route.REFUSED),
    ("/v1/responses", DEFAULT, Route.REFUSED),
    ("/v1/models/", DEFAULT, Route.REFUSED),
    ("/v1/modelsx", DEFAULT, Route.REFUSED),
    ("/v1/embeddings/x", DEFAULT, Route.REFUSED),
    ("/V1/models", DEFAULT, Route.REFUSED),
    # the guarded endpoint, spelt otherwise
    ("/v1/chat/completions/", WIDE, Route.REFUSED),
    ("/v1/Chat/Completions", WIDE, Route.REFUSED),
    ("/v1/chat%2Fcompletions", WIDE, Route.REFUSED),
    ("/v1//chat/completions", WIDE, Route.REFUSED),
    ("/v1/chat/completions%20", WIDE, Route.REFUSED),
    ("/v1/./chat/completions", WIDE, Route.REFUSED),
    # other endpoints that answer with a model's text, under a wildcard
    ("/v1/completions", WIDE, Route.REFUSED),
    ("/v1/responses/resp_1", WIDE, Route.REFUSED),
    ("/api/chat", WIDE, Route.REFUSED),
    ("/api/generate", WIDE, Route.REFUSED),
    ("/v1/models/gemini:generateContent", DEFAULT, Route.REFUSED),
    ("/v1/models/gemini:streamGenerateContent", DEFAULT, Route.REFUSED),
    ("/v1/models/org/chat-model", DEFAULT, Route.UNSCANNED),
    # tricks
    ("/v1/models/../chat/completions", DEFAULT, Route.REFUSED),
    ("/v1/models/..%2Fadmin", DEFAULT, Route.REFUSED),
    ("/v1/models/%2e%2e/admin", DEFAULT, Route.REFUSED),
    ("/v1/models/%252e%252e/admin", DEFAULT, Route.REFUSED),
    ("/v1/models/..;/admin", DEFAULT, Route.REFUSED),
    ("/v1/models/.../x", DEFAULT, Route.REFUSED),
    ("/v1/models//x", DEFAULT, Route.REFUSED),
    ("//v1/models", DEFAULT, Route.REFUSED),
    ("/v1/models/a\\b", DEFAULT, Route.REFUSED),
    ("/v1/models/a%5Cb", DEFAULT, Route.REFUSED),
    ("/v1/models/a%00b", DEFAULT, Route.REFUSED),
    ("/v1/models/a%3Fb", DEFAULT, Route.REFUSED),
    ("/v1/models/a%23b", DEFAULT, Route.REFUSED),
    ("/v1/models/%FF", DEFAULT, Route.REFUSED),
    ("/v1/models/%E4%B8%AD", DEFAULT, Route.REFUSED),
    ("", DEFAULT, Route.REFUSED),
    ("*", DEFAULT, Route.REFUSED),
]


@pytest.mark.parametrize(("path", "listed", "expected"), CASES)
def test_route(path: str, listed: tuple[str, ...], expected: Route) -> None:
    assert route(path, listed) is expected


def test_an_endpoint_that_is_listed_by_its_full_name_passes_whatever_it_answers_with() -> None:
    assert route("/v1/completions", ("/v1/completions",)) is Route.UNSCANNED
