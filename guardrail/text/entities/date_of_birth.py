"""Dates of birth: a date behind a word for birth, in the ways that people write dates.

Only years from 1900 on, since a person of an earlier year has no privacy to lose, and only a date that is close to the
word: "born in Ulm; on 3 May 2001 the bank" holds none.
"""

import calendar
import re

from guardrail.text.entities.entity import Entity

# Each language's names, by the letters that tell them; a month is its first name that fits.
_MONTHS = (
    "jan[a-zéûó]{0,7}|ene(?:ro)?|一月",
    "f[eé][bv][a-zéûó]{0,8}",
    "mar(?:ch|s|zo|ço)?|märz|mär|mrz",
    "a[pvb]r[a-z]{0,4}",
    "ma[yi]|mayo|maio|maggio|mag",
    "jun[eio]{0,2}|juin|giugno|giu",
    "jul[yio]{0,2}|juillet|luglio|lug",
    "aug(?:ust)?|ago(?:sto)?|août|aout",
    "sept?[a-z]{0,7}|set(?:embro|tembre)?",
    "o[ckt]t[a-z]{0,5}|out(?:ubro)?",
    "nov[a-z]{0,6}",
    "d[eéi][czs][a-zé]{0,6}",
)
_MONTH = rf"(?i:{'|'.join(_MONTHS)})"
_NAMED = tuple(re.compile(names, re.IGNORECASE) for names in _MONTHS)
_YEAR = r"(?:19|20)\d{2}"
_ORDINAL = r"(?:st|nd|rd|th|er|º|°|\.)?"

_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]{3,}")
_FIRST_YEAR = 1900


def _is_date(year: int, month: int, day: int) -> bool:
    if year < 100:
        year += _FIRST_YEAR
    return year >= _FIRST_YEAR and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]


def _accept(match: str) -> bool:
    """Numbers in any of the usual orders; a month's name stands for its number."""
    numbers = [int(digits) for digits in _NUMBER.findall(match)]
    if len(numbers) == 1 and len(match) == 8:
        return _is_date(numbers[0] // 10000, numbers[0] // 100 % 100, numbers[0] % 100)
    if len(numbers) == 2:
        names = [word for word in _WORD.findall(match) if word.lower() not in ("del", "den")]
        months = [n for n, named in enumerate(_NAMED, 1) if names and named.fullmatch(names[0])]
        return bool(months) and any(_is_date(max(numbers), month, min(numbers)) for month in months)
    if len(numbers) != 3:
        return False
    first, second, third = numbers
    if first >= _FIRST_YEAR:
        return _is_date(first, second, third)
    return _is_date(third, second, first) or _is_date(third, first, second)


ENTITY = Entity(
    name="date_of_birth",
    label="[DATE_OF_BIRTH]",
    category="personal_data",
    severity="medium",
    expressions=(
        rf"{_YEAR}(?:-\d{{1,2}}-|/\d{{1,2}}/|\.\d{{1,2}}\.)\d{{1,2}}",
        rf"\d{{1,2}}(?:-\d{{1,2}}-|/\d{{1,2}}/|\. ?\d{{1,2}}\. ?)(?:{_YEAR}|\d{{2}})",
        rf"\d{{1,2}}{_ORDINAL}[ -](?:of |de )?{_MONTH}\.?,?[ -](?:de |del )?{_YEAR}",
        rf"{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR}",
        rf"{_YEAR} ?[年년] ?\d{{1,2}} ?[月월] ?\d{{1,2}} ?[日号號일]",
        rf"{_YEAR}\d{{4}}",
    ),
    left="word",
    right="digit",
    accept=_accept,
    contextual=True,
    context=(
        "born",
        "dob",
        "d.o.b",
        "date of birth",
        "date_of_birth",
        "birth date",
        "birthdate",
        "birthday",
        "出生",
        "出生日期",
        "出生年月",
        "出生于",
        "生日",
        "生于",
        "生於",
        "生年月日",
        "생년월일",
        "fecha de nacimiento",
        "nacido",
        "nacida",
        "nació",
        "date de naissance",
        "né le",
        "née le",
        "geburtsdatum",
        "geboren",
        "geb",
        "data de nascimento",
        "nascido",
        "nascida",
        "data di nascita",
        "nato il",
        "nata il",
    ),
    within=20,
    hits=(
        "DOB: 1990-01-31",
        "She was born on January 31, 1990.",
        "born 31st of January 1990 in Leeds",
        "Date of birth: 01/31/1990",
        "date_of_birth=31.01.1990",
        "D.O.B. 31/1/90",
        "**Birthday:** Jan 31, 1990",
        "出生日期：1990年1月31日",
        "我的生日是1990.1.31谢谢",
        "出生年月日：１９９０－０１－３１",
        "生于19900131",
        "fecha de nacimiento: 31 de enero de 1990",
        "née le 31 janvier 1990",
        "Geboren am 31. Januar 1990",
        "birthdate 20000229",
    ),
    misses=(
        "1990-01-31",
        "on January 31, 1990",
        "born 1990-13-31",
        "born on 31/31/1990",
        "DOB: 1990-02-30",
        "born 14 March 1879",
        "born in 1990",
        "born in the old town; the bank was founded on January 31, 1990",
        "stillborn 1990-01-311",
        "reborn 1990-01-31",
        "date of issue 1990-01-31",
        "出生率在1990年下降",
        "birthday party at 12:30",
        "version 1.2.3 was born",
    ),
)
