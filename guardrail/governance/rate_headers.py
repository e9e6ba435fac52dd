"""How full limits are, in the headers of each protocol. Pure.

OpenAI (platform.openai.com, "Rate limits"): `x-ratelimit-limit-requests`, `-remaining-`, `-reset-` (a duration such as
`6m0s`), and the same of `tokens`. Anthropic (docs, "Rate limits"): `anthropic-ratelimit-requests-limit`, `-remaining`,
`-reset` (RFC 3339), and the same of `tokens`. Google and Ollama have none; their clients get OpenAI's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from math import ceil
from typing import Literal

from guardrail.state.operations import Level

Unit = Literal["requests", "tokens"]


def rate_headers(levels: Iterable[tuple[Unit, Level]], protocol: str, now: float) -> dict[str, str]:
    """The headers of an answer. `levels`: every limit on requests and tokens; of each the tightest is told, the one
    that has the smallest part of it left. `protocol`: its name, "" for what is asked of guardrail itself."""
    tightest: dict[Unit, Level] = {}
    for unit, level in levels:
        known = tightest.get(unit)
        if known is None or (_left(level), -level.reset) < (_left(known), -known.reset):
            tightest[unit] = level
    out: dict[str, str] = {}
    for unit, level in tightest.items():
        limit, remaining = str(level.limit), str(max(level.limit - level.used, 0))
        if protocol == "anthropic":
            start = f"anthropic-ratelimit-{unit}-"
            out |= {start + "limit": limit, start + "remaining": remaining, start + "reset": _moment(now + level.reset)}
        else:
            told = {"limit": limit, "remaining": remaining, "reset": _duration(level.reset)}
            out |= {f"x-ratelimit-{name}-{unit}": value for name, value in told.items()}
    return out


def _left(level: Level) -> float:
    return (level.limit - level.used) / level.limit


def _duration(seconds: float) -> str:
    """As Go writes it: `20ms`, `1s`, `6m0s`, `23h59m0s`."""
    if seconds < 1:
        return f"{max(ceil(seconds * 1000), 0)}ms"
    whole = ceil(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(ceil(at), UTC).isoformat().replace("+00:00", "Z")
