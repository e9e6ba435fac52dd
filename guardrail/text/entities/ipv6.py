"""IPv6 addresses, full, compressed, or with an IPv4 tail; a zone (`%eth0`) and a prefix length stay outside.

Hexadecimal words around colons are common in code (`std::add`, `[1::2]`) and so are times and hardware addresses.
A compressed address therefore needs a first group like one in use, or three groups.
"""

import ipaddress

from guardrail.text.entities.entity import Entity

_GROUP = "[0-9A-Fa-f]{1,4}"
_V4 = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"


def _accept(match: str) -> bool:
    try:
        ipaddress.IPv6Address(match)
    except ValueError:
        return False
    groups = [group for group in match.split(":") if group]
    if "::" not in match:
        return any(len(group) > 2 for group in groups)  # else ratios, or an EUI-64 hardware address
    if match == "::1" or "." in match:
        return True
    if not any(char.isdigit() for char in match):
        return False
    if len(groups) >= 3:
        return any(len(group) > 2 for group in groups)
    return bool(groups) and len(groups[0]) == 4 and groups[0][0] in "23fF"  # unicast, link-local, multicast


ENTITY = Entity(
    name="ipv6",
    label="[IP_ADDRESS]",
    category="personal_data",
    severity="low",
    expressions=(
        rf"{_GROUP}(?::{_GROUP}){{7}}"
        rf"|{_GROUP}(?::{_GROUP}){{5}}:{_V4}"
        rf"|(?:{_GROUP}(?::{_GROUP}){{0,6}})?::(?:{_GROUP}(?::{_GROUP}){{0,6}})?"
        rf"|(?:{_GROUP}(?::{_GROUP}){{0,4}})?::(?:{_GROUP}:){{0,4}}{_V4}",
    ),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
        "at 2001:db8::1.",
        "ping6 ::1",
        "fe80::1ff:fe23:4567:890a%eth0",
        "[2001:db8::8a2e:370:7334]:443",
        "地址是fe80::1请检查",
        "２００１：ｄｂ８：：２",
        "::ffff:192.0.2.128",
        "64:ff9b::192.0.2.33",
        "prefix 2001:db8:abcd::/48",
        "ff02::1",
        "fd00:0:0:1:2:3:4:5",
    ),
    misses=(
        "std::vector<int>",
        "std::add(a, b)",
        "12:30:45",
        "00:1A:2B:3C:4D:5E",
        "00:1A:2B:FF:FE:3C:4D:5E",
        "x[1::2]",
        "a::b",
        "Face::Bad",
        "::",
        "use crate::cafe::bad;",
        "ratio 3:4:5",
        "12345::1",
        "did:example:123",
        "segregate 27:9:9:9:3:3:3:1",
    ),
)
