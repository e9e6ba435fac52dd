from guardrail.text.entities.uk_nhs import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "943 476 5919",
    "9434765919",
    "609-139-0996",
    "9078666617",
    "９４３ ４７６ ５９１９",
    "1163726516",
    "017 598 9834",
    "943\u00a0476\u00a05919",
    "9434765919",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
