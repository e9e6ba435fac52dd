"""Which headers cross the proxy, each way. Pure.

Promises: hop-by-hop headers (RFC 9110, 7.6.1) stop here; a guardrail key never reaches an upstream; nothing that
describes the upstream's own bytes (length, encoding, digests) is claimed for edited ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import unquote_plus

from multidict import CIMultiDict, CIMultiDictProxy

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

CREDENTIALS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
"""Where clients put a key: OpenAI's, Anthropic's, Azure's and Google's."""

QUERY_KEY = "key"
"""The query parameter in which Google's clients may put it."""

_NOT_TO_UPSTREAM = _HOP_BY_HOP | {
    "host",
    "content-length",
    "content-encoding",  # the body is forwarded decoded
    "accept-encoding",  # guardrail asks for what it can read
    "expect",
    *CREDENTIALS,
    "cookie",  # a browser's cookies are for the proxy's host, not for the upstream's
}

_NOT_TO_CLIENT = _HOP_BY_HOP | {
    "content-length",
    "content-encoding",  # decoded here
    "content-md5",
    "content-digest",
    "repr-digest",
    "digest",
    "etag",
    "accept-ranges",
    "content-range",
    "set-cookie",  # one upstream connection serves many tenants
    "alt-svc",  # would lead the client around the proxy
}

OWN_PREFIX = "x-guardrail-"
"""Headers of this name are guardrail's own: never forwarded from either side."""


def to_upstream(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """The client's headers as the upstream may see them; credentials are added by the caller."""
    return _without(headers, _NOT_TO_UPSTREAM)


def to_client(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """The upstream's headers as the client may see them."""
    return _without(headers, _NOT_TO_CLIENT)


def is_rate_limit(name: str) -> bool:
    """Whether a header tells how full somebody's limits are: guardrail's own are not mixed with an upstream's."""
    return name.lower().startswith(("x-ratelimit-", "anthropic-ratelimit-"))


def _without(headers: CIMultiDictProxy[str], dropped: frozenset[str]) -> CIMultiDict[str]:
    named = _named_by_connection(headers)
    out: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        lower = name.lower()
        if lower in dropped or lower in named or lower.startswith(OWN_PREFIX) or not _sendable(value):
            continue
        out.add(name, value)
    return out


def _named_by_connection(headers: CIMultiDictProxy[str]) -> set[str]:
    """Names that the sender declares to be hop-by-hop."""
    return {token.strip().lower() for value in headers.getall("connection", ()) for token in value.split(",") if token}


def _sendable(value: str) -> bool:
    """Whether a value can be written again: one that is not UTF-8 arrives with lone surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def without_keys(query: str) -> tuple[str, list[str]]:
    """A raw query without its keys; and these, decoded."""
    kept: list[str] = []
    keys: list[str] = []
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        if unquote_plus(name) == QUERY_KEY:
            keys.append(unquote_plus(value))
        else:
            kept.append(part)
    return "&".join(kept), keys


def asks_for_websocket(headers: CIMultiDictProxy[str]) -> bool:
    """Whether the request is the handshake of a WebSocket (RFC 6455, 4.1)."""
    named = {token.strip().lower() for value in headers.getall("upgrade", ()) for token in value.split(",")}
    return "websocket" in named


def content_type(headers: Mapping[str, str]) -> str:
    """The media type without parameters, lower case; "" when it is missing."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def unreadable_encoding(headers: CIMultiDictProxy[str], readable: Iterable[str]) -> str | None:
    """The content-encoding when it is none of `readable`, else None."""
    encoding = ",".join(headers.getall("content-encoding", ())).strip().lower()
    return None if encoding in ("", "identity", *readable) else encoding
