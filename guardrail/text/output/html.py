"""HTML tags that load from or lead to hosts off the allow-list, or that run script: each is replaced as a whole.

Found are addresses in the attributes that have one, handlers of events, styles that load, `srcdoc`, `<script>`,
`<style>`, `<svg>` and `<math>` whatever they hold, and a `<meta>` that stands for a header. End tags and the text
between tags stay, the text of a script too: without its start tag it is text.

The rule does not know where a block of code begins and ends. HTML in an answer about HTML is found like any other, so
`log` is the action for an assistant that writes code; the others are for one whose output is shown as HTML.

A tag is read up to its `>`, and held so far. Of an element that loads (`_LOADING`) up to `_LONG` characters are read,
and a longer tag is taken for an attempt to hide something; of any other up to `_SHORT`, since `a <b` opens no tag in
ordinary text, and what stands behind that is not looked at. A `>` inside a quoted value is taken for an attempt to
hide as well. So is what is unsafe and begins inside a tag: with that replaced, the tag would go on further than it did.
"""

from __future__ import annotations

import html
import re

from guardrail.text.output.destinations import is_foreign
from guardrail.text.output.hidden import CONTROL, ESC, INVISIBLE, MAX_STRAYS, STRAY, STRING
from guardrail.text.output.links import leads_away
from guardrail.text.output.rule import Hosts, OutputRule
from guardrail.text.output.tags import read_tag, tag_name
from guardrail.text.rules import Label

_LONG, _SHORT = 1000, 500
"""Characters of a tag that are read, and held. Room for a list of classes or an address with a signature."""
_NESTED = 20
"""Most tags that begin inside another, and most addresses; each is read, and more stand in no ordinary text."""

_NEVER = frozenset({"script", "style", "svg", "math", "applet"})
_LOADING = (
    *("script", "style", "svg", "math", "applet", "iframe", "frame", "object", "embed", "portal", "fencedframe"),
    *("img", "image", "picture", "source", "video", "audio", "track", "input", "button", "form", "isindex"),
    *("a", "area", "link", "base", "meta", "body", "table", "td", "th"),
)
_ADDRESSED = frozenset(
    {
        *("href", "src", "srcset", "action", "formaction", "data", "poster", "background", "ping", "manifest"),
        *("xlink:href", "lowsrc", "dynsrc", "imagesrcset", "codebase", "archive", "classid", "code", "cite"),
        *("longdesc", "profile"),
    }
)
_LISTED = frozenset({"srcset", "imagesrcset", "ping", "archive"})
"""Attributes with several addresses, and sizes between them."""

_HANDLER = re.compile("on[a-z]{3,}")
_STYLE = re.compile(r"(?:url|image|image-set|src|expression)\(|@import|behavior|-binding|\\|/\*")
"""What a style needs to load something, or to hide that it does."""
_HIDDEN = re.compile(f"[{INVISIBLE}]")
_RUN = re.compile(f"[{INVISIBLE}]{{{MAX_STRAYS + 1},}}")
_CONTROL = re.compile(f"[{CONTROL}{ESC}]")

_SPACE = " \t\n\f\r"
_OPENING = f"<{STRAY}{{0,{MAX_STRAYS}}}"
_OPENS = re.compile("<[A-Za-z]")


def _is_unsafe_loading(matched: str, hosts: Hosts) -> bool:
    return _is_unsafe(matched, hosts, _LONG)


def _is_unsafe_other(matched: str, hosts: Hosts) -> bool:
    name = tag_name(matched)
    # What the other expression reads further is left to it; it does not read a name that the text ends with.
    return (name not in _LOADING or len(matched) == 1 + len(name)) and _is_unsafe(matched, hosts, _SHORT)


def _is_unsafe(matched: str, hosts: Hosts, most: int) -> bool:
    """`most`: a tag as long is not read to its end."""
    if _CONTROL.search(matched):
        return True
    if len(matched) > most and _RUN.search(matched):
        return True
    starts = [0] + [opens.start() for opens in _OPENS.finditer(matched, 1)]
    if len(starts) > _NESTED or leads_away(matched[1:], hosts, _NESTED):
        return True
    return any(_does_harm(matched[start:], hosts, most) for start in starts)


def _does_harm(matched: str, hosts: Hosts, most: int) -> bool:
    for reading in {matched, _HIDDEN.sub("", matched)}:
        tag = read_tag(reading)
        if tag.name in _NEVER:
            return True
        if tag.end == "quoted" and matched[-1] == ">":
            return True
        if tag.end != "closed" and tag.name in _LOADING and len(matched) > most:
            return True
        if any(_is_harmful(tag.name, name, value, hosts) for name, value in tag.attributes):
            return True
    return False


def _is_harmful(element: str, name: str, value: str, hosts: Hosts) -> bool:
    if _HANDLER.fullmatch(name) or name == "srcdoc":
        return True
    if name == "style":
        return _STYLE.search(html.unescape(value).lower()) is not None
    if name == "http-equiv":
        return element == "meta"
    if name in _LISTED:
        return any(is_foreign(each, hosts) for each in re.split(r"[\s,]+", html.unescape(value)))
    return name in _ADDRESSED and is_foreign(value, hosts)


