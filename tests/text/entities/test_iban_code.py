from guardrail.text.entities.iban_code import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "DE89370400440532013000",
    "DE89 3704 0044 0532 0130 00",
    "AT61 1904 3002 3457 3201",
    "GB29 NWBK 6016 1331 9268 19",
    "FR1420041010050500013M02606",
    "NO93 8601 1117 947",
    "NL91-ABNA-0417-1643-00",
    "ＤＥ８９ ３７０４ ００４４ ０５３２ ０１３０ ００",
    "CH93 0076 2011 6238 5295 7",
    "BE68539007547034",
    "MT84MALT011000012345MTLCAST001S",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
