"""Guarding without the proxy: a whole text, or an iterator of a model's output.

Everything goes through the engine and the codecs that the proxy uses; `sdk` turns the objects of SDKs into events and
back.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast, overload

from guardrail.classify.judge import judge_of, settle, verdicts_of
from guardrail.guarding import judging, new_case_id
from guardrail.policy.policy import Policy
from guardrail.sdk.items import Items, items_of
from guardrail.text.editor import Editor
from guardrail.text.rules import Finding
from guardrail.text.scores import Verdict
from guardrail.wire.answer import Fault
from guardrail.wire.halt import notice
from guardrail.wire.protocol import Protocol
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import Stream, WireLimits
from guardrail.wire.stream_verdicts import Ask
from guardrail.wire.whole_text import rules_for

logger = logging.getLogger("guardrail.stream")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GuardedText:
    """The outcome for one text."""

    output: str
    """The edited text; one that halted ends there, without a notice."""
    halted: bool
    findings: tuple[Finding, ...]
    unscanned: int
    """Code points that passed without the scores that the policy's classifier should have given: under `fail: open`, or
    where its levels only log."""


def guard_text(text: str, policy: Policy, *, prompt: str = "") -> GuardedText:
    """Run a policy over a whole text. `prompt`: what it answers, for a classifier that is shown it."""
    editor = Editor(rules_for(policy, ModelRequest(prompt=prompt)), whole=True)
    output = editor.feed(text) + editor.finish() + settle(editor, judge_of(policy))
    return GuardedText(output, editor.halt is not None, tuple(editor.findings()), editor.unscanned)


@overload
def guard_stream(stream: AsyncIterable[T], policy: Policy, *, n: int = 1, prompt: str = "") -> AsyncIterator[T]: ...
@overload
def guard_stream(stream: Iterable[T], policy: Policy, *, n: int = 1, prompt: str = "") -> Iterator[T]: ...
def guard_stream(
    stream: AsyncIterable[T] | Iterable[T], policy: Policy, *, n: int = 1, prompt: str = ""
) -> AsyncIterator[T] | Iterator[T]:
    """The same stream, guarded: asynchronous if it was, and of the same kind of items.

    Items are what the SDKs stream: chunks of openai's `chat.completions.create(stream=True)` and `completions.create`,
    events of its `responses.create`; events of anthropic's `messages.create(stream=True)` and of `messages.stream()`;
    responses of google-genai's `generate_content_stream`, of ollama's `chat` and `generate`; any of these as dicts; or
    pieces of one text (`str`). A clean item is yielded as the object that came. After a halt the stream ends with the
    notice and as the protocol ends one that a filter stopped (a finish reason of `content_filter`, say); the source is
    closed as soon as nothing is left to wait for. `n`: the number of choices asked for; `prompt`: the newest user
    message, for a classifier that is shown it. Raises TypeError for other items, WireError for what breaks the
    protocol; what the source raises is raised after what was held back has been yielded. When characters passed that
    the policy's classifier could not score (`fail: open`), the logger `guardrail.stream` gets one warning, with their
    number, at the stream's end."""
    guard = _Guard[T](policy, ModelRequest(n=n, prompt=prompt))
    name = type(stream).__name__
    if isinstance(stream, Mapping) or hasattr(stream, "model_dump"):
        raise TypeError(
            f"guard_stream takes what is streamed (`stream=True`), not a whole {name}; for a text: guard_text"
        )
    if isinstance(stream, AsyncIterable):
        return _guard_async(stream, guard)
    if not isinstance(stream, Iterable):
        raise TypeError(f"guard_stream takes what is iterated over, not {name}: enter it with `with`, await it first")
    return _guard_sync(stream, guard)


def guard_items(
    stream: AsyncIterable[T],
    policy: Policy,
    request: ModelRequest,
    *,
    protocol: Protocol | None = None,
    on_record: Callable[[StreamRecord], object] | None = None,
) -> AsyncIterator[T]:
    """The same for who knows more: the whole request, the `protocol` of a stream of bytes, and a wish for the record,
    which `on_record` gets when the stream is over."""
    return _guard_async(stream, _Guard[T](policy, request, protocol, on_record))


