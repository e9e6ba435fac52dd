"""Digits of other scripts and Chinese numerals."""

from __future__ import annotations

import unicodedata

import pytest

from guardrail.text.tables import HAN_NUMERALS, LOOKALIKES, NUMERALS


@pytest.mark.parametrize(
    "digits",
    [
        *("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "০১২৩৪৫৬৭৮৯", "๐๑๒๓๔๕๖๗๘๙", "០១២៣៤៥៦៧៨៩", "၀၁၂၃၄၅၆၇၈၉"),
        *("⓿❶❷❸❹❺❻❼❽❾", "🄋➀➁➂➃➄➅➆➇➈", "🄌➊➋➌➍➎➏➐➑➒"),
        "".join(map(chr, range(0x1CCF0, 0x1CCFA))),
    ],
)
def test_ten_digits(digits: str) -> None:
    assert "".join(NUMERALS[digit] for digit in digits) == "0123456789"


@pytest.mark.parametrize(
    ("numerals", "digits"),
    [
        ("〇一二三四五六七八九", "0123456789"),
        ("零壹贰叁肆伍陆柒捌玖", "0123456789"),
        ("零壹貳參肆伍陸柒捌玖", "0123456789"),
    ],
)
def test_chinese_numerals(numerals: str, digits: str) -> None:
    assert "".join(HAN_NUMERALS[numeral] for numeral in numerals) == digits


def test_every_digit_that_python_knows_is_there_unless_nfkc_folds_it() -> None:
    for char in map(chr, range(0x80, 0x110000)):
        folded = unicodedata.normalize("NFKC", char)
        if unicodedata.category(char) == "Nd" and not folded.isascii():
            assert NUMERALS[char] == str(unicodedata.decimal(char))


def test_values_are_one_ascii_digit_and_tables_do_not_overlap() -> None:
    assert {*NUMERALS.values(), *HAN_NUMERALS.values()} == set("0123456789")
    assert not any(char.isascii() for char in [*NUMERALS, *HAN_NUMERALS])
    assert not NUMERALS.keys() & HAN_NUMERALS.keys()
    assert not NUMERALS.keys() & LOOKALIKES.keys()
    # Ten and more are no digits.
    assert not set("⓫❿➉➓十百千万㊀") & (NUMERALS.keys() | HAN_NUMERALS.keys())
