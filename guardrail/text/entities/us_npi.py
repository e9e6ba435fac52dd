"""US national provider identifiers of health care behind a word that says so: ten digits with a Luhn check digit that
also counts the prefix 80840.
"""

from stdnum import luhn

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="us_npi",
    label="[US_NPI]",
    category="personal_data",
    severity="low",
    expressions=(r"[12]\d{9}",),
    left="word",
    right="word",
    accept=checked(lambda number: luhn.is_valid("80840" + number)),
    contextual=True,
    context=(
        "npi",
        "npis",
        "provider identifier",
        "national provider",
        "provider id",
        "provider number",
    ),
    hits=(
        "NPI: 1234567893",
        "His NPI is 1303277986.",
        "national provider identifier (2128794817)",
        "NPI号码是1996848887谢谢",
        "ＮＰＩ １９８４１３２１１２",
        "npi=1234567893;",
        "provider number 1303277986",
        "NPI 1234\u200b567893",
    ),
    misses=(
        "1234567893",
        "order 1234567893",
        "NPI 1234567890",
        "NPI 3234567893",
        "NPI 12345678931",
        "NPI 91234567893",
        "NPI A1234567893",
        "NPI 123-456-7893",
        "1234567893 is an NPI",
        "NPIX 1234567893",
        "timestamp 1700000000",
        "NPI 123456789",
    ),
)
