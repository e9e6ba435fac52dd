from guardrail.text.entities.pl_pesel import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "44051401359",
    "91050393141",
    "70011641374",
    "52050370471",
    "４４０５１４０１３５９",
    "07230581718",
    "01212623904",
    "44051401359",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
