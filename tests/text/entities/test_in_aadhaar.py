from guardrail.text.entities.in_aadhaar import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "2341 2341 2346",
    "410464943671",
    "4353-8234-3689",
    "३३०३ ९४०६ ७१४१",
    "904230333865",
    "２３４１ ２３４１ ２３４６",
    "410464943671",
    "4353\u00a08234\u00a03689",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
