from guardrail.text.entities.ca_sin import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "130 692 544",
    "616370334",
    "260-779-996",
    "700891831",
    "１３０ ６９２ ５４４",
    "178371852",
    "130692544",
    "130\u00a0692\u00a0544",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
