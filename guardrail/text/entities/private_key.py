"""Private keys in PEM and PGP armour: header and key lines, and the footer where it comes.

Every manual prints the header, alone or with an ellipsis for the key. So a key begins with a whole line of base64 (60
characters; a PEM line has 64, of OpenSSH and PGP 64 or 70) or goes on without line ends. Text that stops before the
footer, as a stream can, still has its key lines covered. A key as a JSON string, with `\\n` for its line ends, or with
spaces for them, is found too.
"""

import re

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_typed

_KIND = "(?:(?:RSA|DSA|EC|OPENSSH|ENCRYPTED|PGP|ANY) )?PRIVATE KEY(?: BLOCK)?"
_BREAK = r"(?:\r?\n|\\n|\\r\\n| )"
_INDENT = r"[ \t]{0,8}"
# What armour may say before the key itself: `Proc-Type: 4,ENCRYPTED`, `Version: GnuPG v2`, and an empty line.
_NOTES = rf"(?:{_BREAK}{_INDENT}[A-Z][A-Za-z-]{{3,11}}: [ -~]{{1,72}}){{0,2}}{_BREAK}?"
_FIRST = rf"{_BREAK}{_INDENT}[A-Za-z0-9+/]{{60}}"
_LINE = rf"{_BREAK}{_INDENT}[A-Za-z0-9+/=]{{16}}[A-Za-z0-9+/=]{{0,54}}"
# With the first 45 lines, which of 70 characters hold an RSA key of 4096 bits. RE2 allows nested counts up to 1000.
_LINES = rf"[A-Za-z0-9+/=]{{0,16}}(?:{_LINE}){{0,16}}(?:{_LINE}){{0,16}}(?:{_LINE}){{0,12}}"
_FOOTER = rf"(?:(?:{_BREAK}{_INDENT}[A-Za-z0-9+/=]{{1,15}})?{_BREAK}?{_INDENT}-----END {_KIND}-----)?"
_HEAD = f"-----BEGIN {_KIND}-----{_NOTES}{_FIRST}"
# A key without line ends: of 2048 bits it has some 1,600 characters.
_BARE = rf"-----BEGIN {_KIND}-----{_BREAK}?[A-Za-z0-9+/]{{77}}"
_REST = r"[A-Za-z0-9+/]{0,1000}[A-Za-z0-9+/]{0,1000}[A-Za-z0-9+/]{0,1000}={0,2}"

_BODY = re.compile("[A-Za-z0-9+/]{60,}")
# Of 60 random characters of base64 some 39 differ; the first line of every OpenSSH key holds runs of A, and still 29.
_DIFFERENT = 16


def _accept(match: str) -> bool:
    body = _BODY.search(match, 11)
    return body is not None and len(set(body[0])) >= _DIFFERENT and not is_typed(body[0])


_BEGIN, _END = "-----BEGIN ", "-----END "
_PRIVATE = "PRIVATE " + "KEY-----"
_BASE64 = "sqDUfy6Zue+a9Ksl4cCGToKjbA/nd4i47NaLX0EB8019cm+YPadjmuVl+WZxt/00"
_OPENSSH = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW"
_LAST = "AbCdEf0="

ENTITY = Entity(
    name="private_key",
    label="[PRIVATE_KEY]",
    category="secret",
    severity="critical",
    opening=(_HEAD, _BARE),
    expressions=(f"{_HEAD}{_LINES}{_FOOTER}", f"{_BARE}{_REST}{_FOOTER}"),
    accept=_accept,
    hits=(
        f"{_BEGIN}{_PRIVATE}\n{_BASE64}\n{_END}{_PRIVATE}",
        f"{_BEGIN}RSA {_PRIVATE}\n{_BASE64}\n{_BASE64}\n{_LAST}\n{_END}RSA {_PRIVATE}\n",
        f"{_BEGIN}OPENSSH {_PRIVATE}\n{_BASE64}\n{_BASE64}",
        f"{_BEGIN}EC {_PRIVATE}\r\n{_BASE64}\r\n{_LAST}\r\n{_END}EC {_PRIVATE}",
        f'"private_key": "{_BEGIN}{_PRIVATE}\\n{_BASE64}\\n{_LAST}\\n{_END}{_PRIVATE}\\n"',
        f"{_BEGIN}PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{_BASE64}\n=aB1c\n{_END}PGP PRIVATE KEY BLOCK-----",
        f"私钥：{_BEGIN}ENCRYPTED {_PRIVATE} {_BASE64} {_END}ENCRYPTED {_PRIVATE}谢谢",
        f"    {_BEGIN}{_PRIVATE}\n    {_BASE64}\n    {_END}{_PRIVATE}",
        f"－－－－－BEGIN {_PRIVATE}\n{_BASE64}",
        f"{_BEGIN}OPENSSH {_PRIVATE}\n{_OPENSSH}\n{_BASE64}\n{_END}OPENSSH {_PRIVATE}",
        f"KEY={_BEGIN}{_PRIVATE}{_BASE64 * 4}{_END}{_PRIVATE}",
    ),
    misses=(
        f"{_BEGIN}{_PRIVATE}",
        f"The file starts with {_BEGIN}RSA {_PRIVATE} and a line.",
        f"{_BEGIN}RSA {_PRIVATE}\nMIIEpAIBAAKCAQEA...\n{_END}RSA {_PRIVATE}",
        f"{_BEGIN}{_PRIVATE}\n...\n{_END}{_PRIVATE}",
        f"{_BEGIN}{_PRIVATE}\\nYOUR_PRIVATE_KEY\\n{_END}{_PRIVATE}\\n",
        f"{_BEGIN}{_PRIVATE}\n{'x' * 64}\n{_END}{_PRIVATE}",
        f"-----BEGIN PUBLIC KEY-----\n{_BASE64}",
        f"-----BEGIN CERTIFICATE-----\n{_BASE64}",
        f"-----BEGIN RSA PUBLIC KEY-----\n{_BASE64}",
        f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n{_BASE64}",
        f"-----BEGIN PGP MESSAGE-----\n{_BASE64}",
        f"{_END}{_PRIVATE}",
        f"BEGIN {_PRIVATE}\n{_BASE64}",
        "Keep your private key safe.",
        f"-----begin private key-----\n{_BASE64}",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFake user@host",
    ),
)
