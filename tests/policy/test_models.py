"""Models that policies name: loaded once, and again when a file has changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from guardrail.errors import ModelError
from guardrail.policy.models import files_of, model_in
from tests.classify import tiny


def test_a_model_is_loaded_once(tmp_path: Path) -> None:
    folder = tiny.ours(tmp_path / "mine")
    assert model_in(folder) is model_in(folder)
    assert {path.name for path in files_of(folder)} >= {"manifest.yaml", "model.onnx", "tokenizer.json"}


def test_a_model_whose_files_changed_is_loaded_again(tmp_path: Path) -> None:
    folder = tiny.ours(tmp_path / "mine")
    first = model_in(folder)
    shutil.rmtree(folder)
    tiny.ours(folder, name="other")
    second = model_in(folder)
    assert (first.name, second.name) == ("tiny", "other")


def test_a_folder_without_a_model_is_an_error_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ModelError):
            model_in(tmp_path)
    assert files_of(tmp_path / "none") == [tmp_path / "none" / "manifest.yaml"]
