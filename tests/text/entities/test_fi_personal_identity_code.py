from guardrail.text.entities.fi_personal_identity_code import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "131052-308T",
    "030741-1234",
    "080289A7531",
    "080524A811J",
    "１３１０５２－３０８Ｔ",
    "251186+010H",
    "131052-308T",
    "131052–308T",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
