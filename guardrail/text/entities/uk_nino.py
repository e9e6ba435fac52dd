"""UK national insurance numbers: two letters, six digits, one letter A to D.

They have no check digit. In pairs (AB 12 34 56 C) they look like nothing else; together they look like a product
code, and need a word that says what they are.
"""

from guardrail.text.entities.entity import Entity

# Never issued, whatever the letters by themselves allow (HM Revenue and Customs, National Insurance Manual NIM39110).
_UNUSED = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})


def _accept(match: str) -> bool:
    return match[:2].upper() not in _UNUSED


_PREFIX = "[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"

ENTITY = Entity(
    name="uk_nino",
    label="[UK_NINO]",
    category="personal_data",
    severity="high",
    expressions=(
        rf"{_PREFIX} \d{{2}} \d{{2}} \d{{2}} [A-D]",
        rf"(?i:{_PREFIX}[ -]?\d{{2}}[ -]?\d{{2}}[ -]?\d{{2}}[ -]?[A-D])",
    ),
    left="word",
    right="word",
    accept=_accept,
    contextual=(False, True),
    context=("nino", "ni number", "ni no", "national insurance", "national ins", "n.i. number", "国民保险"),
    hits=(
        "AB 12 34 56 C",
        "Her NINO is AB123456C.",
        "National Insurance number: JG 10 37 59 A",
        "NI no jg103759a on file",
        "国民保险号码是AB123456C谢谢",
        "ＡＢ １２ ３４ ５６ Ｃ",
        "(CE 12 34 56 D)",
        "NI number AB-12-34-56-C",
        "号码AB 12 34 56 C。",
        "national insurance: AB 123456 C",
    ),
    misses=(
        "AB123456C",
        "part AB123456C",
        "GB 12 34 56 C",
        "NINO GB123456C",
        "NINO AB123456E",
        "NINO DA123456C",
        "NINO AO123456C",
        "NINO XAB123456C",
        "NINO AB1234567C",
        "NINO AB123456CD",
        "AB 12 34 56",
        "ab 12 34 56 c",
        "AB123456C is her NINO",
        "flight BA 12 34 56 E",
        "casino AB123456C",
    ),
)
