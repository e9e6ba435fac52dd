from guardrail.text.entities.au_abn import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "51 824 753 556",
    "83 854 442 312",
    "81793093270",
    "13855348420",
    "５１ ８２４ ７５３ ５５６",
    "62 446 958 627",
    "51824753556",
    "51824753556",
    "51\u00a0824\u00a0753\u00a0556",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
