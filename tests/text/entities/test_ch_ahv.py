from guardrail.text.entities.ch_ahv import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "756.9217.0769.85",
    "7561394411771",
    "756 4942 0555 26",
    "7567848531941",
    "７５６．９２１７．０７６９．８５",
    "756.1284.3088.60",
    "7561284308860",
    "756.9217.0769.85",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
