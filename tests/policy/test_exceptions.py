"""Networks and domains that a rule for an entity leaves alone."""

from __future__ import annotations

import ipaddress

import pytest

from guardrail.policy.exceptions import Exceptions, Sort, domain_of, network_of


@pytest.mark.parametrize(
    ("phrase", "told"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("fe80::/10", "fe80::/10"),
        ("127.0.0.1", None),
        ("either/or", None),
        ("10.0.0.1/8", "found '10.0.0.1/8', expected the network's own address: 10.0.0.0/8"),
        ("10.0.0/8", "found '10.0.0/8', expected a network such as 10.0.0.0/8 ("),
        ("10.0.0.0/33", "found '10.0.0.0/33', expected a network such as 10.0.0.0/8 ("),
    ],
)
def test_networks(phrase: str, told: str | None) -> None:
    found = network_of(phrase)
    assert str(found).startswith(str(told))
    assert isinstance(found, str) == (told is not None and told.startswith("found"))


@pytest.mark.parametrize(
    ("phrase", "sort", "domain"),
    [
        ("@example.com", "email", "example.com"),
        ("Example.COM", "email", "example.com"),
        ("*.example.com", "email", "*.example.com"),
        ("bob@example.com", "email", None),
        ("bob", "email", None),
        ("例子.测试", "url", "例子.测试"),
        ("@example.com", "url", None),
        ("https://example.com", "url", None),
        ("10.0.0.1", "url", None),
    ],
)
def test_domains(phrase: str, sort: Sort, domain: str | None) -> None:
    assert domain_of(phrase, sort) == domain


@pytest.mark.parametrize(
    ("sort", "domains", "matched", "real"),
    [
        ("email", ("example.com",), "bob@example.com", False),
        ("email", ("example.com",), "Bob@EXAMPLE.com", False),
        ("email", ("example.com",), "bob@mail.example.com", True),
        ("email", ("example.com",), "bob@example.com.evil.org", True),
        ("email", ("example.com",), "example.com@evil.org", True),
        ("email", ("*.example.com",), "bob@mail.example.com", False),
        ("email", ("*.example.com",), "bob@example.com", True),
        ("email", ("*.example.com",), "bob@badexample.com", True),
        ("url", ("example.com",), "https://example.com/a?b@c", False),
        ("url", ("example.com",), "https://example.com:8443", False),
        ("url", ("example.com",), "https://example.com./", False),
        ("url", ("example.com",), "example.com/path", False),
        ("url", ("example.com",), "https://user:pw@example.com/", False),
        ("url", ("example.com",), "https://example.com@evil.org/", True),
        ("url", ("example.com",), "https://evil.org/?example.com", True),
        ("url", ("example.com",), "https://evil.org\\@example.com", True),
        ("url", ("example.com",), "ftp://www.example.com", True),
        ("url", ("*.example.com",), "ftp://www.example.com", False),
    ],
)
def test_hosts(sort: Sort, domains: tuple[str, ...], matched: str, real: bool) -> None:
    assert Exceptions(None, domains=domains, sort=sort)(matched) is real


@pytest.mark.parametrize(
    ("matched", "real"),
    [("10.1.2.3", False), ("11.1.2.3", True), ("fe80::1", False), ("::1", True), ("not an address", True)],
)
def test_addresses(matched: str, real: bool) -> None:
    networks = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fe80::/10"))
    assert Exceptions(None, networks=networks)(matched) is real


def test_the_check_of_the_entity_stays() -> None:
    assert not Exceptions(str.isalpha, domains=("example.com",), sort="url")("https://evil.org")
