"""Italian fiscal codes of persons: 16 letters and digits with name, birth date, birth place and a check letter."""

from stdnum.it import codicefiscale

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

_DIGIT = "[0-9LMNP-V]"  # letters stand for digits where two persons would have the same code
_BIRTH = f"{_DIGIT}{{2}}[A-EHLMPR-T]{_DIGIT}{{2}}"
_PLACE = f"[A-Z]{_DIGIT}{{3}}[A-Z]"

ENTITY = Entity(
    name="it_fiscal_code",
    label="[IT_FISCAL_CODE]",
    category="personal_data",
    severity="high",
    expressions=(
        f"[A-Z]{{6}}{_BIRTH}{_PLACE}",
        f"[A-Z]{{3}} [A-Z]{{3}} {_BIRTH} {_PLACE}",
        f"(?i:[A-Z]{{6}}{_BIRTH}{_PLACE})",
    ),
    left="word",
    right="word",
    accept=checked(codicefiscale.is_valid),
    contextual=(False, False, True),
    context=(
        "codice fiscale",
        "cod. fiscale",
        "cod fiscale",
        "cod. fisc.",
        "c.f.",
        "cf",
        "fiscal code",
        "tax code",
        "tessera sanitaria",
        "税号",
    ),
    hits=(
        "RSSMRA85T10A562S",
        "Codice fiscale: BNCLRA92D52H501T.",
        "RSS MRA 85T10 A562S",
        "cf rssmra85t10a562s",
        "税号是VRDGPP60L15F205K谢谢",
        "ＲＳＳＭＲＡ８５Ｔ１０Ａ５６２Ｓ",
        "(RSSMRA85T10A562S)",
        "cf=BNCLRA92D52H501T;",
    ),
    misses=(
        "RSSMRA85T10A562T",
        "rssmra85t10a562s",
        "RSSMRA85Z10A562S",
        "RSSMRA85T39A562S",
        "ARSSMRA85T10A562S",
        "RSSMRA85T10A562SA",
        "RSSMRA85T10A562",
        "RSSMRA85T10A56S2",
        "CONSTANTINOPOLIS",
        "CF RSSMRA85T10A562X",
        "550E8400E29B41D4",
        "a1b2c3d4e5f60718",
    ),
)
