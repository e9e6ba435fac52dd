from guardrail.text.entities.cn_license_plate import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "京A12345",
    "粤B·1A2B3",
    "沪C-88K66",
    "浙A1234挂",
    "粤BD12345",
    "苏E 12345F",
    "京A12345",
    "京Ａ１２３４５",
    "川a12345",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
