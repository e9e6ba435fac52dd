from guardrail.text.entities.github_token import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "ghp_dRv3PSfcnK8EVApZfQxiXfF5A1CZenOkWD9C",
    "gho_dRv3PSfcnK8EVApZfQxiXfF5A1CZenOkWD9C",
    "ghu_dRv3PSfcnK8EVApZfQxiXfF5A1CZenOkWD9C",
    "ghs_dRv3PSfcnK8EVApZfQxiXfF5A1CZenOkWD9C",
    "ghr_dRv3PSfcnK8EVApZfQxiXfF5A1CZenOkWD9CdRv3PSfcnK8EVApZfQxiXfF5A1CZenOkWD9C",
    "ghp_dRv3PSfcnK8EVApZfQxiXfF5A1CZenOkWD9C",
    "ｇｈｐ＿dRv3PSfcnK8EVApZfQxiXfF5A1CZenOkWD9C",
    "ghp_dRv3PSfcnK8EVApZfQxiXfF5A1CZenOkWD9C",
    "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",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
