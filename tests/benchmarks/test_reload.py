"""The benchmark of a reload finds the new term, and watches the loop while it does."""

from __future__ import annotations

import pytest

from benchmarks import reload


def test_a_short_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "QUIET", 0.4)
    start, quiet, busy = reload.measure_reload((50,))
    assert [each.change for each in (start, quiet, busy)] == ["start", "none", "one term more"]
    assert (start.longest, quiet.live) == (0, 0)
    assert start.live > 0
    assert busy.live > 0
    assert busy.longest > 0
    assert {"terms", "live", "longest", "late"} <= reload.as_json([busy])[0].keys()
