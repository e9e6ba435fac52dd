"""Markdown images and links to hosts off the allow-list: they are shown as text and lead nowhere.

An image is fetched as soon as it is shown, and whatever a prompt talked the model into writing in its address is sent
along; a link shows other words than where it leads. Found are inline links and images, definitions of references, and
addresses in angle brackets. An address that merely stands in the text is left alone: it shows where it leads, and
nothing is fetched (the entity `url` finds those).

A hit starts at the `](`, so that the text of a link goes on without waiting. `[text](https://elsewhere.example/?q=1)`
becomes `[text] (link removed)`: the bracket stays closed, and since a blank stands between the brackets, and another
within the second, no reader of Markdown takes it for a link or for the definition of one.

The address is judged by its first `_LONGEST` characters and removed up to there. What is left of a longer one is text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from guardrail.text.output.destinations import is_foreign
from guardrail.text.output.hidden import CONTROL, ESC, INVISIBLE, MAX_STRAYS, STRAY, STRING
from guardrail.text.output.rule import Hosts, OutputRule
from guardrail.text.rules import Label

_LONGEST = 1000
"""Characters of an address that are read, and held while it is written. Addresses of pages are shorter; of one with
the content in it (`data:`) more than this stays behind as text, but it opens nothing."""
_GAP = 64
"""Blanks before an address; more are never written, so they are an attempt to hide one."""

_BLANK = " \t\n\r\x85\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_LEAD = f"[{_BLANK}{INVISIBLE}>]"
"""Before an address; the `>` of a quotation may begin its next line."""
_PART = f"[^{_BLANK}()]"
_TITLE = r"""(?:"[^"\n\r]{0,200}"|'[^'\n\r]{0,200}'|\([^()\n\r]{0,200}\))"""
# Some readers of Markdown take line ends within an address along, and browsers drop them.
_INLINE = (
    rf"<[^<>]{{0,{_LONGEST}}}>?"
    rf"|{_PART}(?:[\t\n\r]?{_PART}){{0,{_LONGEST - 1}}}(?:\({_PART}{{0,100}}\)?{_PART}{{0,100}}){{0,3}}"
)
_DEFINED = rf"<[^<>\n\r]{{0,{_LONGEST}}}>?|[^{_BLANK}]{{1,{_LONGEST}}}"
_BRACKET = rf"\]{STRAY}{{0,{MAX_STRAYS}}}"

_LINK = (
    rf"{_BRACKET}\({_LEAD}{{0,{_GAP}}}(?:{_INLINE})(?:[ \t\n\r]{{1,8}}{_TITLE})?(?:[ \t\n\r]{{0,8}}\))?"
    rf"|{_BRACKET}:{_LEAD}{{0,{_GAP}}}(?:{_DEFINED})(?:[ \t]{{1,8}}{_TITLE})?"
)
_AUTOLINK = rf"<[^{_BLANK}<>]{{1,{_LONGEST}}}>?"
_OVERFULL = rf"{_BRACKET}(?:{STRAY}|{STRING}|[(:]{_LEAD}{{{_GAP + 1}}})"
"""Too much between the signs to be read."""

_ADDRESS = re.compile(rf"{_BRACKET}(?:\({_LEAD}*({_INLINE})|:{_LEAD}*({_DEFINED}))")
_UNSEEN = re.compile(f"[{INVISIBLE}]")
_CONTROL = re.compile(f"[{CONTROL}{ESC}]")
_RUNNING = re.compile("(?:https?|javascript|vbscript):", re.IGNORECASE)
_ELEMENT = re.compile(r"/?[A-Za-z_][\w.-]*:[A-Za-z_][\w-]*/?")

_START = re.compile(rf"{_BRACKET}[(:]|<")
_WHOLE = re.compile(f"{_LINK}|{_AUTOLINK}")
_UNREAD = re.compile(rf"{_OVERFULL}|{_BRACKET}[(:]{_LEAD}*\Z")


def leads_away(text: str, hosts: Hosts, most: int) -> bool:
    """Whether a link to elsewhere begins in the text, or more than `most` addresses do, or one that is not there."""
    if _UNREAD.search(text):
        return True
    for number, start in enumerate(_START.finditer(text)):
        if number == most:
            return True
        link = _WHOLE.match(text, start.start())
        if link is not None and (_opens_away if link[0][0] == "<" else _links_away)(link[0], hosts):
            return True
    return False


def _links_away(matched: str, hosts: Hosts) -> bool:
    found = _ADDRESS.match(matched)
    if found is None:
        return True
    address = found[1] or found[2]
    cut = len(address) >= _LONGEST
    return is_foreign(address[1:].removesuffix(">") if address[0] == "<" else address, hosts, cut=cut)


