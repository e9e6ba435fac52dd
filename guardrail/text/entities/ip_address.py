"""IP addresses of both versions: four dotted octets that a host can have, and IPv6 full, compressed, or with an IPv4
tail. A zone (`%eth0`), a prefix length and a port stay outside. Loopback and unspecified addresses are nobody's.

Version and section numbers have the shape of IPv4. A fifth number or a letter before marks them; and where all numbers
are small (the first below 20 and not 10, none of three digits) an address counts only behind a word for one. The public
resolvers (8.8.8.8 and the like) are known by themselves.

Hexadecimal words around colons are common in code (`std::add`, `[1::2]`) and so are times and hardware addresses.
A compressed IPv6 address therefore needs a first group like one in use, or three groups.
"""

import ipaddress

from guardrail.text.entities.entity import Entity

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d{2}|[1-9]?\d)"
# The optional fifth number is there to be rejected.
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}(?:\.\d)?"
_RESOLVERS = frozenset({"1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9"})

_GROUP = "[0-9A-Fa-f]{1,4}"
_TAIL = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"


def _accept(match: str) -> bool:
    return _is_v6(match) if ":" in match else _is_v4(match)


def _is_v4(match: str) -> bool:
    if match in _RESOLVERS:
        return True
    octets = match.split(".")
    first = octets[0]
    small = (len(first) == 1 or (first[:1] == "1" and len(first) == 2 and first != "10")) and max(map(len, octets)) < 3
    return _is_host(match) and not small and any(len(octet) > 1 for octet in octets)


def _is_host(match: str) -> bool:
    """Whether it is four numbers that a host of some network can have."""
    octets = match.split(".")
    if len(octets) != 4:  # a longer dotted number
        return False
    first = octets[0]
    # "This network", loopback; reserved, netmasks, broadcast.
    return first not in ("0", "127") and not (len(first) == 3 and first >= "240")


def _is_v6(match: str) -> bool:
    try:
        ipaddress.IPv6Address(match)
    except ValueError:
        return False
    groups = [group for group in match.split(":") if group]
    if "::" not in match:
        return any(len(group) > 2 for group in groups)  # else ratios, or an EUI-64 hardware address
    if match == "::1":
        return False
    if "." in match:
        return True
    if not any(char.isdigit() for char in match):
        return False
    if len(groups) >= 3:
        return any(len(group) > 2 for group in groups)
    return bool(groups) and len(groups[0]) == 4 and groups[0][0] in "23fF"  # unicast, link-local, multicast


ENTITY = Entity(
    name="ip_address",
    label="[IP_ADDRESS]",
    category="personal_data",
    severity="low",
    # One alternation: the tail of an IPv6 address is no address of its own. No text starts both an IPv4 and an IPv6
    # address, so neither hides the other.
    expressions=(
        rf"{_IPV4}"
        rf"|{_GROUP}(?::{_GROUP}){{7}}"
        rf"|{_GROUP}(?::{_GROUP}){{5}}:{_TAIL}"
        rf"|(?:{_GROUP}(?::{_GROUP}){{0,6}})?::(?:{_GROUP}(?::{_GROUP}){{0,6}})?"
        rf"|(?:{_GROUP}(?::{_GROUP}){{0,4}})?::(?:{_GROUP}:){{0,4}}{_TAIL}",
        _IPV4,
    ),
    left="word",
    right="word",
    accept=(_accept, _is_host),
    contextual=(False, True),
    context=(
        "ip",
        "ipv4",
        "ip_address",
        "ipaddress",
        "address",
        "addr",
        "inet",
        "ping",
        "ssh",
        "host",
        "http",
        "https",
        "gateway",
        "dns",
        "nameserver",
        "subnet",
        "ip地址",
        "地址",
        "主机",
        "网关",
        "登录",
    ),
    within=16,
    hits=(
        "192.168.1.1",
        "The server is at 203.0.113.42.",
        "ping 8.8.8.8",
        "http://10.0.0.1:8080/",
        "服务器地址是172.16.254.1请连接",
        "１９２．１６８．０．１０",
        "[172.17.0.1]",
        "10.1.2.0/24",
        "from 198.51.100.7, then",
        "host=100.64.0.1;",
        "ssh root@12.34.56.78",
        "IP address: 1.2.3.4",
        "http://5.9.14.3/",
        "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
        "at 2001:db8::1.",
        "ping6 fe80::1",
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
        "v1.2.3.4",
        "1.2.3.4.5",
        "Section 3.2.1.1 explains",
        "version 5.15.0.91 of the kernel",
        "release 12.4.33.1",
        "section 2.3.4.15",
        "1.2.840.113549.1.9.16.3.6",
        "127.0.0.1:8080",
        "http://127.0.0.53",
        "listen on ::1",
        "256.100.1.1",
        "Chrome/114.0.5735.90",
        "listen on 0.0.0.0:80",
        "netmask 255.255.255.0",
        "192.168.1",
        "192.168.001.001",
        "1.10.2.30abc",
        "2023.10.15",
        "$1,234.56",
        "dns_10.0.0.1",
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
