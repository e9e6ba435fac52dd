"""IPv4 addresses: four dotted octets that a host can have.

Version and section numbers have the same shape. A fifth number, a letter before, or four one-digit numbers mark
them; the public resolvers (8.8.8.8 and the like) are the only addresses of four one-digit numbers in common use.
"""

from guardrail.text.entities.entity import Entity

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d{2}|[1-9]?\d)"
_RESOLVERS = frozenset({"1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9"})


def _accept(match: str) -> bool:
    octets = match.split(".")
    if len(octets) != 4:  # a longer dotted number
        return False
    if match in _RESOLVERS:
        return True
    first = octets[0]
    if first == "0" or (len(first) == 3 and first >= "240"):  # "this network", reserved, netmasks, broadcast
        return False
    return any(len(octet) > 1 for octet in octets)


ENTITY = Entity(
    name="ipv4",
    label="[IP_ADDRESS]",
    category="personal_data",
    severity="low",
    # The optional fifth number is there to be rejected.
    expressions=(rf"{_OCTET}(?:\.{_OCTET}){{3}}(?:\.\d)?",),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        "192.168.1.1",
        "The server is at 203.0.113.42.",
        "ping 8.8.8.8",
        "http://10.0.0.1:8080/",
        "服务器地址是172.16.254.1请连接",
        "１９２．１６８．０．１０",
        "[127.0.0.1]",
        "10.1.2.0/24",
        "from 198.51.100.7, then",
        "host=100.64.0.1;",
    ),
    misses=(
        "v1.2.3.4",
        "1.2.3.4.5",
        "Section 3.2.1.1 explains",
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
    ),
)
