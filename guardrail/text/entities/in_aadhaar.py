"""Aadhaar numbers of India behind a word that says so: twelve digits, plain or 4-4-4, with a Verhoeff check digit.

Card numbers and tables are full of groups of four, and one in ten passes the check.
"""

from stdnum.in_ import aadhaar

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

ENTITY = Entity(
    name="in_aadhaar",
    label="[IN_AADHAAR]",
    category="personal_data",
    severity="high",
    expressions=(r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}",),
    left="word",
    right="word",
    accept=checked(aadhaar.is_valid),
    contextual=True,
    context=(
        "aadhaar",
        "aadhar",
        "adhaar",
        "adhar",
        "uidai",
        "uid number",
        "uid no",
        "unique identification",
        "आधार",
        "印度身份",
    ),
    hits=(
        "Aadhaar: 2341 2341 2346",
        "My Aadhaar number is 410464943671.",
        "aadhar no 4353-8234-3689",
        "मेरा आधार नंबर ३३०३ ९४०६ ७१४१ है",
        "印度身份号码是904230333865谢谢",
        "ＵＩＤＡＩ（２３４１ ２３４１ ２３４６）",
        "adhaar=410464943671;",
        "UID number 4353\u00a08234\u00a03689",
    ),
    misses=(
        "2341 2341 2346",
        "410464943671",
        "Aadhaar 2341 2341 2347",
        "Aadhaar 1341 2341 2346",
        "Aadhaar 92341 2341 2346",
        "Aadhaar 2341 2341 23461",
        "Aadhaar A410464943671",
        "order 410464943671",
        "Aadhaar 2222 2222 2222",
        "410464943671 is my Aadhaar",
        "uid 410464943671",
        "Aadhaar 410464943671a",
        "card 4111 1111 1111 1111",
    ),
)
