from guardrail.text.entities.th_tnin import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "1-2345-45678-78-1",
    "1421267359271",
    "1 4172 50928 51 6",
    "1305545510791",
    "1-4963-04290-34-3",
    "１－２３４５－４５６７８－７８－１",
    "๑๔๒๑๒๖๗๓๕๙๒๗๑",
    "1-2345-45678-78-1",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
