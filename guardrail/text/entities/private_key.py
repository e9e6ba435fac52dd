"""Private keys in PEM and PGP armour: the header alone is enough, and the lines of the key behind it belong to it.

Text that stops before the footer, as a stream can, still has its key lines covered. A key as a JSON string, with
`\\n` for its line ends, or with spaces for them, is found too.
"""

from guardrail.text.entities.entity import Entity

_KIND = "(?:(?:RSA|DSA|EC|OPENSSH|ENCRYPTED|PGP|ANY) )?PRIVATE KEY(?: BLOCK)?"
_BREAK = r"(?:\r?\n|\\n|\\r\\n| )"
_INDENT = r"[ \t]{0,8}"
# What armour may say before the key itself: `Proc-Type: 4,ENCRYPTED`, `Version: GnuPG v2`, and an empty line.
_NOTES = rf"(?:{_BREAK}[A-Z][A-Za-z-]{{3,11}}: [ -~]{{1,72}}){{0,2}}{_BREAK}?"
_LINE = rf"{_BREAK}{_INDENT}[A-Za-z0-9+/=]{{16}}[A-Za-z0-9+/=]{{0,54}}"
# Together 44 lines, which of 70 characters hold an RSA key of 4096 bits. RE2 allows nested counts up to 1000.
_LINES = rf"(?:{_LINE}){{1,18}}(?:{_LINE}){{0,18}}(?:{_LINE}){{0,8}}"
_FOOTER = rf"(?:(?:{_BREAK}{_INDENT}[A-Za-z0-9+/=]{{1,15}})?{_BREAK}?{_INDENT}-----END {_KIND}-----)?"

_BEGIN, _END = "-----BEGIN ", "-----END "
_PRIVATE = "PRIVATE " + "KEY-----"
_BASE64 = "MC4CAQAwBQYDK2VwBCIEIFakeKeyOfNobody0123456789abcdefABCDEF+/wxyz"
_LAST = "AbCdEf0="

ENTITY = Entity(
    name="private_key",
    label="[PRIVATE_KEY]",
    category="secret",
    severity="critical",
    opening=(f"-----BEGIN {_KIND}-----",),
    expressions=(f"-----BEGIN {_KIND}-----(?:{_NOTES}{_LINES})?{_FOOTER}",),
    hits=(
        f"{_BEGIN}{_PRIVATE}",
        f"{_BEGIN}RSA {_PRIVATE}\n{_BASE64}\n{_BASE64}\n{_LAST}\n{_END}RSA {_PRIVATE}\n",
        f"{_BEGIN}OPENSSH {_PRIVATE}\n{_BASE64}\n{_BASE64}",
        f"{_BEGIN}EC {_PRIVATE}\r\n{_BASE64}\r\n{_LAST}\r\n{_END}EC {_PRIVATE}",
        f'"private_key": "{_BEGIN}{_PRIVATE}\\n{_BASE64}\\n{_LAST}\\n{_END}{_PRIVATE}\\n"',
        f"{_BEGIN}PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{_BASE64}\n=aB1c\n{_END}PGP PRIVATE KEY BLOCK-----",
        f"私钥：{_BEGIN}ENCRYPTED {_PRIVATE} {_BASE64} {_END}ENCRYPTED {_PRIVATE}谢谢",
        f"    {_BEGIN}{_PRIVATE}\n    {_BASE64}\n    {_END}{_PRIVATE}",
        f"－－－－－BEGIN {_PRIVATE}\n{_BASE64}",
        f"The file starts with {_BEGIN}RSA {_PRIVATE} and a line.",
    ),
    misses=(
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN RSA PUBLIC KEY-----",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----",
        "-----BEGIN PGP MESSAGE-----",
        f"{_END}{_PRIVATE}",
        f"BEGIN {_PRIVATE}",
        "Keep your private key safe.",
        "--- BEGIN PRIVATE KEY ---",
        "-----begin private key-----",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFake user@host",
    ),
)
