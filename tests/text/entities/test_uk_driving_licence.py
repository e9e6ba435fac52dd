from guardrail.text.entities.uk_driving_licence import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "MORGA657054SM9IJ",
    "MORGA753116SM9IJ",
    "MORGA 657054 SM9IJ",
    "JONES711243DA9XX",
    "ＭＯＲＧＡ６５７０５４ＳＭ９ＩＪ",
    "FOX99712319AB9CD",
    "MORGA657054SM9IJ",
    "MORGA\u00a0657054\u00a0SM9IJ",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
