"""What is left after all output rules leads nowhere but to allowed hosts, for programs that render it.

The invariant of this file: whatever the text, and however it is cut, no tag of the edited text has an address off the
allow-list, a handler or a script, neither shown as Markdown nor as HTML; and a terminal finds nothing to obey.
The judge is written apart from the rules: it reads addresses as the WHATWG URL Standard says.
"""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser
from urllib.parse import unquote

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from guardrail.text.output import OUTPUT_RULES
from guardrail.text.rules import Action
from guardrail.text.scanner import compile_rules
from tests.text.output.matching import ALLOWED, cuts, edited

RULES = compile_rules([rule.rule(Action.REDACT, ALLOWED) for rule in OUTPUT_RULES.values()])

MARKDOWN = MarkdownIt("commonmark", {"html": True})
MARKDOWN.validateLink = lambda url: True  # type: ignore[method-assign]

ADDRESSED = {"href", "src", "action", "formaction", "data", "poster", "background"}
OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)")


def leads_to(address: str) -> str | None:
    """The host that a browser would ask, "!" for an address with content of its own, None for one of this page."""
    address = re.sub("[\t\n\r]", "", address.strip("".join(map(chr, range(33)))))
    scheme = re.match("([A-Za-z][A-Za-z0-9+.-]*):", address)
    if scheme and scheme[1].lower() in ("javascript", "vbscript"):
        return "!"
    if scheme and scheme[1].lower() in ("data", "file"):
        return "!" if address[scheme.end() :].strip() else None
    if scheme and scheme[1].lower() in ("http", "https", "ftp"):
        rest = address[scheme.end() :].lstrip("/\\")
    elif scheme is None and re.match(r"[/\\]{2}[^/\\]", address):
        rest = address[2:]
    else:
        return None
    authority = re.split(r"[/\\?#]", rest, maxsplit=1)[0]
    host = re.sub(":[0-9]*$", "", authority.rpartition("@")[2])
    return unicodedata.normalize("NFKC", unquote(host)).lower().removesuffix(".")


class Found(HTMLParser):
    """What a page loads, leads to and runs."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.harm: list[str] = []
        self.feed(page)
        self.close()

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        return self.parse_bogus_comment(i)  # as browsers do; the parser's own way is to give up

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "svg"):
            self.harm.append(tag)
        for name, value in attrs:
            host = leads_to(value or "") if name in ADDRESSED else None
            if host is not None and host != "good.example" and not host.endswith(".good.example"):
                self.harm.append(f"{name}={value}")
            if name in ("onclick", "onerror", "srcdoc") and value:
                self.harm.append(f"{name}={value}")


HOSTS = st.sampled_from(["elsewhere.example", "good.example", "cdn.good.example", "good.example.elsewhere.example"])
JUNK = st.sampled_from(
    ["", "", "", "\x1b[31m", "\x1b]0;>\x07", "\x00", "\u200b", "\u200b" * 9, "\U000e0041", "\t", "\n"]
)
STARTS = (
    *("https://", "HTTP://", "//", "/\\", "\\\\", "https:", "https:/", "h&#116;tps://", "ht{}tps://", "/{}/"),
    *("javascript:", "java{}script:", "&#x6a;avascript:", "javascript&colon;", "data:text/html,", "file:///"),
)
ADDRESSES = st.builds(
    lambda *parts: "".join(parts),
    st.sampled_from(["", "", " ", "\n", "&Tab;", "<"]),
    st.sampled_from(STARTS),
    st.sampled_from(["", "", "good.example@", "good.example\\@", "u:p@"]),
    HOSTS,
    st.sampled_from(["", ".", ":80", "/x?y", "/a_(b)", "(x)", "\\", "%2eelsewhere.example", "#/good.example"]),
    st.sampled_from(["", "", ">", ' "title"', " "]),
)
SHAPES = (
    *("[a](@)", "![a](@)", "[a]{}(@)", "[a]({}@)", "[b]: @\n\n[b]", "[b]{}: @\n\n![b]", "<@>", "<{}@>", "> [a](\n> @)"),
    *("[a](@ {})", "[![a](@)](@)", "[a](@\n", "`[a](@)`", "[[a](@)](/x)", "[a](<@>)", '<img src="@">', "<img src=@>"),
    *("<a href='@'>x</a>", "<{}img src={}@>", "<i{}mg/src=@ ", "<form action=@>", "<img {} src=@>", "<img < src=@>"),
    *('<img alt="{}" src=@>', '<img alt=">{}" src=@>', "<b <img src=@>", "<script{}>x</script>", "<x onclick=1{}>"),
    *("<x {} onerror = 1>", "<img x=@ onerror{}=1>", "<a b=\"' href=@>"),
)
WRAPPED = st.builds(
    lambda shape, address, junk: shape.replace("@", address).replace("{}", junk),
    st.sampled_from(SHAPES),
    ADDRESSES,
    JUNK,
)
PIECES = (
    *("[", "]", "(", ")", "![", "<", ">", '"', "'", " ", "\n", "\n\n", "\r", ":", "/", "//", "\\", "@", "=", "&", ";"),
    *(
        "`",
        "!",
        "a",
        "x",
        "](",
        "]: ",
        "[a]",
        "\n[a]: ",
        "<a ",
        "<img ",
        "href=",
        "src=",
        "<script",
        "onclick=",
        "style=",
    ),
    *("<!--", "-->", "https:", "//elsewhere.example", "good.example", "javascript:", "&#x6a;", "&Tab;", "%2e", "\n> "),
    *("\x1b", "\x1b[31m", "\x1b]", "\x07", "\x1b\\", "\x00", "\x9b", "\u200b", "\u200b" * 9, "\U000e0041", "\u202e"),
)
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), WRAPPED), max_size=14).map("".join)


@given(TEXTS, st.integers(0, 9))
@example("[a](ht\x1b]0;x\x07tps://elsewhere.example)", 0)
@example("<img \x1b]0;>\x07 src=https://elsewhere.example>", 0)
@example("[a]: \x1b[m https://elsewhere.example\n\n[a]", 0)
@example("<img alt='<a href=/x>' src=//elsewhere.example>", 0)
@example("[a](&#x68;ttps://good.example\\@elsewhere.example)", 0)
def test_nothing_is_left_that_leads_away(text: str, seed: int) -> None:
    out = edited(RULES, text)
    assert edited(RULES, *cuts(text, seed)) == out
    assert OBEYED.search(out) is None
    assert Found(out).harm == []
    assert Found(MARKDOWN.render(out)).harm == []


def test_the_judge_sees_what_there_is() -> None:
    for text in (
        "[a](https://elsewhere.example)",
        "![a](//elsewhere.example)",
        "<javascript:x>",
        "<img src=\\\\x.example>",
    ):
        assert Found(MARKDOWN.render(text)).harm != []
    for text in ("<script>", "<x onclick=1>", "<a href='https:elsewhere.example'>"):
        assert Found(text).harm != []
    assert Found('<a href="https://cdn.good.example/x" title="https://elsewhere.example">').harm == []
