from guardrail.text.entities.hk_identity_card import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "A427842(1)",
    "G184116(4)",
    "Z728692(A)",
    "WX499751 (2)",
    "A4278421",
    "Ａ４２７８４２（１）",
    "g1841164",
    "XA048221(5)",
    "A123456(3)",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
