"""Thai identity numbers: 13 digits with a check digit, grouped 1-4-5-2-1; plain digits behind a word that says what
they are.
"""

from stdnum.th import pin

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="th_tnin",
    label="[TH_TNIN]",
    category="personal_data",
    severity="high",
    expressions=(r"[1-8]-\d{4}-\d{5}-\d{2}-\d", r"[1-8] \d{4} \d{5} \d{2} \d", r"[1-8]\d{12}"),
    left="word",
    right="word",
    accept=checked(pin.is_valid),
    contextual=(False, False, True),
    context=(
        "thai id",
        "thailand id",
        "national id",
        "citizen id",
        "tnin",
        "identification number",
        "identity card",
        "บัตรประชาชน",
        "เลขประจำตัว",
        "身份证",
    ),
    hits=(
        "1-2345-45678-78-1",
        "เลขประจำตัวประชาชน 1421267359271",
        "Thai ID: 1 4172 50928 51 6.",
        "national id (1305545510791)",
        "号码是1-4963-04290-34-3谢谢",
        "１－２３４５－４５６７８－７８－１",
        "บัตรประชาชน ๑๔๒๑๒๖๗๓๕๙๒๗๑",
        "id=1-2345-45678-78-1;",
    ),
    misses=(
        "1-2345-45678-78-2",
        "1421267359271",
        "Thai ID 1421267359272",
        "0-2345-45678-78-1",
        "Thai ID 9421267359271",
        "11-2345-45678-78-1",
        "1-2345-45678-78-12",
        "Thai ID 14212673592711",
        "ISBN 978-3-16-148410-0",
        "timestamp 1700000000000",
        "order 1421267359271",
        "1-2345-4567-78-1",
        "Thai ID A1421267359271",
    ),
)
