"""South African identity numbers: 13 digits with a birth date, a digit for the citizenship and a Luhn check digit,
grouped 6-4-3; plain digits, which timestamps in milliseconds have too, behind a word that says what they are.
"""

from stdnum.za import idnr

from guardrail.text.entities.compact import checked
from guardrail.text.entities.entity import Entity

_BIRTH = r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"

ENTITY = Entity(
    name="za_id_number",
    label="[ZA_ID_NUMBER]",
    category="personal_data",
    severity="high",
    expressions=(rf"{_BIRTH} \d{{4}} [012]\d{{2}}", rf"{_BIRTH}\d{{4}}[012]\d{{2}}"),
    left="word",
    right="word",
    # The library tells the century by today's date. No answer depends on it before 2100: leap years are the same.
    accept=checked(idnr.is_valid),
    contextual=(False, True),
    context=(
        "id number",
        "id no",
        "identity number",
        "south african id",
        "sa id",
        "rsa id",
        "national id",
        "id-nommer",
        "identiteitsnommer",
        "身份证",
    ),
    hits=(
        "921006 4139 062",
        "ID number: 9301042601081.",
        "South African ID 5412187915014",
        "身份证号码是9004243910000谢谢",
        "９２１００６ ４１３９ ０６２",
        "(930104 2601 081)",
        "sa id 9210064139062;",
        "identity number=9210064139062",
        "921006\u00a04139\u00a0062",
    ),
    misses=(
        "921006 4139 063",
        "9210064139062",
        "ID number 9210064139063",
        "ID number 9213064139062",
        "ID number 9210064139362",
        "1921006 4139 062",
        "921006 4139 0621",
        "ID number 92100641390621",
        "921006-4139-062",
        "timestamp 1700000000000",
        "ISBN 9783161484100",
        "order 9210064139062",
        "ID number A9210064139062",
        "ID number 9202304139062",
    ),
)
