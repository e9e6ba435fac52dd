from guardrail.text.entities.slack_token import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "xoxb-17653672481-19874698323-HnD5apKNeAUVc35nFxeJNSg6",
    "xoxb-176536724812-1987469832312-HnD5apKNeAUVc35nFxeJNSg6",
    "xoxp-123456789012-123456789013-123456789014-c388c1271f1ef5d67fc18e49bea55201",
    "xoxb-17653672481-19874698323-HnD5apKNeAUVc35nFxeJNSg6",
    "ｘｏｘｂ－17653672481-19874698323-HnD5apKNeAUVc35nFxeJNSg6",
    "xapp-1-A0123456789-1234567890123-c388c1271f1ef5d67fc18e49bea55201c388c1271f1ef5d67fc18e49bea55201",
    "https://hooks.slack.com/services/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",
    "https://hooks.slack.com/services/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",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
