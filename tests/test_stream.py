"""Guarding without the proxy: texts, pieces, chunks of the openai SDK, asynchronous and not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from guardrail.policy.compile import load_policy
from guardrail.policy.policy import Policy
from guardrail.stream import guard_stream, guard_text
from tests.classify import tiny
from tests.proxy.scored import Gated, scored_policy
from tests.wire.chat import chat, event, halt, policy, redact, says

POLICY = policy(redact("secret"), halt("forbidden phrase"))


class Source:
    """An iterator of items, of both kinds, that knows whether it was closed."""

    def __init__(self, items: list[Any], error: Exception | None = None) -> None:
        self.items = items
        self.error = error
        self.closed = False

    def _next(self) -> Any:
        if self.items:
            return self.items.pop(0)
        if self.error is not None:
            raise self.error
        return None


class SyncSource(Source):
    def __iter__(self) -> Iterator[Any]:
        while (item := self._next()) is not None:
            yield item

    def close(self) -> None:
        self.closed = True


class AsyncSource(Source):
    async def __aiter__(self) -> AsyncIterator[Any]:
        while (item := self._next()) is not None:
            yield item

    async def close(self) -> None:
        self.closed = True


def dicts(events: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(e[6:]) for e in events if b"[DONE]" not in e]


def models(events: list[bytes]) -> list[ChatCompletionChunk]:
    return [ChatCompletionChunk.model_validate(value) for value in dicts(events)]


async def both(items: list[Any]) -> list[Any]:
    """What a guarded iteration gives; the same for both kinds."""
    sync_source, async_source = SyncSource(list(items)), AsyncSource(list(items))
    out = list(guard_stream(sync_source, POLICY))
    out_async = [item async for item in guard_stream(async_source, POLICY)]
    assert len(out) == len(out_async)
    assert sync_source.closed
    assert async_source.closed
    assert sync_source.items == async_source.items
    return out


def test_a_whole_text() -> None:
    guarded = guard_text("a secret and a forbidden phrase.", POLICY)
    assert (guarded.output, guarded.halted) == ("a [X] and a ", True)
    assert [f.rule for f in guarded.findings] == ["redact", "halt"]
    assert guard_text("clean", POLICY).output == "clean"


async def test_pieces_of_text() -> None:
    assert "".join(await both(["a sec", "ret", " b"])) == "a [X] b"
    said = "".join(await both(["a forbidden ", "phrase.", "never read"]))
    assert said.startswith("a \n[Stopped by safety policy. Case g-")


async def test_clean_chunks_are_the_objects_that_came() -> None:
    for items in (models(chat(says("Hello", " world"))), dicts(chat(says("Hello", " world")))):
        out = await both(items)
        assert all(a is b for a, b in zip(out, items, strict=True))


async def test_chunks_stay_of_their_kind() -> None:
    items = models(chat(says("a sec", "ret", " b")))
    out = await both(items)
    assert all(isinstance(chunk, ChatCompletionChunk) for chunk in out)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in out) == "a [X] b"
    assert out[-1].choices[0].finish_reason == "stop"


async def test_a_halt_ends_the_stream_and_closes_the_source() -> None:
    source = AsyncSource(models(chat(says("a forbidden ", "phrase.", "never", "read"))))
    out = [chunk async for chunk in guard_stream(source, POLICY)]
    assert out[-1].choices[0].finish_reason == "content_filter"
    assert out[-1].model_extra == {
        "guardrail": {"case_id": out[-1].model_extra["guardrail"]["case_id"], "action": "halt"}
    }
    assert source.closed
    assert len(source.items) == 3


async def test_tool_calls_come_at_the_finish() -> None:
    delta = {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": '{"a":"secret"}'}}]}
    out = await both(dicts(chat(event(delta), finish="tool_calls")))
    assert [c["choices"][0]["delta"].get("tool_calls") for c in out][1][0]["function"]["arguments"] == '{"a":"[X]"}'


async def test_what_the_source_raises_comes_after_what_was_held() -> None:
    for items in (dicts([*says("a secret")]), ["a secret"]):
        source = AsyncSource(items, ConnectionError("gone"))
        guarded = guard_stream(source, POLICY)
        out: list[Any] = []
        with pytest.raises(ConnectionError, match="gone"):
            await collect(guarded, out)
        assert "[X]" in json.dumps(out)
        assert source.closed


async def collect(items: AsyncIterator[Any], out: list[Any]) -> None:
    async for item in items:
        out.append(item)


def test_a_source_that_raises_at_once() -> None:
    with pytest.raises(ConnectionError):
        list(guard_stream(SyncSource([], ConnectionError()), POLICY))


async def test_a_reader_that_leaves_closes_the_source() -> None:
    source = SyncSource(["a ", "b "])
    reader = guard_stream(source, POLICY)
    next(reader)
    reader.close()  # type: ignore[attr-defined]
    assert source.closed


def test_other_items_are_refused() -> None:
    with pytest.raises(TypeError, match="not int"):
        list(guard_stream([1], POLICY))


def test_what_is_no_stream_is_refused_at_once() -> None:
    whole = ChatCompletion(id="1", choices=[], created=0, model="m", object="chat.completion")
    with pytest.raises(TypeError, match=r"\(`stream=True`\), not a whole ChatCompletion"):
        guard_stream(whole, POLICY)
    with pytest.raises(TypeError, match="not a whole dict"):
        guard_stream({"choices": []}, POLICY)
    nothing: Any = object()
    with pytest.raises(TypeError, match="not object: enter it"):
        guard_stream(nothing, POLICY)


# Under a policy with a classifier


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """Ends where the tiny model reads an insult; masks one that is a little less sure."""
    folder = tmp_path_factory.mktemp("scored")
    tiny.ours(folder / "mine")
    section = "classifier: {model: mine, categories: {harassment: {}, profanity: {at: 0.8, action: redact}}}"
    (folder / "p.yaml").write_text(f"policy: p\n{section}\n")
    return load_policy(folder / "p.yaml", environ={})


POLITE = "This is a polite sentence."
RUDE = " You are an idiot, I am afraid."


def test_a_text_is_scored(scored: Policy) -> None:
    outcome = guard_text(POLITE + RUDE, scored)
    assert (outcome.output, outcome.halted) == (POLITE + " ", True)
    assert [finding.rule for finding in outcome.findings] == ["classifier.harassment.high"]
    assert guard_text("That damn thing. " + POLITE, scored).output == "[REDACTED]"
    assert guard_text(POLITE + " It is fine.", scored).output == POLITE + " It is fine."


async def test_streams_are_scored(scored: Policy) -> None:
    pieces = [POLITE, " It is", " fine, and then some.", RUDE, " Really."]
    said = "".join([*guard_stream(pieces, scored)])
    assert said.startswith(POLITE + " It is fine, and then some. \n[Stopped by safety policy.")
    asynchronous = "".join([item async for item in guard_stream(AsyncSource(list(pieces)), scored)])
    assert asynchronous.partition("Case")[0] == said.partition("Case")[0]


async def test_chunks_are_scored(scored: Policy) -> None:
    items = models(chat(says(POLITE, RUDE, " Really.")))
    for guarded in (
        [*guard_stream(list(items), scored)],
        [item async for item in guard_stream(AsyncSource(list(items)), scored)],
    ):
        texts = [chunk.choices[0].delta.content or "" for chunk in guarded]
        assert "".join(texts).startswith(POLITE + " \n[Stopped")
        assert guarded[-1].choices[0].finish_reason == "content_filter"
    clean = models(chat(says(POLITE, " It is", " fine.")))
    assert [chunk.model_dump() for chunk in guard_stream(list(clean), scored)] == [item.model_dump() for item in clean]


def test_the_prompt_is_shown_to_a_classifier_that_asks_for_it() -> None:
    model = Gated()
    policy = scored_policy(model, context="prompt")
    assert guard_text("Plain words.", policy, prompt="What is evil?").output == "Plain words."
    assert "".join(guard_stream(["Plain words."], policy, prompt="And now?")) == "Plain words."
    assert [window.prompt for window in model.seen] == ["What is evil?", "And now?"]


async def test_what_passes_without_a_score_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tiny.ours(tmp_path / "mine")
    (tmp_path / "p.yaml").write_text("policy: p\nclassifier: {model: mine, fail: open, categories: {harassment: {}}}\n")
    failing = load_policy(tmp_path / "p.yaml", environ={})
    text = "It is broken, and nobody will mend it."
    assert (guard_text(text, failing).output, guard_text(text, failing).unscanned) == (text, 38)
    assert guard_text(POLITE, failing).unscanned == guard_text(POLITE, POLICY).unscanned == 0
    for items in ([text], models(chat(says(text)))):
        list(guard_stream(list(items), failing))
        [item async for item in guard_stream(AsyncSource(list(items)), failing)]
    left = guard_stream([text + " ", POLITE, POLITE], failing)
    next(iter(left))
    left.close()  # type: ignore[attr-defined]
    warnings = [record for record in caplog.records if record.name == "guardrail.stream"]
    assert len(warnings) == 5
    for record in warnings:
        assert f"38 characters passed unscanned: the classifier of {failing.tag} failed" in record.getMessage()
        assert "broken" not in record.getMessage()
    caplog.clear()
    list(guard_stream([POLITE], failing))
    list(guard_stream(models(chat(says(POLITE))), failing))
    assert caplog.records == []
