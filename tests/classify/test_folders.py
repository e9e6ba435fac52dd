"""Which folder a model's name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrail.classify import folders
from guardrail.classify.folders import model_folder


def test_names_and_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped, beside = tmp_path / "shipped", tmp_path / "beside"
    (shipped / "guard-small").mkdir(parents=True)
    monkeypatch.setattr(folders, "shipped_models", lambda: shipped)
    assert model_folder("guard-small", beside) == shipped / "guard-small"
    assert model_folder("./guard-small", beside) == beside / "guard-small"
    assert model_folder("mine", beside) == beside / "mine"
    assert model_folder("../mine", beside) == beside / ".." / "mine"
    assert model_folder(str(tmp_path / "mine"), beside) == tmp_path / "mine"


def test_the_shipped_models_are_beside_the_package() -> None:
    assert (folders.shipped_models() / "training").is_dir()
