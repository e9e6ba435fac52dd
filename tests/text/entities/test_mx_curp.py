from guardrail.text.entities.mx_curp import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "BOXW310820HNERXN09",
    "GOMC900514MDFNRR00",
    "BOXW310820HNERXN09",
    "ＢＯＸＷ３１０８２０ＨＮＥＲＸＮ０９",
    "GOMC900514MDFNRR00",
    "BOXW310820HNERXN09",
    "BOXW3108\u200b20HNERXN09",
    "BOXW310820HNERXN09",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
