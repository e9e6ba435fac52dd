"""Tokens of Telegram bots: the bot's number, a colon, and 35 characters that begin with `AA`."""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated


def _accept(match: str) -> bool:
    return is_generated(match.partition(":")[2])


_NUMBER, _BODY = "7162534098", "AAPVWH09cdFGVQzKB6gJhBg81rQWKvhwUNy"

ENTITY = Entity(
    name="telegram_bot_token",
    label="[TELEGRAM_BOT_TOKEN]",
    category="secret",
    severity="critical",
    expressions=(r"[1-9]\d{7,9}:AA[A-Za-z0-9_-]{33}",),
    left="digit",
    right="word",
    accept=_accept,
    hits=(
        f"{_NUMBER}:{_BODY}",
        f"BOT_TOKEN={_NUMBER}:{_BODY}",
        f"https://api.telegram.org/bot{_NUMBER}:{_BODY}/getMe",
        f"令牌是{_NUMBER}:{_BODY}谢谢",
        f"７１６２５３４０９８：{_BODY}",
        f"bot = Bot('{_NUMBER}:{_BODY}')",
        f"{_NUMBER[:8]}:{_BODY}.",
        f"token: {_NUMBER[:9]}:{_BODY}",
    ),
    misses=(
        f"{_NUMBER}:{_BODY[:-1]}",
        f"{_NUMBER}:{_BODY}x",
        f"1{_NUMBER}:{_BODY}",
        f"{_NUMBER}:{_BODY[2:]}AA",
        "123456789:AAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "123456789:AAyour-telegram-bot-token-goes-here",
        f"{_NUMBER[:7]}:{_BODY}",
        "1700000000:00",
        _BODY,
    ),
)