async def _guard_async(stream: AsyncIterable[T], guard: _Guard[T]) -> AsyncIterator[T]:
    deadline = 0.0 if guard.policy.classifier is None else guard.policy.classifier.deadline
    async with judging(guard.policy) as judge:

        async def judged(items: list[T]) -> AsyncIterator[T]:
            for item in items:
                yield item
            while judge.classifier is not None and (asks := guard.asks()):
                verdicts, _ = await verdicts_of(judge.classifier, [ask.window for ask in asks], deadline)
                for ask, verdict in zip(asks, verdicts, strict=True):
                    for item in guard.score(ask, verdict):
                        yield item

        try:
            try:
                async for item in stream:
                    async for guarded in judged(guard.take(item)):
                        yield guarded
                    if guard.over:
                        return
            except Exception:
                async for guarded in judged(guard.fail()):
                    yield guarded
                for item in guard.rest():
                    yield item
                raise
            async for guarded in judged(guard.finish()):
                yield guarded
            for item in guard.rest():
                yield item
        finally:
            guard.close()
            closed = _close(stream)
            if inspect.isawaitable(closed):
                await closed


def _guard_sync(stream: Iterable[T], guard: _Guard[T]) -> Iterator[T]:
    judge = judge_of(guard.policy)

    def judged(items: list[T]) -> Iterator[T]:
        yield from items
        while asks := guard.asks():
            for ask, verdict in zip(asks, judge([ask.window for ask in asks]), strict=True):
                yield from guard.score(ask, verdict)

    try:
        try:
            for item in stream:
                yield from judged(guard.take(item))
                if guard.over:
                    return
        except Exception:
            yield from judged(guard.fail())
            yield from guard.rest()
            raise
        yield from judged(guard.finish())
        yield from guard.rest()
    finally:
        guard.close()
        _close(stream)


def _close(stream: object) -> object:
    close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
    return close() if callable(close) else None


class _Guard(Generic[T]):
    """Items in, items out; what they are is told by the first."""

    def __init__(
        self,
        policy: Policy,
        request: ModelRequest,
        protocol: Protocol | None = None,
        on_record: Callable[[StreamRecord], object] | None = None,
    ) -> None:
        self.over = False
        """Nothing is left to wait for."""
        self.policy = policy
        self._request = request
        self._protocol = protocol
        self._on_record = on_record
        self._case_id = new_case_id()
        self._text: Editor | None = None
        self._items: Items | None = None
        self._stream: Stream

    def take(self, item: T) -> list[T]:
        if isinstance(item, str):
            if self._text is None:
                self._text = Editor(rules_for(self.policy, self._request))
            return self._said(self._text.feed(item))
        if self._items is None:
            self._items = items_of(item, self._protocol)
            opens = self._items.protocol.stream
            self._stream = opens(self.policy, self._request, case_id=self._case_id, limits=_LIMITS)
        return self._given(self._stream.feed(self._items.take(item)))

    def finish(self) -> list[T]:
        if self._text is not None:
            return self._said(self._text.finish())
        if self._items is None:
            return []
        out = self._stream.feed(self._items.end) + self._stream.finish()
        return self._given(out)

    def fail(self) -> list[T]:
        """The source failed: what may still be delivered."""
        if self._text is not None:
            return self._said(self._text.finish())
        if self._items is None:
            return []
        out = self._stream.fail(Fault("upstream_error", "The stream ended in an exception."))
        return self._given(out)

    def rest(self) -> list[T]:
        """What is left to say when all verdicts are in."""
        return [] if self._items is None else self._items.rest()

    def asks(self) -> list[Ask]:
        """What has to be scored now."""
        if self._text is not None:
            return [Ask(window, number=number) for number, window in self._text.take_due()]
        return [] if self._items is None else self._stream.take_due()

    def score(self, ask: Ask, verdict: Verdict) -> list[T]:
        if self._text is not None:
            return self._said(self._text.score(ask.number, verdict))
        return self._given(self._stream.score(ask, verdict))

    def close(self) -> None:
        """The stream is over: hand over its record, and say in the log how much passed without scores."""
        passed = 0
        if self._text is not None:
            passed = self._text.unscanned
        elif self._items is not None:
            record = self._stream.record
            passed = record.unscanned if record.unit_failures else 0
            if self._on_record is not None:
                self._on_record(record)
        if passed:
            policy = self.policy.tag
            logger.warning(
                "%s: %d characters passed unscanned: the classifier of %s failed", self._case_id, passed, policy
            )

    def _said(self, text: str) -> list[T]:
        assert self._text is not None
        if self._text.halt is not None and not self.over:
            self.over = True
            text += notice(self.policy, self._case_id)
        return [cast(T, text)] if text else []

    def _given(self, out: bytes) -> list[T]:
        assert self._items is not None
        self.over = self._stream.done
        return self._items.give(out)


_LIMITS = WireLimits()
