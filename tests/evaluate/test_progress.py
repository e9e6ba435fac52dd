"""The bar is for people: nothing is written where nobody watches."""

from __future__ import annotations

import sys

import pytest

from guardrail.evaluate.progress import progress


def test_a_pipe_gets_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("scoring", 3) as done:
        done(2)
    assert tuple(capsys.readouterr()) == ("", "")


def test_a_terminal_gets_a_bar_on_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with progress("scoring", 3) as done:
        done(3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "scoring" in err
    assert "3/3" in err
