from guardrail.text.entities.cn_mobile import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "13812345678",
    "138 123 45678",
    "1381-234-5678",
    "138.1234.5678",
    "１３８１２３４５６７８",
    "+86 138 1234 5678",
    "0086 1381234 5678",
    "1 3 8 1 2 3 4 5 6 7 8",
    "8613812345678",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
