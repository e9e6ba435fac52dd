"""International bank account numbers: country, length, the country's structure, and the check digits (mod 97).

Upper case, plain or in groups of four. The country codes stand in the expression, each with its length, so that
hardly an upper-case word is held back and a currency code after the number is not taken for its last group.
"""

from stdnum import iban

from guardrail.text.entities.entity import Entity

# Lengths of the SWIFT IBAN registry, release 101.
_COUNTRIES: dict[int, str] = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HN HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC SM",
    28: "AL AZ BY CY DO GT HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}


def _expression() -> str:
    options = []
    for length, countries in _COUNTRIES.items():
        fours, rest = divmod(length - 4, 4)
        tail = f"[ -]?[A-Z0-9]{{{rest}}}" if rest else ""
        options.append(f"(?:{countries.replace(' ', '|')})[0-9]{{2}}(?:[ -]?[A-Z0-9]{{4}}){{{fours}}}{tail}")
    return "|".join(options)


def _accept(match: str) -> bool:
    # Without the national checks: some look the bank up in a list that ages with the library.
    compact = match.replace(" ", "").replace("-", "")
    return compact.isascii() and compact.isalnum() and iban.is_valid(compact, check_country=False)


ENTITY = Entity(
    name="iban_code",
    label="[IBAN]",
    category="personal_data",
    severity="high",
    expressions=(_expression(),),
    left="word",
    right="word",
    accept=_accept,
    hits=(
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00 EUR",
        "Pay AT61 1904 3002 3457 3201 EUR 500",
        "GB29 NWBK 6016 1331 9268 19.",
        "请汇款到FR1420041010050500013M02606谢谢",
        "NO93 8601 1117 947",
        "NL91-ABNA-0417-1643-00",
        "ＤＥ８９ ３７０４ ００４４ ０５３２ ０１３０ ００",
        "CH93 0076 2011 6238 5295 7 (account)",
        "IBAN:BE68539007547034",
        "MT84MALT011000012345MTLCAST001S",
    ),
    misses=(
        "DE88370400440532013000",
        "DE00 0000 0000 0000 0000 00",
        "GB29 NWBK 6016 1331 9268",
        "ZZ89370400440532013000",
        "de89 3704",
        "XDE89370400440532013000",
        "DE893704004405320130001",
        "PART NO93 8601 1117 948",
        "SE45 is a European route",
        "AT61 Sales and ES12 Service",
        "BE6853900754703A",
        "SKU DE89-1234-5678-9012-3456-78",
    ),
)
