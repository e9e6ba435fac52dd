"""Passport numbers of any country: seven to nine letters and digits, behind a word for a passport.

Most countries use one or two letters and six to eight digits, some nine digits, Germany and a few others a mixture.
"""

from guardrail.text.entities.entity import Entity

_FEWEST_DIGITS = 5


def _accept(match: str) -> bool:
    solid = match.replace(" ", "")
    return sum(map(str.isdigit, solid)) >= _FEWEST_DIGITS and len(set(solid)) > 2


ENTITY = Entity(
    name="passport_number",
    label="[PASSPORT_NUMBER]",
    category="personal_data",
    severity="high",
    expressions=(
        r"[A-Z]{1,2} ?\d{6,8}",
        r"[A-Z]{3}\d{6}|[A-Z]\d{7}[A-Z]",
        r"\d{9}",
        r"\d{2} \d{2} \d{6}|\d{2}[A-Z]{2}\d{5}",
        "[CFGHJK][0-9CFGHJKLMNPRTVWXYZ]{8}",
    ),
    left="word",
    right="word",
    accept=_accept,
    contextual=True,
    context=(
        "passport",
        "passport number",
        "pasaporte",
        "passeport",
        "reisepass",
        "passnummer",
        "passaporto",
        "passaporte",
        "paszport",
        "paspoort",
        "паспорт",
        "паспорта",
        "护照",
        "護照",
        "パスポート",
        "旅券",
        "여권",
    ),
    within=32,
    hits=(
        "Passport number: AB1234567",
        "passport no. 123456789.",
        "pasaporte AAA123456",
        "Reisepass C01X0006H",
        "passeport n° 12AB34567",
        "паспорт 45 08 123456",
        "护照号E12345678谢谢",
        "パスポート番号はTK1234567です",
        "passport：Ａ１２３４５６７",
        "(passport K1234567)",
    ),
    misses=(
        "AB1234567",
        "order AB1234567",
        "passport 20231015",
        "passport AB12345",
        "passport AB123456789",
        "passport ab1234567",
        "passport.authenticate('jwt')",
        "passport 000000000",
        "A passport is needed; the flight of that Monday is AB1234567",
        "passports 123456789",
    ),
)
