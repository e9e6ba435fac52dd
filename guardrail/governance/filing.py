"""What a person files: the JSON body of a complaint or of a data request, in; what it asks for, out. Pure.

Promises: what is wrong is told by the field's name and with what was expected; texts lose the control characters that
a terminal or a log would obey, and nothing else: HTML stays the text that it is. What a person wrote is in no error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from guardrail.errors import GuardrailError

MAX_BODY = 64 * 1024
"""Bytes of a request's body."""

MAX_TEXT = 10_000
"""Code points of what a person writes: some four pages."""

MAX_CONTACT = 500
"""Code points of how to reach them."""

Kind = Literal["complaint", "appeal", "other", "data_request"]
"""`complaint`: about an answer. `appeal`: of a measure, against a case. `data_request`: of a data subject."""

Right = Literal["export", "correct", "erase"]

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udfff]")
"""But for the tab and the line feed. What turns the direction of text around would show a reviewer other words than
were sent. Half a surrogate pair is no character."""

_FIELD = re.compile(r" - at `\$\.([a-z_]+)`$")
_MISSING = re.compile(r"missing required field `([a-z_]+)`")

_EXPECTED = {
    "text": "a text",
    "kind": "complaint, appeal or other",
    "right": "export, correct or erase",
    "request_id": "an id such as g-0123456789abcdef",
    "case_id": "an id such as g-0123456789abcdef",
    "contact": "a text",
    "locale": "a language such as en or zh-CN",
    "user": "a text of at most 1024 characters",
}
"""What is taken in each field."""

Body = TypeVar("Body", bound=Struct)


class Unfit(GuardrailError):
    """What was filed cannot be taken. `param`: the field that is at fault, or None."""

    def __init__(self, message: str, param: str | None = None) -> None:
        self.param = param
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Filing:
    """What a person files."""

    kind: Kind
    text: str
    """What they wrote, at most 10,000 code points."""
    about: str = ""
    """Id of the request, or of the case."""
    right: Right | Literal[""] = ""
    """Of a data request: what is asked for."""
    contact: str = ""
    """How to reach them."""
    locale: str = ""
    user: str = ""
    """The application's own id of the person, in clear: only ever hashed."""


_Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,128}$(?!\n)")]
_Locale = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$(?!\n)")]


class _Complaint(Struct, forbid_unknown_fields=True):
    text: str
    kind: Literal["complaint", "appeal", "other"] | None = None
    request_id: _Id | None = None
    case_id: _Id | None = None
    contact: str = ""
    locale: _Locale | None = None
    user: Annotated[str, Meta(max_length=1024)] = ""


class _DataRequest(Struct, forbid_unknown_fields=True):
    right: Right
    text: str = ""
    contact: str = ""
    locale: _Locale | None = None
    user: Annotated[str, Meta(max_length=1024)] = ""


def read_complaint(body: bytes) -> Filing:
    """A complaint, an appeal, or anything else that people want to say. Raises Unfit."""
    said = _read(body, _Complaint)
    kind = said.kind or ("appeal" if said.case_id else "complaint" if said.request_id else "other")
    about = said.case_id or said.request_id or ""
    if kind == "complaint" and not about:
        raise Unfit("A complaint about an answer names it by its request_id.", "request_id")
    if kind == "appeal" and not about:
        raise Unfit("An appeal names the case that it is about: case_id.", "case_id")
    return Filing(
        kind=kind,
        text=_text(said.text, "text", MAX_TEXT, needed=True),
        about=about,
        contact=_text(said.contact, "contact", MAX_CONTACT),
        locale=said.locale or "",
        user=said.user,
    )


def read_data_request(body: bytes) -> Filing:
    """What a data subject asks for. Raises Unfit."""
    said = _read(body, _DataRequest)
    return Filing(
        kind="data_request",
        text=_text(said.text, "text", MAX_TEXT, needed=said.right == "correct"),
        right=said.right,
        contact=_text(said.contact, "contact", MAX_CONTACT),
        locale=said.locale or "",
        user=said.user,
    )


def plain(text: str) -> str:
    """A text without control characters but line feeds and tabs, and without white space around it."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _text(said: str, field: str, most: int, *, needed: bool = False) -> str:
    text = plain(said)
    if needed and not text:
        raise Unfit(f"The field {field!r} must not be empty.", field)
    if len(text) > most:
        raise Unfit(f"The field {field!r} has {len(text)} characters, and may have {most}.", field)
    return text


def _read(body: bytes, kind: type[Body]) -> Body:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unfit(str(error), kind) from None


def _unfit(said: str, kind: type[Struct]) -> Unfit:
    """What is said instead of msgspec's message, which may quote a value."""
    fields = ", ".join(kind.__struct_fields__)
    if "unknown field" in said:
        return Unfit(f"There is a field that is not known here. Fields: {fields}.")
    if missing := _MISSING.search(said):
        return Unfit(f"The field {missing[1]!r} is missing.", missing[1])
    where = _FIELD.search(said)
    if where is None:
        return Unfit(f"The request body must be a JSON object with the fields {fields}.")
    return Unfit(f"The field {where[1]!r} must be {_EXPECTED[where[1]]}.", where[1])
