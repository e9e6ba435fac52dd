"""Terms: their forms, their edges, and what a stream may show of them so far."""

from __future__ import annotations

import pytest

from guardrail.errors import RuleError
from guardrail.text.fold import fold_case, fold_cased
from guardrail.text.terms import Entry, Role, edges_of, fold_term, last_cluster, partials


def test_forms() -> None:
    assert fold_term("mine", "ＢoMß", cased=False) == "bomss"
    assert fold_term("mine", "ＢoMß", cased=True) == "BoMß"
    with pytest.raises(RuleError, match="nothing to match"):
        fold_term("mine", "\u200b", cased=False)


@pytest.mark.parametrize(
    ("term", "edges", "expected"),
    [
        ("bomb", "auto", (True, True)),
        ("炸bomb", "auto", (False, True)),
        ("-x", "auto", (False, True)),
        ("炸弹", "always", (True, True)),
        ("bomb", "never", (False, False)),
    ],
)
def test_edges(term: str, edges: str, expected: tuple[bool, bool]) -> None:
    assert edges_of(term, edges) == expected  # type: ignore[arg-type]


def test_partials_of_plain_terms_are_their_prefixes() -> None:
    assert list(partials("bomb", ())) == ["b", "bo", "bom"]
    assert list(partials("炸弹药", (fold_cased,))) == ["炸", "炸弹"]


def test_partials_hold_what_a_letter_looks_like_while_its_marks_arrive() -> None:
    found = set(partials("xấ", (lambda part: fold_case(fold_cased(part)),)))
    assert found == {"x", "xa", "xâ"}


def test_the_last_letter_with_its_marks() -> None:
    assert last_cluster("abq\u0323") == "q\u0323"
    assert last_cluster("\u0301") == "\u0301"


def test_an_entry_knows_whether_it_excuses() -> None:
    assert [Entry(0, role, True, True, 1).allow for role in (Role.TERM, Role.ALLOW)] == [False, True]
