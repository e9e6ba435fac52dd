from guardrail.text.entities.au_acn import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "004 085 616",
    "381032220",
    "810466865",
    "268779808",
    "００４ ０８５ ６１６",
    "098866294",
    "004085616",
    "004\u00a0085\u00a0616",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
