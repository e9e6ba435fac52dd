"""US social security numbers behind a word that says so: NNN-NN-NNNN, NNN NN NNNN or nine digits.

They have no check digit, and part numbers and dates have their shape.
"""

from stdnum.us import ssn

from guardrail.text.entities.compact import compact
from guardrail.text.entities.entity import Entity


def _accept(match: str) -> bool:
    # Areas 000, 666 and 9xx, group 00, serial 0000 and numbers printed in advertisements were never issued.
    number = compact(match)
    return number.isascii() and len(set(number)) > 1 and ssn.is_valid(f"{number[:3]}-{number[3:5]}-{number[5:]}")


ENTITY = Entity(
    name="us_ssn",
    label="[US_SSN]",
    category="personal_data",
    severity="high",
    expressions=(r"[0-8]\d{2}-\d{2}-\d{4}", r"[0-8]\d{2} \d{2} \d{4}", r"[0-8]\d{8}"),
    left="word",
    right="word",
    accept=_accept,
    contextual=True,
    context=(
        "ssn",
        "ssns",
        "social security",
        "social sec",
        "soc sec",
        "ss number",
        "ss no",
        "ss#",
        "tax id",
        "taxpayer id",
        "w-2",
        "w-9",
        "seguro social",
        "社保号",
        "社会保险号",
        "社会安全号",
        "社安号",
    ),
    # A list of people names the number once, above.
    within=100,
    hits=(
        "SSN: 536-90-4399",
        "My SSN is 123-45-6789.",
        "SSN 123 45 6789 on file",
        "社保号是536-90-4399谢谢",
        "Ｓｏｃｉａｌ Ｓｅｃｕｒｉｔｙ ５３６－９０－４３９９",
        "social security number (001-01-0001)",
        "ssn=899-99-9999",
        "his SSN, 123\u00a045\u00a06789",
        "Social Security No. 536904399",
        "name,ssn\nMr. Bob Roe of 12 Example Street,536-90-4399",
        "Número de seguro social: 536-90-4399",
    ),
    misses=(
        "536-90-4399",
        "part number 123-45-6789",
        "SSN 000-12-3456",
        "SSN 666-12-3456",
        "SSN 900-12-3456",
        "SSN 123-00-6789",
        "SSN 123-45-0000",
        "SSN 078-05-1120",
        "123456789",
        "SSN 123-456-7890",
        "SSN 1123-45-6789",
        "SSN 123-45-67890",
        "SSN A123-45-6789",
        "SSN 123-45 6789",
        "social security since 2023-10-15",
        "ssna 536-90-4399",
        "536-90-4399 is no SSN",
        "SSN 12345678",
        "SSN 111111111",
    ),
)
