"""Google Cloud credentials: API keys (AIza) and OAuth client secrets (GOCSPX)."""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated

# Printed in the manual of Google's maps.
_SAMPLE = "AIza" + "SyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe"


def _accept(match: str) -> bool:
    return match != _SAMPLE and is_generated(match[7:] if match.startswith("GOCSPX-") else match[4:])


_KEY = "AIza" + "GmK0njYu8QSLNUJ-2bkRSeRWMtv4lm3dNvl"
_CLIENT = "GOCSPX-" + "WYERmxeOXuUz-8JzkGASKIjUZPXU"

ENTITY = Entity(
    name="gcp_api_key",
    label="[GCP_KEY]",
    category="secret",
    severity="critical",
    expressions=("AIza[A-Za-z0-9_-]{35}", "GOCSPX-[A-Za-z0-9_-]{28}"),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        _KEY,
        f'"key": "{_KEY}"',
        f"https://maps.googleapis.com/maps/api/js?key={_KEY}&callback=init",
        f"密钥{_KEY}已失效",
        f"key={_KEY}.",
        f"ＡＩｚａ{_KEY[4:]}",
        _CLIENT,
        f"client_secret: {_CLIENT}",
    ),
    misses=(
        _KEY[:-1],
        _KEY + "a",
        "x" + _KEY,
        "AIza" + "x" * 35,
        "AIza" + "your-api-key-goes-here-in-this-place",
        _KEY.lower(),
        _SAMPLE,
        "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
        "GOCSPX-your-client-secret",
        "GOCSPX-" + "x" * 28,
        '"private_key_id": "0123456789abcdef0123456789abcdef01234567"',
        "YOUR_GOOGLE_API_KEY",
    ),
)
