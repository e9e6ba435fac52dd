"""Long lists are read once; never is something else remembered than what the files say."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrail.policy.cache import Cache
from guardrail.policy.lexicon import read_lexicon
from guardrail.policy.lists import LARGE, Lists

ROWS = "".join(
    f"term {n},{'slur' if n % 3 else ''},{'noise' if n % 2 else ''},a term {n},en,note\n" for n in range(3000)
)
CSV = "term,category,options,allow,language,note\n" + ROWS
assert len(CSV) > LARGE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "l.csv").write_text(CSV, encoding="utf-8")
    return tmp_path / "l.csv"


def test_a_list_is_read_once(path: Path) -> None:
    lists = Lists()
    assert lists.read(path)[0] is lists.read(path)[0]
    assert lists.read(path) == read_lexicon(path)
    path.write_text(CSV + "one more\n", encoding="utf-8")
    assert "one more" in set(lists.read(path)[0].terms)
    lists.forget({path})
    before = lists.read(path)[0]
    lists.forget(set())
    assert lists.read(path)[0] is not before


def test_another_process_finds_it(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Lists(Cache(tmp_path / "cache")).read(path)
    assert len(list((tmp_path / "cache").iterdir())) == 1
    copy = tmp_path / "copy.csv"
    copy.write_bytes(path.read_bytes())
    monkeypatch.setattr("guardrail.policy.lists.read_lexicon", lambda path: pytest.fail(f"{path} is read again"))
    assert Lists(Cache(tmp_path / "cache")).read(path) == whole
    assert Lists(Cache(tmp_path / "cache")).read(copy)[0].files == [copy]


def test_what_it_includes_counts(path: Path, tmp_path: Path) -> None:
    main = tmp_path / "main/l.txt"
    main.parent.mkdir()
    main.write_text("@include ../l.csv\n" + "".join(f"more {n}\n" for n in range(9000)), encoding="utf-8")
    cache = Cache(tmp_path / "cache")
    one = Lists(cache)
    for lists in (one, one, Lists(cache)):
        path.write_text(CSV, encoding="utf-8")
        first = lists.read(main)
        assert first == read_lexicon(main)
        path.write_text(CSV + "one more\n", encoding="utf-8")
        assert lists.read(main) == read_lexicon(main) != first
    path.unlink()
    assert lists.read(main)[1] != []


def test_a_list_with_problems_is_told_of_each_time(path: Path, tmp_path: Path) -> None:
    path.write_text(CSV + "x,y,z,\n" + "bad,Slur\n", encoding="utf-8")
    one = Lists(Cache(tmp_path / "cache"))
    for lists in (one, one, Lists(one.cache)):
        assert len(lists.read(path)[1]) == 2
    assert not (tmp_path / "cache").exists()


def test_nonsense_in_the_cache_is_made_anew(path: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    Lists(cache).read(path)
    (name,) = (file.name for file in (tmp_path / "cache").iterdir())
    cache.put(name, b"\x93no such thing")
    assert Lists(cache).read(path) == read_lexicon(path)


def test_small_lists_are_not_kept(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("term\n", encoding="utf-8")
    lists = Lists(Cache(tmp_path / "cache"))
    assert lists.read(tmp_path / "l.txt")[0] is not lists.read(tmp_path / "l.txt")[0]
    assert not (tmp_path / "cache").exists()
