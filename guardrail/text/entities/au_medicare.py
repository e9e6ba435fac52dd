"""Australian Medicare card numbers behind a word that says so: ten digits, plain or 4-5-1, of which the ninth checks
the first eight and the tenth counts the cards issued.
"""

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

_WEIGHTS = (1, 3, 7, 9, 1, 3, 7, 9)


def _is_valid(number: str) -> bool:
    if not number.isdigit() or len(number) != 10:
        return False
    return sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:8], strict=True)) % 10 == int(number[8])


ENTITY = Entity(
    name="au_medicare",
    label="[AU_MEDICARE]",
    category="personal_data",
    severity="high",
    expressions=(r"[2-6]\d{3}[ -]?\d{5}[ -]?[1-9]",),
    left="word",
    right="word",
    accept=checked(_is_valid),
    contextual=True,
    context=("medicare", "health card", "医保卡", "医疗卡"),
    hits=(
        "Medicare number 2123 45670 1",
        "My Medicare card: 3616319291.",
        "medicare=3900-48929-1;",
        "医保卡号是4901632901谢谢",
        "Ｍｅｄｉｃａｒｅ ２１２３ ４５６７０ １",
        "Medicare (6058991511)",
        "Medicare no. 2123\u00a045670\u00a01",
        "MEDICARE CARD 2123456701",
    ),
    misses=(
        "2123 45670 1",
        "2123456701",
        "Medicare 2123 45671 1",
        "Medicare 1123 45670 1",
        "Medicare 2123 45670 0",
        "Medicare 21234567011",
        "Medicare 92123456701",
        "Medicare A2123456701",
        "order 2123456701",
        "2123456701 is a Medicare card",
        "Medicare since 1984",
        "call Medicare on 1800 633 422",
        "timestamp 1700000000",
    ),
)
