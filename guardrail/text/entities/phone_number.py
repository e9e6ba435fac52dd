"""Telephone numbers that can be a person's: international with `+` or `00`, and national formats that look like
nothing else.

Expressions give the shape, `phonenumbers` the numbering plans. Toll-free, shared-cost and premium numbers are left
alone: they are a company's, and the number of a crisis line must stay readable. Numbers reserved for fiction
(area 555) are found, since a reader cannot tell.
"""

import re

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType, ValidationResult

from guardrail.text.entities.entity import Entity
from guardrail.text.rules import PatternEdge

_BUSINESS = frozenset(
    {
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)

_NANP = r"(?:(?:\+|00)?1[ .-]?)?"
_CN = r"(?:(?:\+|00)?86[ -]?)?"

# Shape, and the countries whose plan says whether such a number exists.
_SHAPES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (rf"{_NANP}\([2-9]\d{{2}}\)[ .-]?\d{{3}}[ .-]\d{{4}}(?:x\d{{1,5}})?", ("US",)),
    (rf"{_NANP}[2-9]\d{{2}}-\d{{3}}-\d{{4}}(?:x\d{{1,5}})?", ("US",)),
    (rf"{_NANP}[2-9]\d{{2}}\.\d{{3}}\.\d{{4}}(?:x\d{{1,5}})?", ("US",)),
    (r"\+1[ .-]?(?:\(\d{3}\)|\d{3})[ .-]?\d{3}[ .-]?\d{4}", ("US",)),
    (r"\+86[ -]?1[3-9]\d[ -]?\d{4}[ -]?\d{4}", ("CN",)),
    (rf"{_CN}1[3-9]\d(?:[ -]\d{{4}}[ -]?|\d{{4}}[ -])\d{{4}}", ("CN",)),
    (r"(?:\+|00)86[ -](?:\(0\))?0?[1-9]\d{1,2}[ -]\d{3,4}[ -]?\d{4}", ("CN",)),
    (r"(?:0\d{2,3}-|\(0\d{2,3}\) ?)\d{7,8}", ("CN",)),
    (r"0\d{1,2}-\d{4}-\d{4}", ("CN", "JP", "KR")),
    (r"0\d{2} \d{4} \d{4}", ("CN", "JP", "KR", "GB")),
    (r"07\d{3} (?:\d{6}|\d{3} \d{3})", ("GB",)),
    (r"0[49]\d{2}[ -]\d{3}[ -]\d{3}", ("AU", "TW")),
)
# Shapes that plain digits have too; with the plus sign once more, lest the rest be found as a second number.
_PLAIN: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"001[ .-]?(?:\(\d{3}\)|\d{3})[ .-]?\d{3}[ .-]?\d{4}", ("US",)),
    (rf"{_CN}1[3-9]\d{{9}}", ("CN",)),
)
_COMPILED = tuple((re.compile(shape, re.ASCII), regions) for shape, regions in _SHAPES + _PLAIN)

# Country codes but 1 and 86, whose numbers have shapes above.
_CODE = r"(?:\+|00)(?:[2-79]\d{0,2}|8[0-57-9]\d?)"
_GAP = r"(?:[ .-]|\)[ .-]?|[ -]?\()"
# The number of groups varies, so each has an expression of its own, lest a year behind a number be read as its end.
_ABROAD = (
    r"\+[2-9]\d{7,14}",
    rf"{_CODE}(?:[ -]|\)[ -]?)\d{{4,12}}",
    *(rf"{_CODE}(?:{_GAP}\d{{1,5}}){{{groups}}}{_GAP}\d{{2,11}}" for groups in range(1, 6)),
)

_WORD: PatternEdge = "word"

_NINE_DIGITS = 10**8


def _parsed(text: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _is_fiction(number: PhoneNumber) -> bool:
    national = str(number.national_number)
    return (number.country_code == 1 and len(national) == 10 and national.startswith("555")) or (
        number.country_code == 44 and len(national) == 10 and national.startswith("7700900")
    )


def _is_personal(number: PhoneNumber | None) -> bool:
    if number is None:
        return False
    if _is_fiction(number):
        return True
    return phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) not in _BUSINESS


def _accept(match: str) -> bool:
    if match[-2:-1] == ".":  # no number ends so: the fraction of a decimal
        return False
    if any(
        shape.fullmatch(match) and any(_is_personal(_parsed(_plus(match), region)) for region in regions)
        for shape, regions in _COMPILED
    ):
        return True
    number = _parsed(_plus(match), None)
    if _is_personal(number):
        return True
    # Written in groups behind a plus, a number of the right length is one: plans grow, and some are made up.
    return (
        number is not None
        and match.startswith("+")
        and not match[1:].isdigit()
        and number.national_number is not None
        and number.national_number >= _NINE_DIGITS
        and not phonenumbers.is_valid_number(number)
        and phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    )


def _plus(match: str) -> str:
    return "+" + match[2:] if match.startswith("00") else match


ENTITY = Entity(
    name="phone_number",
    label="[PHONE]",
    category="personal_data",
    severity="medium",
    expressions=(
        rf"(?:{'|'.join(shape for shape, _ in _PLAIN)})(?:\.[1-9])?",
        "|".join(shape for shape, _ in _SHAPES),
        *_ABROAD,
    ),
    left=("number", *(_WORD,) * (1 + len(_ABROAD))),
    right="word",
    accept=_accept,
    hits=(
        "+14155550132",
        "Call +1 (415) 555-0132 today.",
        "+1 415 555 0132 2024",
        "(415) 555-0132",
        "415-555-0132, ext. 4",
        "fax 1-415-555-0132x23",
        "415.555.0132",
        "+44 (0)20 7946 0958",
        "手机号是13812345678谢谢",
        "电话：＋８６ １３８ １２３４ ５６７８",
        "138-1234-5678",
        "北京 010-62751234",
        "（０１０）６２７５１２３４",
        "0086-13812345678",
        "携帯 090-1234-5678",
        "07700 900123",
        "+49 30 901820",
        "(555) 123-4567",
        "+55 (11) 91234-5678",
        "+1 123-456-7890",
        "+86 10 6275 1234",
        "+86 13812345678",
        "Tel.+86 138 1234 5678",
        "Tel.138 1234 5678",
        "8613812345678.",
        "13812345678.0",
        "001 415 555 0132",
    ),
    misses=(
        "order 12345678901",
        "timestamp 1700000000",
        "1700000000000",
        "2023-10-15",
        "ISBN 978-3-16-148410-0",
        "$1,234.56",
        "192.168.100.200",
        "123-45-6789",
        "100-200-3000",
        "Call 1-800-273-8255",
        "热线400-161-9995",
        "+3.14159265358",
        "0.16666666667",
        "0.13800138000",
        "13800138000.5",
        "0.0014155550132",
        "x+14155550132",
        "138123456789",
        "a13812345678f",
        "23812345678",
        "room 555-0132",
        "+12345",
        "000-0000-0000",
        "4532-0151-1283-0366",
        "550e8400-e29b-41d4-a716-446655440000",
    ),
)
