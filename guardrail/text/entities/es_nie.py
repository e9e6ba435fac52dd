"""Spanish identity numbers of foreigners (NIE): X, Y or Z, seven digits, and the check letter."""

from stdnum.es import nie

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

_REST = r"[XYZ]-?\d{7}-?[A-HJ-NP-TV-Z]"

ENTITY = Entity(
    name="es_nie",
    label="[ES_NIE]",
    category="personal_data",
    severity="high",
    expressions=(_REST, rf"(?i:{_REST})"),
    left="word",
    right="word",
    accept=checked(nie.is_valid),
    contextual=(False, True),
    context=(
        "nie",
        "n.i.e.",
        "identidad de extranjero",
        "extranjería",
        "extranjeria",
        "foreigner id",
        "foreigner identity",
        "外国人身份号码",
        "外国人身份证",
    ),
    hits=(
        "X5635515D",
        "NIE: Y-0587706-R.",
        "Z5894811-P",
        "mi nie es x3114402h",
        "号码是X5635515D谢谢",
        "Ｘ５６３５５１５Ｄ",
        "(Y0587706R)",
        "id=Z5894811P,",
        "X563\u200b5515D",
    ),
    misses=(
        "X5635515E",
        "NIE X5635515E",
        "x5635515d",
        "A5635515D",
        "XX5635515D",
        "X5635515DD",
        "X56355155D",
        "X563551D",
        "1X5635515D",
        "X5635515_D",
        "Z5894811",
        "part X-563-5515-D",
        "nieve x3114402h",
    ),
)
