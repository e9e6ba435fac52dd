from guardrail.text.entities.medical_license import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "AB1957363",
    "BS3906952",
    "mj0613376",
    "FM4514419",
    "ＸＲ８００６８６０",
    "AB1957363",
    "B91957363",
    "BS3906952",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
