"""Addresses of cryptocurrency wallets: Bitcoin, Litecoin, Dogecoin, Tron, Ripple, Ethereum and its kin, and Monero.

All but the last two have a checksum that an address by chance passes once in 10^9. Ethereum's is in the case of its
letters and needs a hash that the standard library lacks, Monero's needs the same one: there the shape decides.
The zero address and others of few different digits belong to nobody.
"""

import hashlib

from stdnum import bitcoin

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_varied

_BASE58 = "[1-9A-HJ-NP-Za-km-z]"
_BECH32 = "[02-9ac-hj-np-z]"

# First character of a Base58Check address, and the version byte that gives it.
_VERSIONS = {"1": 0x00, "3": 0x05, "L": 0x30, "M": 0x32, "D": 0x1E, "T": 0x41, "r": 0x00}
# The alphabet of the XRP ledger, in the order of Bitcoin's.
_RIPPLE = str.maketrans(
    "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz",
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
)
_BECH32_ORDER = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
# What the checksum comes to: BIP 173 for witness version 0, BIP 350 for the later ones.
_CHECKSUMS = {True: 1, False: 0x2BC830A3}


def _is_base58(address: str) -> bool:
    try:
        raw = bitcoin.b58decode(address.translate(_RIPPLE) if address[0] == "r" else address)
    except ValueError:  # a character of no address
        return False
    digest = hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()
    return len(raw) == 25 and raw[0] == _VERSIONS[address[0]] and digest[:4] == raw[-4:]


def _is_bech32(address: str) -> bool:
    prefix, _, data = address.lower().partition("1")
    if not data or any(char not in _BECH32_ORDER for char in data):
        return False
    values = [_BECH32_ORDER.index(char) for char in data]
    expanded = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    return bitcoin.bech32_checksum(expanded + values) == _CHECKSUMS[values[0] == 0]


def _accept(match: str) -> bool:
    if match[:2].lower() == "0x":
        return is_varied(match[2:].lower())
    if match[:3].lower() in ("bc1", "ltc"):
        return _is_bech32(match)
    if match[:1] in _VERSIONS:
        return _is_base58(match)
    return is_varied(match)


_KEY_HASH = "CVcX9NRcvLn9R9DkeGrckrBRSsdkqhHsa"
_ETHEREUM = "7e12ae5154753df66be8132196d8f8331a689280"
_WITNESS = "0cf2u525w57lv6lgzvsedk8cxvdx3y5q28kyvs"
_TAPROOT = "0cf2u525w57lv6lgzvsedk8cxvdx3y5qn3238akkdvjz897fchlqkh6v82"
_MONERO = "48qkRGWQnJUauWHkcFuzouJjugU6ScuyUsGoY1iQpf1VsFKsCZEyoS5KWw7YhYpYxbbSbPaHBBcfU6ksvquvYPhGprtbxaT"

ENTITY = Entity(
    name="crypto",
    label="[CRYPTO]",
    category="personal_data",
    severity="medium",
    # The version byte and the length leave few second characters, so that hardly an English word is held back.
    expressions=(
        rf"1{_BASE58}{{25,33}}",
        rf"3[1-9A-HJ-NP-R]{_BASE58}{{32}}",
        rf"(?:L[K-Za-i]|M[7-9A-HJ-NP-X]|D[5-9A-HJ-NP-U]|T[9A-HJ-NP-Z]){_BASE58}{{32}}",
        rf"r{_BASE58}{{24,34}}",
        rf"(?:bc|ltc)1[qp]{_BECH32}{{38,58}}|BC1[QP][02-9AC-HJ-NP-Z]{{38,58}}",
        "0[xX][0-9A-Fa-f]{40}",
        rf"[48][1-9AB]{_BASE58}{{93}}",
    ),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        f"1{_KEY_HASH}",
        f"Send it to 1{_KEY_HASH}.",
        "3DBdSgrsApfAEaqesjwT3PD7ZyAMKxhMp4 is a script hash",
        f"钱包地址是bc1q{_WITNESS}谢谢",
        f"BC1Q{_WITNESS.upper()}",
        f"bitcoin:bc1p{_TAPROOT}?amount=1",
        f"ｂｃ１ｑ{_WITNESS}",
        "LWiZnMgFhaaqQDqNvnG9tmuwdfEuwXZPe5",
        "MKPmkaGq7wWb367Yycvns2TWtfkoKxdA77",
        "ltc1q0cf2u525w57lv6lgzvsedk8cxvdx3y5qwmvq5q",
        "DGdi4QK4vLF4gRKpVEGRAX1nJabw9Cyizk",
        "USDT（TRC20）：TMTpXCk9meTjJbCrLuva8uYKLEcwxXanQt",
        "XRP to rUVcX94RcvL89R9DkeGickiBRS1dkq6H12, tag 7",
        f"0x{_ETHEREUM}",
        f"wallet=0x{_ETHEREUM.upper()};",
        _MONERO,
    ),
    misses=(
        f"1{_KEY_HASH[:-1]}b",
        f"a1{_KEY_HASH}",
        f"1{_KEY_HASH}x",
        "3DBdSgrsApfAEaqesjwT3PD7ZyAMKxhMp5",
        f"bc1q{_WITNESS[:-1]}q",
        f"bc1p{_WITNESS}",
        "0x" + "0" * 40,
        "0x000000000000000000000000000000000000dEaD",
        f"0x{_ETHEREUM}{_ETHEREUM[:24]}",
        _ETHEREUM,
        "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "0x7fffffff",
        "1234567891234567891234567891234567",
        "reconstructionistsandreconstructors",
        "3" * 34,
        "550e8400-e29b-41d4-a716-446655440000",
        _MONERO[:-1],
    ),
)
