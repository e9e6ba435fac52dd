"""What a request path is to the proxy: guarded, passed through because the configuration lists it, or refused. Pure.

Promises: a path is compared after decoding, and one that two servers could read differently (dot segments, empty
segments, double encoding, backslashes, parameters) is refused, so that no spelling of a path opens what its plain
form does not. No wildcard reaches an endpoint that carries model text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from urllib.parse import unquote

from guardrail.wire import anthropic, gemini, gemini_request, ollama, openai_chat, openai_responses, openai_text
from guardrail.wire.protocol import Protocol

GUARDED: tuple[tuple[re.Pattern[str], Protocol], ...] = (
    # Also where Azure, Groq, OpenRouter and Google serve the same.
    (
        re.compile(
            r"(?:/openai|/api)?/v1/chat/completions|/(?:openai/deployments/[^/]+|v1beta/openai)/chat/completions"
        ),
        openai_chat.PROTOCOL,
    ),
    (re.compile(r"(?:/openai|/api)?/v1/completions|/openai/deployments/[^/]+/completions"), openai_text.PROTOCOL),
    (re.compile(r"(?:/openai|/v1|/openai/v1)/responses(?:/resp[^/]*(?:/cancel)?)?"), openai_responses.PROTOCOL),
    (re.compile(r"(?:/anthropic)?/v1/messages"), anthropic.PROTOCOL),  # with its prefix: Azure, DeepSeek
    (re.compile(r"/api/(?:chat|generate)"), ollama.PROTOCOL),
    (gemini_request.PATH, gemini.PROTOCOL),
)
"""Paths, decoded, and the protocol that is spoken there."""

DIALECTS: tuple[tuple[str, Protocol], ...] = (
    ("/v1/messages", anthropic.PROTOCOL),
    ("/anthropic/", anthropic.PROTOCOL),
    ("/api/v1/", openai_chat.PROTOCOL),
    ("/api/", ollama.PROTOCOL),
    ("/v1beta/openai/", openai_chat.PROTOCOL),
    ("/v1beta/", gemini.PROTOCOL),
    ("/v1beta1/", gemini.PROTOCOL),
    ("/v1alpha/", gemini.PROTOCOL),
    ("/v1/projects/", gemini.PROTOCOL),
)
"""Beginnings of paths, and the protocol whose clients ask there: what is refused is refused in their words. Anything
else: OpenAI's."""

HEARTBEAT = "/"
"""Where Ollama's command line asks whether its server runs. Only there to be read: what is sent there may be a prompt
(TGI answers it), so it is not let through."""

_PLAIN = re.compile(r"(/[A-Za-z0-9._~:@+=,!\- ]+)+")
"""Segments, none empty, of characters that no server gives a meaning of its own."""

_MODEL_TEXT = frozenset(
    {
        "assistants",
        "batches",
        "batchgeneratecontent",
        "chat",
        "complete",
        "completion",  # llama.cpp
        "completions",
        "conversations",  # OpenAI: what Responses have said
        "converse",  # Bedrock
        "converse-stream",
        "edits",
        "generate",
        "generate_stream",  # TGI, Triton
        "generateanswer",
        "generatecontent",
        "generatemessage",
        "generatetext",
        "infer",  # Triton
        "infill",  # llama.cpp
        "interactions",  # Gemini
        "invocations",  # SageMaker: vLLM, SGLang, TGI
        "invoke",  # Bedrock
        "invoke-with-response-stream",
        "messages",
        "predict",
        "predictlongrunning",
        "rawpredict",
        "realtime",
        "responses",
        "serverstreamingpredict",
        "streamgeneratecontent",
        "streamingpredict",
        "streamrawpredict",
        "threads",
    }
)
"""Parts of paths at which APIs answer with a model's text (`/v1/messages`, `/v1/models/m:generateContent`). A wildcard
does not reach them; who wants one unscanned must list it by its full name."""


