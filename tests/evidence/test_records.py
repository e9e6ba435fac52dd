"""The checks of what is kept hold under the presets, and fail without an audit log."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrail.evidence.checks import Outcome, State, checks
from guardrail.evidence.records import files_with

ALWAYS = {"no-text-is-kept", "report-counts"}
"""Hold by themselves: no text is kept, and requests are counted, whatever the configuration says."""
MINE = [name for name, check in checks().items() if check.run.__module__ == "guardrail.evidence.records"]


@pytest.mark.parametrize("name", MINE)
def test_it_holds_where_the_presets_are_served(name: str, served: dict[str, Outcome]) -> None:
    assert served[name].state is State.HOLDS, served[name].said


@pytest.mark.parametrize("name", sorted(set(MINE) - ALWAYS))
def test_it_fails_where_nothing_is(name: str, bare: dict[str, Outcome]) -> None:
    assert bare[name].state is State.FAILS, bare[name].said


def test_text_on_disk_is_found(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "audit.jsonl").write_bytes(b'{"text": "canary1"}\n')
    (tmp_path / "other").write_bytes(b"nothing")
    assert files_with(tmp_path, "canary1", "person1") == ["audit.jsonl"]
    assert files_with(tmp_path, "canary2") == []
