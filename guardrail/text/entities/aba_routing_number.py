"""Routing numbers of banks in the United States: nine digits with a check digit, behind a word that says so.

One random number in ten passes the check, and one in three of those has a first pair in use.
"""

from stdnum.us import rtn

from guardrail.text.entities.entity import Entity


def _accept(match: str) -> bool:
    digits = match.replace("-", "").replace(" ", "")
    return digits.isascii() and digits.isdigit() and rtn.is_valid(digits)


# First pairs: government, the Federal Reserve districts, their thrift and electronic numbers, traveller's cheques.
_FIRST = r"(?:0\d|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)"

ENTITY = Entity(
    name="aba_routing_number",
    label="[ABA_ROUTING_NUMBER]",
    category="personal_data",
    severity="low",
    expressions=(rf"{_FIRST}\d{{7}}", rf"{_FIRST}\d{{2}}[ -]\d{{4}}[ -]\d"),
    left="word",
    right="word",
    accept=_accept,
    contextual=True,
    context=("aba", "rtn", "routing", "routing number", "routing no", "routing code", "transit number", "汇款路线号码"),
    hits=(
        "routing number: 011000015",
        "Routing No. 021000021, account 12345",
        "ABA 0110-0001-5",
        "RTN: 122105155.",
        "aba_routing=021000021",
        "bank routing number is 1221 0515 5",
        "ABA号码是021000021谢谢",
        "ABA：０２１００００２１",
    ),
    misses=(
        "021000021",
        "order 021000021",
        "routing number: 021000022",
        "routing number: 0210000210",
        "routing number: 981000021",
        "ABA 02100002",
        "RTN x021000021",
        "The routing table has 16 entries, of which the one that matters is 021000021",
        "ABA 2023-10-15",
        "ISBN 021000021",
    ),
)
