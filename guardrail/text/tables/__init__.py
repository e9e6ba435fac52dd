"""Folding tables (stand-in until the generated ones land)."""

import unicodedata

LOOKALIKES: dict[str, str] = dict(zip("асеорхуіѕАВЕКМНОРСТХ", "aceopxyisABEKMHOPCTX")) | {
    "\U0001f170": "A",
    "\U0001f171": "B",
}
_RU = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў")
_GR = frozenset("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ")
ALPHABETS = (_RU, _GR)
SIMPLIFIED: dict[str, str] = {"彈": "弹", "殺": "杀"}
NUMERALS: dict[str, str] = {
    c: str(unicodedata.digit(c))
    for c in map(chr, range(128, 0x20000))
    if unicodedata.digit(c, None) is not None and not unicodedata.normalize("NFKC", c).isascii()
}
HAN_NUMERALS: dict[str, str] = dict(zip("〇零一二三四五六七八九壹贰叁肆伍陆柒捌玖", "00123456789123456789"))
