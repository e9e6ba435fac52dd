"""Where addresses lead, by tables: one column of addresses for each way in which programs read them."""

import pytest

from guardrail.text.output.destinations import host_pattern, is_foreign

HOSTS = frozenset(map(host_pattern, ("good.example", "*.cdn.example", "bücher.example", "faß.example", "localhost")))

HOME = [
    *("", "#", "#anchor", "?q=1", "page.html", "/docs/a", "./a", "../a", "a/b:c", "/", "a//b"),
    *("mailto:ann@example.com", "tel:+1555", "urn:isbn:1", "std::string", "C:\\temp", "data:", "file:", "about:blank"),
    *("//good.example", "https://good.example", "HTTPS://Good.Example/", "http://good.example:8080/x?y#z"),
    *("https://good.example.", "https://good.example?x", "https://good.example#x", "ws://good.example/socket"),
    *("https://good.example/https://elsewhere.example", "https://good.example/@elsewhere.example"),
    *("https://a.cdn.example", "https://a.b.cdn.example/x", "https://localhost:3000", "ftp://good.example/a"),
    *("https://bücher.example", "https://BÜCHER.example", "https://xn--bcher-kva.example"),
    *(
        "https://good.example/a\u200bb",
        "https://good.example/\\x",
        "https://good.example/&amp;",
        "https://good.example/%2e",
    ),
]

AWAY = [
    # other hosts
    *("https://elsewhere.example", "http://elsewhere.example/x", "//elsewhere.example", "///elsewhere.example"),
    *("https://www.good.example", "https://good.example.elsewhere.example", "https://notgood.example"),
    *("https://cdn.example", "https://xcdn.example", "https://good.example..", "https://.cdn.example", "https://"),
    *("https://127.0.0.1", "https://2130706433/", "https://[::1]/", "https://0x7f.1", "gopher://elsewhere.example"),
    # a user name, or what looks like one
    *("https://good.example@elsewhere.example", "https://good.example:x@elsewhere.example/", "https://u@good.example"),
    *("https://good.example\\@elsewhere.example", "https://good.example\\.elsewhere.example"),
    # slashes
    *("https:elsewhere.example", "https:/elsewhere.example", "https:\\\\elsewhere.example", "https:////good.example"),
    *("\\\\elsewhere.example", "/\\elsewhere.example", "\\/elsewhere.example", "\\\\\\\\elsewhere.example\\\\share"),
    # what is stripped
    *(" https://elsewhere.example", "\u3000https://elsewhere.example", "ht\ttps://elsewhere.example"),
    *("ht\ntps://elsewhere.example", "/\t/elsewhere.example", "\x01https://elsewhere.example", "ht\x1b[mtps://x"),
    *("ht\u200btps://elsewhere.example", "java\u00adscript:x", "\ufeffjavascript:x", "/\u2060/elsewhere.example"),
    # encodings
    *(
        "&#104;ttps://elsewhere.example",
        "https&colon;//elsewhere.example",
        "&#x2f;/elsewhere.example",
        "java&Tab;script:x",
    ),
    *("https\\://elsewhere.example", "javascript\\:x", "https://good.example&#46;elsewhere.example"),
    *("https://good.example%2eelsewhere.example", "https://good%2eexample", "https://%67ood.example"),
    # other scripts
    *("https://ｇｏｏｄ.example", "https://good。example", "https://gооd.example", "https://good\u2100.cdn.example"),
    *("https://fass.example", "https://go\u200dod.example", "https://good.example\u00ad.elsewhere.example"),
    # characters that no host has
    *("https://good.example(x)", "https://good.example good", "https://a*b.cdn.example", "https://good.example:port"),
    *("https://good.example:80:80", "https://good.example|x", "https://-.cdn.example"),
    # schemes that need no host
    *("javascript:alert(1)", "JavaScript:x", "javascript:", "vbscript:x", "data:text/html,x", "DATA:,x", "file:x"),
    *("file:///etc/passwd", "blob:https://good.example/1", "view-source:x", "jar:x", "ms-msdt:x", "search-ms:x"),
    *("vscode://good.example", "intent://x", "foo:\\\\x"),
]


@pytest.mark.parametrize("address", HOME, ids=ascii)
def test_addresses_that_stay(address: str) -> None:
    assert not is_foreign(address, HOSTS)


@pytest.mark.parametrize("address", AWAY, ids=ascii)
def test_addresses_that_lead_away(address: str) -> None:
    assert is_foreign(address, HOSTS)


def test_without_hosts_every_host_is_foreign() -> None:
    assert is_foreign("https://good.example", frozenset())
    assert not is_foreign("/docs", frozenset())


@pytest.mark.parametrize("address", ["", "page", "mailto:ann@example.com", "tel:1", "https://elsewhere.example"])
def test_of_an_address_that_is_cut_short_only_an_allowed_host_is_enough(address: str) -> None:
    assert is_foreign(address, HOSTS, cut=True)
    assert not is_foreign("https://good.example/" + address, HOSTS, cut=True)


@pytest.mark.parametrize(
    ("entry", "pattern"),
    [
        ("Example.COM", "example.com"),
        ("*.example.com", "*.example.com"),
        ("example.com.", "example.com"),
        ("localhost", "localhost"),
        ("192.0.2.1", "192.0.2.1"),
        ("*.Bücher.example", "*.xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("ΟΔΟΣ.example", "xn--" + "οδοσ".encode("punycode").decode() + ".example"),
    ],
)
def test_hosts(entry: str, pattern: str) -> None:
    assert host_pattern(entry) == pattern


@pytest.mark.parametrize(
    "entry",
    [
        *("", "*", "*.", "*.*.example.com", "exa*mple.com", "https://example.com", "example.com/", "example.com:443"),
        *(
            "user@example.com",
            "exam ple.com",
            "example..com",
            ".example.com",
            "[::1]",
            "ｅxample.com",
            "-a.com",
            "\ud800.com",
        ),
    ],
    ids=ascii,
)
def test_what_is_no_host(entry: str) -> None:
    with pytest.raises(ValueError, match="expected one such as"):
        host_pattern(entry)
