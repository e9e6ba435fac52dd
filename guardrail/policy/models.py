"""The models that policies name, each loaded once for the process.

A folder is looked at again whenever a policy that names it is compiled; the model is loaded again only when one of its
files has changed. Importing the runtime takes a while, so it is done when the first model is.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardrail.classify.model import Model

_Signature = tuple[tuple[str, int, int, int], ...]

_lock = Lock()
_loaded: dict[Path, tuple[_Signature, Model]] = {}


def model_in(folder: Path) -> Model:
    """The model in a folder. Raises ModelError. May be called from any thread."""
    from guardrail.classify.model import load_model

    place = folder.resolve()
    with _lock:
        signature = _signature(place)
        found = _loaded.get(place)
        if found is None or found[0] != signature:
            found = _loaded[place] = signature, load_model(folder)
        return found[1]


def files_of(folder: Path) -> list[Path]:
    """The files whose change may change the model; the manifest even where it is not there."""
    found = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    return [folder / "manifest.yaml", *found]


def _signature(folder: Path) -> _Signature:
    found = []
    for path in sorted(files_of(folder)):
        if path.is_file():
            stat = path.stat()
            found.append((str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino))
    return tuple(found)