def _opens_away(matched: str, hosts: Hosts) -> bool:
    """The same of an address in angle brackets, where code has the names of types and of elements (`<data:row>`)."""
    address = matched.strip("<>")
    if _CONTROL.search(address) or (len(address) >= _LONGEST and _UNSEEN.search(address)):
        return True
    if _ELEMENT.fullmatch(address) and not _RUNNING.match(address):
        return False
    return ":" in address and is_foreign(address, hosts)


@dataclass(frozen=True, slots=True)
class _Removed(Label):
    """Keeps the bracket closed that a hit starts with, and repeats nothing else of it."""

    def render(self, matched: str) -> str:
        return f"] {self.text}" if matched.startswith("]") else self.text


RULE = OutputRule(
    name="links",
    severity="medium",
    mask=_Removed("(link removed)"),
    expressions=(_LINK, _AUTOLINK, _OVERFULL),
    right=("none", "none", "none"),
    checks=(_links_away, _opens_away, None),
    takes_hosts=True,
    edits=(
        ("[text](https://elsewhere.example/?q=1) and on", "[text] (link removed) and on"),
        ('![a chart](https://elsewhere.example/x.png "title")', "![a chart] (link removed)"),
        ("![](https://elsewhere.example/?secret=1234)", "![] (link removed)"),
        ("[a](HTTP://ELSEWHERE.EXAMPLE)", "[a] (link removed)"),
        ("[a](//elsewhere.example/x)", "[a] (link removed)"),
        ("[a](<https://elsewhere.example/a b> 'x')", "[a] (link removed)"),
        ("[a](  https://elsewhere.example\n )", "[a] (link removed)"),
        ("> [a](\n> https://elsewhere.example)", "> [a] (link removed)"),
        ("[wiki](https://elsewhere.example/wiki/Foo_(bar)) (see)", "[wiki] (link removed) (see)"),
        ("([a](https://elsewhere.example)).", "([a] (link removed))."),
        ("[![b](https://elsewhere.example/b.svg)](https://elsewhere.example)", "[![b] (link removed)] (link removed)"),
        ("[id]: https://elsewhere.example 'title'\nnext", "[id] (link removed)\nnext"),
        ("[id]:\n  <https://elsewhere.example>", "[id] (link removed)"),
        ("see <https://elsewhere.example/x>.", "see (link removed)."),
        ("[a](javascript:alert(1))", "[a] (link removed)"),
        ("[a](&#x6a;avascript:alert(1))", "[a] (link removed)"),
        ("[a](java&Tab;script&colon;alert(1))", "[a] (link removed)"),
        ("[a](<java\tscript:alert(1)>)", "[a] (link removed)"),
        ("[a](javascript\\:alert(1))", "[a] (link removed)"),
        ("<javascript:alert(1)>", "(link removed)"),
        ("![a](data:image/svg+xml;base64,PHN2Zz4=)", "![a] (link removed)"),
        ("[a](vbscript:x) [b](file:///etc/passwd)", "[a] (link removed) [b] (link removed)"),
        ("[a](\\\\elsewhere.example\\share)", "[a] (link removed)"),
        ("[a](https:elsewhere.example)", "[a] (link removed)"),
        ("[a](https://user@elsewhere.example)", "[a] (link removed)"),
        ("[a](https://elsewhere.example.)", "[a] (link removed)"),
        ("[a](https://%65lsewhere.example)", "[a] (link removed)"),
        ("[a](https://xn--elsewhre-95a.example)", "[a] (link removed)"),
        ("[a](ht\u200btps://elsewhere.example)", "[a] (link removed)"),
        ("[a]\x1b[31m(\x1b[0mhttps://elsewhere.example)", "[a] (link removed)"),
        ("[a]" + "\u200b" * 9 + "(https://elsewhere.example)", "[a] (link removed)(https://elsewhere.example)"),
        (f"[a]({' ' * 70}https://elsewhere.example)", f"[a] (link removed){' ' * 5}https://elsewhere.example)"),
        (f"[a](data:{'x' * 1100})", f"[a] (link removed){'x' * 105})"),
        ("[链接](https://elsewhere.example)，谢谢", "[链接] (link removed)，谢谢"),
        ("![a](https://elsewhere.example/unfinished", "![a] (link removed)"),
    ),
    misses=(
        "[a](/docs/x.md) [b](#section) [c](../x?y=z) [d](page.html 'title') [e]()",
        "[mail](mailto:ann@example.com) [call](tel:+15550100)",
        "[a][id] and [id]: /docs/x.md and [id]: <x y>",
        "https://elsewhere.example stands in the text",
        "(https://elsewhere.example)",
        "vector<std::string> x; map<int, a::b>; <data:row> <xs:element>",
        "items[0](std::move(x)); table[i](\n                    argument)",
        "[Name]: data: 5; case A[0]: // a remark",
        "x[1]: y, [Step 1]: open the file",
        "<ann@example.com> <b> </a> a <b",
        "- [ ] to do (soon) and [x] done: yes",
        "[INFO] done [0m",
    ),
)
