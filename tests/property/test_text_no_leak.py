"""Promise 2: at no moment has a character of a removed span been delivered."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from guardrail.text.editor import Editor
from guardrail.text.scanner import Scanner, compile_rules
from tests import strategies
from tests.reference import Result, reference
from tests.strategies import Case, words_of


def removed(result: Result, length: int) -> set[int]:
    """The raw offsets that the reference removes from a text of that length."""
    return {*result.removed, *range(length if result.cut is None else result.cut, length)}


@given(case=strategies.cases(kinds=strategies.KINDS), data=st.data())
def test_what_is_out_is_always_a_beginning_of_the_edited_text(case: Case, data: st.DataObject) -> None:
    expected = reference(case.rules, case.text).output
    editor = Editor(compile_rules(case.rules))
    out = ""
    for piece in data.draw(strategies.cuts(case.text)):
        out += editor.feed(piece)
        assert expected.startswith(out)


@given(case=strategies.cases(kinds=strategies.KINDS), data=st.data())
def test_no_removed_character_is_ever_settled_without_an_edit(case: Case, data: st.DataObject) -> None:
    gone = removed(reference(case.rules, case.text), len(case.text))
    scanner = Scanner(compile_rules(case.rules))
    edited: set[int] = set()
    for piece in data.draw(strategies.cuts(case.text)):
        for edit in scanner.feed(piece):
            edited.update(range(edit.start, edit.end))
        assert gone & set(range(scanner.settled)) <= edited


@given(case=strategies.cases(kinds=strategies.KINDS), more=st.text(max_size=6), data=st.data())
def test_what_is_out_suits_every_continuation(case: Case, more: str, data: st.DataObject) -> None:
    """What was released before the text went on is a beginning of what the longer text becomes."""
    editor = Editor(compile_rules(case.rules))
    out = "".join(map(editor.feed, data.draw(strategies.cuts(case.text))))
    tail = data.draw(st.sampled_from((more, *_pieces(case))))
    assert reference(case.rules, case.text + tail).output.startswith(out)


def _pieces(case: Case) -> list[str]:
    """Ends of the rules' words: what a text would have to go on with to be hit after all."""
    whole = [word for rule in case.rules for word in words_of(rule)]
    return [term[i:] for term in whole for i in range(len(term))]
