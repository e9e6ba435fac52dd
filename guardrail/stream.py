"""Guarding without the proxy: a whole text, or an iterator of a model's output.

Everything goes through the engine and codec that the proxy uses; this only turns objects into events and back.
"""

from __future__ import annotations

import inspect
import json
import logging
import os
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from guardrail.classify.detector import DetectorEntry
from guardrail.classify.judge import judge_of, key_of, settle, verdicts_of
from guardrail.policy.policy import Policy
from guardrail.text.editor import Editor
from guardrail.text.rules import Finding
from guardrail.text.scores import Verdict
from guardrail.wire.openai_chat import Ask, ChatStream
from guardrail.wire.openai_chat_answer import DONE
from guardrail.wire.openai_chat_halt import notice
from guardrail.wire.openai_error import Fault
from guardrail.wire.request import ChatRequest
from guardrail.wire.sse import data_event, parse_event, split_events
from guardrail.wire.whole_text import rules_for

if TYPE_CHECKING:
    from guardrail.classify.classifier import Classifier
    from guardrail.classify.model import Model

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
    editor = Editor(rules_for(policy, ChatRequest(prompt=prompt)), whole=True)
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

    Items are the chunks of `client.chat.completions.create(stream=True)` of the `openai` SDK, such chunks as dicts, or
    pieces of one text (`str`). A clean chunk is yielded as the object that came. After a halt the stream ends with the
    notice and, for chunks, a finish reason of `content_filter`; the source is closed as soon as nothing is left to
    wait for. `n`: the number of choices asked for; `prompt`: the newest user message, for a classifier that is shown
    it. Raises TypeError for other items, WireError for chunks that are none; what the source raises is raised after
    what was held back has been yielded. When characters passed that the policy's classifier could not score
    (`fail: open`), the logger `guardrail.stream` gets one warning, with their number, at the stream's end."""
    guard = _Guard[T](policy, ChatRequest(n=n, prompt=prompt))
    if isinstance(stream, AsyncIterable):
        return _guard_async(stream, guard)
    return _guard_sync(stream, guard)


async def _guard_async(stream: AsyncIterable[T], guard: _Guard[T]) -> AsyncIterator[T]:
    policy = guard.policy
    classifier = None if policy.scorer is None else _classifier(policy.scorer)
    deadline = 0.0 if policy.classifier is None else policy.classifier.deadline

    async def judged(items: list[T]) -> AsyncIterator[T]:
        for item in items:
            yield item
        while classifier is not None and (asks := guard.asks()):
            verdicts, _ = await verdicts_of(classifier, [ask.window for ask in asks], deadline)
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
            raise
        async for guarded in judged(guard.finish()):
            yield guarded
    finally:
        guard.warn()
        closed = _close(stream)
        if inspect.isawaitable(closed):
            await closed
        if classifier is not None:
            await classifier.close()


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
            raise
        yield from judged(guard.finish())
    finally:
        guard.warn()
        _close(stream)


def _classifier(scorer: Model | DetectorEntry) -> Classifier:
    """A classifier for one stream."""
    if isinstance(scorer, DetectorEntry):
        from guardrail.classify.remote import RemoteClassifier

        return RemoteClassifier(scorer, key_of(scorer, os.environ))
    from guardrail.classify.classifier import LocalClassifier

    return LocalClassifier(scorer)


def _close(stream: object) -> object:
    close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
    return close() if callable(close) else None


class _Guard(Generic[T]):
    """Items in, items out; what they are is told by the first."""

    def __init__(self, policy: Policy, request: ChatRequest) -> None:
        self.over = False
        """A halt left nothing to wait for."""
        self.policy = policy
        self._case_id = f"g-{secrets.token_hex(8)}"
        self._chat = ChatStream(policy, request, case_id=self._case_id)
        self._rules = rules_for(policy, request)
        self._text: Editor | None = None
        self._kind: type | None = None

    def take(self, item: T) -> list[T]:
        if isinstance(item, str):
            if self._text is None:
                self._text = Editor(self._rules)
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

    def asks(self) -> list[Ask]:
        """What has to be scored now."""
        if self._text is not None:
            return [Ask(window, number=number) for number, window in self._text.take_due()]
        return self._chat.take_due()

    def score(self, ask: Ask, verdict: Verdict) -> list[T]:
        if self._text is not None:
            return self._said(self._text.score(ask.number, verdict))
        out = self._chat.score(ask, verdict)
        self.over = self._chat.done
        return self._chunks(out)

    def warn(self) -> None:
        """Say in the log how much passed without scores, once the stream is over."""
        if self._text is not None:
            passed = self._text.unscanned
        else:
            record = self._chat.record
            passed = record.unscanned if record.unit_failures else 0
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
