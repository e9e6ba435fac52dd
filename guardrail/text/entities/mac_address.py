"""Hardware addresses of network interfaces: six pairs of hexadecimal digits by colon or dash, or three groups of four.

Times, ratios and drawn lots are pairs of digits too, so an address has a letter, or the two zeros that most makers'
numbers begin with. Broadcast and other addresses of one repeated pair belong to nobody.
"""

from guardrail.text.entities.entity import Entity

_PAIR = "[0-9A-Fa-f]{2}"


def _accept(match: str) -> bool:
    if "." in match:
        return any(map(str.isalpha, match)) and any(map(str.isdigit, match)) and len(match) == 14
    pairs = match.replace("-", ":").split(":")
    if len(pairs) != 6 or len(set(pairs)) == 1:
        return False
    return any(map(str.isalpha, match)) or (pairs[0] == "00" and ":" in match)


ENTITY = Entity(
    name="mac_address",
    label="[MAC_ADDRESS]",
    category="personal_data",
    severity="low",
    # The further pair or group is there to be rejected: a longer identifier, or the fingerprint of a key.
    expressions=(
        rf"{_PAIR}(?::{_PAIR}){{5}}(?::[0-9A-Fa-f])?",
        rf"{_PAIR}(?:-{_PAIR}){{5}}(?:-[0-9A-Fa-f])?",
        r"[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f])?",
    ),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        "00:1A:2B:3C:4D:5E",
        "ether 3c:22:fb:9a:10:7e txqueuelen 1000",
        "MAC: 3C-22-FB-9A-10-7E.",
        "MAC:3C-22-FB-9A-10-7E",
        "网卡地址是3c:22:fb:9a:10:7e谢谢",
        "３Ｃ：２２：ＦＢ：９Ａ：１０：７Ｅ",
        "Cisco writes 3c22.fb9a.107e",
        "00:11:22:33:44:55",
        "(02:42:ac:11:00:02)",
        "<hwaddr>52:54:00:6b:3c:58</hwaddr>",
    ),
    misses=(
        "ff:ff:ff:ff:ff:ff",
        "00:00:00:00:00:00",
        "12:30:45",
        "2023-10-15 12:30:45",
        "05-12-23-34-41-09",
        "10:20:30:40:50:60",
        "3c:22:fb:9a:10",
        "3c:22:fb:9a:10:7",
        "a3c:22:fb:9a:10:7e",
        "3c:22-fb:9a-10:7e",
        "1234.5678.9012",
        "face.cafe.beef",
        "550e8400-e29b-41d4-a716-446655440000",
        "fe80:0000:0000:0000:1ff:fe23:4567:890a",
    ),
)
