"""Twilio credentials: API keys (`SK` and 32 hexadecimal digits), and auth tokens behind a word for them."""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated


def _accept(match: str) -> bool:
    return is_generated(match.removeprefix("SK"))


_BODY = "700774255d0cd1ebe456f956401d4e34"

ENTITY = Entity(
    name="twilio_key",
    label="[TWILIO_KEY]",
    category="secret",
    severity="critical",
    expressions=("SK[0-9a-f]{32}", "[0-9a-f]{32}"),
    left="word",
    right="word",
    accept=_accept,
    contextual=(False, True),
    context=("twilio_auth_token", "twilio auth token", "twilioauthtoken", "auth_token", "authtoken", "auth token"),
    within=16,
    hits=(
        "SK" + _BODY,
        f"TWILIO_API_KEY=SK{_BODY}",
        f"TWILIO_AUTH_TOKEN={_BODY}",
        f'auth_token = "{_BODY}"',
        f"const authToken = '{_BODY}';",
        f"Twilio auth token: `{_BODY}`.",
        f"密钥SK{_BODY}谢谢",
        f"ＳＫ{_BODY}",
    ),
    misses=(
        "SK" + _BODY[:-1],
        "SK" + _BODY + "0",
        "SK" + "x" * 32,
        "SK" + "0123456789abcdef" * 2,
        "AC" + _BODY,
        _BODY,
        f"md5 {_BODY}",
        "auth_token = 'your_auth_token'",
        "auth_token = " + "0" * 32,
        f"TASK{_BODY}",
        "SK Telecom",
    ),
)
