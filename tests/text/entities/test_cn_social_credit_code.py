from guardrail.text.entities.cn_social_credit_code import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "91110000600037341L",
    "91110000600037341L",
    "91350100M000100Y43",
    "91110000600037341L",
    "９１１１００００６０００３７３４１Ｌ",
    "91110000100010001L",
    "911100001001000072",
    "911100001001000072",
    "91110000600037341L",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
