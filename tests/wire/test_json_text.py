"""A document that streams: what is edited in it is valid JSON, however it comes."""

from __future__ import annotations

import json

import pytest

from guardrail.text.editor import Editor
from guardrail.text.rules import Action, Rule
from guardrail.text.ruleset import RuleSet, with_scores
from guardrail.text.scanner import compile_rules
from guardrail.text.scores import CATEGORIES, ScoreRule, ScoreSettings
from guardrail.wire.json_text import MAX_SIGNS, JsonScanner, is_document
from guardrail.wire.openai_chat_body import guard_body
from guardrail.wire.request import ModelRequest
from tests.text.script import pattern, word
from tests.wire import anthropic_client, chat, gemini_client, ollama_client, openai_responses_client
from tests.wire.scored import BAD, GOOD, hate

BAD_WORD = word("bad", id="w", mask='"gone"', edges="never")
PIN = pattern(r"\d{4}", id="pin", mask="[PIN]", left="digit", right="digit")
STOP = word("stop", id="s", action=Action.HALT)


def editor(rules: RuleSet) -> Editor:
    one = Editor(rules)
    one.scanner = JsonScanner(rules)
    return one


def edited(rules: list[Rule], *pieces: str) -> str:
    one = editor(compile_rules(rules))
    return "".join([*map(one.feed, pieces), one.finish()])


CASES = [
    # name, document, edited
    ("clean", '{"a": [1, -2.5e3, true, null, ""], "b": {}}', None),
    ("a value", '{"a": "so bad it is"}', r'{"a": "so \"gone\" it is"}'),
    ("a key", '{"bad": "x"}', r'{"\"gone\"": "x"}'),
    ("a number becomes a string", '{"a": 1234, "b": 12345}', '{"a": "[PIN]", "b": 12345}'),
    ("in a list", "[1234,\n1234 ]", '["[PIN]",\n"[PIN]" ]'),
    ("digits in a string", '["call 1234"]', '["call [PIN]"]'),
    ("escapes are read", r'{"a": "b\u0061d, \ud83d\ude00 b\u0061d"}', r'{"a": "\"gone\", \ud83d\ude00 \"gone\""}'),
    ("escapes that stay", r'{"a": "\n\t\"\\\/ \u00e9 \ud83d x"}', None),
    ("escapes that are none", r'{"a": "\x \u12 bad \u"}', r'{"a": "\x \u12 \"gone\" \u"}'),
    ("no hit reaches over a string's end", '{"ba": "d"}', None),
    ("signs are no text", '{"a":{"b":[[],{}]}}', None),
    ("blanks before and behind", ' \n{"a": "bad"}\n ', ' \n{"a": "\\"gone\\""}\n '),
    ("prose", 'I am bad, "bad" and 1234.', 'I am "gone", ""gone"" and [PIN].'),
    ("a fence around it", '```json\n{"a": "bad"}\n```', '```json\n{"a": ""gone""}\n```'),
    ("what follows it", '{"a": 1} and bad', '{"a": 1} and "gone"'),
    ("what is no JSON within it", '{"a": bad, "b": 1234}', '{"a": "gone", "b": [PIN]}'),
    ("a word that is none", '{"a": truebad}', '{"a": true"gone"}'),
    ("a string alone", '"bad"', '""gone""'),
    ("it breaks off in a string", '{"a": "bad', '{"a": "\\"gone\\"'),
    ("it breaks off in an escape", '{"a": "bad\\', '{"a": "\\"gone\\"\\'),
    ("it breaks off in a number", '{"a": 1234', '{"a": "[PIN]"'),
    ("it breaks off in a word", '{"a": tr', None),
    ("a number too long", f"[{'1' * 300} bad]", f'[{"1" * 300} "gone"]'),
    ("many blanks", f'{{{" " * (MAX_SIGNS + 40)}"a": "bad"}}', f'{{{" " * (MAX_SIGNS + 40)}"a": "\\"gone\\""}}'),
    ("it closes what is not open", "]bad", ']"gone"'),
    ("a minus alone", "[-bad, -1234]", '[-"gone", -[PIN]]'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "document", "expected"), CASES, ids=[case[0] for case in CASES])
def test_documents(name: str, document: str, expected: str | None) -> None:
    for pieces in ([document], document, [document[at : at + 3] for at in range(0, len(document), 3)]):
        assert edited([BAD_WORD, PIN], *pieces) == (document if expected is None else expected)


def test_findings_and_halts_are_told_where_they_are_written() -> None:
    document = r'{"\u0061": "\n bad", "b": 1234, "c": "\u0061 stop it", "d": "bad"}'
    for pieces in ([document], document):
        one = editor(compile_rules([BAD_WORD, PIN, STOP]))
        out = "".join(map(one.feed, pieces))
        assert out == r'{"\u0061": "\n \"gone\"", "b": "[PIN]", "c": "\u0061 '
        assert [document[found.start : found.end] for found in one.findings()] == ["bad", "1234", "stop"]
        assert one.halt is not None
        assert one.halt.cut == document.index("stop")
        assert (one.feed("x"), one.finish(), one.held) == ("", "", 0)


def test_a_string_goes_on_as_it_settles() -> None:
    one = editor(compile_rules([BAD_WORD]))
    said = [one.feed(piece) for piece in ('{"a"', ": ", '"one b', "a", "lm b", "ad", ' x"', "}")]
    assert said == ['{"a"', "", ': "one ', "", "balm ", "", '\\"gone\\" x"', "}"]


