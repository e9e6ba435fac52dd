"""The texts of a request under a policy's section `input`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.policy.policy import InputSection, Policy
from guardrail.stream import guard_text
from guardrail.text.rules import Action, KeywordRule, Label, PatternRule
from guardrail.text.scanner import compile_rules
from guardrail.wire.openai_chat_request import read_request
from guardrail.wire.prompt import GuardedPrompt, guard_prompt, size_of
from guardrail.wire.whole_text import Unscored, Verdicts
from tests.wire.scored import evil, hate

RULES = compile_rules(
    [
        KeywordRule(id="end", category="c", severity="high", action=Action.HALT, terms=("open sesame", "芝麻开门")),
        KeywordRule(id="mask", category="c", action=Action.REDACT, mask=Label("[X]"), terms=("Acme",)),
        PatternRule(id="ticket", category="c", action=Action.LOG, expressions=("TCK-[0-9]{4}",)),
    ]
)
INNER = Policy(name="p", digest="ab" * 32, rules=RULES)


def section(policy: Policy = INNER, **settings: Any) -> InputSection:
    if "roles" in settings:
        settings["roles"] = frozenset(settings["roles"])
    return InputSection(policy, **settings)


def body(*messages: tuple[str, Any]) -> bytes:
    said = [{"role": role, "content": content} for role, content in messages]
    return json.dumps({"model": "m", "messages": said, "seed": 1.0}, indent=1).encode()


def guarded(raw: bytes, asked: InputSection | None = None) -> GuardedPrompt:
    return guard_prompt(asked or section(), read_request(raw), raw, Verdicts())


def contents(outcome: GuardedPrompt) -> list[Any]:
    return [message["content"] for message in json.loads(outcome.body)["messages"]]


def parts(*texts: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text} for text in texts]


def test_a_request_in_which_nothing_changes_keeps_its_bytes() -> None:
    raw = body(("system", "Acme"), ("user", "Hi, TCK-1234 🙂"))
    outcome = guarded(raw)
    assert (outcome.body, outcome.changed) == (raw, False)
    (found,) = outcome.record.findings
    assert (found.rule, found.channel, found.start, found.end) == ("ticket", "messages[1].content", 4, 12)
    assert (outcome.record.messages, outcome.record.scanned, outcome.record.removed) == (1, 14, 0)


def test_what_is_edited_is_edited_where_it_stands() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    raw = body(("system", "Be kind."), ("user", [image, *parts("你好 Acme 🙂", "Acme\n\u2028 too")]))
    outcome = guarded(raw)
    assert contents(outcome)[1] == [image, *parts("你好 [X] 🙂", "[X]\n\u2028 too")]
    expected = json.loads(raw)
    expected["messages"] = json.loads(outcome.body)["messages"]
    assert json.loads(outcome.body) == expected
    assert [found.channel for found in outcome.record.findings] == ["messages[1].content"] * 2
    assert (outcome.record.removed, outcome.changed) == (8, True)


NEWEST: list[tuple[str, dict[str, Any], list[str]]] = [
    ("the newest words of the user", {}, ["Acme", "Acme", "Acme", "[X]", "Acme"]),
    ("and what tools gave back since", {"roles": ["user", "tool"]}, ["Acme", "Acme", "Acme", "[X]", "[X]"]),
    ("every turn", {"turns": "all"}, ["Acme", "[X]", "Acme", "[X]", "Acme"]),
    ("answers too", {"turns": "all", "roles": ["user", "assistant"]}, ["Acme", "[X]", "[X]", "[X]", "Acme"]),
    ("instructions are never old", {"roles": ["system"]}, ["[X]", "Acme", "Acme", "Acme", "Acme"]),
    ("answers of turns that are over are not new", {"roles": ["assistant"]}, ["Acme"] * 5),
]


@pytest.mark.parametrize(("name", "settings", "expected"), NEWEST, ids=[case[0] for case in NEWEST])
def test_what_is_scanned(name: str, settings: dict[str, Any], expected: list[str]) -> None:
    raw = body(("system", "Acme"), ("user", "Acme"), ("assistant", "Acme"), ("user", "Acme"), ("tool", "Acme"))
    outcome = guarded(raw, section(**settings))
    assert contents(outcome) == expected
    assert size_of(section(**settings), read_request(raw)) == outcome.record.scanned


@pytest.mark.parametrize(
    "messages",
    [
        [("user", "open"), ("user", "Acme")],
        [("user", "Acme"), ("tool", "a result"), ("tool", "another")],
        [("assistant", "Yes?"), ("user", "Acme"), ("assistant", "I call a tool."), ("tool", "a result")],
    ],
)
def test_the_newest_turn_is_all_since_the_model_answered_the_one_before(messages: list[tuple[str, str]]) -> None:
    assert "[X]" in contents(guarded(body(*messages)))


def test_a_refused_prompt_gives_no_body() -> None:
    raw = body(("user", "Acme"), ("user", "Please, OPEN SESAME now TCK-1234"), ("user", "TCK-1234"))
    outcome = guarded(raw)
    assert (outcome.body, outcome.changed, outcome.record.removed) == (b"", False, 0)
    refused = outcome.record.refused
    assert refused is not None
    assert (refused.rule, refused.channel, refused.start) == ("end", "messages[1].content", 8)
    assert [found.rule for found in outcome.record.findings] == ["mask", "end"]


CUT: list[tuple[str, list[str], list[str] | None]] = [
    ("a blank is where a part ends", ["open", "sesame"], None),
    ("within a word", ["open ses", "ame"], None),
    ("in three parts", ["open s", "es", "ame"], None),
    ("in Chinese", ["芝麻", "开门"], None),
    ("a mask stands where the hit starts", ["my Ac", "me is Acme"], ["my [X]", " is [X]"]),
    ("whole words of two parts", ["Acme", "Acme"], ["[X]", "[X]"]),
    ("no hit within a longer word", ["Acmeist", "Acmeist"], ["Acmeist", "Acmeist"]),
    ("a part that is empty", ["Ac", "", "me"], ["[X]", "", ""]),
]


@pytest.mark.parametrize(("name", "texts", "expected"), CUT, ids=[case[0] for case in CUT])
def test_a_term_cut_by_the_end_of_a_part(name: str, texts: list[str], expected: list[str] | None) -> None:
    outcome = guarded(body(("user", parts(*texts))))
    if expected is None:
        assert outcome.record.refused is not None
    else:
        assert contents(outcome) == [parts(*expected)]


def test_offsets_count_the_ends_of_parts() -> None:
    (found,) = guarded(body(("user", parts("a TCK-12", "34 b")))).record.findings
    assert (found.start, found.end) == (2, 11)


def test_a_text_that_comes_again_is_scanned_once() -> None:
    asked = section(hate(), turns="all")
    raw = body(*[("user", "This is one sentence.")] * 50)
    verdicts = Verdicts()
    request = read_request(raw)
    with pytest.raises(Unscored):
        guard_prompt(asked, request, raw, verdicts)
    assert len(verdicts.missing) == 1
    verdicts.known.update({window: evil(window) for window in verdicts.missing})
    verdicts.missing.clear()
    outcome = guard_prompt(asked, request, raw, verdicts)
    assert (outcome.body, outcome.record.messages, outcome.record.units) == (raw, 50, 1)


def test_what_a_classifier_finds_refuses_or_edits() -> None:
    raw = body(("user", "This is the first sentence. This is an evil one, the second."))

    def run(action: Action) -> GuardedPrompt:
        verdicts, request = Verdicts(), read_request(raw)
        while True:
            try:
                return guard_prompt(section(hate(action=action)), request, raw, verdicts)
            except Unscored:
                verdicts.known.update({window: evil(window) for window in verdicts.missing})
                verdicts.missing.clear()

    refused = run(Action.HALT).record.refused
    assert refused is not None
    assert (refused.category, refused.start) == ("hate", 28)
    assert contents(run(Action.REDACT)) == ["This is the first sentence. [S]"]


def test_the_record_holds_no_text() -> None:
    record = guarded(body(("user", "Acme secret words TCK-1234"))).record
    assert "secret" not in str(record)
    assert "TCK" not in str(record)


WORDS = st.lists(
    st.sampled_from(
        ["Acme", " ", "open", "sesame", "芝麻", "开门", "TCK-1234", "Ac", "me", "\n", "😀", "e\u0301", "\u200b", "."]
    ),
    max_size=8,
).map("".join)


@given(st.lists(WORDS, min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_each_message_becomes_what_the_rules_make_of_its_text(texts: list[str]) -> None:
    outcome = guarded(body(*[("user", text) for text in texts]), section(turns="all"))
    alone = [guard_text(text, INNER) for text in texts]
    assert (outcome.record.refused is not None) == any(one.halted for one in alone)
    if outcome.body:
        assert contents(outcome) == [one.output for one in alone]


@given(st.lists(WORDS, min_size=2, max_size=4))
@settings(max_examples=200, deadline=None)
def test_nothing_that_is_removed_is_left_however_a_message_is_cut_into_parts(texts: list[str]) -> None:
    outcome = guarded(body(("user", parts(*texts))))
    for together in ("".join(texts), "\n".join(texts)):
        assert outcome.record.refused is not None or not guard_text(together, INNER).halted
    if outcome.body:
        left = [part["text"] for part in contents(outcome)[0]]
        for together in ("".join(left), "\n".join(left)):
            found = guard_text(together, INNER)
            assert [hit.rule for hit in found.findings if hit.rule != "ticket"] == []


def test_what_a_person_wrote_is_told_apart_from_what_others_said_and_what_was_said_before() -> None:
    raw = body(
        ("user", "TCK-1111"),
        ("assistant", "TCK-2222"),
        ("user", "TCK-3333"),
        ("tool", "TCK-4444"),
    )
    record = guarded(raw, section(turns="all", roles=("user", "tool", "assistant"))).record
    assert [found.channel for found in record.findings] == [f"messages[{n}].content" for n in range(4)]
    assert [found.channel for found in record.own] == ["messages[2].content"]
