"""How full limits are, as the clients of each protocol read it."""

from __future__ import annotations

import pytest

from guardrail.governance.rate_headers import Unit, rate_headers
from guardrail.state.operations import Level

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z


def test_openai_and_those_that_have_none_of_their_own() -> None:
    levels: list[tuple[Unit, Level]] = [("requests", Level("a", 60, 1, 0.02)), ("tokens", Level("b", 1000, 990, 6.4))]
    expected = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "20ms",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "10",
        "x-ratelimit-reset-tokens": "7s",
    }
    for protocol in ("openai_chat", "gemini", "ollama", ""):
        assert rate_headers(levels, protocol, NOW) == expected


def test_anthropic() -> None:
    assert rate_headers([("requests", Level("a", 60, 61, 59.2))], "anthropic", NOW) == {
        "anthropic-ratelimit-requests-limit": "60",
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "2027-01-15T08:01:00Z",
    }


def test_of_several_limits_the_tightest_is_told() -> None:
    minute, day, user = Level("m", 60, 30, 50), Level("d", 1000, 900, 80000), Level("u", 20, 19, 60)
    for levels in ([minute, day, user], [user, day, minute]):
        told = rate_headers([("requests", level) for level in levels], "openai_chat", NOW)
        assert (told["x-ratelimit-limit-requests"], told["x-ratelimit-reset-requests"]) == ("20", "1m0s")
    same: list[tuple[Unit, Level]] = [("requests", Level("m", 10, 10, 60)), ("requests", Level("d", 10, 10, 86400))]
    assert rate_headers(same, "openai_chat", NOW)["x-ratelimit-reset-requests"] == "24h0m0s"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0ms"), (0.0004, "1ms"), (0.999, "999ms"), (1, "1s"), (59.5, "1m0s"), (360, "6m0s"), (86340, "23h59m0s")],
)
def test_durations(seconds: float, said: str) -> None:
    told = rate_headers([("tokens", Level("t", 1, 1, seconds))], "openai_chat", NOW)
    assert told["x-ratelimit-reset-tokens"] == said


def test_without_limits_nothing_is_told() -> None:
    assert rate_headers([], "openai_chat", NOW) == {}
