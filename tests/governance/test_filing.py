"""What a person files: what is taken, and how what is not is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.governance.filing import MAX_CONTACT, MAX_TEXT, Filing, Unfit, read_complaint, read_data_request

REQUEST = "g-0123456789abcdef"


def filed(**fields: Any) -> bytes:
    return msgspec.json.encode(fields)


TAKEN: dict[str, tuple[bytes, Filing]] = {
    "about an answer": (filed(text="Why?", request_id=REQUEST), Filing("complaint", "Why?", REQUEST)),
    "an appeal": (filed(text="Why?", case_id="case-1"), Filing("appeal", "Why?", "case-1")),
    "anything else": (filed(text="Hello"), Filing("other", "Hello")),
    "the kind is said": (filed(text="x", kind="other", request_id=REQUEST), Filing("other", "x", REQUEST)),
    "with all": (
        filed(text="x", case_id="c", contact="me@example.com", locale="zh-Hans-CN", user="u-1"),
        Filing("appeal", "x", "c", contact="me@example.com", locale="zh-Hans-CN", user="u-1"),
    ),
    "HTML stays text": (filed(text="<script>x</script>&amp;"), Filing("other", "<script>x</script>&amp;")),
    "what turns text around is taken out": (filed(text="a\u202eb\u2066c\u2069"), Filing("other", "abc")),
    "what a terminal obeys is taken out": (filed(text="a\x1b[31m\x00b\x9b\x7fc"), Filing("other", "a[31mbc")),
    "lines and tabs stay": (filed(text=" a\r\nb\rc\td\n"), Filing("other", "a\nb\nc\td")),
    "lines of another kind": (filed(text="a\u2028b\ufeff"), Filing("other", "ab")),
    "as long as it may be": (filed(text="x" * MAX_TEXT), Filing("other", "x" * MAX_TEXT)),
}


@pytest.mark.parametrize(("body", "expected"), TAKEN.values(), ids=TAKEN)
def test_what_is_taken(body: bytes, expected: Filing) -> None:
    assert read_complaint(body) == expected


ALL = "text, kind, request_id, case_id, contact, locale, user"
OBJECT = f"The request body must be a JSON object with the fields {ALL}."
UNFIT: dict[str, tuple[bytes, str, str | None]] = {
    "nothing": (b"", OBJECT, None),
    "no JSON": (b"text=hello", OBJECT, None),
    "no UTF-8": (b'{"text": "\xff"}', OBJECT, None),
    "a list": (b"[1]", OBJECT, None),
    "very deep": (b"[" * 60_000, OBJECT, None),
    "very deep in a field": (b'{"text":' + b"[" * 60_000, "The field 'text' must be a text.", "text"),
    "half a pair of surrogates": (b'{"text": "\\ud800"}', OBJECT, None),
    "no text": (filed(request_id=REQUEST), "The field 'text' is missing.", "text"),
    "an empty text": (filed(text=" \n\x00"), "The field 'text' must not be empty.", "text"),
    "a number": (filed(text=7), "The field 'text' must be a text.", "text"),
    "too long": (
        filed(text="x" * (MAX_TEXT + 1)),
        f"The field 'text' has {MAX_TEXT + 1} characters, and may have {MAX_TEXT}.",
        "text",
    ),
    "a long contact": (
        filed(text="x", contact="y" * (MAX_CONTACT + 1)),
        f"The field 'contact' has {MAX_CONTACT + 1} characters, and may have {MAX_CONTACT}.",
        "contact",
    ),
    "a field that nobody knows": (
        filed(text="x", secret="tell nobody"),
        f"There is a field that is not known here. Fields: {ALL}.",
        None,
    ),
    "a kind that nobody knows": (
        filed(text="x", kind="tell nobody"),
        "The field 'kind' must be complaint, appeal or other.",
        "kind",
    ),
    "no id": (
        filed(text="x", request_id="tell nobody"),
        "The field 'request_id' must be an id such as g-0123456789abcdef.",
        "request_id",
    ),
    "no language": (
        filed(text="x", locale="../etc"),
        "The field 'locale' must be a language such as en or zh-CN.",
        "locale",
    ),
    "a complaint about nothing": (
        filed(text="x", kind="complaint"),
        "A complaint about an answer names it by its request_id.",
        "request_id",
    ),
    "an appeal of nothing": (
        filed(text="x", kind="appeal"),
        "An appeal names the case that it is about: case_id.",
        "case_id",
    ),
}


@pytest.mark.parametrize(("body", "message", "param"), UNFIT.values(), ids=UNFIT)
def test_what_is_not_taken(body: bytes, message: str, param: str | None) -> None:
    with pytest.raises(Unfit) as raised:
        read_complaint(body)
    assert (str(raised.value), raised.value.param) == (message, param)


def test_requests_of_data_subjects() -> None:
    assert read_data_request(filed(right="export", user="u-1")) == Filing(
        "data_request", "", right="export", user="u-1"
    )
    with pytest.raises(Unfit, match="'right' must be export, correct or erase"):
        read_data_request(filed(right="forget"))
    with pytest.raises(Unfit, match="'text' must not be empty"):
        read_data_request(filed(right="correct"))


SECRET = "canary-7"
VALUES = st.one_of(
    st.none(), st.integers(), st.just(SECRET), st.lists(st.just(SECRET), max_size=2), st.text(max_size=20)
)
BODIES = st.one_of(
    st.binary(max_size=200),
    st.dictionaries(st.sampled_from(("text", "kind", "right", "case_id", "locale", "user", SECRET)), VALUES).map(
        msgspec.json.encode
    ),
)


def outcome(read: Callable[[bytes], Filing], body: bytes) -> Filing | Unfit:
    try:
        return read(body)
    except Unfit as error:
        return error


@given(BODIES)
@settings(max_examples=150)
def test_whatever_comes_is_taken_or_told_without_a_word_of_it(body: bytes) -> None:
    for read in (read_complaint, read_data_request):
        came = outcome(read, body)
        if isinstance(came, Filing):
            assert not any(ord(each) < 32 and each not in "\n\t" for each in came.text + came.contact)
        else:
            assert SECRET not in f"{came} {came.param}"
