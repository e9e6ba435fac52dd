"""The letters of living alphabets that have Latin look-alikes.

Written by hand from the alphabets' own tables. A text that is a look-alike of an English word, but whose letters all
belong to one of these, is taken for a word of a language that uses it. The price is that an English word can be
spelled with the letters of one alphabet alone; the smaller each alphabet is kept, the fewer words can. So languages
that share a script have one alphabet each, and none has letters that its language hardly uses.
"""

from __future__ import annotations

_RUSSIAN = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюя")
_UKRAINIAN = frozenset("абвгґдеєжзиіїйклмнопрстуфхцчшщьюя")
_BELARUSIAN = frozenset("абвгдеёжзійклмнопрстуўфхцчшыьэюя")
_SERBIAN = frozenset("абвгдђежзијклљмнњопрстћуфхцчџш")
# Without ѕ, a letter of a handful of words, with which many English ones could be spelled.
_MACEDONIAN = frozenset("абвгѓдежзијклљмнњопрстќуфхцчџшѐѝ")
# Without һ, which stands in loan words only, for the same reason.
_KAZAKH = frozenset("аәбвгғдеёжзийкқлмнңоөпрстуұүфхцчшщъыіьэюя")
_MONGOLIAN = frozenset("абвгдеёжзийклмноөпрстуүфхцчшщъыьэюя")
_KYRGYZ = _MONGOLIAN | {"ң"}
_TAJIK = frozenset("абвгғдеёжзийӣкқлмнопрстуӯфхҳчҷшъэюя")

_GREEK = frozenset("αβγδεζηθικλμνξοπρστυφχψωάέήίόύώϊϋ")
# Classical texts with their accents; of the precomposed letters, those that stay one character in lower case.
_POLYTONIC = _GREEK | frozenset(c for c in map(chr, range(0x1F00, 0x2000)) if c.isalpha() and c.casefold() == c)

_ARMENIAN = frozenset("աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ")

ALPHABETS: tuple[frozenset[str], ...] = (
    _RUSSIAN,  # and Bulgarian, which uses fewer
    *(_UKRAINIAN, _BELARUSIAN, _SERBIAN, _MACEDONIAN, _KAZAKH, _KYRGYZ, _TAJIK),
    *(_POLYTONIC, _ARMENIAN),
)
"""Letters after case folding, one set for each alphabet."""