class Own(Enum):
    """Paths at which guardrail itself answers. Those that are not `public` can be passed through, by their full name in
    the configuration."""

    CHECK = "/v1/guardrail/check"
    MODERATIONS = "/v1/moderations"
    COMPLAINTS = "/v1/guardrail/complaints"
    COMPLAINT = "/v1/guardrail/complaints/*"
    DATA_REQUESTS = "/v1/guardrail/data-requests"
    DATA_REQUEST = "/v1/guardrail/data-requests/*"
    CASE = "/v1/guardrail/cases/*"
    SERVICE = "/.well-known/ai-service.json"

    @property
    def public(self) -> bool:
        """Whether people ask there, also those who have no key or are suspended. Never forwarded."""
        return self not in (Own.CHECK, Own.MODERATIONS)

    @property
    def methods(self) -> tuple[str, ...]:
        """Of HTTP."""
        if self is Own.SERVICE:
            return ("GET", "HEAD")
        return ("GET",) if self.value.endswith("*") else ("POST",)


_PUBLIC = ("/v1/guardrail/", "/.well-known/")
"""Beginnings of the public paths: what all other requests are compared with, and no more."""


class Unguarded(Enum):
    """What a path is that carries no model text as far as the proxy knows, or that nobody allowed."""

    UNSCANNED = "unscanned"
    REFUSED = "refused"


def route(raw_path: str, pass_through: Iterable[str]) -> Protocol | Own | Unguarded:
    """`raw_path`: the path of the request target as it came, still encoded, without its query.

    A pattern of `pass_through` is a path, or ends in `*`, which stands for the rest (at least one character).
    """
    if raw_path == HEARTBEAT:
        return Unguarded.UNSCANNED if HEARTBEAT in pass_through else Unguarded.REFUSED
    path = decoded(raw_path)
    if path is None:
        return Unguarded.REFUSED
    for pattern, protocol in GUARDED:
        if pattern.fullmatch(path):
            # A guarded path is spelt plainly, but for what stands for a name in it.
            return protocol if raw_path == path or _named(raw_path, pattern) else Unguarded.REFUSED
    listed_paths = tuple(pass_through)
    own = _own(path)
    if own is not None and (own.public or path not in listed_paths):
        return own if raw_path == path else Unguarded.REFUSED
    for listed in listed_paths:
        if not listed.endswith("*"):
            if path == listed:
                return Unguarded.UNSCANNED
        elif path.startswith(listed[:-1]) and len(path) >= len(listed):
            parts = {part.strip(" .").casefold() for part in re.split("[/:]", path)}
            if not parts & _MODEL_TEXT:
                return Unguarded.UNSCANNED
    return Unguarded.REFUSED


def public_path(raw_path: str) -> Own | None:
    """The public path that this is; None for anything else."""
    if not raw_path.startswith(_PUBLIC):
        return None
    where = route(raw_path, ())
    return where if isinstance(where, Own) and where.public else None


def _own(path: str) -> Own | None:
    folder = path.rpartition("/")[0] + "/*"
    return next((own for own in Own if own.value in (path, folder)), None)


def decoded(raw_path: str) -> str | None:
    """The path, decoded; None when two servers could read it differently."""
    try:
        path = unquote(raw_path, errors="strict")
    except UnicodeDecodeError:
        return None
    if not _PLAIN.fullmatch(path) or any(part.strip(" .") == "" for part in path.split("/")[1:]):
        return None
    return path


def spoken_at(raw_path: str) -> Protocol:
    """The protocol in whose words an error at this path is told."""
    path = decoded(raw_path) or ""
    for pattern, protocol in GUARDED:
        if pattern.fullmatch(path):
            return protocol
    return next((protocol for start, protocol in DIALECTS if path.startswith(start)), openai_chat.PROTOCOL)


def _named(raw_path: str, pattern: re.Pattern[str]) -> bool:
    """Whether only names are encoded: the path matches as it came, too, with its escapes as letters."""
    return pattern.fullmatch(re.sub("%[0-9A-Fa-f]{2}", "x", raw_path)) is not None
