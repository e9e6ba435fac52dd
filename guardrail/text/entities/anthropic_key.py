"""Anthropic credentials: API and admin keys, and OAuth and session tokens (`sk-ant-` and a kind with a version)."""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated


def _accept(match: str) -> bool:
    return is_generated(match.split("-", 3)[-1])


_BODY = "bG0YjfAtPxoJ77I13rKvrea8xDqRsmfNdIUkx48mRsFGjx2IDe-wz2nybYR9Q-0-Jv8I5GK6ZcwQ6eB6PW8_n621OC-xfzW"

ENTITY = Entity(
    name="anthropic_key",
    label="[ANTHROPIC_KEY]",
    category="secret",
    severity="critical",
    expressions=(r"sk-ant-(?:api|admin|oat|ort|sid)\d{2}-[A-Za-z0-9_-]{32,128}",),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        "sk-ant-api03-" + _BODY,
        "ANTHROPIC_API_KEY=sk-ant-api03-" + _BODY,
        "sk-ant-admin01-" + _BODY + ".",
        '"x-api-key": "sk-ant-api03-' + _BODY + '"',
        "密钥是sk-ant-api03-" + _BODY + "谢谢",
        "ｓｋ－ａｎｔ－" + "api03-" + _BODY,
        "sk-ant-oat01-" + _BODY,
        "sk-ant-api03-" + _BODY[:40],
    ),
    misses=(
        "sk-ant-api03-" + "x" * 95,
        "sk-ant-...",
        "sk-ant-api03-" + "abcdefghijklmnopqrstuvwxyz0123456789",
        "sk-ant-your-key-here",
        "sk-ant-api03-your-own-key-goes-right-here-please",
        "sk-ant-api03-" + _BODY[:20],
        "SK-ANT-API03-" + _BODY,
        "task-ant-api03-" + _BODY,
        "sk-ant-api3-" + _BODY,
        "an ant-api03 colony",
        _BODY,
    ),
)
