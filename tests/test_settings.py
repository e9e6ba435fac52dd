"""Defaults of the process settings, and how they are read."""

from __future__ import annotations

import msgspec
import pytest

from guardrail.settings import PASSED, Settings


def read(**given: object) -> Settings:
    return msgspec.convert({"version": 1, "upstreams": {"default": {"url": "http://h"}}, **given}, Settings)


def test_defaults_are_closed_and_local() -> None:
    settings = read()
    assert (settings.listen.host, settings.admin.host) == ("127.0.0.1", "127.0.0.1")
    assert (settings.anonymous, settings.gateway, settings.listen.tls) == (None, None, None)
    upstream = settings.upstreams["default"]
    assert (upstream.tls.verify, upstream.api_key_env) == (True, None)
    assert upstream.passed == PASSED


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ({"pass_through": ["/v1/files*"]}, (*PASSED, "/v1/files*")),
        ({"pass_through": ["/v1/files"], "pass_through_defaults": False}, ("/v1/files",)),
        ({"pass_through_defaults": False}, ()),
    ],
)
def test_listed_paths_pass_beside_the_built_in_ones(given: dict[str, object], passed: tuple[str, ...]) -> None:
    assert read(upstreams={"a": {"url": "http://h", **given}}).upstreams["a"].passed == passed


@pytest.mark.parametrize(
    "given",
    [
        {"version": 2},
        {"upstreams": {}},
        {"upstreams": {"a b": {"url": "http://h"}}},
        {"upstreams": {"a": {"url": "http://user:pw@h"}}},
        {"upstreams": {"a": {"url": "http://h?x=1"}}},
        {"upstreams": {"a": {"url": "file:///etc/passwd"}}},
        {"upstreams": {"a": {"url": "http://h\n"}}},
        {"upstreams": {"a": {"url": "http://h", "pass_through": ["v1/models"]}}},
        {"upstreams": {"a": {"url": "http://h", "pass_through": ["/v1/%2e%2e"]}}},
        {"upstreams": {"a": {"url": "http://h", "pass_through": ["/v1/nope*x"]}}},
        {"upstreams": {"a": {"url": "http://h", "pass_through": ["/v1/**"]}}},
        {"listen": {"port": 65536}},
        {"limits": {"streams": 0}},
        {"limits": {"drain": -1}},
        {"admin": {"token_env": "not a variable"}},
        {"unknown": 1},
    ],
)
def test_what_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(**given)
