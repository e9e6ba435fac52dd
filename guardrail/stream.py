"""Guarding without the proxy: a whole text, or an iterator of a model's output.

Everything goes through the engine and codec that the proxy uses; this only turns objects into events and back.
"""

from __future__ import annotations

import inspect
import json
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast, overload

from guardrail.policy.policy import Policy
from guardrail.text.editor import Editor
from guardrail.text.rules import Finding
from guardrail.wire.openai_chat import ChatStream
from guardrail.wire.openai_chat_answer import DONE
from guardrail.wire.openai_chat_halt import notice
from guardrail.wire.openai_error import Fault
from guardrail.wire.request import ChatRequest
from guardrail.wire.sse import data_event, parse_event, split_events

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GuardedText:
    """The outcome for one text."""

    output: str
    """The edited text; one that halted ends there, without a notice."""
    halted: bool
    findings: tuple[Finding, ...]


def guard_text(text: str, policy: Policy) -> GuardedText:
    """Run a policy over a whole text."""
    editor = Editor(policy.rules)
    output = editor.feed(text) + editor.finish()
    return GuardedText(output, editor.halt is not None, tuple(editor.findings()))


@overload
def guard_stream(stream: AsyncIterable[T], policy: Policy, *, n: int = 1) -> AsyncIterator[T]: ...
@overload
def guard_stream(stream: Iterable[T], policy: Policy, *, n: int = 1) -> Iterator[T]: ...
def guard_stream(
    stream: AsyncIterable[T] | Iterable[T], policy: Policy, *, n: int = 1
) -> AsyncIterator[T] | Iterator[T]:
    """The same stream, guarded: asynchronous if it was, and of the same kind of items.

    Items are the chunks of `client.chat.completions.create(stream=True)` of the `openai` SDK, such chunks as dicts, or
    pieces of one text (`str`). A clean chunk is yielded as the object that came. After a halt the stream ends with the
    notice and, for chunks, a finish reason of `content_filter`; the source is closed as soon as nothing is left to
    wait for. `n`: the number of choices asked for. Raises TypeError for other items, WireError for chunks that are
    none; what the source raises is raised after what was held back has been yielded."""
    if isinstance(stream, AsyncIterable):
        return _guard_async(stream, policy, n)
    return _guard_sync(stream, policy, n)


async def _guard_async(stream: AsyncIterable[T], policy: Policy, n: int) -> AsyncIterator[T]:
    guard = _Guard[T](policy, n)
    try:
        try:
            async for item in stream:
                for guarded in guard.take(item):
                    yield guarded
                if guard.over:
                    return
        except Exception:
            for guarded in guard.fail():
                yield guarded
            raise
        for guarded in guard.finish():
            yield guarded
    finally:
        closed = _close(stream)
        if inspect.isawaitable(closed):
            await closed


def _guard_sync(stream: Iterable[T], policy: Policy, n: int) -> Iterator[T]:
    guard = _Guard[T](policy, n)
    try:
        try:
            for item in stream:
                yield from guard.take(item)
                if guard.over:
                    return
        except Exception:
            yield from guard.fail()
            raise
        yield from guard.finish()
    finally:
        _close(stream)


def _close(stream: object) -> object:
    close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
    return close() if callable(close) else None


class _Guard(Generic[T]):
    """Items in, items out; what they are is told by the first."""

    def __init__(self, policy: Policy, n: int) -> None:
        self.over = False
        """A halt left nothing to wait for."""
        self._policy = policy
        self._case_id = f"g-{secrets.token_hex(8)}"
        self._chat = ChatStream(policy, ChatRequest(n=n), case_id=self._case_id)
        self._text: Editor | None = None
        self._kind: type | None = None

    def take(self, item: T) -> list[T]:
        if isinstance(item, str):
            if self._text is None:
                self._text = Editor(self._policy.rules)
            return self._said(self._text.feed(item))
        value: object = item if isinstance(item, dict) else _dumped(item)
        self._kind = type(item)
        # ASCII, so that the halves of a surrogate pair that a server cut in two survive until they meet.
        raw = data_event(json.dumps(value, separators=(",", ":")).encode())
        out = self._chat.feed(raw)
        self.over = self._chat.done
        return [item] if out == raw else self._chunks(out)

    def finish(self) -> list[T]:
        if self._text is not None:
            return self._said(self._text.finish())
        return self._chunks(self._chat.feed(DONE))

    def fail(self) -> list[T]:
        """The source failed: what may still be delivered."""
        if self._text is not None:
            return self._said(self._text.finish())
        return self._chunks(self._chat.fail(Fault("upstream_error", "The stream ended in an exception.")))

    def _said(self, text: str) -> list[T]:
        assert self._text is not None
        if self._text.halt is not None and not self.over:
            self.over = True
            text += notice(self._policy, self._case_id)
        return [cast(T, text)] if text else []

    def _chunks(self, out: bytes) -> list[T]:
        chunks: list[T] = []
        for raw in split_events(out):
            data = parse_event(raw).data
            if data is None or data == b"[DONE]":
                continue
            value = json.loads(data)
            if "error" not in value:
                assert self._kind is not None
                build = cast(Any, self._kind)
                chunks.append(value if self._kind is dict else build.model_construct(**value))
        return chunks


def _dumped(chunk: object) -> object:
    dump = getattr(chunk, "model_dump", None)
    if dump is None:
        raise TypeError(f"guard_stream takes chat completion chunks, dicts or str, not {type(chunk).__name__}")
    return dump(mode="json", exclude_unset=True, by_alias=True)
