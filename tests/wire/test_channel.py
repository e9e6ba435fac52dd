"""One channel: events in with their text, events out when it is settled."""

from __future__ import annotations

import pytest

from guardrail.text.scanner import compile_rules
from guardrail.wire.channel import Channel
from guardrail.wire.openai_chat_chunk import with_text
from tests.wire.chat import halt, read, redact, sse

RULES = compile_rules([redact("secret"), halt("forbidden")])


def channel() -> Channel:
    return Channel(RULES, "content", "content", with_text, keep=True)


def take(to: Channel, *texts: str) -> list[str]:
    """What each event says that comes out after these went in together."""
    for text in texts:
        to.take(sse({"choices": [{"delta": {"content": text}}]}, ascii_only=True), text, to.received)
    out: list[tuple[int, bytes]] = []
    to.flush(out)
    return [read(raw).text() for _, raw in out]


def finish(to: Channel) -> list[str]:
    out: list[tuple[int, bytes]] = []
    to.finish(out)
    return [read(raw).text() for _, raw in out]


def test_events_go_when_their_text_is_settled() -> None:
    it = channel()
    assert take(it, "a ", "sec") == ["a "]
    assert (it.held, it.delivered) == (3, 2)
    assert take(it, "ond") == ["sec", "ond"]
    assert (it.held, it.held_max, it.delivered) == (0, 3, 8)


def test_a_mask_goes_where_the_hit_starts() -> None:
    it = channel()
    assert take(it, "a s", "ecr", "et b") == ["a [X]", "", " b"]
    assert (it.removed, it.masked, it.delivered) == (6, 3, 7)


@pytest.mark.parametrize(
    ("name", "mask", "texts", "said"),
    [
        ("no longer than an event may be", "m" * 27, ["it is ", "secret", " now"], ["it is ", "m" * 27, " now"]),
        ("longer", "words " * 10 + "end", ["it ", "secret", " is"], ["it ", "words " * 5, "words " * 5, "end", " is"]),
        ("without a blank", "m" * 40, ["secret."], ["m" * 32, "m" * 8 + "."]),
        ("in an event that is long itself", "m" * 40, ["x" * 60 + " secret."], ["x" * 60 + " " + "m" * 40 + "."]),
        ("over several events", "m" * 40, ["it", " sec", "ret", "."], ["it", " " + "m" * 31, "m" * 9, "", "."]),
    ],
)
def test_a_long_mask_comes_in_several_events(name: str, mask: str, texts: list[str], said: list[str]) -> None:
    it = Channel(compile_rules([redact("secret", mask=mask)]), "content", "content", with_text)
    out: list[tuple[int, bytes]] = []
    for text in texts:
        it.take(sse({"choices": [{"delta": {"role": "assistant", "content": text}}]}), text, it.received)
        it.flush(out)
    it.finish(out)
    chunks = read(b"".join(raw for _, raw in out)).chunks
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert [delta.get("content", "") for delta in deltas] == said
    assert sum("role" in delta for delta in deltas) == len(texts)


def test_a_long_event_goes_in_parts() -> None:
    it = channel()
    assert take(it, "x" * 33 + " sec") == ["x" * 33 + " "]
    assert take(it, "re") == []
    assert take(it, "ad") == ["sec", "re", "ad"]


def test_a_halt_forgets_what_came_after() -> None:
    it = channel()
    assert take(it, "it is forbid", "den ", "more") == ["it is "]
    assert (it.queue, it.removed, it.held) == ([], 14, 0)


def test_the_end_settles_everything() -> None:
    it = channel()
    assert take(it, "a sec") == []
    assert finish(it) == ["a sec"]
    assert finish(it) == []


def test_half_a_character_waits_for_the_other() -> None:
    it = channel()
    assert take(it, "a\ud83d") == ["a"]
    assert take(it, "\ude00b") == ["😀b"]
    assert take(it, "\ud83d") == []
    assert finish(it) == ["\ufffd"]
    assert it.received == 4


def test_a_kept_text_is_there_as_it_came_and_edited() -> None:
    it = channel()
    take(it, "a s", "ecr", "et ")
    assert (it.scanner.feed("and b"), it.scanner.settled) == ((), 14)
    it.passed("and b")
    take(it, " sec", "ret")
    finish(it)
    assert it.whole() == ("a secret and b secret", "a [X] and b [X]")


def test_of_a_text_that_was_halted_there_is_what_stands_before() -> None:
    it = channel()
    take(it, "a secret, it is forbid", "den and more")
    assert it.whole() == ("a secret, it is forbidden and more", "a [X], it is ")
