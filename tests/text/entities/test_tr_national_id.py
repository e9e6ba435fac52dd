from guardrail.text.entities.tr_national_id import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "17291716060",
    "71031834254",
    "44156659910",
    "21177483496",
    "１７２９１７１６０６０",
    "84790186700",
    "17291716060",
    "71031834254",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
