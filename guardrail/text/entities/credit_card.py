"""Payment card numbers: a brand's range and length, and the Luhn check digit.

Groupings as printed on cards (4-4-4-4, 4-4-4-4-3, 4-6-5, 4-6-4) and plain digits. One expression each: the number
in "4111 1111 1111 1111 123" must not be hidden by the longer reading. The 13-digit numbers of old Visa cards are no
longer issued, and left alone.
"""

from stdnum import luhn

from guardrail.text.entities.cn_resident_id import is_resident_id
from guardrail.text.entities.entity import Entity

# First six digits, inclusive, and the lengths in use: the public number ranges of the card brands.
_BRANDS: tuple[tuple[int, int, frozenset[int]], ...] = tuple(
    (low, high, frozenset(lengths))
    for low, high, lengths in (
        (220000, 220499, (16, 17, 18, 19)),  # Mir
        (222100, 272099, (16,)),  # Mastercard
        (300000, 305999, (14,)),  # Diners Club
        (309500, 309599, (14,)),
        (340000, 349999, (15,)),  # American Express
        (352800, 358999, (16, 19)),  # JCB
        (360000, 369999, (14,)),  # Diners Club
        (370000, 379999, (15,)),  # American Express
        (380000, 399999, (14,)),  # Diners Club
        (400000, 499999, (16, 19)),  # Visa
        (501800, 503899, (14, 15, 16, 17, 18, 19)),  # Maestro, Dankort
        (506000, 506799, (16, 19)),  # Elo, Verve
        (508500, 509999, (16,)),  # RuPay, Elo
        (510000, 559999, (16,)),  # Mastercard
        (589300, 589399, (14, 15, 16, 17, 18, 19)),  # Maestro
        (601100, 601199, (16, 19)),  # Discover
        (606200, 608599, (16,)),  # RuPay, Hipercard
        (620000, 629999, (16, 17, 18, 19)),  # UnionPay
        (630400, 630499, (14, 15, 16, 17, 18, 19)),  # Maestro
        (636200, 636399, (16,)),  # Elo
        (644000, 659999, (16, 19)),  # Discover, RuPay, Elo, Verve
        (675900, 676399, (14, 15, 16, 17, 18, 19)),  # Maestro
        (810000, 817199, (16, 17, 18, 19)),  # UnionPay
        (979200, 979299, (16,)),  # Troy
    )
)


def _accept(match: str) -> bool:
    if "." in match and match[4:5].isdigit():  # plain digits, and the fraction of a decimal
        return False
    digits = match.translate(_SEPARATORS)
    if not (digits.isascii() and digits.isdigit()) or len(set(digits)) == 1:
        return False
    head, length = int(digits[:6]), len(digits)
    if not any(low <= head <= high and length in lengths for low, high, lengths in _BRANDS):
        return False
    if length == 18 and is_resident_id(digits):  # a resident number of a province whose code is a card range
        return False
    return luhn.is_valid(digits)


_SEPARATORS = str.maketrans("", "", " .-")
_GAP = "[ .-]"
_HEAD = r"(?:2[2-7]\d{2}|3[0-689]\d{2}|37\d{2}|4\d{3}|5[0-58]\d{2}|6[02-7]\d{2}|81\d{2}|9792)"

ENTITY = Entity(
    name="credit_card",
    label="[CREDIT_CARD]",
    category="personal_data",
    severity="high",
    expressions=(
        rf"{_HEAD}\d{{10,15}}(?:\.[1-9])?",
        rf"{_HEAD}(?:{_GAP}\d{{4}}){{3}}",
        rf"{_HEAD}(?:{_GAP}\d{{4}}){{3}}{_GAP}\d{{1,3}}",
        rf"3\d{{3}}{_GAP}\d{{6}}{_GAP}\d{{4,5}}",
    ),
    left=("number", "digit", "digit", "digit"),
    right="digit",
    accept=_accept,
    hits=(
        "4111111111111111",
        "My card is 4111 1111 1111 1111.",
        "4111 1111 1111 1111 123",
        "Visa: 4012-8888-8888-1881, exp 12/27",
        "我的卡号是4111111111111111谢谢",
        "卡号：６２２２０２１２３４５６７８９０１２８",
        "6222 0212 3456 7890 128",
        "Amex 3782 822463 10005",
        "Diners 3056-930902-5904",
        "MC 5555.5555.5555.4444",
        "2223003122003222 is a Mastercard",
        "No.4111 1111 1111 1111",
        "4111111111111111.0",
        "paid with 4111111111111111.",
        "UnionPay 622467200909137591",
        "4111\u00a01111\u00a01111\u00a01111",
        "41\u200b11 1111 1111 1111",
    ),
    misses=(
        "4111 1111 1111 1112",
        "0000 0000 0000 0000",
        "4444 4444 4444 4444",
        "94111111111111111",
        "411111111111111100",
        "order 1234567812345670",
        "ISBN 9783161484100",
        "timestamp 1700000000000000",
        "id 7992739871300000",
        "2023 2024 2025 2026",
        "part 4111-1111-1111",
        "550e8400-e29b-41d4-a716-446655440000",
        "resident 622223199912129919",
        "4111 11111 1111 1111",
        "old Visa 4222222222222",
        "fib(60) is 4052739537881 mod 2**43",
        "0.4221165755827173",
        "loss: -3.4111111111111111",
        "x = 4111111111111111.5",
    ),
)
