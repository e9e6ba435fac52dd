from guardrail.text.entities.aba_routing_number import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "011000015",
    "021000021",
    "0110-0001-5",
    "122105155",
    "021000021",
    "1221 0515 5",
    "021000021",
    "０２１００００２１",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
