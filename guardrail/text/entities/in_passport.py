"""Passport numbers of India behind a word that says so: a letter and seven digits, the second of which and the last are
never zero. There is no check digit.
"""

from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="in_passport",
    label="[IN_PASSPORT]",
    category="personal_data",
    severity="high",
    expressions=(r"(?i:[A-PR-WY])[1-9]\d ?\d{4}[1-9]",),
    left="word",
    right="word",
    contextual=True,
    context=("passport", "passports", "पासपोर्ट", "护照"),
    hits=(
        "Passport No: A2096457",
        "her Indian passport is J8369854.",
        "passport number m1234567",
        "护照号码是K4512367谢谢",
        "पासपोर्ट संख्या Z1 Y1234567",
        "ｐａｓｓｐｏｒｔ Ａ２０９６４５７",
        "passport (T98 76543)",
        "passport=A2096457;",
    ),
    misses=(
        "A2096457",
        "flight A2096457",
        "passport A0096457",
        "passport A2096450",
        "passport Q2096457",
        "passport X2096457",
        "passport A20964571",
        "passport AA2096457",
        "passport A209645",
        "passport A2096457B",
        "passport 12096457",
        "A2096457 is a passport",
        "passporting A2096457",
    ),
)
