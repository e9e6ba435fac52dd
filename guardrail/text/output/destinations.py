"""Where an address leads, as a browser reads it: to a host of the allow-list, elsewhere, or nowhere but here.

Promises to err on one side. An address counts as allowed only when it has a plain form that every program reads alike;
whatever programs are known to read differently (a backslash, a user name, a host in percent signs) is foreign. Each
address is judged as it stands and as it is after Markdown and HTML have decoded it, and is foreign if any reading is.
Never resolves, fetches or corrects anything.

The rules of a browser are those of the WHATWG URL Standard: what it strips, which schemes need a host, that a
backslash is a slash. Those of host names are UTS #46.
"""

from __future__ import annotations

import html
import re
import unicodedata

from guardrail.text.output.hidden import CONTROL, ESC, INVISIBLE

_WEB = frozenset({"http", "https", "ftp", "ws", "wss"})
_RUNS = frozenset({"javascript", "vbscript"})
_NEVER = frozenset({"data", "file", "blob", "filesystem", "jar", "view-source", "search-ms"})
"""Schemes that carry content of their own, read the reader's files or start programs; so does all of `ms-*`."""

_SKIPPED = " \xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What some program strips from the start of an address, besides control characters, which are foreign anywhere."""
_HIDDEN = re.compile(f"[{INVISIBLE}]")
_CONTROL = re.compile(f"[{CONTROL}{ESC}]")
_SCHEME = re.compile("([A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY = re.compile(r"//([^/?#\\@:]+)(?::[0-9]{0,5})?(?![^/?#])")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_LABELS = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")


def host_pattern(entry: str) -> str:
    """An entry of an allow-list as hosts are compared: in lower case, in ASCII (`xn--`), `*.` in front kept.

    `example.com` is that host alone, `*.example.com` every host below it. The port does not matter.
    Raises ValueError for anything else.
    """
    wild, name = ("*.", entry[2:]) if entry.startswith("*.") else ("", entry)
    host = _canonical(name)
    if host is None:
        raise ValueError(f"found the host {entry!r}, expected one such as 'example.com' or '*.example.com'")
    return wild + host


def is_foreign(address: str, hosts: frozenset[str], *, cut: bool = False) -> bool:
    """Whether following or loading the address may reach a host that none of `hosts` (of `host_pattern`) names.

    Relative addresses and anchors are not foreign; nor are `mailto:`, `tel:` and other schemes without a host, but
    for those that carry or run something by themselves. `cut`: only the start of the address is known; it is foreign
    then unless that start names an allowed host.
    """
    if _CONTROL.search(address):
        return True
    readings = {address, _HIDDEN.sub("", address)}
    readings |= {html.unescape(reading) for reading in readings if "&" in reading}
    readings |= {_ESCAPED.sub(r"\1", reading) for reading in readings if "\\" in reading}
    return any(_leads_away(reading, hosts, cut) for reading in readings)


def _leads_away(address: str, hosts: frozenset[str], cut: bool) -> bool:
    address = re.sub("[\t\r\n]", "", address).lstrip(_SKIPPED)
    scheme = _SCHEME.match(address)
    if scheme is None:
        return (cut or _has_host(address)) and not _is_allowed(address, hosts)
    name, rest = scheme[1].lower(), address[scheme.end() :]
    if name in _WEB:
        return not _is_allowed(rest, hosts)
    if name in _RUNS:
        return True
    if name in _NEVER or name.startswith("ms-"):
        return rest != ""  # "data:" by itself is the label of a list more often than an address
    return cut or _has_host(rest)


def _has_host(address: str) -> bool:
    return len(address) > 2 and address[0] in "/\\" and address[1] in "/\\"


def _is_allowed(address: str, hosts: frozenset[str]) -> bool:
    """Whether what follows the scheme names one of the hosts beyond doubt."""
    authority = _AUTHORITY.match(address)
    host = None if authority is None else _canonical(authority[1])
    if host is None:
        return False
    if host in hosts:
        return True
    labels = host.split(".")
    return any("*." + ".".join(labels[at:]) in hosts for at in range(1, len(labels)))


def _canonical(host: str) -> str | None:
    """The host in lower case and ASCII without the dot of the root; None for one that is not plain."""
    host = host.removesuffix(".")
    # Character by character: str.lower makes the last sigma of a word another letter, which is another host.
    lower = "".join(map(str.lower, host))
    if not lower.isascii():
        if unicodedata.normalize("NFKC", lower) != lower:
            return None
        try:
            lower.encode()  # half a surrogate pair is no character of a host
            lower = ".".join(_ascii(label) for label in lower.split("."))
        except UnicodeError:
            return None
    return lower if _LABELS.fullmatch(lower) else None


def _ascii(label: str) -> str:
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
