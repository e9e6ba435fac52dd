from guardrail.text.entities.digitalocean_token import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "dop_v1_3151349eb6686504f28ad34367fdd00be7906eddf3128afbac780c3ea424ab11",
    "doo_v1_3151349eb6686504f28ad34367fdd00be7906eddf3128afbac780c3ea424ab11",
    "dor_v1_3151349eb6686504f28ad34367fdd00be7906eddf3128afbac780c3ea424ab11",
    "dop_v1_3151349eb6686504f28ad34367fdd00be7906eddf3128afbac780c3ea424ab11",
    "dop_v1_3151349eb6686504f28ad34367fdd00be7906eddf3128afbac780c3ea424ab11",
    "ｄｏｐ＿ｖ１＿3151349eb6686504f28ad34367fdd00be7906eddf3128afbac780c3ea424ab11",
    "dop_v1_3151349eb6686504f28ad34367fdd00be7906eddf3128afbac780c3ea424ab11",
    "dop_v1_3151349eb6686504f28ad34367fdd00be7906eddf3128afbac780c3ea424ab11",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
