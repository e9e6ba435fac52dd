"""Bank cards of China: UnionPay numbers (62, Luhn), and other card numbers of 16 to 19 digits behind a word for them.

Older debit cards of Chinese banks have ranges of no international brand (9558, 4367, 6013 ...).
"""

from stdnum import luhn

from guardrail.text.entities.cn_resident_id import is_resident_id
from guardrail.text.entities.entity import Entity


def _accept(match: str) -> bool:
    if "." in match:  # the fraction of a decimal
        return False
    digits = match.replace(" ", "").replace("-", "")
    if not (digits.isascii() and digits.isdigit()) or len(set(digits)) < 4:
        return False
    return luhn.is_valid(digits) and not (len(digits) == 18 and is_resident_id(digits))


ENTITY = Entity(
    name="cn_bank_card",
    label="[CN_BANK_CARD]",
    category="personal_data",
    severity="high",
    expressions=(
        r"62\d{14,17}(?:\.[1-9])?",
        r"62\d{2}(?:[ -]\d{4}){3}",
        r"62\d{2}(?:[ -]\d{4}){3}[ -]\d{1,3}",
        r"62\d{4}[ -]\d{10,13}",
        r"[3-9]\d{15,18}(?:\.[1-9])?",
        r"[3-9]\d{3}(?:[ -]\d{4}){3}",
        r"[3-9]\d{3}(?:[ -]\d{4}){3}[ -]\d{1,3}",
    ),
    left=("number", "digit", "digit", "digit", "number", "digit", "digit"),
    right="digit",
    accept=_accept,
    contextual=(False, False, False, False, True, True, True),
    context=(
        "卡号",
        "银行卡",
        "储蓄卡",
        "借记卡",
        "信用卡",
        "工资卡",
        "账号",
        "帐号",
        "银行账户",
        "开户行",
        "卡號",
        "銀行卡",
        "帳號",
        "bank card",
        "card number",
        "card no",
        "unionpay",
        "debit card",
        "bank account",
    ),
    hits=(
        "6222021234567890128",
        "6222 0212 3456 7890 128",
        "我的银行卡6222021234567890128，请查收",
        "卡号：６２２２０２１２３４５６７８９０１２８",
        "622202-1234567890128",
        "银行卡号9558801234567890128",
        "账号：9558 8012 3456 7890 128。",
        "card number 4367421234567890129 (debit)",
        "6222021234567890128.",
        "储蓄卡4367-4212-3456-7890-129谢谢",
    ),
    misses=(
        "6222021234567890129",
        "9558801234567890128",
        "卡号9558801234567890121",
        "订单号6222021234567890127",
        "96222021234567890128",
        "62220212345678901281",
        "0.6222021234567890128",
        "6222021234567890128.5",
        "卡号622223199912129919",
        "6200 0000 0000 0000",
        "银行卡的客服电话是95588",
        "卡号是16到19位数字",
        "1622202123456789012",
    ),
)
