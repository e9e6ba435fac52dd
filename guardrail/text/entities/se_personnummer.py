"""Swedish personal numbers: YYMMDD-NNNN or YYYYMMDD-NNNN with a Luhn check digit; without the dash behind a word that
says so.
"""

from stdnum.se import personnummer

from guardrail.text.entities.entity import Entity


def _accept(match: str) -> bool:
    digits = "".join(char for char in match if char not in "-+")
    if not (digits.isascii() and digits.isdigit()):
        return False
    birth, serial = digits[-10:-4], digits[-4:]
    # With a century, lest the library ask for today's date: it matters for 29 February only, and 1900 had none.
    century = digits[:-10] if digits[:-10] in ("18", "19") else "20" if birth[:2] == "00" else "19"
    return personnummer.is_valid(f"{century}{birth}-{serial}")


_BIRTH = r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"

ENTITY = Entity(
    name="se_personnummer",
    label="[SE_PERSONNUMMER]",
    category="personal_data",
    severity="high",
    expressions=(
        rf"{_BIRTH}[-+]\d{{4}}",
        rf"(?:18|19|20){_BIRTH}[-+]\d{{4}}",
        rf"(?:18|19|20)?{_BIRTH}\d{{4}}",
    ),
    left="word",
    right="word",
    accept=_accept,
    contextual=(False, False, True),
    context=(
        "personnummer",
        "personnr",
        "pnr",
        "person-nr",
        "personal number",
        "personal identity number",
        "swedish id",
        "swedish personal",
        "national id",
        "瑞典个人号码",
        "身份号码",
    ),
    hits=(
        "811228-9874",
        "Personnummer: 19811228-9874.",
        "personnummer 198112289874",
        "personnr 8112289874",
        "号码是820110-1204谢谢",
        "８１１２２８－９８７４",
        "(530120+1058)",
        "id=610715-9953;",
        "Swedish ID 6605027421",
    ),
    misses=(
        "811228-9873",
        "811328-9874",
        "811232-9874",
        "8112289874",
        "198112289874",
        "1811228-9874",
        "811228-98745",
        "811228-987",
        "A811228-9874",
        "personnummer 8112289873",
        "811228 9874",
        "2023-10-15",
        "timestamp 1700000000",
        "invoice 202310-1501",
        "000000-0000",
    ),
)