RULE = OutputRule(
    name="html",
    severity="medium",
    mask=Label("(html removed)"),
    expressions=(
        f"{_OPENING}(?i:{'|'.join(_LOADING)})(?:[{_SPACE}/][^>]{{0,{_LONG}}}>?|>)",
        f"{_OPENING}[A-Za-z][^>]{{0,{_SHORT}}}>?",
        f"{_OPENING}(?:{STRAY}|{STRING})",
    ),
    right=("none", "none", "none"),
    checks=(_is_unsafe_loading, _is_unsafe_other, None),
    takes_hosts=True,
    edits=(
        ('An <img src="https://elsewhere.example/?q=secret"> image', "An (html removed) image"),
        ("<IMG SRC=HTTPS://ELSEWHERE.EXAMPLE/A.PNG>", "(html removed)"),
        ("<img/src='//elsewhere.example/a.png'/>", "(html removed)"),
        ('<a href="https://elsewhere.example/">here</a>', "(html removed)here</a>"),
        ('<a\nhref = "https://elsewhere.example/"\n>here</a>', "(html removed)here</a>"),
        ("<a href=java&#x73;cript:alert(1)>x</a>", "(html removed)x</a>"),
        ('<a href="java\tscript:alert(1)">x</a>', "(html removed)x</a>"),
        ('<a href="x" ping="/a https://elsewhere.example/">x</a>', "(html removed)x</a>"),
        ("<script>alert(1)</script>", "(html removed)alert(1)</script>"),
        ('<script src="/own.js"></script>', "(html removed)</script>"),
        ('<iframe srcdoc="&lt;script&gt;"></iframe>', "(html removed)</iframe>"),
        ('<object data="https://elsewhere.example/x.swf">', "(html removed)"),
        ('<embed src="data:text/html,x">', "(html removed)"),
        ('<form action="https://elsewhere.example/login">', "(html removed)"),
        ('<button formaction="//elsewhere.example">OK</button>', "(html removed)OK</button>"),
        ('<link rel=stylesheet href="https://elsewhere.example/x.css">', "(html removed)"),
        ('<meta http-equiv="refresh" content="0; url=https://elsewhere.example/">', "(html removed)"),
        ('<base href="https://elsewhere.example/">', "(html removed)"),
        ("<svg onload=alert(1)>", "(html removed)"),
        ("<style>@import '//elsewhere.example'</style>", "(html removed)@import '//elsewhere.example'</style>"),
        ('<video poster="https://elsewhere.example/a.png">', "(html removed)"),
        ('<img srcset="/a.png 1x, https://elsewhere.example/b.png 2x">', "(html removed)"),
        ('<img src=x onerror="alert(1)">', "(html removed)"),
        ("<img src=x onerror = alert(1) >", "(html removed)"),
        ('<div class="a" onMouseOver="x()">text</div>', "(html removed)text</div>"),
        ("<x/onclick=y>z", "(html removed)z"),
        ('<p style="background: URL(//elsewhere.example/x)">', "(html removed)"),
        ('<p style="background:u\\72l(//elsewhere.example/x)">', "(html removed)"),
        ('<td background="https://elsewhere.example/x.png">', "(html removed)"),
        ('<img alt="a>b" src="https://elsewhere.example/">', '(html removed)b" src="https://elsewhere.example/">'),
        ("<img < src=https://elsewhere.example/>", "(html removed)"),
        ("<b <img src=https://elsewhere.example/>", "(html removed)"),
        ("<i\u200bmg src=//elsewhere.example/>", "(html removed)"),
        ("<\x1b[31mimg src=//elsewhere.example/>", "(html removed)"),
        ("<scr\x00ipt>", "(html removed)"),
        ("<x " + "\u200b" * 600 + " onclick=y>", "(html removed)" + "\u200b" * 101 + " onclick=y>"),
        ("unfinished <script", "unfinished (html removed)"),
        ('<img src="https://elsewhere.example/', "(html removed)"),
        (
            f'<img alt="{"a" * 2000}" src=https://elsewhere.example/>',
            f'(html removed){"a" * 1005}" src=https://elsewhere.example/>',
        ),
        ("请看<img src=//elsewhere.example/>图", "请看(html removed)图"),
    ),
    misses=(
        "<p class='x'>text</p><br/><hr>",
        '<a href="/docs#a">docs</a> <a href="mailto:ann@example.com">mail</a> <a name=x>',
        '<img src="images/a.png" alt="https://elsewhere.example/">',
        '<p style="color: red !important; background-image: none">',
        '<html lang=en xmlns="http://www.w3.org/1999/xhtml"><head><meta charset="utf-8">',
        '<project xmlns="http://maven.apache.org/POM/4.0.0">',
        "for (i = 0; i<n; i++) if (a <b && c> d) {}",
        "std::vector<std::string> names; Map<String, List<Integer>> map;",
        "List<Styles> styles; <scripture> <stylesheet> <svg-icon> <article>",
        "if x <y: and on = 3",
        "<https://elsewhere.example/> is for the rule of links",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "</script> </a> <!-- note --> <!DOCTYPE html> <?php echo 1 ?>",
        "< script >",
        "1 < 2 > 0, a<b",
        "<b onset ongoing>",
    ),
)
