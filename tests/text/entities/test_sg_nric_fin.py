from guardrail.text.entities.sg_nric_fin import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "S7954220B",
    "S1234567D",
    "T9062762C",
    "F1614336R",
    "G3060672N",
    "M9335012P",
    "S5879158Z",
    "Ｓ７９５４２２０Ｂ",
    "s1234567d",
    "M8081978J",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
