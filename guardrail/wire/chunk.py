"""What one event of a streamed response says, whatever protocol it came in, and the shape that many events share.

A codec's reader makes a `Chunk` of each event: which model text it carries, for which choice and channel, and what
ends with it. A chunk that carries several such things is taken apart into events that carry one each before anything
is done with it. `Template` and `SlotTemplate` are the short way: most events of a channel differ in their text only, or
in numbers and time stamps besides, and need no parsing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import msgspec

from guardrail.wire.strict_json import on_one_line

_encode = msgspec.json.Encoder().encode


class Chunk(msgspec.Struct, gc=False):
    """What one event says."""

    raw: bytes
    """What may be passed on once its text is clean: a change that the reader made is already in it."""
    choices: list[int]
    """The indexes of its choices."""
    texts: list[tuple[int, str, str]]
    """(choice, channel, text), text not empty, in the order in which they are to be taken."""
    tools: list[tuple[int, str, Any]]
    """(choice, part, what the part is to take): a piece of something that is withheld until it is whole."""
    finished: list[tuple[int, str]]
    """(choice, finish reason) of each choice that it finishes."""
    source: Any = None
    """What was decoded, by whatever way."""
    usage: dict[str, Any] | None = None
    value: Any = None
    """The decoded event, where it was looked at field by field."""
    error: bool = False
    """An error from upstream; nothing else was looked at."""
    closed: list[tuple[int, str]] = []
    """(choice, part): nothing more comes in the part's channels, nor in what is withheld of it. A part is a channel, or
    what the names of channels begin with. Beside `tools`: with this event, which is withheld too, the part is whole."""
    opened: list[tuple[int, str]] = []
    """(choice, part) that an event of its own begins, where the event may carry the first text of the part too."""
    whole: list[tuple[int, str, str]] = []
    """(choice, path, JSON text) of values that are complete in this event, to be scanned at once."""
    blocked: list[str] = []
    """Paths of what was taken out."""
    passed: int = 0
    """Code points of unknown text let through."""
    template: bool = False
    """One choice with one text and nothing else: worth a template."""

    @property
    def things(self) -> int:
        """How many things it says that are taken one by one."""
        closed = 0 if self.tools else len(self.closed)
        return len(self.texts) + len(self.tools) + len(self.finished) + len(self.whole) + len(self.opened) + closed


class Run:
    """Events that fit a template, one behind the other. `text`: all their texts; `blanks`: how many have none; `after`:
    where the last one ends in its block."""

    __slots__ = ("_bounds", "_parts", "_template", "_texts", "after", "blanks", "count", "text")

    def __init__(
        self,
        template: AnyTemplate,
        parts: list[bytes],
        texts: list[str] | str,
        after: int,
        bounds: list[int] | None = None,
    ) -> None:
        """`parts`: the inside of each text as it stands there; or, with `bounds` (where each event begins, and the last
        one's end), the events. `texts`: one by one, or joined when the parts hold no escape."""
        self._template = template
        self._parts = parts
        self._texts = texts
        self._bounds = bounds
        self.after = after
        self.count = len(parts)
        self.text = texts if isinstance(texts, str) else "".join(texts)
        self.blanks = parts.count(b"") if bounds is None else list(texts).count("")

    def said(self, position: int) -> str:
        """The text of one of them."""
        texts = self._texts
        return self._parts[position].decode() if isinstance(texts, str) else texts[position]

    def begin(self, position: int) -> int:
        """Where one of them begins in the block."""
        if self._bounds is not None:
            return self._bounds[position]
        assert isinstance(self._template, Template)
        return self.after - sum(map(len, self._parts[position:])) - (self.count - position) * len(self._template.joint)

    def event(self, position: int) -> bytes:
        """One of them."""
        part = self._parts[position]
        if self._bounds is not None:
            return part
        assert isinstance(self._template, Template)
        return b"".join((self._template.prefix, part, self._template.suffix))


class Template(msgspec.Struct, frozen=True, gc=False):
    """What the events of one channel have around their text when they differ in nothing else.

    Bytes that start with `prefix`, end with `suffix` and hold a valid JSON string's inside between them are an event
    of this channel with that text, and need no parsing."""

    prefix: bytes
    suffix: bytes
    """With the event's line ends."""
    joint: bytes
    """`suffix + prefix`: what stands between two texts."""

    def event(self, raw: bytes, text: str) -> bytes:
        """The event `raw` with another text."""
        return b"".join((self.prefix, _quoted(text)[1:-1], self.suffix))

    def text(self, data: bytes) -> str | None:
        """The text of what is just one event that fits the template and holds no escape; None for anything else."""
        if not (data.startswith(self.prefix) and data.endswith(self.suffix)):
            return None
        part = data[len(self.prefix) : -len(self.suffix)]
        if len(part.translate(None, _NOT_PLAIN)) != len(part):
            return None
        try:
            return part.decode()
        except UnicodeDecodeError:
            return None

    def run(self, block: bytes, at: int, reach: int) -> Run | None:
        """The events from `at` on that fit, looked for over about `reach` bytes; None when there is none."""
        start = at + len(self.prefix)
        parts, texts = self._texts(block[start : start + reach])
        if not parts:
            return None
        return Run(self, parts, texts, at + sum(map(len, parts)) + len(parts) * len(self.joint))

    def _texts(self, window: bytes) -> tuple[list[bytes], list[str] | str]:
        """`window` begins behind a prefix. The insides of the texts of the events that fit the template, one behind the
        other and whole, as they stand there; and the texts, one by one, or joined where none holds an escape."""
        parts = window.split(self.joint)
        suffix = self.suffix
        last = parts[-1]
        if last.endswith(suffix):
            parts[-1] = last[: -len(suffix)]
        elif (end := last.find(suffix)) >= 0:
            parts[-1] = last[:end]
        else:
            parts.pop()
        run = b"".join(parts)
        if len(run.translate(None, _NOT_PLAIN)) == len(run):
            if run.isascii():
                return parts, run.decode()
            try:
                # Joined by what none of them holds, so that each must be valid UTF-8 by itself.
                return parts, b"\n".join(parts).decode().replace("\n", "")
            except UnicodeDecodeError:
                pass
        texts: list[str] = []
        for position, part in enumerate(parts):
            text = inside(part)
            if text is None:
                # Another event stands before the next one that fits; no text can hold the suffix, it has line ends.
                end = part.find(suffix)
                text = inside(part[:end]) if end >= 0 else None
                if text is not None:
                    texts.append(text)
                    parts[position] = part[:end]
                del parts[len(texts) :]
                break
            texts.append(text)
        return parts, texts


class SlotTemplate(msgspec.Struct, frozen=True, gc=False):
    """The same for events that differ in more than their text: sequence numbers, time stamps, counts, random padding.

    `pattern` matches one whole event, line ends included, as group 1, with the inside of its text as group 2. What may
    stand in any other slot is so narrow that no text can (see `SLOTS`)."""

    prefix: bytes
    """What all of them begin with."""
    pattern: re.Pattern[bytes]
    plain: Template
    """For a stream in which the slots do not change."""

    def event(self, raw: bytes, text: str) -> bytes:
        """The event `raw` with another text."""
        found = self.pattern.fullmatch(raw)
        assert found is not None
        return b"".join((raw[: found.start(2)], _quoted(text)[1:-1], raw[found.end(2) :]))

    def text(self, data: bytes) -> str | None:
        """The text of what is just one event that fits the template; None for anything else."""
        found = self.pattern.fullmatch(data)
        if found is None:
            return None
        part: bytes = found[2]
        if b"\\" in part:
            return inside(part)
        try:
            return part.decode()
        except UnicodeDecodeError:
            return None

    def run(self, block: bytes, at: int, reach: int) -> Run | None:
        """The events from `at` on that fit, looked for over about `reach` bytes; None when there is none."""
        found = self.pattern.findall(block, at, at + reach)
        if not block.startswith(b"".join([event for event, _ in found]), at):
            end = at
            for count, (event, _) in enumerate(found):  # noqa: B007
                if not block.startswith(event, end):
                    break
                end += len(event)
            del found[count:]
        texts = _decoded([part for _, part in found])
        if not texts:
            return None
        events = [event for event, _ in found[: len(texts)]]
        bounds = list(accumulate(map(len, events), initial=at))
        return Run(self, events, texts, bounds[-1], bounds)


AnyTemplate = Template | SlotTemplate

SLOTS = (
    (rb'("sequence_number"\s*:\s*)\d{1,18}', rb"\d{1,18}"),
    (rb'("obfuscation"\s*:\s*")[A-Za-z0-9]*(?=")', rb"[A-Za-z0-9]{0,128}"),
    (rb'("p"\s*:\s*")[A-Za-z0-9]*(?=")', rb"[A-Za-z0-9]{0,64}"),
    (rb'("created"\s*:\s*)\d{1,18}', rb"\d{1,18}"),
    (rb'("(?:prompt|predicted)_(?:ms|per_\w+)"\s*:\s*)[0-9.eE+-]+', rb"[0-9.eE+-]{1,32}"),
    (rb'("(?:cache|prompt|predicted|draft)_n(?:_accepted)?"\s*:\s*)\d{1,18}', rb"\d{1,18}"),
    (rb'("created_at"\s*:\s*")[0-9T:.Z+-]+(?=")', rb"[0-9T:.Z+-]{1,40}"),
    (rb'("(?:\w*[tT]okens?\w*|\w*TokenCount)"\s*:\s*)\d{1,18}', rb"\d{1,18}"),
    (rb"(\}) +(?=\}\r?\n)", rb" {0,256}"),
)
"""Fields that change with every event and can hold no text: what is before the changing value, and what that may be."""

_SLOT = re.compile(b"|".join(b"(?:%b)" % pattern for pattern, _ in SLOTS))
_NOT_PLAIN = bytes([*range(0x20), 0x22, 0x5C])
"""Bytes that do not stand for themselves inside a JSON string."""
_TEXT = rb'([^"\\\x00-\x1f]*+(?:\\["\\/bfnrtu][^"\\\x00-\x1f]*+)*+)'
"""The inside of a JSON string; whether its escapes are whole is told by decoding it."""


def _quoted(text: str) -> bytes:
    """`text`, valid Unicode, as a JSON string on one line."""
    said = _encode(text)
    return said if len(said) == len(text) + 2 else on_one_line(said.decode()).encode()


def inside(part: bytes) -> str | None:
    """The text of what stands between the quotes of a JSON string; None when it is none."""
    try:
        plain = len(part.translate(None, _NOT_PLAIN)) == len(part)
        return part.decode() if plain else _decode_text(b'"%b"' % part)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _decoded(parts: list[bytes]) -> list[str]:
    """The texts of insides of JSON strings that hold no control characters, up to the first that is none."""
    joined = b"\n".join(parts)
    if b"\\" not in joined:
        try:
            return joined.decode().split("\n") if parts else []
        except UnicodeDecodeError:
            pass
    texts: list[str] = []
    for part in parts:
        text = inside(part)
        if text is None:
            break
        texts.append(text)
    return texts


_decode_text = msgspec.json.Decoder(str).decode


def find_template(
    raw: bytes, key: str, reads_as: Callable[[bytes], str | None], *, slots: bool = False
) -> AnyTemplate | None:
    """The template of an event whose text is the JSON string under `key`, or None where its place is not beyond doubt.

    `reads_as`: the text that an event has when it is a lone text in the channel in question; asked of the event with
    another text in it. `slots`: whether the fields of `SLOTS` may differ."""
    line_end = b"\r\n" if raw.endswith(b"\r\n") else b"\n"
    quoted = b'"%b"' % key.encode()
    quoted_key = re.escape(quoted) + rb"\s*:"
    found = re.search(quoted_key + rb'\s*"((?:[^"\\]|\\.)*)"', raw)
    if found is None or raw.count(line_end) != raw.count(b"\n") or b"\r" in raw.replace(b"\r\n", b""):
        return None
    prefix, suffix = raw[: found.start(1)], raw[found.end(1) :]
    around = prefix + suffix
    if b"\\" in around or len(re.findall(quoted_key, around)) != 1 or reads_as(prefix + b"?" + suffix) != "?":
        return None
    plain = Template(prefix, suffix, suffix + prefix)
    if not slots or not _SLOT.search(around):
        return plain
    try:
        pattern = re.compile(b"(%b%b%b)" % (_slotted(prefix), _TEXT, _slotted(suffix)))
    except re.error:
        return None
    first = _SLOT.search(prefix)
    head = prefix if first is None else prefix[: first.end(first.lastindex or 0)]
    return SlotTemplate(head, pattern, plain)


def _slotted(around: bytes) -> bytes:
    """An expression for these bytes in which the values of `SLOTS` are free."""
    out: list[bytes] = []
    at = 0
    for found in _SLOT.finditer(around):
        number = found.lastindex
        assert number is not None
        out += (re.escape(around[at : found.end(number)]), SLOTS[number - 1][1])
        at = found.end()
    return b"".join((*out, re.escape(around[at:])))
