"""What many events share: one template for a run of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.wire.chunk import AnyTemplate, Chunk, Run, SlotTemplate, Template, find_template
from guardrail.wire.sse import parse_event

PLAIN = b'data: {"n":0,"text":"a","role":"x"}\n\n'
SLOTTED = b'event: delta\ndata: {"sequence_number":7,"text":"a","obfuscation":"zX9","input_tokens":12}\n\n'
REACH = 1 << 15


def reads_as(raw: bytes) -> str | None:
    data = parse_event(raw).data
    value = json.loads(data or b"{}")
    return value.get("text") if isinstance(value, dict) else None


def template(raw: bytes, *, slots: bool = False) -> AnyTemplate:
    found = find_template(raw, "text", reads_as, slots=slots)
    assert found is not None
    return found


def run(found: AnyTemplate, block: bytes) -> Run:
    made = found.run(block, 0, REACH)
    assert made is not None
    return made


def slotted(number: int, text: str) -> bytes:
    data = {"sequence_number": number, "text": text, "obfuscation": "a" * (number % 5), "input_tokens": number * 3}
    return b"event: delta\ndata: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


def test_things_are_what_is_taken_one_by_one() -> None:
    assert Chunk(b"", [0], [(0, "a", "b")], [], [(0, "stop")]).things == 2
    assert Chunk(b"", [0], [], [(0, "a", {})], [], closed=[(0, "a")]).things == 1
    assert Chunk(b"", [0], [], [], [], closed=[(0, "a")], whole=[(0, "a", "{}")]).things == 2
    assert Chunk(b"", [0], [(0, "a.text", "b")], [], [], opened=[(0, "a")]).things == 2


@pytest.mark.parametrize("raw", [PLAIN, PLAIN.replace(b"\n\n", b"\r\n\r\n"), b"id: 1\n" + PLAIN, SLOTTED])
def test_a_template_is_what_stands_around_the_text(raw: bytes) -> None:
    for slots in (False, True):
        found = template(raw, slots=slots)
        assert raw.startswith(found.prefix)
        for text in ('"\n', "\u2028\x85é"):
            said = found.event(raw, text)
            assert reads_as(said) == text
            assert len(said.decode().splitlines()) == len(raw.splitlines())
        assert found.text(raw) == "a"
        assert isinstance(found, SlotTemplate) == (slots and raw is SLOTTED)


def test_padding_before_the_end_of_an_event_is_a_slot() -> None:
    def padded(blanks: int, text: str = "a") -> bytes:
        return b'event: delta\ndata: {"delta":{"text":"%b"}%b}\n\n' % (text.encode(), b" " * blanks)

    def says(raw: bytes) -> str | None:
        value = json.loads(parse_event(raw).data or b"{}")
        return value["delta"]["text"] if value.keys() == {"delta"} else None

    found = find_template(padded(3), "text", says, slots=True)
    assert isinstance(found, SlotTemplate)
    block = b"".join(padded(blanks, "b") for blanks in (0, 1, 9, 3))
    made = run(found, block)
    assert (made.text, made.after) == ("bbbb", len(block))
    assert found.event(padded(2), "c") == padded(2, "c")
    assert isinstance(find_template(padded(0), "text", says, slots=True), Template)


@pytest.mark.parametrize(
    "raw",
    [
        b'data: {"id":"\\n","text":"a"}\n\n',  # escapes elsewhere
        b'data: {"text":"a","also":{"text":"b"}}\n\n',  # the key stands twice
        b'data: {"other":"a"}\n\n',
        b'data: {"text":"a"}\n\r\n',  # two kinds of line ends
        b'data: [{"text":"a"}]\n\n',  # reads as another thing
    ],
)
def test_no_template_where_the_place_of_the_text_is_in_doubt(raw: bytes) -> None:
    assert find_template(raw, "text", reads_as, slots=True) is None


@pytest.mark.parametrize("insides", [["a"], ["a", "", "é", "你"], ["a", "\\n", '\\"', "\\u00e9"]])
def test_a_run_of_events_is_read_in_one_go(insides: list[str]) -> None:
    found = template(PLAIN)
    assert isinstance(found, Template)
    parts = [inside.encode() for inside in insides]
    texts = [json.loads(f'"{inside}"') for inside in insides]
    block = found.prefix + found.joint.join(parts) + found.suffix
    for after in (b"", b"data: [DONE]\n\n", found.prefix + b"half", PLAIN.replace(b"0", b"1")):
        made = run(found, block + after)
        assert (made.text, made.after, made.count) == ("".join(texts), len(block), len(parts))
        assert made.blanks == texts.count("")
        assert [made.said(i) for i in range(made.count)] == texts
        assert b"".join(made.event(i) for i in range(made.count)) == block
        assert [block[made.begin(i) :].startswith(made.event(i)) for i in range(made.count)] == [True] * made.count


def test_a_run_stops_at_the_first_event_that_does_not_fit() -> None:
    found = template(PLAIN)
    fits = found.event(PLAIN, "a")
    for odd in (PLAIN.replace(b"0", b"1"), fits.replace(b'"a"', b'"a","b":"c"'), fits.replace(b'a"', b'\xff"')):
        made = run(found, fits + odd + fits)
        assert (made.text, made.after) == ("a", len(fits))


@pytest.mark.parametrize("inside", [b'"', b"\\", b"\x00", b"\n", b"\xe4\xbd", b"\\ud83d", b'"},{"', b"\\u12"])
def test_what_is_no_inside_of_a_string_never_fits(inside: bytes) -> None:
    found = template(PLAIN)
    assert isinstance(found, Template)
    assert found.run(found.prefix + inside + found.suffix, 0, REACH) is None
    # Halves that would be whole if they were read together.
    assert found.run(found.prefix + b"\xe4\xbd" + found.joint + b"\xa0" + found.suffix, 0, REACH) is None
    free = template(SLOTTED, slots=True)
    odd = SLOTTED.replace(b'"a"', b'"' + inside + b'"')
    assert (free.run(odd, 0, REACH), free.text(odd)) == (None, None)


@given(texts=st.lists(st.text(max_size=8).map(lambda t: t.encode("utf-8", "replace").decode()), min_size=1, max_size=8))
def test_events_that_differ_in_numbers_are_one_run(texts: list[str]) -> None:
    found = template(SLOTTED, slots=True)
    events = [slotted(number, text) for number, text in enumerate(texts)]
    block = b"".join(events)
    made = run(found, block + b"data: [DONE]\n\n")
    assert (made.text, made.after, made.count, made.blanks) == ("".join(texts), len(block), len(texts), texts.count(""))
    for i, event in enumerate(events):
        assert (made.event(i), made.said(i)) == (event, texts[i])
        assert block[made.begin(i) :].startswith(event)
        assert found.text(event) == texts[i]
        assert reads_as(found.event(event, "new")) == "new"


@pytest.mark.parametrize(
    "change",
    [(b"7", b'"x"'), (b"zX9", b"a b"), (b"zX9", b"\xc3\xa9"), (b"12", b"1e5"), (b"12", b"-1"), (b"7", b"9" * 19)],
)
def test_nothing_but_numbers_and_padding_stands_in_a_slot(change: tuple[bytes, bytes]) -> None:
    found = template(SLOTTED, slots=True)
    odd: Any = SLOTTED.replace(*change)
    assert odd != SLOTTED
    assert (found.text(odd), found.run(odd, 0, REACH)) == (None, None)
