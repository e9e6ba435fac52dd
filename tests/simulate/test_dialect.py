"""The forms of events."""

from guardrail.simulate.dialect import compact, data_event, named_event


def test_json_is_written_without_blanks_and_with_letters_as_they_are() -> None:
    assert compact({"a": [1, "é"]}) == '{"a":[1,"é"]}'.encode()


def test_an_event_is_data_and_a_blank_line() -> None:
    assert data_event({"a": 1}) == b'data: {"a":1}\n\n'


def test_a_named_event_has_its_type_as_its_name() -> None:
    assert named_event({"type": "ping"}) == b'event: ping\ndata: {"type":"ping"}\n\n'
