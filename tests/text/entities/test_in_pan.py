from guardrail.text.entities.in_pan import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "ACUPA7085R",
    "ABCPK1234F",
    "acupa7085r",
    "BNZAA2318J",
    "ＡＣＵＰＡ７０８５Ｒ",
    "AAACR5055K",
    "ACUPA7085R",
    "ABCPK1234F",
    "ACUP\u200bA7085R",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
