"""Permanent account numbers (PAN) of India's taxpayers: five letters, of which the fourth says what the holder is, four
digits and a letter.
"""

from stdnum.in_ import pan

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

_PAN = r"[A-Z]{3}[ABCEFGHJKLPT][A-Z]\d{4}[A-Z]"

ENTITY = Entity(
    name="in_pan",
    label="[IN_PAN]",
    category="personal_data",
    severity="high",
    expressions=(_PAN, f"(?i:{_PAN})"),
    left="word",
    right="word",
    accept=checked(pan.is_valid),
    contextual=(False, True),
    context=("pan", "permanent account number", "income tax", "पैन", "स्थायी खाता", "税号"),
    hits=(
        "ACUPA7085R",
        "PAN: ABCPK1234F.",
        "my pan is acupa7085r",
        "税号是BNZAA2318J谢谢",
        "ＡＣＵＰＡ７０８５Ｒ",
        "(AAACR5055K)",
        "pan=ACUPA7085R;",
        "पैन ABCPK1234F है",
        "ACUP\u200bA7085R",
    ),
    misses=(
        "acupa7085r",
        "ABCDE1234F",
        "PAN ABCDE1234F",
        "ACUPA0000R",
        "XACUPA7085R",
        "ACUPA7085RX",
        "ACUPA70855R",
        "ACUPA7085",
        "ACUPA-7085-R",
        "1ACUPA7085R",
        "ACUP7085AR",
        "spanner acupa7085r",
        "HELIO1234W",
        "commit ACUPA7085Rf3",
    ),
)
