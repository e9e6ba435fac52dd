"""Bank identifier codes (ISO 9362, SWIFT): four letters, a country, two characters, and the branch or none.

Eight capital letters are a word as often, so a code counts only right behind a word that says what it is.
"""

from stdnum import bic

from guardrail.text.entities.entity import Entity


def _accept(match: str) -> bool:
    return match.isascii() and bic.is_valid(match)


ENTITY = Entity(
    name="bic_code",
    label="[BIC_CODE]",
    category="personal_data",
    severity="low",
    expressions=("[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?",),
    left="word",
    right="word",
    accept=_accept,
    contextual=True,
    context=("bic", "swift", "swiftcode", "swift-code", "银行识别代码", "銀行識別碼", "国际银行代码", "银行国际代码"),
    within=24,
    hits=(
        "BIC: DEUTDEFF",
        "SWIFT code: DEUTDEFF500.",
        "SWIFT/BIC NEDSZAJJXXX",
        "(swift: BOFAUS3N)",
        "BIC DEUTDEFF, IBAN DE89 3704 0044 0532 0130 00",
        "银行识别代码是BKCHCNBJ谢谢",
        "SWIFT代码：ＢＫＣＨＣＮＢＪ",
        '"bic": "UNCRITMM"',
        "Swift-Code HBUKGB4B",
    ),
    misses=(
        "DEUTDEFF",
        "the DOCUMENT of the bank",
        "BIC: DEUTZZFF",
        "BIC: DEUTDEF",
        "BIC: DEUTDEFF50",
        "BIC: deutdeff",
        "A swift look at the whole of this and that DEUTDEFF",
        "bicycle DEUTDEFF",
        "SWIFT is a network of banks.",
        "BIC: XXXXXXXX",
    ),
)
