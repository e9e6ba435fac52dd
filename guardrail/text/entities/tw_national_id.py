"""Identity numbers of Taiwan, residents' included, behind a word that says so: a letter, nine digits of which the first
says the sex, and a check digit that one number in ten passes.
"""

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

# The number each first letter stands for: the place in this row, plus 10.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
_WEIGHTS = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)


def _is_valid(number: str) -> bool:
    if number[0] not in _LETTERS or not number[1:].isdigit():
        return False
    digits = str(10 + _LETTERS.index(number[0])) + number[1:]
    return sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 10 == 0


ENTITY = Entity(
    name="tw_national_id",
    label="[TW_NATIONAL_ID]",
    category="personal_data",
    severity="high",
    expressions=(r"[A-Za-z][1289]\d{8}",),
    left="word",
    right="word",
    accept=checked(_is_valid),
    contextual=True,
    context=(
        "身分證",
        "身份證",
        "身份证",
        "身分证",
        "居留證",
        "居留证",
        "統一編號",
        "统一编号",
        "national id",
        "taiwan id",
        "taiwanese id",
        "identity card",
        "id number",
        "id no",
        "arc number",
        "resident certificate",
    ),
    hits=(
        "身分證字號：A175391633",
        "我的身份证号是B216858525谢谢",
        "National ID: F142400248.",
        "Taiwan ID t221920006",
        "居留證 A873649050",
        "身分證Ａ１７５３９１６３３",
        "ID number (A123456789)",
        "identity card=B216858525;",
    ),
    misses=(
        "A175391633",
        "A123456789",
        "order A123456789",
        "身分證 A175391634",
        "身分證 A375391633",
        "身分證 A1753916331",
        "身分證 AA175391633",
        "身分證 A17539163",
        "身分證 1175391633",
        "身分證 A175391633B",
        "A175391633 是身分證",
        "android 12 id A1753-91633",
    ),
)
