from guardrail.text.entities.gcp_api_key import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "AIzaGmK0njYu8QSLNUJ-2bkRSeRWMtv4lm3dNvl",
    "AIzaGmK0njYu8QSLNUJ-2bkRSeRWMtv4lm3dNvl",
    "AIzaGmK0njYu8QSLNUJ-2bkRSeRWMtv4lm3dNvl",
    "AIzaGmK0njYu8QSLNUJ-2bkRSeRWMtv4lm3dNvl",
    "AIzaGmK0njYu8QSLNUJ-2bkRSeRWMtv4lm3dNvl",
    "ＡＩｚａGmK0njYu8QSLNUJ-2bkRSeRWMtv4lm3dNvl",
    "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",
    "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",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
