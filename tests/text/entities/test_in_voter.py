from guardrail.text.entities.in_voter import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "WKH1186253",
    "abc8676074",
    "ABC5444534",
    "ABC8758047",
    "ABC6745970",
    "ＷＫＨ１１８６２５３",
    "WKH1186253",
    "ABC8676074",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
