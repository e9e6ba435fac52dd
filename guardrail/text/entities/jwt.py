"""JSON web tokens: header and claims in base64url, and the signature where there is one, joined by dots.

The sample of the manuals, of whose subject `1234567890` no service has ever heard, is no secret whatever its signature.
"""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_varied

_SAMPLE = "eyJzdWIiOiIxMjM0"  # {"sub":"1234


def _accept(match: str) -> bool:
    claims = match.split(".")[1] if "." in match else ""
    return not claims.startswith(_SAMPLE) and is_varied(claims) and is_varied(match[3:])


_HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
_CLAIMS = "eyJpc3MiOiJzaG9wIiwidWlkIjo3MzUwMSwiZXhwIjoxNzY3MjI1NjAwfQ"
_SIGNATURE = "3YUu1OrRACkTPU1acfsgFNpCp1k7y5XquTHa6C68VMI"
_TOKEN = f"{_HEADER}.{_CLAIMS}.{_SIGNATURE}"
_MANUAL = "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ"

ENTITY = Entity(
    name="jwt",
    label="[JWT]",
    category="secret",
    severity="high",
    # `eyJ` is base64 of `{"`.
    expressions=(
        r"eyJ[A-Za-z0-9_-]{10,400}\.eyJ(?:[A-Za-z0-9_-]{1000})?[A-Za-z0-9_-]{16,1000}(?:\.[A-Za-z0-9_-]{1,700})?",
    ),
    opening=(r"eyJ[A-Za-z0-9_-]{10,400}\.eyJ[A-Za-z0-9_-]{16}",),
    left="word",
    accept=_accept,
    hits=(
        _TOKEN,
        f"Authorization: Bearer {_TOKEN}",
        f"token={_TOKEN}.",
        f"令牌是{_TOKEN}谢谢",
        f'{{"access_token": "{_TOKEN}"}}',
        f"ｅｙＪ{_TOKEN[3:]}",
        f"({_TOKEN})",
        f"{_HEADER}.{_CLAIMS}.{_SIGNATURE * 8}",
        f"unsigned {_HEADER}.{_CLAIMS}.",
        f"curl -H 'Cookie: session={_TOKEN}; theme=dark'",
    ),
    misses=(
        _HEADER,
        f"{_HEADER}.",
        f"{_HEADER}.eyJ",
        f"{_HEADER} . {_CLAIMS} . {_SIGNATURE}",
        f"{_HEADER}.{_SIGNATURE}.{_CLAIMS}",
        f"x{_TOKEN}",
        "eyJ is how a token starts",
        "header.claims.signature",
        f"{_TOKEN}".lower(),
        "eyJhbGci...eyJzdWIi...SflKxw",
        f"{_HEADER}.{_MANUAL}.{_SIGNATURE}",
        f"{_HEADER}.{_MANUAL}",
        f"{'eyJ' + 'x' * 30}.{'eyJ' + 'x' * 30}.{'x' * 43}",
    ),
)
