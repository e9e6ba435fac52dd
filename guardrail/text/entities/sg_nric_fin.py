"""Identity numbers of Singapore (NRIC of citizens and residents, FIN of foreigners): S, T, F, G or M, seven digits and
a check letter.
"""

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

_WEIGHTS = (2, 7, 6, 5, 4, 3, 2)
# What the first letter adds to the weighted sum, and the check letter for each remainder by 11.
_SERIES = {
    "S": (0, "JZIHGFEDCBA"),
    "T": (4, "JZIHGFEDCBA"),
    "F": (0, "XWUTRQPNMLK"),
    "G": (4, "XWUTRQPNMLK"),
    "M": (3, "KLJNPQRTUWX"),
}


def _is_valid(number: str) -> bool:
    if number[0] not in _SERIES or not number[1:-1].isdigit():
        return False
    offset, letters = _SERIES[number[0]]
    total = offset + sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[1:-1], strict=False))
    return letters[total % 11] == number[-1]


_NUMBER = r"[STFGM]\d{7}[A-Z]"

ENTITY = Entity(
    name="sg_nric_fin",
    label="[SG_NRIC_FIN]",
    category="personal_data",
    severity="high",
    expressions=(_NUMBER, f"(?i:{_NUMBER})"),
    left="word",
    right="word",
    accept=checked(_is_valid),
    contextual=(False, True),
    context=("nric", "fin", "ic number", "ic no", "identity card", "singapore id", "身份证", "身分证"),
    hits=(
        "S7954220B",
        "NRIC: S1234567D.",
        "T9062762C",
        "FIN F1614336R on file",
        "(G3060672N)",
        "M9335012P",
        "身份证号码是S5879158Z谢谢",
        "Ｓ７９５４２２０Ｂ",
        "my nric is s1234567d",
        "id=M8081978J;",
    ),
    misses=(
        "S1234567A",
        "NRIC S1234567A",
        "s1234567d",
        "A1234567D",
        "SS1234567D",
        "S1234567DD",
        "S12345678D",
        "S123456D",
        "1S1234567D",
        "S1234567",
        "S0000000X",
        "S1234-567D",
        "commit 0s1234567d",
        "finish s1234567d",
    ),
)
