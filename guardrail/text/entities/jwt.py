"""JSON web tokens: header and claims in base64url, and the signature where there is one, joined by dots."""

from guardrail.text.entities.entity import Entity

_HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
_CLAIMS = "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ"
_SIGNATURE = "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
_TOKEN = f"{_HEADER}.{_CLAIMS}.{_SIGNATURE}"

ENTITY = Entity(
    name="jwt",
    label="[JWT]",
    category="secret",
    severity="high",
    # `eyJ` is base64 of `{"`: two such parts need no further check.
    expressions=(
        r"eyJ[A-Za-z0-9_-]{10,400}\.eyJ(?:[A-Za-z0-9_-]{1000})?[A-Za-z0-9_-]{8,1000}(?:\.[A-Za-z0-9_-]{1,700})?",
    ),
    opening=(r"eyJ[A-Za-z0-9_-]{10,400}\.eyJ[A-Za-z0-9_-]{8}",),
    left="word",
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
    ),
)
