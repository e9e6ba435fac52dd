"""Unified social credit codes of organisations in China: 18 characters with a check character (GB 32100).

One random code in 31 passes the check, so plain digits count only behind a word for it; a code with a letter has the
department, kind and region that few other strings have.
"""

from stdnum.cn import uscc

from guardrail.text.entities.cn_resident_id import is_resident_id
from guardrail.text.entities.entity import Entity

_HEAD = r"[1-9ANY][1-59]"
_REGION = r"[1-8]\d{5}"
_CHAR = "[0-9A-HJ-NP-RTUWXY]"


def _accept(match: str) -> bool:
    return not match.isdigit() and _is_code(match)


def _accept_digits(match: str) -> bool:
    return _is_code(match) and not is_resident_id(match)


def _is_code(match: str) -> bool:
    return match.isascii() and len(set(match)) > 3 and uscc.is_valid(match)


ENTITY = Entity(
    name="cn_social_credit_code",
    label="[CN_SOCIAL_CREDIT_CODE]",
    category="personal_data",
    severity="low",
    expressions=(rf"{_HEAD}{_REGION}{_CHAR}{{10}}", rf"{_HEAD}{_REGION}\d{{10}}"),
    left="word",
    right="word",
    accept=(_accept, _accept_digits),
    contextual=(False, True),
    context=(
        "信用代码",
        "社会信用",
        "税号",
        "纳税人识别号",
        "信用代碼",
        "credit code",
        "uscc",
        "tax number",
        "taxpayer",
    ),
    hits=(
        "91110000600037341L",
        "统一社会信用代码：91110000600037341L。",
        "公司代码是91350100M000100Y43谢谢",
        "USCC 91110000600037341L",
        "９１１１００００６０００３７３４１Ｌ",
        "税号91110000100010001L",
        "统一社会信用代码911100001001000072",
        "credit code: 911100001001000072",
        "(91110000600037341L)",
    ),
    misses=(
        "91110000600037342L",
        "911100001001000072",
        "信用代码911100001001000073",
        "91110000600037341",
        "91110000600037341LA",
        "A91110000600037341L",
        "91000000600037341L",
        "11010519491231002X",
        "统一社会信用代码有18位",
        "91110000-6000-3734",
        "911111111111111111",
    ),
)
