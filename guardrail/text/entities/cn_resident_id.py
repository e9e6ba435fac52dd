"""Resident identity numbers of China: 18 characters with a region, a birth date and a check digit (GB 11643)."""

from stdnum.cn import ric

from guardrail.text.entities.entity import Entity


def is_resident_id(number: str) -> bool:
    """Whether 18 ASCII characters are such a number: one of a county that existed in the year of birth."""
    try:
        return ric.is_valid(number)
    except KeyError:  # a prefecture is known, its county is not
        return False


def _accept(match: str) -> bool:
    if "." in match:  # the fraction of a decimal
        return False
    compact = match.replace(" ", "").replace("-", "")
    return compact.isascii() and compact.isalnum() and is_resident_id(compact)


_REGION = r"[1-8]\d{5}"
_BIRTH = r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_REST = r"\d{3}[0-9Xx]"

ENTITY = Entity(
    name="cn_resident_id",
    label="[CN_RESIDENT_ID]",
    category="personal_data",
    severity="high",
    expressions=(
        rf"{_REGION}{_BIRTH}{_REST}(?:\.[1-9])?",
        rf"{_REGION}{_BIRTH}[ -]{_REST}",
        rf"{_REGION}[ -]{_BIRTH}[ -]?{_REST}",
    ),
    left=("number", "number", "digit"),
    right="digit",
    accept=_accept,
    hits=(
        "11010519491231002X",
        "身份证号11010519491231002X，请核对",
        "我的身份证是360426199101010071谢谢",
        "１１０１０５１９４９１２３１００２Ｘ",
        "ID: 11010519491231002x.",
        "110105 19491231 002X",
        "110105-19491231-002X",
        "(360426199101010071)",
        "id360426199101010071",
        "No.110105 19491231 002X",
        "360426199101010071.0",
        "11010519491231 002X",
    ),
    misses=(
        "110105194912310021",
        "11010519491331002X",
        "11010519490230002X",
        "99010519491231002X",
        "111111111111111111",
        "000000000000000000",
        "911010519491231002X",
        "订单号202310151234567890",
        "11010519491231002",
        "3604261991010100712",
        "order 123456789012345678",
        "1101051949 1231002X",
        "117687198504077341",
        "0.360426199101010071",
        "360426199101010071.25",
    ),
)
