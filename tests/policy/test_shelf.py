"""Each list is read once, and told of once for each rule that asks."""

from __future__ import annotations

from pathlib import Path

from guardrail.errors import ConfigProblem
from guardrail.policy.document import Document
from guardrail.policy.lists import Lists
from guardrail.policy.resolve import Given, ResolvedRule
from guardrail.policy.shelf import Shelf


def rule(folder: Path, **fields: object) -> ResolvedRule:
    document = Document(folder / "policies/p.yaml")
    return ResolvedRule(
        "x", Given(None, document, ()), {name: Given(value, document, (name,)) for name, value in fields.items()}
    )


def test_the_lexicons_of_a_rule(tmp_path: Path) -> None:
    told: list[ConfigProblem] = []
    shelf = Shelf(lambda *problems: told.extend(problems), Lists())
    (tmp_path / "policies").mkdir()
    (tmp_path / "a.txt").write_text("@include b.txt\na\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("b\x07\n", encoding="utf-8")
    (one,) = shelf.of(rule(tmp_path, lexicon="../a.txt"))
    same, *others = shelf.of(rule(tmp_path, lexicon=("../a.txt", "../none.txt")))
    assert same is one
    assert others == []
    assert shelf.files == {tmp_path / name for name in ("a.txt", "b.txt", "none.txt")}
    assert [(Path(problem.file).name, problem.message[:14]) for problem in told] == [
        ("b.txt", "found the cont"),
        ("b.txt", "found the cont"),
        ("p.yaml", "found no file "),
    ]


def test_forms_are_the_terms_where_nothing_more_is_asked_for(tmp_path: Path) -> None:
    shelf = Shelf(lambda *problems: None, Lists())
    assert list(shelf.forms(rule(tmp_path), ("b", "a", "b"))) == ["b", "a"]
