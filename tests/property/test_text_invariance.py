"""Promise 1: however the text is cut, edits and findings are those of the whole-text reference."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from guardrail.text.editor import Editor
from guardrail.text.rules import Edit
from guardrail.text.scanner import Scanner, compile_rules
from tests import strategies
from tests.reference import reference
from tests.strategies import Case


def edited(text: str, edits: Sequence[Edit], end: int) -> str:
    """The text up to `end`, with the edits made."""
    out, at = [], 0
    for edit in edits:
        out += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join(out) + text[at:end]


@given(case=strategies.cases(kinds=strategies.KINDS), data=st.data())
def test_the_edited_text_and_findings_are_those_of_the_reference(case: Case, data: st.DataObject) -> None:
    expected = reference(case.rules, case.text)
    rules = compile_rules(case.rules)
    for pieces in ([case.text], list(case.text), data.draw(strategies.cuts(case.text))):
        editor = Editor(rules)
        output = "".join([*map(editor.feed, pieces), editor.finish()])
        assert output == expected.output
        assert editor.findings() == expected.findings
        assert (editor.halt is not None) == expected.halted
        assert editor.held == 0


@given(case=strategies.cases(kinds=strategies.KINDS), data=st.data())
def test_edits_are_disjoint_in_order_and_settled(case: Case, data: st.DataObject) -> None:
    expected = reference(case.rules, case.text)
    scanner = Scanner(compile_rules(case.rules))
    edits: list[Edit] = []
    fed = settled = 0
    for piece in [*data.draw(strategies.cuts(case.text)), None]:
        new = scanner.finish() if piece is None else scanner.feed(piece)
        fed += len(piece or "")
        assert scanner.received == fed or scanner.halt is not None
        assert settled <= scanner.settled <= fed
        for edit in new:
            assert settled <= edit.start < edit.end <= scanner.settled
            assert not edits or edits[-1].end <= edit.start
            edits.append(edit)
        settled = scanner.settled
    if scanner.halt is not None:
        assert scanner.halt.cut == settled == expected.cut
        assert scanner.halt.finding in expected.findings
        assert (scanner.feed("more"), scanner.finish(), scanner.settled) == ((), (), settled)
    else:
        assert settled == len(case.text)
    assert edited(case.text, edits, settled) == expected.output
    assert scanner.findings() == expected.findings


@given(case=strategies.cases(kinds=strategies.KINDS), data=st.data())
def test_finish_twice_is_finish_once(case: Case, data: st.DataObject) -> None:
    editor = Editor(compile_rules(case.rules))
    output = "".join([*map(editor.feed, data.draw(strategies.cuts(case.text))), editor.finish()])
    findings = editor.findings()
    assert editor.finish() == ""
    assert editor.findings() == findings
    assert output == reference(case.rules, case.text).output
