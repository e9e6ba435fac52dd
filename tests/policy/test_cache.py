"""What is put is what comes back, or nothing is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from guardrail.policy.cache import MAX_FILES, Cache, open_cache


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a/cache"


def test_there_and_back(folder: Path) -> None:
    cache = Cache(folder)
    assert cache.get("x") is None
    for data in (b"data", b"", b"other"):
        cache.put("x", data)
        assert cache.get("x") == Cache(folder).get("x") == data
    assert [path.name for path in folder.iterdir()] == ["x"]


def test_only_its_user_can_read_it(folder: Path) -> None:
    Cache(folder).put("x", b"data")
    assert (folder.stat().st_mode & 0o777, (folder / "x").stat().st_mode & 0o777) == (0o700, 0o600)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
        lambda data: b"something else",
        lambda data: data.replace(b"cache 1", b"cache 0"),
    ],
)
def test_a_file_that_is_not_what_was_written(folder: Path, change, caplog: pytest.LogCaptureFixture) -> None:  # type: ignore[no-untyped-def]
    cache = Cache(folder)
    cache.put("x", b"data that is long enough")
    path = folder / "x"
    path.write_bytes(change(path.read_bytes()))
    assert cache.get("x") is None
    assert caplog.messages == [f"{path} is not what was written there; it is made anew"]
    cache.put("x", b"new")
    assert cache.get("x") == b"new"


def test_what_others_can_write_is_not_used(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    Cache(folder).put("x", b"data")
    (folder / "x").chmod(0o620)
    assert Cache(folder).get("x") is None
    (folder / "x").chmod(0o600)
    folder.chmod(0o777)
    cache = Cache(folder)
    cache.put("y", b"data")
    cache.put("z", b"data")
    assert [path.name for path in folder.iterdir()] == ["x"]
    assert [message.split(" can be")[0] for message in caplog.messages] == [str(folder / "x"), str(folder)]


def test_a_folder_that_cannot_be(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = Cache(tmp_path / "file")
    cache.put("x", b"data")
    assert cache.get("x") is None
    (message,) = caplog.messages
    assert message.endswith("lists are read and compiled anew each time")


def test_the_last_used_files_are_kept(folder: Path) -> None:
    cache = Cache(folder)
    for n in range(MAX_FILES):
        cache.put(f"{n}", b"")
        os.utime(folder / f"{n}", (n, n))
    assert cache.get("0") == b""
    cache.put("new", b"")
    assert {"0", "new"} <= {path.name for path in folder.iterdir()}
    assert not (folder / "1").exists()
    assert len(list(folder.iterdir())) == MAX_FILES


def test_off(tmp_path: Path) -> None:
    cache = Cache(None)
    cache.put("x", b"data")
    assert cache.get("x") is None


@pytest.mark.parametrize(
    ("setting", "environ", "expected"),
    [
        (True, {"XDG_CACHE_HOME": "{}/xdg", "HOME": "{}/home"}, "xdg/guardrail"),
        (True, {"XDG_CACHE_HOME": "relative", "HOME": "{}/home"}, "home/.cache/guardrail"),
        (True, {}, None),
        (False, {"HOME": "{}/home"}, None),
        ("own", {"HOME": "{}/home"}, "config/own"),
        (False, {"GUARDRAIL_CACHE": "{}/named"}, "named"),
        ("own", {"GUARDRAIL_CACHE": "OFF", "HOME": "{}/home"}, None),
    ],
)
def test_where_it_is(tmp_path: Path, setting: bool | str, environ: dict[str, str], expected: str | None) -> None:
    told = {name: value.format(tmp_path) for name, value in environ.items()}
    open_cache(setting, tmp_path / "config", told).put("x", b"")
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("x")] == ([f"{expected}/x"] if expected else [])
