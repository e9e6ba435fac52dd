"""Passports of China, and the permits for Hong Kong, Macau and Taiwan: a letter or two and digits, behind a word.

E and G are ordinary passports, D, S and P those for service, H and M of Hong Kong and Macau, C and W the permits.
"""

from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="cn_passport",
    label="[CN_PASSPORT]",
    category="personal_data",
    severity="high",
    expressions=(
        r"[EGDSPHMKCWegdsphmkcw]\d{8}",
        r"(?:[Ee][A-HJ-NP-Za-hj-np-z]|[Cc][A-HJ-NP-Za-hj-np-z]|[DSPdsp][Ee]|[Mm][Aa]|[Kk][Jj])\d{7}",
        r"1[45]\d{7}",
    ),
    left="word",
    right="word",
    contextual=True,
    context=(
        "护照",
        "護照",
        "护照号",
        "护照号码",
        "通行证",
        "通行證",
        "旅行证件",
        "passport",
        "passport number",
        "travel permit",
    ),
    within=24,
    hits=(
        "护照号：E12345678",
        "我的护照是G87654321谢谢",
        "护照号码为EA1234567。",
        "passport number E12345678",
        "Passport No. G87654321.",
        "港澳通行证：C12345678",
        "台湾通行证CA1234567",
        "护照：Ｅ１２３４５６７８",
        "旧护照 141234567",
        "护照（DE1234567）",
    ),
    misses=(
        "E12345678",
        "订单E12345678",
        "护照号：E1234567",
        "护照号：E123456789",
        "护照号：EI1234567",
        "护照号：AE12345678",
        "护照有效期10年",
        "passport 2023-10-15",
        "护照号码由一个字母和八位数字组成",
        "passport.js 0.6.0",
    ),
)
