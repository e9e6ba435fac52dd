from guardrail.text.entities.openai_key import ENTITY
from tests.text.entities.matching import check

HALF = "aB1cD2eF3gH4iJ5kL6mN"
OLD = HALF + "T3Blbk" + "FJ" + HALF

FOUND = (
    "sk-" + OLD,
    "sk-" + OLD,
    "sk-proj-" + OLD,
    f"sk-svcacct-{HALF}_{HALF}-{OLD}",
    "sk-admin-" + OLD,
    "sk-" + OLD,
    "ｓｋ－" + OLD,
    f"sk-proj-{HALF}-{OLD}",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
