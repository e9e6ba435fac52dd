import pytest

from guardrail.text.entities.domains import GENERIC, is_top_level


@pytest.mark.parametrize("label", ["com", "COM", "cn", "uk", "io", "museum", "example", "internal", "xn--p1ai"])
def test_addresses_end_in_these(label: str) -> None:
    assert is_top_level(label)


@pytest.mark.parametrize("label", ["", "transpose", "shape", "mean", "sum", "png", "zip", "xx", "c", "comm", "T"])
def test_addresses_do_not_end_in_these(label: str) -> None:
    assert not is_top_level(label)


def test_generic_ones_are_longer_than_country_codes() -> None:
    assert all(len(label) > 2 and label.isascii() and label.islower() for label in GENERIC)
