from __future__ import annotations

from guardrail.wire.inserts import NONE, Inserts, insert_note, note_inserts
from guardrail.wire.request import InputText, ModelRequest


def test_paragraphs_are_set_off_from_the_words_of_the_model() -> None:
    said = Inserts.of(["This is an AI.", "Take a break."], ["Made by AI."])
    assert said == Inserts("This is an AI.\n\nTake a break.\n\n", "\n\nMade by AI.")
    assert said
    assert not Inserts.of([], [])
    assert not NONE


def test_around_a_notice_stands_what_was_not_said_yet() -> None:
    inserts = Inserts("A ", " Z")
    assert inserts.around("stop", spoke=True) == "stop Z"
    assert inserts.around("stop", spoke=False) == "A stop Z"
    assert inserts.around("", spoke=True) == " Z"
    assert inserts.around("", spoke=False) == "", "nothing was said, so there is nothing to label"


def test_nothing_is_said_where_a_program_takes_the_text_as_it_is() -> None:
    inserts = Inserts("A ", " Z")
    user = InputText(("m", 0), "user", 0, "hi")
    assistant = InputText(("m", 1), "assistant", 1, "{")
    assert ModelRequest(said_with=inserts, inputs=(assistant, user)).inserts == inserts
    for request in (
        ModelRequest(said_with=inserts, json_output=True),
        ModelRequest(said_with=inserts, verbatim=True),
        ModelRequest(said_with=inserts, inputs=(user, assistant)),
    ):
        assert request.inserts == NONE


def test_notes() -> None:
    assert insert_note("before") == {"action": "insert", "place": "before"}
    body = {"guardrail": {"action": "halt"}}
    note_inserts(body, Inserts("ab", "c"))
    assert body == {"guardrail": {"action": "halt", "inserted": {"before": 2, "behind": 1}}}
