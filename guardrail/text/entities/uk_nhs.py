"""NHS numbers of England, Wales and the Isle of Man behind a word that says so: ten digits, plain or 3-3-4.

One number of ten digits in eleven has a right check digit, so the number alone, grouped or not, tells nothing.
"""

from stdnum.gb import nhs

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="uk_nhs",
    label="[UK_NHS]",
    category="personal_data",
    severity="high",
    expressions=(r"\d{3}[ -]?\d{3}[ -]?\d{4}",),
    left="word",
    right="word",
    accept=checked(nhs.is_valid),
    contextual=True,
    context=(
        "nhs",
        "national health service",
        "health service number",
        "health service no",
        "patient number",
        "patient no",
        "patient id",
        "国民保健",
        "国民医疗",
    ),
    hits=(
        "NHS number 943 476 5919",
        "NHS No: 9434765919.",
        "nhs-number=609-139-0996",
        "Patient ID (9078666617)",
        "ＮＨＳ ９４３ ４７６ ５９１９",
        "她的NHS号码是1163726516谢谢",
        "National Health Service: 017 598 9834",
        "NHS 943\u00a0476\u00a05919",
        "NHS numbers 1234567890 and 9434765919",
    ),
    misses=(
        "943 476 5919",
        "9434765919",
        "NHS number 943 476 5918",
        "NHS number 94347659190",
        "NHS 19434765919",
        "NHS number 0000000000",
        "the NHS was founded in 1948",
        "call the NHS on 0300 123 4567",
        "NHS part A9434765919",
        "order 9434765919",
        "NHSX 9434765919",
        "ISBN 0-306-40615-2",
        "timestamp 1700000000",
        "9434765919 is her NHS number",
        "NHS 943-4765-919",
    ),
)
