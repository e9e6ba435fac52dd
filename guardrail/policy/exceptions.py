"""Exceptions to an entity that are no phrases: networks for IP addresses, domains for e-mail and web addresses.

`10.0.0.0/8` in the `allow` of a rule for IP addresses excepts every address of that network; `@example.com` or
`example.com` in one for e-mail addresses those of that domain; `example.com` in one for web addresses those of that
host. `*.example.com` stands for every domain below. Promises: what cannot be read as an exception of its kind, and
could never match as a phrase either, is told, not ignored.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

from guardrail.text.rules import Accept

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Sort = Literal["network", "email", "url"]

SORTS: dict[str, Sort] = {
    "ip_address": "network",
    "email_address": "email",
    "url": "url",
}
"""Which sort of exception an entity takes."""

_NETWORK = re.compile(r"[0-9A-Fa-f:.]+/[0-9]{1,3}")
_DOMAIN = re.compile(r"(?:\*\.)?(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,61}[^\W_]")
_HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://)?(?:[^/?#\\]*@)?([^/?#\\@:]*)")


@dataclass(frozen=True, slots=True)
class Exceptions:
    """Says of a match whether it is real: accepted by the entity's own check, and none of the exceptions."""

    check: Accept | None
    networks: tuple[Network, ...] = ()
    domains: tuple[str, ...] = ()
    """In lower case; `*.` in front stands for every domain below."""
    sort: Sort = "network"

    def __call__(self, matched: str) -> bool:
        if self.check is not None and not self.check(matched):
            return False
        if self.networks:
            return not self._in_network(matched)
        host = self._host(matched)
        return not any(host == each or (each[0] == "*" and host.endswith(each[1:])) for each in self.domains)

    def _in_network(self, matched: str) -> bool:
        try:
            address = ipaddress.ip_address(matched)
        except ValueError:
            return False
        return any(address in network for network in self.networks)

    def _host(self, matched: str) -> str:
        if self.sort == "email":
            host = matched.rpartition("@")[2]
        else:
            found = _HOST.match(matched)
            host = found[1] if found else ""
        return host.casefold().rstrip(".")


def network_of(phrase: str) -> Network | str | None:
    """The network that a phrase spells; what is wrong with it; or None where it is none."""
    if not _NETWORK.fullmatch(phrase):
        return None
    try:
        return ipaddress.ip_network(phrase)
    except ValueError as error:
        try:
            return f"found {phrase!r}, expected the network's own address: {ipaddress.ip_network(phrase, strict=False)}"
        except ValueError:
            return f"found {phrase!r}, expected a network such as 10.0.0.0/8 ({error})"


def domain_of(phrase: str, sort: Sort) -> str | None:
    """The domain that a phrase spells for this sort of entity, in lower case."""
    spelled = phrase.removeprefix("@") if sort == "email" else phrase
    return spelled.casefold() if _DOMAIN.fullmatch(spelled) else None
