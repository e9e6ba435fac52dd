from guardrail.text.entities.openai_key import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "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",
    "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",
    "sk-proj-EddSiG8l7rx97rnZS4kRT3BlbkFJJWqny5YPKp1d6SQuuYDP",
    "sk-svcacct-JWqny5YPKp1d6SQuuYDP_JWqny5YPKp1d6SQuuYDP-EddSiG8l7rx97rnZS4kRT3BlbkFJJWqny5YPKp1d6SQuuYDP",
    "sk-admin-EddSiG8l7rx97rnZS4kRT3BlbkFJJWqny5YPKp1d6SQuuYDP",
    "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",
    "ｓｋ－EddSiG8l7rx97rnZS4kRT3BlbkFJJWqny5YPKp1d6SQuuYDP",
    "sk-proj-JWqny5YPKp1d6SQuuYDP-EddSiG8l7rx97rnZS4kRT3BlbkFJJWqny5YPKp1d6SQuuYDP",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
