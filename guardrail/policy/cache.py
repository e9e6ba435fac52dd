"""A folder of results that took long to work out, for the next start and for the other processes of this host.

Promises: what `get` returns is what somebody who may write here `put` under that name, whole and unchanged, or None.
A file that is cut short, altered, of another kind or of another user is as good as none; so is a folder that cannot
be written. Names are digests of all that a result depends on, so nothing here is ever out of date. Plain bytes; never
pickle.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

logger = logging.getLogger("guardrail.cache")

VARIABLE = "GUARDRAIL_CACHE"
"""Environment variable with the folder, or `off`; goes before the setting `cache`."""

MAX_FILES = 64
"""Files that are kept, the last used ones: each edit of a long list leaves one behind."""

_HEAD = b"guardrail cache 1\n"


class Cache:
    """`folder`: where files lie; None for a cache that holds nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._told = False

    def get(self, name: str) -> bytes | None:
        """What was put under this name."""
        if self._folder is None:
            return None
        path = self._folder / name
        try:
            with path.open("rb") as file:
                if not _ours(os.fstat(file.fileno())):
                    self._complain(f"{path} can be written by others and is not used")
                    return None
                data = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._complain(f"{path} cannot be read: {error.strerror}")
            return None
        body = data[len(_HEAD) + hashlib.sha256().digest_size :]
        if not data.startswith(_HEAD + hashlib.sha256(body).digest()):
            logger.warning("%s is not what was written there; it is made anew", path)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return body

    def put(self, name: str, data: bytes) -> None:
        """Keep `data` under this name, for everybody at once or not at all."""
        if self._folder is None:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _ours(self._folder.stat()):
                self._complain(f"{self._folder} can be written by others and is not used")
                return
            descriptor, temporary = tempfile.mkstemp(dir=self._folder, prefix=".")  # mode 0600
            try:
                with open(descriptor, "wb") as file:
                    file.write(_HEAD + hashlib.sha256(data).digest())
                    file.write(data)
                os.replace(temporary, self._folder / name)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
            self._prune(self._folder)
        except OSError as error:
            self._complain(f"{self._folder} cannot be written: {error.strerror}")

    @staticmethod
    def _prune(folder: Path) -> None:
        files = []
        for path in folder.iterdir():
            with contextlib.suppress(OSError):  # another process may be pruning too
                files.append((path.stat().st_mtime, path))
        for _, path in sorted(files)[:-MAX_FILES]:
            with contextlib.suppress(OSError):
                path.unlink()

    def _complain(self, message: str) -> None:
        """Say once that the cache is of no use; everything works without it."""
        if not self._told:
            logger.warning("%s; lists are read and compiled anew each time", message)
            self._told = True


def _ours(status: os.stat_result) -> bool:
    """Whether a file or folder is this user's, and nobody else can write it."""
    if not hasattr(os, "geteuid"):  # Windows: the user's own profile folder
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def open_cache(setting: bool | str, folder: Path, environ: Mapping[str, str]) -> Cache:
    """The cache that `GUARDRAIL_CACHE` names, or else the setting `cache`, relative to `folder`; `true` stands for the
    user's own folder of caches, as `environ` tells it."""
    given = environ.get(VARIABLE)
    if given:
        return Cache(None if given.lower() == "off" else Path(given))
    if isinstance(setting, str):
        return Cache(folder / setting)
    return Cache(_user_folder(environ) if setting else None)


def _user_folder(environ: Mapping[str, str]) -> Path | None:
    if sys.platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return Path(local, "guardrail", "cache") if local else None
    home = environ.get("HOME")
    if sys.platform == "darwin":
        return Path(home, "Library", "Caches", "guardrail") if home else None
    # https://specifications.freedesktop.org/basedir-spec: a relative path is to be ignored
    given = environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(given):
        return Path(given, "guardrail")
    return Path(home, ".cache", "guardrail") if home else None
