"""Vehicle licence plates of mainland China: province, letter, five characters (six for new energy), behind a word.

Five digits with at most two letters among them; the last character may be one of the Chinese ones for special use.
New-energy plates have D, F or another letter first or last.
"""

from guardrail.text.entities.entity import Entity

_PROVINCE = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使]"
_CHAR = "[A-HJ-NP-Za-hj-np-z0-9]"
_FEWEST_DIGITS = 3


def _accept(match: str) -> bool:
    return sum(map(str.isdigit, match)) >= _FEWEST_DIGITS


ENTITY = Entity(
    name="cn_license_plate",
    label="[CN_LICENSE_PLATE]",
    category="personal_data",
    severity="medium",
    expressions=(
        rf"{_PROVINCE}[A-HJ-NP-Za-hj-np-z][ ·•.-]?{_CHAR}{{4}}(?:{_CHAR}|[挂学警港澳领])",
        rf"{_PROVINCE}[A-HJ-NP-Za-hj-np-z][ ·•.-]?(?:[A-HJKa-hjk]{_CHAR}\d{{4}}|\d{{5}}[A-HJKa-hjk])",
    ),
    right="word",
    accept=_accept,
    contextual=True,
    context=(
        "车牌",
        "牌照",
        "号牌",
        "车号",
        "车辆",
        "車牌",
        "车主",
        "挂着",
        "驾驶",
        "license plate",
        "licence plate",
        "number plate",
        "plate number",
        "plate no",
        "plate",
        "registration number",
    ),
    hits=(
        "车牌号：京A12345",
        "车牌是粤B·1A2B3谢谢",
        "牌照 沪C-88K66",
        "号牌为浙A1234挂",
        "新能源车牌粤BD12345",
        "车牌苏E 12345F。",
        "license plate 京A12345",
        "车牌：京Ａ１２３４５",
        "车辆川a12345",
    ),
    misses=(
        "京A12345",
        "车牌号：京A1234",
        "车牌号：京A123456",
        "车牌号：京I12345",
        "车牌号：京AABCDE",
        "车牌号：A12345",
        "京东A12345",
        "车牌由省份简称、字母和五位字符组成",
        "车辆新A级标准",
        "license plate ABC-1234",
    ),
)
