"""Digits of every script and enclosed digits that NFKC leaves alone, and Chinese numerals.

Made by `python -m tests.text.tables.making`; do not edit. 777 entries.
Source: Unicode 14.0.0 (Python's unicodedata), the decimal digits of Unicode 15 to 17,
and a list of the script's own (Chinese).
Licence: Unicode License v3, copyright 1991-2026 Unicode, Inc.
"""

from __future__ import annotations

# Code points of zeros, each of which the digits 1 to 9 follow.
_ZEROS = """
660 6F0 7C0 966 9E6 A66 AE6 B66 BE6 C66 CE6 D66 DE6 E50 ED0 F20 1040 1090
17E0 1810 1946 19D0 1A80 1A90 1B50 1BB0 1C40 1C50 A620 A8D0 A900 A9D0 A9F0 AA50 ABF0 104A0
10D30 10D40 11066 110F0 11136 111D0 112F0 11450 114D0 11650 116C0 116D0 116DA 11730 118E0 11950 11BF0 11C50
11D50 11DA0 11DE0 11F50 16130 16A60 16AC0 16B50 1CCF0 1E140 1E2F0 1E4F0 1E5F1 1E950
"""
# Each line: a digit, and characters of that value.
_OTHERS = """
0 ⓿🄋🄌
1 ፩᧚⓵❶➀➊𐩀𐹠𑁒
2 ፪⓶❷➁➋𐩁𐹡𑁓
3 ፫⓷❸➂➌𐩂𐹢𑁔
4 ፬⓸❹➃➍𐩃𐹣𑁕
5 ፭⓹❺➄➎𐹤𑁖
6 ፮⓺❻➅➏𐹥𑁗
7 ፯⓻❼➆➐𐹦𑁘
8 ፰⓼❽➇➑𐹧𑁙
9 ፱⓽❾➈➒𐹨𑁚
"""
_HAN = """
0 〇零
1 一壹弌
2 二弍貳贰
3 三叁參弎
4 四肆
5 五伍
6 六陆陸
7 七柒
8 八捌
9 九玖
"""


def _table(lines: str) -> dict[str, str]:
    return {key: value for value, keys in map(str.split, lines.strip().splitlines()) for key in keys}


NUMERALS: dict[str, str] = {
    chr(int(zero, 16) + value): str(value) for zero in _ZEROS.split() for value in range(10)
} | _table(_OTHERS)
"""Character -> ASCII digit: decimal digits of every script, and enclosed ones."""

HAN_NUMERALS: dict[str, str] = _table(_HAN)
"""Chinese numeral from zero to nine -> ASCII digit."""
