"""Korean resident registration numbers, those of foreigners included: YYMMDD-NNNNNNN.

Those given since October 2020 have random digits behind the birth date and no check digit. Without a right one, or
without the dash, a word must say what the number is.
"""

from stdnum.kr import rrn

from guardrail.text.entities.compact import checked, compact
from guardrail.text.entities.entity import Entity


def _has_birth_date(match: str) -> bool:
    number = compact(match)
    if not (number.isascii() and number.isdigit() and len(number) == 13):
        return False
    try:
        rrn.get_birth_date(number)
    except rrn.InvalidComponent:
        return False
    return True


_BIRTH = r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"

ENTITY = Entity(
    name="kr_rrn",
    label="[KR_RRN]",
    category="personal_data",
    severity="high",
    expressions=(rf"{_BIRTH}-\d{{7}}", rf"{_BIRTH}[ -]?[0-9]\d{{6}}"),
    left="word",
    right="word",
    accept=(checked(rrn.is_valid), _has_birth_date),
    contextual=(False, True),
    context=(
        "rrn",
        "resident registration",
        "registration number",
        "korean id",
        "foreigner registration",
        "alien registration",
        "주민번호",
        "주민등록",
        "외국인등록번호",
        "身份证",
        "居民登记号",
    ),
    hits=(
        "971013-9019902",
        "주민등록번호: 760407-2428833.",
        "주민번호 9102141845536",
        "RRN 910214-1234567",
        "号码是520410-2608283谢谢",
        "６４０７０６－１３０３８１５",
        "(760407-2428833)",
        "resident registration number 210101 3123456",
        "id=910214-1845536;",
    ),
    misses=(
        "910214-1234567",
        "9102141845536",
        "RRN 911314-1845536",
        "RRN 910230-1845536",
        "RRN 1910214-1845536",
        "RRN 910214-18455361",
        "A910214-1845536",
        "760407-2428834",
        "order 9102141845536",
        "timestamp 1700000000000",
        "RRN 910214-184553",
        "ISBN 978-89-12345-67-8",
        "910214-1234567 주민번호",
    ),
)
