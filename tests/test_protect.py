"""`guardrail protect` as it is called, with files."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from guardrail.cli import app

RULES = "Never give a customer the direct number of the warehouse, not even when he says that it is urgent."
PRICES = "The lowest price that a seller may agree to without asking is nine tenths of what the list says."


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("rules.md").write_text(RULES)
    Path("books").mkdir()
    Path("books/prices.txt").write_text(PRICES)
    Path("books/.hidden").write_text(PRICES)
    Path("books/logo.png").write_bytes(b"\x89PNG\0")
    return tmp_path


def run(*arguments: str, stdin: str = "") -> tuple[int, str]:
    """The exit status, and all that was printed."""
    shown = CliRunner().invoke(app, ["protect", *arguments], input=stdin)
    return shown.exit_code, shown.output


def listed() -> dict[str, int]:
    code, shown = run("list", "set.fp", "--format", "json")
    assert code == 0
    return {one["id"]: one["shingles"] for one in json.loads(shown)["documents"]}


def test_files_are_put_in_and_taken_out() -> None:
    assert run("add", "rules.md", "--to", "set.fp") == (
        0,
        "set.fp: 1 document added, 1 document and 8 shingles in it\n",
    )
    assert run("add", "-", "--id", "prices", "--to", "set.fp", stdin=PRICES) == (
        0,
        "set.fp: 1 document added, 2 documents and 16 shingles in it\n",
    )
    assert listed() == {"rules.md": 8, "prices": 8}
    code, shown = run("list", "set.fp")
    assert code == 0
    assert shown.startswith("12 words or 20 characters; 2 documents and 16 shingles in it\n")
    assert run("remove", "set.fp", "rules.md")[0] == 0
    assert listed() == {"prices": 8}


def test_a_document_is_replaced_by_its_name() -> None:
    run("add", "rules.md", "--to", "set.fp")
    Path("rules.md").write_text(f"{PRICES} Ask before that.")
    assert run("add", "rules.md", "--to", "set.fp")[0] == 0
    assert listed() == {"rules.md": 11}


def test_of_a_folder_what_is_no_text_is_left_out_and_said() -> None:
    code, shown = run("add", "books", "rules.md", "--to", "set.fp")
    assert code == 0
    assert "books/logo.png: found a zero byte, expected text in UTF-8" in shown
    assert "left out 1 file" in shown
    assert listed() == {"prices.txt": 8, "rules.md": 8}


def test_the_size_of_a_shingle_is_the_set_s() -> None:
    assert run("add", "rules.md", "--to", "set.fp", "--words", "8", "--characters", "30")[0] == 0
    assert listed() == {"rules.md": 12}
    assert run("add", "books", "--to", "set.fp", "--words", "8")[0] == 0
    code, shown = run("add", "books", "--to", "set.fp", "--words", "9")
    assert (code, "--words: found 9, expected 8, with which set.fp was made" in shown) == (2, True)


REFUSED = {
    "a file that is not there": (["add", "rules.md", "none.md", "--to", "set.fp"], 1, "none.md: No such file"),
    "a file that is no text": (["add", "rules.md", "books/logo.png", "--to", "set.fp"], 1, "found a zero byte"),
    "a folder without text": (["add", "pictures", "--to", "set.fp"], 1, "set.fp was not written"),
    "an empty folder": (["add", "empty", "--to", "set.fp"], 2, "found no files"),
    "two of one name": (["add", "books", "prices.txt", "--to", "set.fp"], 2, "both called 'prices.txt'"),
    "standard input without a name": (["add", "-", "--to", "set.fp"], 2, "expected --id NAME"),
    "one name for two": (["add", "rules.md", "books", "--id", "x", "--to", "set.fp"], 2, "--id: found it with several"),
    "too few words": (["add", "rules.md", "--to", "set.fp", "--words", "3"], 2, "found 3, expected 4 to 100"),
    "no set": (["add", "rules.md"], 2, "--to"),
    "something else for a set": (["add", "rules.md", "--to", "rules.md"], 1, "found another kind of file"),
    "no place for a set": (["add", "rules.md", "--to", "none/set.fp"], 1, "No such file or directory"),
    "to list what is not there": (["list", "set.fp"], 1, "set.fp: No such file"),
    "to remove from what is none": (["remove", "rules.md", "x"], 1, "found another kind of file"),
}


@pytest.mark.parametrize(("arguments", "code", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_nothing_written(arguments: list[str], code: int, said: str, folder: Path) -> None:
    Path("empty").mkdir()
    Path("pictures").mkdir()
    Path("pictures/logo.png").write_bytes(b"\0")
    Path("prices.txt").write_text(PRICES)
    before = sorted(folder.rglob("*"))
    result, shown = run(*arguments)
    assert (result, said in shown) == (code, True), shown
    assert sorted(folder.rglob("*")) == before


def test_what_cannot_be_removed() -> None:
    run("add", "rules.md", "--to", "set.fp")
    code, shown = run("remove", "set.fp", "rules.md", "none")
    assert (code, shown) == (1, "guardrail protect: found no document 'none' in set.fp\n")
    code, shown = run("remove", "set.fp", "rules.md")
    assert (code, shown) == (1, "guardrail protect: nothing would be left in set.fp; delete the file instead\n")
    assert listed() == {"rules.md": 8}


def test_progress_goes_to_a_terminal_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from guardrail import protect

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    assert protect.add(["books", "rules.md"], Path("set.fp"), words=None, characters=None, name=None) == 0
    assert "reading" in terminal.getvalue()
    assert capsys.readouterr().out == "set.fp: 2 documents added, 2 documents and 16 shingles in it\n"
