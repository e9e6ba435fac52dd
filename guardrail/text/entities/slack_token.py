"""Slack credentials: bot, user, app and configuration tokens (`xoxb-` ...), and incoming webhook addresses."""

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_generated

# Printed in Slack's manual.
_SAMPLE = "pdFZKVeTuE8sk7oOcHrzqqgy"


def _accept(match: str) -> bool:
    return not match.endswith(_SAMPLE) and is_generated(match.rpartition("/")[2].rpartition("-")[2])


_BODY = "HnD5apKNeAUVc35nFxeJNSg6"
_HOOK = "https://hooks.slack" + ".com/services/"

ENTITY = Entity(
    name="slack_token",
    label="[SLACK_TOKEN]",
    category="secret",
    severity="critical",
    expressions=(
        r"xox[abceoprs]-(?:\d{1,2}-)?(?:\d{8,14}-){1,3}[A-Za-z0-9]{16,64}",
        r"xoxe(?:\.xox[bp])?-\d-[A-Za-z0-9]{100,250}",
        r"xapp-\d-[A-Z0-9]{9,13}-\d{10,14}-[A-Za-z0-9]{32,64}",
        r"https://hooks\.slack\.com/services/T[A-Z0-9]{7,12}/B[A-Z0-9]{7,12}/[A-Za-z0-9]{20,32}",
        r"https://hooks\.slack\.com/(?:workflows|triggers)/[TE][A-Z0-9]{7,12}/(?:A[A-Z0-9]{7,12}/)?\d{10,20}/[A-Za-z0-9]{20,40}",
    ),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        "xoxb-" + "17653672481-19874698323-" + _BODY,
        "SLACK_BOT_TOKEN=xoxb-" + "176536724812-1987469832312-" + _BODY,
        "xoxp-" + "123456789012-123456789013-123456789014-" + "c388c1271f1ef5d67fc18e49bea55201",
        "令牌xoxb-" + "17653672481-19874698323-" + _BODY + "谢谢",
        "ｘｏｘｂ－" + "17653672481-19874698323-" + _BODY,
        "xapp-" + "1-A0123456789-1234567890123-" + "c388c1271f1ef5d67fc18e49bea55201" * 2,
        f"curl -X POST {_HOOK}T01AB2CD3/B04EF5GH6/{_BODY}.",
        f'"url": "{_HOOK}T01AB2CD3EF/B04EF5GH6IJ/{_BODY}"',
    ),
    misses=(
        "xoxb-your-token-here",
        "xoxb-" + "1" * 11 + "-" + "2" * 11 + "-" + "x" * 24,
        "xoxb-123-abc",
        "xoxb-" + "17653672481-19874698323-" + _SAMPLE,
        "xoxb-" + "123456789012-123456789012-" + "abcdefghijklmnopqrstuvwx",
        "XOXB-" + "17653672481-19874698323-" + _BODY,
        "xoxz-" + "17653672481-19874698323-" + _BODY,
        "axoxb-" + "17653672481-19874698323-" + _BODY,
        f"{_HOOK}T00000000/B00000000/{'X' * 24}",
        "https://slack.com/services/T01AB2CD3",
        "hugs and xoxo-1234567890",
        "xapp-1-level-token",
    ),
)
