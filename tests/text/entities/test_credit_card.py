from guardrail.text.entities.credit_card import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111 1111 1111 1111",
    "4012-8888-8888-1881",
    "4111111111111111",
    "６２２２０２１２３４５６７８９０１２８",
    "6222 0212 3456 7890 128",
    "3782 822463 10005",
    "3056-930902-5904",
    "5555.5555.5555.4444",
    "2223003122003222",
    "4222222222222",
    "4111\u00a01111\u00a01111\u00a01111",
    "41\u200b11 1111 1111 1111",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
