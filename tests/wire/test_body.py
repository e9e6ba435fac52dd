"""The texts of a whole answer, guarded in place."""

from __future__ import annotations

from typing import Any

from guardrail.text.scanner import compile_rules
from guardrail.wire.body import Body
from guardrail.wire.request import ModelRequest
from guardrail.wire.unknown_text import Unknown
from guardrail.wire.whole_text import Verdicts
from tests.wire.chat import halt, policy, redact

RULES = [redact("secret"), halt("forbidden")]


def body() -> Body:
    return Body(compile_rules(RULES), Verdicts(), Unknown(block=True))


def test_texts_are_edited_in_their_place() -> None:
    value: dict[str, Any] = {
        "a": "a sec",
        "b": ["ret"],
        "c": '{"q":"secret"}',
        "d": "secret",
        "e": {"x": ["secret", 1]},
    }
    it = body()
    it.text([(value, "a"), (value["b"], 0)], "text")
    it.arguments((value, "c"), "call")
    it.name((value, "d"), "call.name")
    it.value((value, "e"), "result")
    assert value == {"a": "a [X]", "b": [""], "c": '{"q":"[X]"}', "d": "[X]", "e": {"x": ["[X]", 1]}}
    assert it.changed
    record = it.record(policy(*RULES), ModelRequest(model="m"), "g-1", reasons=["stop"])
    assert (record.received, record.removed, record.released) == (8 + 14 + 6 + 18, 24, 22)
    assert [finding.channel for finding in record.findings] == ["text", "call", "call.name", "result"]


def test_what_is_clean_stays_as_it_is() -> None:
    value = {"a": "fine", "b": {"x": 1.50}}
    it = body()
    it.text([(value, "a")], "text")
    it.value((value, "b"), "result")
    assert (it.changed, value) == (False, {"a": "fine", "b": {"x": 1.5}})


def test_after_a_halt_nothing_is_said() -> None:
    value: dict[str, Any] = {"a": "it is forbidden", "b": "fine", "c": "{}", "d": {"x": 1}}
    it = body()
    assert it.text([(value, "a")], "text").halted is not None
    it.text([(value, "b")], "text")
    it.arguments((value, "c"), "call")
    it.value((value, "d"), "result")
    assert (value["a"], value["b"], value["c"], it.delivered) == ("it is ", "", "", 6)
    record = it.record(policy(*RULES), ModelRequest(), "g-1", reasons=["refusal"])
    assert record.halted
    assert (record.received, record.released, record.removed, record.dropped) == (28, 6, 9, 13)


def test_a_call_that_halts_is_removed_whole() -> None:
    value = {"c": '{"q":"it is forbidden"}', "d": "f_forbidden"}
    it = body()
    it.arguments((value, "c"), "call")
    assert (it.removed, it.received) == (len(value["c"]), len(value["c"]))


def test_what_is_withdrawn_is_dropped_as_far_as_it_was_released() -> None:
    value = {"a": "fine", "b": "a secret, and it is forbidden"}
    it = body()
    it.name((value, "a"), "call.name")
    before = it.released
    it.text([(value, "b")], "text")
    assert it.released - before == len("a , and it is ")
    it.withdraw(before)
    assert (it.released, it.removed, it.dropped) == (4, len("secretforbidden"), len("a , and it is "))
