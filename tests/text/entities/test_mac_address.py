from guardrail.text.entities.mac_address import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "00:1A:2B:3C:4D:5E",
    "3c:22:fb:9a:10:7e",
    "3C-22-FB-9A-10-7E",
    "3C-22-FB-9A-10-7E",
    "3c:22:fb:9a:10:7e",
    "３Ｃ：２２：ＦＢ：９Ａ：１０：７Ｅ",
    "3c22.fb9a.107e",
    "00:11:22:33:44:55",
    "02:42:ac:11:00:02",
    "52:54:00:6b:3c:58",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
