from guardrail.text.entities.slack_token import ENTITY
from tests.text.entities.matching import check

BODY = "pdFZKVeTuE8sk7oOcHrzqqgy"
HEX = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
HOOK = "https://hooks.slack" + ".com/services/"

FOUND = (
    "xoxb-" + "17653672481-19874698323-" + BODY,
    "xoxb-" + "176536724812-1987469832312-" + BODY,
    "xoxp-" + "123456789012-123456789013-123456789014-" + HEX,
    "xoxb-" + "17653672481-19874698323-" + BODY,
    "ｘｏｘｂ－" + "17653672481-19874698323-" + BODY,
    "xapp-" + "1-A0123456789-1234567890123-" + HEX + HEX,
    f"{HOOK}T01AB2CD3/B04EF5GH6/{BODY}",
    f"{HOOK}T01AB2CD3EF/B04EF5GH6IJ/{BODY}",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
