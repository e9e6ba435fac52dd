import pytest

from guardrail.text.entities.compact import checked, compact


@pytest.mark.parametrize(
    ("match", "number"), [("943 476-5919", "9434765919"), ("ab 12/34.56 c", "AB123456C"), ("", ""), ("(1)", "(1)")]
)
def test_groups_and_case_go(match: str, number: str) -> None:
    assert compact(match) == number


@pytest.mark.parametrize(
    ("match", "accepted"),
    [("12 34", True), ("a-b", True), ("12 35", False), ("00 00", False), ("", False), ("(12)", False), ("١٢", False)],
)
def test_a_check_sees_ascii_letters_and_digits(match: str, accepted: bool) -> None:
    assert checked(lambda number: number in ("1234", "AB", "0000", "(12)", "١٢"))(match) is accepted
