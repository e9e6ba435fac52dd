from guardrail.text.entities.uk_passport import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "533380006",
    "925665416",
    "107185703",
    "533380006",
    "５３３３８０００６",
    "925665416",
    "107185703",
    "5333\u200b80006",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
