"""Discord credentials: bot tokens (the base64 of an account's number, a time and a signature), and webhooks."""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated


def _accept(match: str) -> bool:
    return is_generated(match.rpartition("/" if "/" in match else ".")[2])


_ID, _TIME = "MTE4NzYyNTM0MDk4NzE2MjUz", "GqT8hd"
_SIGNATURE = "hd6r26Qi60IHbEOEpw3JsoI27N7Ye9zKafVMTs"
_HOOK = "AZWj7qfmpD3w2xYYGnDEMKVDAJGWB2mJhd6r26Qi60IHbEOEpw3JsoI27N7Ye9zKafVM"

ENTITY = Entity(
    name="discord_token",
    label="[DISCORD_TOKEN]",
    category="secret",
    severity="critical",
    # A number in base64 begins with one of these: hardly an English word is held back.
    expressions=(
        r"(?:M[Tjz]|N[DTjz]|O[DT])[A-Za-z0-9]{21,26}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}",
        r"https://(?:canary\.|ptb\.)?discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_-]{60,80}",
    ),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        f"{_ID}.{_TIME}.{_SIGNATURE}",
        f"DISCORD_TOKEN={_ID}.{_TIME}.{_SIGNATURE}",
        f"client.login('{_ID}.{_TIME}.{_SIGNATURE[:27]}')",
        f"令牌{_ID}.{_TIME}.{_SIGNATURE}谢谢",
        f"ＭＴ{_ID[2:]}.{_TIME}.{_SIGNATURE}",
        f"Bot {_ID}.{_TIME}.{_SIGNATURE}.",
        f"https://discord.com/api/webhooks/1187625340987162534/{_HOOK}",
        f'url = "https://discordapp.com/api/webhooks/1187625340987162534/{_HOOK}"',
    ),
    misses=(
        f"{_ID}.{_TIME}",
        f"{_ID}.{_TIME}.{_SIGNATURE[:26]}",
        f"{_ID}.{_TIME}.{'x' * 30}",
        f"{_ID.lower()}.{_TIME}.{_SIGNATURE}",
        f"x{_ID}.{_TIME}.{_SIGNATURE}",
        f"{_ID}.{_TIME}.your_discord_bot_token_goes_here",
        "https://discord.com/api/webhooks/1187625340987162534/",
        "https://discord.com/api/webhooks/1234567890/your-webhook-token",
        "MTA is a mail transfer agent. Note it.",
        _SIGNATURE,
    ),
)
