"""Which headers cross."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from guardrail.proxy.headers import (
    asks_for_websocket,
    content_type,
    to_client,
    to_upstream,
    unreadable_encoding,
    without_keys,
)


def proxied(*pairs: tuple[str, str]) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict(pairs))


def test_credentials_hops_and_our_own_headers_stay_behind_on_the_way_up() -> None:
    passed = to_upstream(
        proxied(
            ("Authorization", "Bearer k"),
            ("X-Api-Key", "k"),
            ("Cookie", "a=b"),
            ("Host", "g"),
            ("Connection", "close, X-Hop"),
            ("X-Hop", "1"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", "3"),
            ("Content-Encoding", "gzip"),
            ("Accept-Encoding", "br"),
            ("Expect", "100-continue"),
            ("X-Guardrail-Tenant", "acme;1;2"),
            ("X-Request-Id", "r1"),
            ("OpenAI-Organization", "org"),
            ("X-Many", "1"),
            ("X-Many", "2"),
        )
    )
    assert list(passed.items()) == [
        ("X-Request-Id", "r1"),
        ("OpenAI-Organization", "org"),
        ("X-Many", "1"),
        ("X-Many", "2"),
    ]


def test_what_described_the_upstreams_bytes_stays_behind_on_the_way_down() -> None:
    passed = to_client(
        proxied(
            ("Content-Type", "application/json"),
            ("Content-Length", "3"),
            ("Content-Encoding", "gzip"),
            ("ETag", '"x"'),
            ("Content-MD5", "x"),
            ("Set-Cookie", "a=b"),
            ("Alt-Svc", "h3=:443"),
            ("X-Guardrail-Policy", "forged@000000000000"),
            ("Keep-Alive", "timeout=5"),
            ("X-RateLimit-Remaining-Tokens", "5"),
        )
    )
    assert list(passed.items()) == [("Content-Type", "application/json"), ("X-RateLimit-Remaining-Tokens", "5")]


def test_a_value_that_cannot_be_written_again_is_left_out() -> None:
    assert not to_client(proxied(("X-Odd", "\udcff")))


def test_content_type() -> None:
    assert content_type({"content-type": "Text/Event-Stream; charset=utf-8"}) == "text/event-stream"
    assert content_type({}) == ""


@pytest.mark.parametrize(
    ("upgrade", "asks"), [(None, False), ("h2c", False), ("websocket", True), ("h2c, WebSocket", True), ("", False)]
)
def test_the_handshake_of_a_websocket(upgrade: str | None, asks: bool) -> None:
    assert asks_for_websocket(proxied(*([("Upgrade", upgrade)] if upgrade is not None else []))) == asks


def test_unreadable_encoding() -> None:
    readable = ("gzip", "br")
    assert unreadable_encoding(proxied(), readable) is None
    assert unreadable_encoding(proxied(("Content-Encoding", "GZip")), readable) is None
    assert unreadable_encoding(proxied(("Content-Encoding", "identity")), readable) is None
    assert unreadable_encoding(proxied(("Content-Encoding", "zstd")), readable) == "zstd"
    assert unreadable_encoding(proxied(("Content-Encoding", "gzip, br")), readable) == "gzip, br"
    assert unreadable_encoding(proxied(("Content-Encoding", "gzip"), ("Content-Encoding", "br")), readable)


@pytest.mark.parametrize(
    ("query", "kept", "keys"),
    [
        ("", "", []),
        ("alt=sse", "alt=sse", []),
        ("key=a%2Bb&alt=sse", "alt=sse", ["a+b"]),
        ("alt=sse&key=one&k%65y=two&keys=3", "alt=sse&keys=3", ["one", "two"]),
        ("key", "", [""]),
    ],
)
def test_keys_in_the_query_are_taken_out_of_it(query: str, kept: str, keys: list[str]) -> None:
    assert without_keys(query) == (kept, keys)
