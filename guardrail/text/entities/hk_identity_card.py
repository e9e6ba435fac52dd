"""Hong Kong identity card numbers: one or two letters, six digits and a check digit in brackets; without the brackets
behind a word that says what they are.
"""

from guardrail.text.entities.compact import compact
from guardrail.text.entities.entity import Entity


def _accept(match: str) -> bool:
    number = compact(match).replace("(", "").replace(")", "")
    if len(number) < 8 or not number.isascii():
        return False
    head, digits, check = number[:-7], number[-7:-1], number[-1]
    if not (len(head) <= 2 and head.isalpha() and digits.isdigit()):
        return False
    values = [36] * (2 - len(head)) + [ord(letter) - 55 for letter in head] + [int(digit) for digit in digits]
    values.append(10 if check == "A" else int(check) if check.isdigit() else 0)
    return sum(weight * value for weight, value in zip(range(9, 0, -1), values, strict=True)) % 11 == 0


ENTITY = Entity(
    name="hk_identity_card",
    label="[HK_IDENTITY_CARD]",
    category="personal_data",
    severity="high",
    expressions=(r"[A-Z]{1,2}\d{6} ?\([0-9A]\)", r"(?i:[A-Z]{1,2}\d{6} ?[0-9A])"),
    left="word",
    right=("none", "word"),
    accept=_accept,
    contextual=(False, True),
    context=(
        "hkid",
        "hk id",
        "hong kong id",
        "hong kong identity",
        "identity card",
        "id card",
        "id number",
        "身份證",
        "身份证",
        "身分證",
    ),
    hits=(
        "A427842(1)",
        "HKID: G184116(4).",
        "Z728692(A)",
        "WX499751 (2)",
        "香港身份證號碼A4278421謝謝",
        "Ａ４２７８４２（１）",
        "hkid=g1841164;",
        "号码是XA048221(5)。",
        "Hong Kong identity card A123456(3)",
    ),
    misses=(
        "A427842(2)",
        "A4278421",
        "HKID A4278422",
        "AA427842(1)",
        "A4278421(1)",
        "a427842(1)",
        "A42784(1)",
        "1A427842(1)",
        "HKID A42784211",
        "part A4278421",
        "A427842[1]",
        "f(A427842)(1)",
        "A427842(B)",
        "A4278421 HKID",
    ),
)
