from guardrail.text.entities.cn_resident_id import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "11010519491231002X",
    "11010519491231002X",
    "360426199101010071",
    "１１０１０５１９４９１２３１００２Ｘ",
    "11010519491231002x",
    "110105 19491231 002X",
    "110105-19491231-002X",
    "360426199101010071",
    "360426199101010071",
    "110105 19491231 002X",
    "360426199101010071",
    "11010519491231 002X",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
