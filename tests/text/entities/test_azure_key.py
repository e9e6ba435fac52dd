from guardrail.text.entities.azure_key import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "AccountKey=a57YGCwaw3Cfjfq/drC2Y8olAIjPwj9NcDVSeMZuNxRXX/WAfkqB4osNjJokuoCoem+N4FhRuuJz+BtbcrigR/==",
    "AccountKey=a57YGCwaw3Cfjfq/drC2Y8olAIjPwj9NcDVSeMZuNxRXX/WAfkqB4osNjJokuoCoem+N4FhRuuJz+BtbcrigR/==",
    "AccountKey=a57YGCwaw3Cfjfq/drC2Y8olAIjPwj9NcDVSeMZuNxRXX/WAfkqB4osNjJokuoCoem+N4FhRuuJz+BtbcrigR/==",
    "accountkey=a57YGCwaw3Cfjfq/drC2Y8olAIjPwj9NcDVSeMZuNxRXX/WAfkqB4osNjJokuoCoem+N4FhRuuJz+BtbcrigR/==",
    "SharedAccessKey=q9V2mZ8rT5kYw1xN7bLc3HdF6gJp0sAe4uRiOtQvXyI=",
    "SharedAccessKey=q9V2mZ8rT5kYw1xN7bLc3HdF6gJp0sAe4uRiOtQvXyI=",
    "&sig=q9V2mZ8rT5kYw1xN7bLc3HdF%2BgJp0sAe%2FuRiOtQvXyI%3D",
    "?sig=q9V2mZ8rT5kYw1xN7bLc3HdF%2BgJp0sAe%2FuRiOtQvXyI%3D",
    "ＡｃｃｏｕｎｔＫｅｙ＝a57YGCwaw3Cfjfq/drC2Y8olAIjPwj9NcDVSeMZuNxRXX/WAfkqB4osNjJokuoCoem+N4FhRuuJz+BtbcrigR/==",
    "iRW8Q~pA7LFuQXRThPgmjZmCk0brGOJ2sqojkaz",
    "iRW8Q~pA7LFuQXRThPgmjZmCk0brGOJ2sqojkaz",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
