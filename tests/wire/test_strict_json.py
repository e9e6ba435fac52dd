"""JSON: what is refused, what is told, what survives."""

from __future__ import annotations

import pytest

from guardrail.errors import WireError
from guardrail.wire.strict_json import dumps, dumps_exact, load_object, loads, whole_surrogates


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b'"\xff"', b'"a\nb"', b"NaN", b"-Infinity", b"1e999", b"[" * 100_000, b"1 2", b'"\x00"', b"9" * 5000],
)
def test_refused_without_the_document_in_the_error(data: bytes) -> None:
    with pytest.raises(WireError, match=r"^not valid JSON$") as error:
        loads(data)
    assert error.value.__cause__ is None


def test_what_has_to_be_an_object() -> None:
    assert load_object(b'{"a":1,"a":2}', "It") == ({"a": 2}, True)
    for data, message in ((b"{", r"^It is not valid JSON\.$"), (b"[1]", r"^It is not a JSON object\.$")):
        with pytest.raises(WireError, match=message):
            load_object(data, "It")


def test_duplicate_keys_are_told() -> None:
    assert loads(b'{"a":1,"b":{"c":1,"c":2}}') == ({"a": 1, "b": {"c": 2}}, True)
    assert loads(b'{"a":1,"b":{"a":1}}') == ({"a": 1, "b": {"a": 1}}, False)
    assert loads(b'{"a" : 1,"a":2}') == ({"a": 2}, True)
    assert loads(rb'{"a":1,"a":"\u0022:"}') == ({"a": '":'}, True)
    assert loads(rb'{"a":"\u0022:"}') == ({"a": '":'}, False)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("a", "a"),
        ("\ud83d\ude00", "😀"),
        ("\ud83d", "\ufffd"),
        ("x\ude00y", "x\ufffdy"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
    ],
)
def test_surrogates(text: str, whole: str) -> None:
    assert whole_surrogates(text) == whole
    assert loads(dumps({"a": text})) == ({"a": whole}, False)


def test_numbers_and_text_survive() -> None:
    data = '{"a":123456789012345678901234567890,"b":0.1,"c":"é你😀\\u0000\\n"}'.encode()
    assert dumps(loads(data)[0]) == data


def test_what_clients_take_for_line_ends_is_escaped() -> None:
    text = "a\u2028b\u2029c\x85d\x1ee"
    for said in (dumps([text]), dumps_exact([text])):
        assert len(said.decode().splitlines()) == 1
        assert loads(said) == ([text], False)
