from guardrail.text.entities.cn_bank_card import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "6222021234567890128",
    "6222 0212 3456 7890 128",
    "6222021234567890128",
    "６２２２０２１２３４５６７８９０１２８",
    "622202-1234567890128",
    "9558801234567890128",
    "9558 8012 3456 7890 128",
    "4367421234567890129",
    "6222021234567890128",
    "4367-4212-3456-7890-129",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
