"""Faults of the simulated server: how they are read. What they do to a stream is seen in test_server.py."""

import pytest

from guardrail.simulate.fault import Fault


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("close", Fault("close")),
        ("stall@0", Fault("stall", 0)),
        ("status=418", Fault("status", status=418)),
    ],
)
def test_faults_are_read(text: str, expected: Fault) -> None:
    assert Fault.parse(text) == expected


@pytest.mark.parametrize("text", ["", "close=1", "status=200", "close@", "explode"])
def test_unknown_faults_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected close, stall"):
        Fault.parse(text)
