"""Where model folders are: those that come with the package, by name, and one's own, by path.

Only names and paths: whether a folder holds a model is the business of `manifest`.
"""

from __future__ import annotations

from pathlib import Path

SHIPPED = "guard-small"
"""The model that comes with the package, and is used where none is named."""


def shipped_models() -> Path:
    """The folder with the models that come with the package."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_models"
    return installed if installed.is_dir() else package.parent / "models"


def model_folder(spelled: str, beside: Path) -> Path:
    """The folder that `spelled` means: a shipped model by its name, else a path, relative to the folder `beside`
    (`./guard-small` is one, `guard-small` the shipped model). The folder need not be there."""
    shipped = shipped_models() / spelled
    is_name = Path(spelled).name == spelled
    return shipped if is_name and shipped.is_dir() else beside / spelled
