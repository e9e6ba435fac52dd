"""Records: the last ones stay, each is logged as one line of JSON."""

from __future__ import annotations

import json
import logging

import msgspec

from guardrail.observe.records import Record, Records, logger


def record(request_id: str = "g-1", **changes: object) -> Record:
    """A record with plain values."""
    plain: dict[str, object] = {}
    for field in msgspec.structs.fields(Record):
        if not field.required:
            continue
        plain[field.name] = {str: "", int: 0, bool: False, float: 0.0}.get(field.type, [])  # type: ignore[call-overload]
    plain |= {"request_id": request_id, "outcome": "complete", "time": "2026-01-01T00:00:00.000Z"} | changes
    return msgspec.convert(plain, Record)


def test_the_last_ones_are_kept_newest_first() -> None:
    records = Records(2)
    for name in ("g-1", "g-2", "g-3"):
        records.add(record(name))
    assert [r.request_id for r in records.newest(10)] == ["g-3", "g-2"]
    assert [r.request_id for r in records.newest(1)] == ["g-3"]
    assert records.find("g-1") is None
    assert records.find("g-2") is not None


def test_a_reload_may_change_how_many_are_kept() -> None:
    records = Records(3)
    for name in ("g-1", "g-2", "g-3"):
        records.add(record(name))
    records.resize(1)
    assert [r.request_id for r in records.newest(10)] == ["g-3"]
    records.resize(0)
    records.add(record("g-4"))
    assert records.newest(10) == []


def test_an_answer_that_is_removed_later_is_marked() -> None:
    records = Records(2)
    for name in ("g-1", "g-2"):
        records.add(record(name, answer_id=f"msg_{name}"))
    assert records.mark_removed("c-7", request_id="g-1", answer_id="msg_of_the_application")
    assert not records.mark_removed("c-7", request_id="g-9", answer_id="msg_g-2")
    assert [(r.request_id, r.removed_by) for r in records.newest(2)] == [("g-2", ""), ("g-1", "c-7")]
    assert records.mark_removed("c-8", answer_id="msg_g-2")
    assert [r.removed_by for r in records.newest(2)] == ["c-8", "c-7"]


class Lines(logging.Handler):
    """Keeps the messages."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def test_each_is_one_json_line() -> None:
    heard = Lines()
    logger.addHandler(heard)
    logger.setLevel(logging.INFO)
    try:
        Records(1).add(record("g-9", model="a\nb"))
    finally:
        logger.removeHandler(heard)
    (line,) = heard.lines
    assert "\n" not in line
    assert json.loads(line)["request_id"] == "g-9"
