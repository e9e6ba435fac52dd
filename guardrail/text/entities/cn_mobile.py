"""Mobile numbers of mainland China in any grouping, behind a word for a telephone.

What `phone_number` finds without such a word (plain, 3-4-4, with the country code) is found here too; other groupings
are as likely to be an order or an account.
"""

import phonenumbers

from guardrail.text.entities.entity import Entity

_LENGTH = 11


def _accept(match: str) -> bool:
    digits = "".join(char for char in match if char.isdigit())
    try:
        number = phonenumbers.parse(digits[-_LENGTH:], "CN")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number)


ENTITY = Entity(
    name="cn_mobile",
    label="[CN_MOBILE]",
    category="personal_data",
    severity="medium",
    expressions=(r"(?:(?:\+|00)?86[ .-]?)?1(?:[3-9]\d(?:[ .-]?\d){8}|(?: \d){10})",),
    left="word",
    right="digit",
    accept=_accept,
    contextual=True,
    context=(
        "手机",
        "手機",
        "电话",
        "電話",
        "联系方式",
        "联系人",
        "联系我",
        "致电",
        "拨打",
        "打给",
        "热线",
        "微信",
        "支付宝",
        "短信",
        "mobile",
        "cell",
        "phone",
        "tel",
        "telephone",
        "call",
        "text",
        "whatsapp",
        "wechat",
        "contact",
    ),
    within=24,
    hits=(
        "手机号：13812345678",
        "我的手机是138 123 45678谢谢",
        "电话1381-234-5678",
        "联系方式：138.1234.5678。",
        "微信同号１３８１２３４５６７８",
        "mobile: +86 138 1234 5678",
        "Tel 0086 1381234 5678",
        "请拨打1 3 8 1 2 3 4 5 6 7 8",
        "phone=8613812345678",
    ),
    misses=(
        "13812345678",
        "订单号138 123 45678",
        "电话：010-62751234",
        "电话：12345678901",
        "手机号：138123456789",
        "手机号：1381234567",
        "手机号：213812345678",
        "手机价格为1380元，电池5000毫安时",
        "phone model 1-38-12-345",
        "电话热线400-161-9995",
        "热线：1-800-273-8255",
        "热线：1 800 273 8255",
    ),
)