def test_a_number_waits_for_its_end() -> None:
    one = editor(compile_rules([PIN]))
    assert [one.feed(piece) for piece in ('{"a":12', "34", "5", "}")] == ["{" + '"a"', "", "", ":12345}"]


def test_strings_are_scored_one_by_one_and_settle_in_order() -> None:
    rules = hate(action=Action.REDACT).rules
    one = editor(rules)
    assert one.feed('{"a": "this is evil", "b": "this is not", "c": 5}') == '{"'
    due = one.take_due()
    assert [window.text for _, window in due] == ["a", "this is evil", "b", "this is not", "c"]
    assert all(not window.context for _, window in due)
    out = ""
    for number, window in reversed(due):
        assert out == ""
        assert one.scanner.waiting
        out += one.score(number, BAD if "evil" in window.text else GOOD)
    assert out + one.finish() == 'a": "[S]", "b": "this is not", "c": 5}'
    assert not one.scanner.waiting
    assert one.scanner.scoring is not None
    assert one.scanner.scoring.tally.units == 5


def test_a_verdict_halts_in_its_turn() -> None:
    one = editor(hate(lag=100).rules)  # a lag budget does not count
    assert one.feed('["first", "evil", "third"]') == '["'
    (first, _), (second, _), _ = one.take_due()
    assert one.score(second, BAD) == ""
    assert one.score(first, GOOD) == 'first", "'
    assert one.halt is not None
    assert (one.halt.cut, one.halt.behind) == (11, 0)
    assert one.take_due() == []
    assert one.score(second, GOOD) == ""


def test_levels_that_only_report_hold_nothing() -> None:
    level = ScoreRule(id="l", category="hate", action=Action.LOG, label=0, at=0.5)
    rules = with_scores(compile_rules([]), ScoreSettings(model="m", labels=CATEGORIES, rules=(level,)))
    one = editor(rules)
    assert one.feed('{"a": "evil"}') + one.finish() == '{"a": "evil"}'
    due = one.take_due()
    assert one.scanner.unchecked(13) > 0
    assert "".join(one.score(number, BAD if window.text == "evil" else GOOD) for number, window in due) == ""
    assert [(found.start, found.end) for found in one.findings()] == [(7, 11)]
    assert one.scanner.unchecked(13) == 0


def test_what_is_stopped_takes_no_more() -> None:
    one = editor(hate().rules)
    one.feed('{"a": "x')
    one.scanner.cut_unit()
    ((number, _), *_) = one.take_due()
    one.scanner.stop()
    assert one.scanner.score(number, BAD) == ()
    assert one.scanner.feed('y"}') == ()
    assert one.findings() == []


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("content", True),
        ("choices[1].content", True),
        ("text", True),
        ("response", True),
        ("parts[0].text", True),
        ("output[0].content[0].text", True),
        ("output[0].summary[0].text", False),
        ("reasoning_content", False),
        ("thinking", False),
        ("content[0].thinking", False),
        ("refusal", False),
    ],
)
def test_what_is_a_document(channel: str, expected: bool) -> None:
    assert is_document(channel) is expected


def test_valid_stays_valid() -> None:
    document = json.dumps({"bad": ["bad", 1234, {"x bad": True}], "n": [1234.5, -1234]})
    assert json.loads(edited([BAD_WORD, PIN], *document)) == {
        '"gone"': ['"gone"', "[PIN]", {'x "gone"': True}],
        "n": ["[PIN].5", "-[PIN]"],
    }


# --- in the protocols -------------------------------------------------------------------------------------------------

ASKED = ModelRequest(json_output=True)
REDACTED = {"a": "so [X] is", "b": "[X]", "c": [True, "[X]"]}
PIECES = ('{"a": "so for', 'bidden is", "b"', ": 12", "34", ', "c": [true, "forb\\', 'u0069dden"]}')
POLICY = chat.policy(chat.redact("forbidden"), pattern(r"\d{4}", mask="[X]"))


def test_streams_of_every_protocol() -> None:
    texts = [
        chat.guard(POLICY, chat.chat(chat.says(*PIECES)), request=ASKED).reply.text(),
        anthropic_client.guard(
            POLICY, anthropic_client.message(anthropic_client.block(*PIECES)), request=ASKED
        ).reply.texts(),
        ollama_client.guard(POLICY, ollama_client.answer(ollama_client.says(*PIECES)), request=ASKED).reply.text(),
        gemini_client.guard(POLICY, gemini_client.answer(gemini_client.says(*PIECES)), request=ASKED).reply.text(),
    ]
    server = openai_responses_client.Server()
    server.text(*PIECES)
    reply = openai_responses_client.guard(POLICY, server.complete(), request=ASKED).reply
    texts.append(reply.output_text)
    assert [json.loads(text) for text in texts] == [REDACTED] * len(texts)


def test_bodies() -> None:
    said = json.dumps({"choices": [{"index": 0, "message": {"content": "".join(PIECES)}, "finish_reason": "stop"}]})
    out, record = guard_body(POLICY, ASKED, said.encode(), "g-1")
    assert json.loads(json.loads(out)["choices"][0]["message"]["content"]) == REDACTED
    assert record.received == record.released + record.removed


def test_without_being_asked_for_it_is_text() -> None:
    text = chat.guard(POLICY, chat.chat(chat.says(*PIECES))).reply.text()
    assert text.startswith('{"a": "so [X] is", "b": [X]')
