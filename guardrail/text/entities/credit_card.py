"""Payment card numbers: a brand's range and length, and the Luhn check digit.

Groupings as printed on cards (4-4-4-4, 4-4-4-4-3, 4-6-5, 4-6-4) and plain digits. One expression each: the number
in "4111 1111 1111 1111 123" must not be hidden by the longer reading. One random number in ten passes Luhn, so plain
digits of a length that a brand has given up or hardly ever uses (13 of Visa, 14 of Diners Club, most of Maestro, 19 of
Visa and Discover) count only behind a word for a card.
"""

from stdnum import luhn

from guardrail.text.entities.cn_resident_id import is_resident_id
from guardrail.text.entities.entity import Entity

_EVERY = (12, 13, 14, 15, 16, 17, 18, 19)

# First six digits, inclusive; the lengths in common use, and the rare ones: the public number ranges of the brands.
_BRANDS: tuple[tuple[int, int, tuple[int, ...], tuple[int, ...]], ...] = (
    (220000, 220499, (16,), (17, 18, 19)),  # Mir
    (220500, 220599, (16,), ()),  # Bcard
    (222100, 272099, (16,), ()),  # Mastercard
    (300000, 305999, (), (14, 16, 19)),  # Diners Club
    (309500, 309599, (), (14, 16, 19)),
    (340000, 349999, (15,), ()),  # American Express
    (352800, 358999, (16,), (17, 18, 19)),  # JCB
    (360000, 369999, (), (14, 16, 19)),  # Diners Club
    (370000, 379999, (15,), ()),  # American Express
    (380000, 399999, (), (14, 16, 19)),  # Diners Club
    (400000, 499999, (16,), (13, 19)),  # Visa
    (501800, 503899, (16,), _EVERY),  # Maestro, Dankort
    (506000, 506799, (16,), (18, 19)),  # Elo, Verve
    (507800, 507999, (16,), (18, 19)),  # Verve
    (508500, 509999, (16,), ()),  # RuPay, Elo
    (510000, 559999, (16,), ()),  # Mastercard
    (561468, 561468, (16,), ()),  # UzCard
    (589300, 589399, (16,), _EVERY),  # Maestro
    (601100, 601199, (16,), (17, 18, 19)),  # Discover
    (606200, 608599, (16,), ()),  # RuPay, Hipercard
    (620000, 629999, (16, 17, 18, 19), ()),  # UnionPay
    (630400, 630499, (16,), _EVERY),  # Maestro
    (636200, 639999, (16,), _EVERY),  # Elo, InstaPayment, Maestro
    (644000, 659999, (16,), (17, 18, 19)),  # Discover, RuPay, Elo, Verve
    (670000, 679999, (16,), _EVERY),  # Maestro
    (810000, 829999, (16,), (17, 18, 19)),  # UnionPay, RuPay
    (860000, 860099, (16,), ()),  # UzCard
    (970400, 970499, (16,), (19,)),  # Napas
    (979200, 979299, (16,), ()),  # Troy
    (986000, 986099, (16,), ()),  # Humo
)


def _is_card(digits: str, rare: bool) -> bool:
    if not (digits.isascii() and digits.isdigit()) or len(set(digits)) == 1:
        return False
    head, length = int(digits[:6]), len(digits)
    if not any(
        low <= head <= high and (length in common or (rare and length in seldom))
        for low, high, common, seldom in _BRANDS
    ):
        return False
    if length == 18 and is_resident_id(digits):  # a resident number of a province whose code is a card range
        return False
    return luhn.is_valid(digits)


def _accept_plain(match: str) -> bool:
    return _is_card(match, rare=False)


def _accept(match: str) -> bool:
    return "." not in match[-2:] and _is_card(match.translate(_SEPARATORS), rare=True)


_SEPARATORS = str.maketrans("", "", " .-")
_GAP = "[ .-]"
_HEAD = r"(?:2[2-7]\d{2}|3[0-689]\d{2}|37\d{2}|4\d{3}|5[0-68]\d{2}|6[02-7]\d{2}|8[126]\d{2}|97[09]\d|9860)"

ENTITY = Entity(
    name="credit_card",
    label="[CREDIT_CARD]",
    category="personal_data",
    severity="high",
    expressions=(
        rf"{_HEAD}\d{{11,15}}(?:\.[1-9])?",
        rf"{_HEAD}(?:{_GAP}\d{{4}}){{3}}",
        rf"{_HEAD}(?:{_GAP}\d{{4}}){{3}}{_GAP}\d{{1,3}}",
        rf"3\d{{3}}{_GAP}\d{{6}}{_GAP}\d{{4,5}}",
        rf"{_HEAD}\d{{8,15}}(?:\.[1-9])?",
    ),
    left=("number", "digit", "digit", "digit", "number"),
    right="digit",
    accept=(_accept_plain, _accept, _accept, _accept, _accept),
    contextual=(False, False, False, False, True),
    context=(
        "card",
        "card number",
        "card no",
        "credit card",
        "debit card",
        "visa",
        "mastercard",
        "amex",
        "american express",
        "diners",
        "maestro",
        "discover",
        "jcb",
        "rupay",
        "unionpay",
        "卡号",
        "信用卡",
        "银行卡",
        "卡號",
        "カード",
        "카드",
        "tarjeta",
        "carte",
        "karte",
        "kreditkarte",
        "kartennummer",
        "carta",
        "cartão",
        "карта",
        "карты",
    ),
    hits=(
        "4111111111111111",
        "My card is 4111 1111 1111 1111.",
        "4111 1111 1111 1111 123",
        "Visa: 4012-8888-8888-1881, exp 12/27",
        "我的卡号是4111111111111111谢谢",
        "卡号：６２２２０２１２３４５６７８９０１２８",
        "6222 0212 3456 7890 128",
        "Amex 3782 822463 10005",
        "378282246310005",
        "my old Visa 4222222222222",
        "Diners Club: 30569309025904",
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
        "4222222222222",
        "id 30569309025904",
        "order 4111111111111111123",
        "fib(60) is 4052739537881 mod 2**43",
        "0.4221165755827173",
        "loss: -3.4111111111111111",
        "x = 4111111111111111.5",
    ),
)
