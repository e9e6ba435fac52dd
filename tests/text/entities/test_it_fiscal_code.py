from guardrail.text.entities.it_fiscal_code import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "RSSMRA85T10A562S",
    "BNCLRA92D52H501T",
    "RSS MRA 85T10 A562S",
    "rssmra85t10a562s",
    "VRDGPP60L15F205K",
    "ＲＳＳＭＲＡ８５Ｔ１０Ａ５６２Ｓ",
    "RSSMRA85T10A562S",
    "BNCLRA92D52H501T",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
