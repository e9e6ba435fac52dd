"""Look-alikes: what a reader would read, and what must stay as it is."""

from __future__ import annotations

import unicodedata

import pytest
import regex

from guardrail.text.tables import LOOKALIKES

OUTLINED = frozenset(map(chr, range(0x1CCD6, 0x1CCF0)))


@pytest.mark.parametrize(
    ("disguised", "read"),
    [
        ("ѕех", "sex"),
        ("рοгn", "porn"),
        ("ЅЕХ РОRN", "SEX PORN"),
        ("һегоіո", "heroin"),
        ("ԛԝԁјкмтвнпияшэ", "qwdjkmtbhnnrwe"),
        ("АВЕКМНОРСТХУІЅЈԌԚԜ", "ABEKMHOPCTXYISJGQW"),
        ("αβγδεζηθικμνξοπρσςτυχω", "abydeznoikuveonpootuxw"),
        ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧΛΣ", "ABEZHIKMNOPTYXAE"),
        ("øłđħŧƀıɨɗƙⱥ", "oldhtbiidka"),
        ("ØŁĐĦŦɃƗƊƘȺ", "OLDHTBIDKA"),
        ("ɑɡɩɛɔəʌɯ", "agieoeaw"),
        ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz"),
        ("ɑƅƈɖɛʄɢɦɨʝӄʟʍռօքզʀֆȶʊʋաӼʏʐ", "abcdejghijklmnopqrstuvwXyz"),
        ("ᗩᗷᑕᗪᗴᖴGᕼIᒍKᒪᗰᑎOᑭᑫᖇᔕTᑌᐯᗯ᙭Yᘔ", "ABCDEFGHIJKLMNOPqRSTUVWXYZ"),
        ("ᎪᏴᏟᎠᎬᏀᎻᏆᎫᏦᏞᎷᏁᎾᏢᏒᏚᎢᏙᏔᎽᏃ", "ABCDEGHIJKLMNOPRSTVWYZ"),
        ("ꓐꓳꓟꓐ ꓗꓲꓡꓡ", "BOMB KILL"),
        ("🅰🅱🅾🅿 🅑🅞🅜🅑 🅺🅸🅻🅻", "ABOP BOMB KILL"),
        ("₵Ø₵₳ł₦Ɇ", "COCAlNE"),
        ("k¡ll shi† §€x", "kill shit sex"),
        ("ꜳ æ œ Ꜳ 🆎", "aa ae oe AA AB"),
    ],
)
def test_a_reader_would_read_it_so(disguised: str, read: str) -> None:
    assert "".join(LOOKALIKES.get(char, char) for char in disguised) == read


def test_looks_are_one_or_two_ascii_letters_or_digits() -> None:
    assert all(look.isascii() and look.isalnum() and len(look) <= 2 for look in LOOKALIKES.values())


NEVER = {
    "ASCII": r"\p{ASCII}",
    "marks": r"\p{M}",
    "characters of a cluster": r"[^\p{GCB=Other}]",
    "invisible ones": r"\p{Default_Ignorable_Code_Point}",
    "digits": r"\p{Nd}",
    "East Asia": r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Bopomofo}\p{Yi}]",
    "South East Asia": r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]",
    "right to left": r"[\p{Arabic}\p{Hebrew}\p{Syriac}\p{Thaana}\p{Nko}]",
    "South Asia": r"[\p{Deva}\p{Beng}\p{Guru}\p{Gujr}\p{Orya}\p{Taml}\p{Telu}\p{Knda}\p{Mlym}\p{Sinh}\p{Tibt}]",
    "other living scripts": r"[\p{Ethiopic}\p{Mongolian}]",
    "accented letters": "[àéîõüçñčşžőąęáàảãạǿǽ]",
    "letters of their own": "[ßẞ]",
    "signs used as what they are": "[×÷±°²³µ©®™…–—•→∞√∑∏∩∪∈∨∧≈≠≤≥]",
}


@pytest.mark.parametrize("kind", NEVER)
def test_some_characters_are_never_read_as_latin_ones(kind: str) -> None:
    assert [char for char in LOOKALIKES if regex.match(NEVER[kind], char)] == []


def test_what_nfkc_folds_is_left_to_it() -> None:
    assert [char for char in LOOKALIKES if unicodedata.normalize("NFKC", char) != char and char not in OUTLINED] == []


def test_both_cases_of_a_letter_look_alike_but_for_these() -> None:
    apart = {
        char
        for char, look in LOOKALIKES.items()
        if char.islower() and len(char.upper()) == 1 and LOOKALIKES.get(char.upper(), "").lower() != look.lower()
    }
    cyrillic = {char for char in apart if regex.match(r"\p{Cyrillic}", char)}
    assert cyrillic == set()
    assert {char for char in apart if char in "αβγδεζηθικλμνξοπρσςτυφχψω"} == set("γδημνσςυω")
