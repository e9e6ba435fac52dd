"""The pieces that several rules share say the same for RE2 and for Python."""

import re
import unicodedata

import pytest
import re2
import regex

from guardrail.text.output.hidden import CONTROL, CSI, ESC, FINAL, INVISIBLE, STRAY, STRING, SUPPLEMENT, TAGS

EVERY = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]


def test_control_characters_are_those_of_unicode_but_for_three_and_escape() -> None:
    controls = {char for char in EVERY if unicodedata.category(char) == "Cc"}
    assert set(re.findall(f"[{CONTROL}]", "".join(EVERY))) == controls - set("\t\n\r\x1b")


def test_every_ignorable_character_is_invisible_if_it_is_assigned() -> None:
    ignorable = set(regex.findall(r"\p{Default_Ignorable_Code_Point}", "".join(EVERY)))
    assigned = {char for char in ignorable if unicodedata.category(char) != "Cn"}
    invisible = set(re.findall(f"[{INVISIBLE}]", "".join(EVERY)))
    assert assigned <= invisible
    assert invisible - ignorable == set("\ufff9\ufffa\ufffb")


@pytest.mark.parametrize("source", [f"[{CONTROL}]", f"[{INVISIBLE}]", f"[{TAGS}]", f"[{SUPPLEMENT}]", CSI, STRING])
def test_both_engines_read_a_piece_alike(source: str) -> None:
    for char in EVERY:
        if ord(char) < 0x3000 or unicodedata.category(char) == "Cf" or not ord(char) % 997:
            for text in (char, ESC + char):
                assert bool(re.fullmatch(source, text)) == bool(re2.fullmatch(source, text)), text


@pytest.mark.parametrize("text", ["\x1b[31m", "\x9b0;1H", "\x1b", "\x1bc", "\x1b7", "\x00", "\u200b", "\U000e0041"])
def test_one_stray_thing(text: str) -> None:
    assert re.fullmatch(STRAY, text)
    assert re2.fullmatch(STRAY, text)


@pytest.mark.parametrize("text", ["", "a", "(", "\n", "\x1b]", "[31m", "\x1bT"])
def test_no_stray_thing(text: str) -> None:
    assert not re.fullmatch(STRAY, text)
    assert not re2.fullmatch(STRAY, text)


def test_final_characters_are_printed_ones() -> None:
    assert all(char.isprintable() and char.isascii() for char in EVERY if re.fullmatch(FINAL, char))
