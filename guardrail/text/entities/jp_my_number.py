"""Japanese individual numbers (My Number) behind a word that says so: twelve digits, plain or 4-4-4, with a check
digit.
"""

from stdnum.jp import in_

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="jp_my_number",
    label="[JP_MY_NUMBER]",
    category="personal_data",
    severity="high",
    expressions=(r"\d{4}[ -]?\d{4}[ -]?\d{4}",),
    left="word",
    right="word",
    accept=checked(in_.is_valid),
    contextual=True,
    context=(
        "マイナンバー",
        "個人番号",
        "my number",
        "mynumber",
        "individual number",
        "个人编号",
        "个人番号",
    ),
    hits=(
        "マイナンバー：844655960906",
        "個人番号は1738 8688 8319です",
        "My Number is 212411236797.",
        "个人编号是156240337231谢谢",
        "ｍｙ ｎｕｍｂｅｒ ８４４６ ５５９６ ０９０６",
        "individual number (8446-5596-0906)",
        "mynumber=844655960906;",
        "マイナンバーカード 1738-8688-8319",
    ),
    misses=(
        "844655960906",
        "8446 5596 0906",
        "My Number 844655960907",
        "My Number 8446559609061",
        "My Number 1844655960906",
        "My Number A844655960906",
        "order 844655960906",
        "my numbers 844655960906",
        "844655960906 is My Number",
        "My Number 84465596090",
        "マイナンバー 000000000000",
        "My Number 8446 559609 06",
    ),
)
