"""The real `openai` client, unmodified, in front of a real `guardrail serve`: what its users see.

Every test runs twice, with the client itself and with its asynchronous twin; only `base_url` and `api_key` are
set. The model server is `guardrail simulate`, with the built-in replies and the script below.
"""

from __future__ import annotations

import contextlib
import json
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import openai
import pytest
import yaml

from guardrail.simulate.script import BRAND, CONTACT, HALT, SKY
from tests.conformance.servers import KEY, configure, listening

SCRIPT = {
    "replies": [
        {"when": "sky", "choices": [{"content": SKY}]},
        {"when": "refund", "choices": [{"content": CONTACT}]},
        {"when": "picnic", "choices": [{"content": BRAND}, {"content": "Take lemonade."}]},
        {
            "when": "vault",
            "choices": [
                {"content": HALT, "reasoning": "I know that the vault code is 7-7-1-9."},
                {"content": SKY},
            ],
        },
        {
            "when": "weather",
            "choices": [{"tool_calls": [{"name": "look", "arguments": '{"city": "Lisbon", "days": 3}'}]}],
        },
        {
            "when": "mail",
            "choices": [{"tool_calls": [{"name": "send", "arguments": '{"to": "a.b@example.com", "n": 1}'}]}],
        },
        {
            "when": "deploy",
            "choices": [
                {
                    "content": "I will write it.",
                    "tool_calls": [{"name": "write", "arguments": '{"x": "AKIA2VAVWETPFOYSCXS4"}'}],
                }
            ],
        },
    ]
}
POLICY = {
    "policy": "acme",
    "notice": {"en": "\n[Stopped. Case {case_id}]"},
    "rules": [
        {"entity": "email_address", "action": "redact"},
        {"entity": "credit_card", "action": "redact", "mask": {"style": "keep_last", "keep": 4}},
        {"entity": "aws_access_key", "action": "halt"},
        {
            "id": "brand.acme",
            "keywords": ["Acme Cola"],
            "action": "replace",
            "with": "our drink",
            "category": "brand",
            "severity": "low",
        },
        {
            "id": "vault",
            "keywords": ["the vault code is"],
            "action": "halt",
            "category": "secret_place",
            "severity": "high",
        },
    ],
}
TOOLS: Any = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
    for name in ("look", "send", "write")
]
MASKED = CONTACT.replace("ana.kowalska@example.com", "[EMAIL]").replace("4111 1111 1111", "•••• •••• ••••")
BEFORE_HALT = HALT[: HALT.index("the vault code is")]


@dataclass(frozen=True, slots=True)
class Servers:
    guardrail: str
    simulator: str


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("config")
    (folder / "script.yaml").write_text(yaml.safe_dump(SCRIPT), encoding="utf-8")
    arguments = ["simulate", "--port", "0", "--delay", "2", "--script", str(folder / "script.yaml")]
    with contextlib.ExitStack() as stack:
        (simulator,) = stack.enter_context(listening(arguments))
        config = configure(folder, simulator, POLICY)
        (guardrail,) = stack.enter_context(listening(["serve", "--config", str(config)]))
        yield Servers(guardrail, simulator)


@dataclass(slots=True)
class Heard:
    """What came out of a stream, choice by choice."""

    chunks: list[Any] = field(default_factory=list)

    def text(self, index: int = 0, name: str = "content") -> str:
        deltas = (c.delta for chunk in self.chunks for c in chunk.choices if c.index == index)
        return "".join(getattr(delta, name, None) or "" for delta in deltas)

    def finish(self, index: int = 0) -> str | None:
        reasons = [c.finish_reason for k in self.chunks for c in k.choices if c.index == index]
        (reason,) = [reason for reason in reasons if reason]
        return str(reason)

    def arguments(self) -> dict[int, str]:
        found: dict[int, str] = {}
        for chunk in self.chunks:
            for choice in chunk.choices:
                for call in choice.delta.tool_calls or ():
                    found[call.index] = found.get(call.index, "") + (call.function.arguments or "")
        return found


class Client:
    """One of the two clients behind the same awaitable face."""

    def __init__(self, client: openai.OpenAI | openai.AsyncOpenAI) -> None:
        self.sdk: Any = client

    async def _value(self, result: Any) -> Any:
        return await result if hasattr(result, "__await__") else result

    async def _items(self, stream: Any) -> AsyncIterator[Any]:
        if hasattr(stream, "__aiter__"):
            async for item in stream:
                yield item
        else:
            for item in stream:
                yield item

    async def create(self, prompt: str, **fields: Any) -> Any:
        fields = {"model": "sim", "messages": [{"role": "user", "content": prompt}], **fields}
        return await self._value(self.sdk.chat.completions.create(**fields))

    async def stream(self, prompt: str, into: Heard | None = None, **fields: Any) -> Heard:
        heard = into or Heard()
        async for chunk in self._items(await self.create(prompt, stream=True, **fields)):
            heard.chunks.append(chunk)
        return heard

    async def raw(self, prompt: str, **fields: Any) -> Any:
        fields = {"model": "sim", "messages": [{"role": "user", "content": prompt}], **fields}
        return await self._value(self.sdk.chat.completions.with_raw_response.create(**fields))

    async def model_ids(self) -> list[str]:
        return [model.id async for model in self._items(self.sdk.models.list())]

    async def helper(self, prompt: str, then: Callable[[Any], Any], **fields: Any) -> tuple[list[Any], Any]:
        """Run `.stream()` to its end; return its events and what `then` makes of the stream."""
        fields = {"model": "sim", "messages": [{"role": "user", "content": prompt}], **fields}
        manager = self.sdk.chat.completions.stream(**fields)
        if hasattr(manager, "__aenter__"):
            async with manager as stream:
                events = [event async for event in stream]
                return events, await self._value(then(stream))
        with manager as stream:
            return list(stream), then(stream)


@pytest.fixture(params=["sync", "async"])
async def client(request: pytest.FixtureRequest, servers: Servers) -> AsyncIterator[Client]:
    base = f"{servers.guardrail}/v1"
    if request.param == "sync":
        with openai.OpenAI(base_url=base, api_key=KEY, max_retries=0) as sdk:
            yield Client(sdk)
    else:
        async with openai.AsyncOpenAI(base_url=base, api_key=KEY, max_retries=0) as asdk:
            yield Client(asdk)


def generation(servers: Servers, id: str) -> dict[str, Any]:
    """What the model server says of one response once it has ended."""
    for _ in range(500):
        with urllib.request.urlopen(f"{servers.simulator}/simulate/stats") as response:
            found = [g for g in json.load(response)["generations"] if g["id"] == id]
        if found and found[0]["state"] != "running":
            return dict(found[0])
        time.sleep(0.01)
    raise AssertionError(f"{id} is still running")


async def test_a_clean_stream(client: Client) -> None:
    heard = await client.stream("sky")
    assert (heard.text(), heard.finish()) == (SKY, "stop")


async def test_a_clean_answer_in_one_body(client: Client) -> None:
    answer = await client.create("sky")
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (SKY, "stop")
    assert answer.usage.total_tokens > 0


async def test_redactions_arrive_as_plain_text(client: Client) -> None:
    heard = await client.stream("refund")
    assert (heard.text(), heard.finish()) == (MASKED, "stop")
    answer = await client.create("refund")
    assert answer.choices[0].message.content == MASKED


async def test_redactions_do_not_depend_on_the_size_of_tokens(client: Client) -> None:
    for size in ("1", "7", "1000"):
        heard = await client.stream("refund", extra_headers={"x-simulate-token-size": size})
        assert heard.text() == MASKED


async def test_a_replacement(client: Client) -> None:
    expected = BRAND.replace("Acme Cola", "our drink")
    assert (await client.stream("picnic")).text() == expected
    assert (await client.create("picnic")).choices[0].message.content == expected


async def test_a_halt_in_the_middle_of_a_stream(client: Client, servers: Servers) -> None:
    heard = await client.stream("vault")
    assert heard.finish() == "content_filter"
    assert heard.text().startswith(BEFORE_HALT + "\n[Stopped. Case ")
    assert "vault code" not in heard.text()
    ended = generation(servers, heard.chunks[0].id)
    assert ended["state"] == "aborted"
    assert ended["generated"] < ended["planned"]


async def test_a_halt_in_one_body(client: Client) -> None:
    (choice,) = (await client.create("vault")).choices
    assert choice.finish_reason == "content_filter"
    assert choice.message.content.startswith(BEFORE_HALT + "\n[Stopped. Case ")


async def test_a_halt_says_why_in_fields_that_the_client_keeps(client: Client) -> None:
    heard = await client.stream("vault")
    (last,) = [k for k in heard.chunks if k.choices and k.choices[0].finish_reason]
    assert last.model_extra["guardrail"]["action"] == "halt"
    results = last.choices[0].model_extra["content_filter_results"]
    assert results == {"secret_place": {"filtered": True, "severity": "high"}}


async def test_the_streaming_helper_on_a_clean_answer(client: Client) -> None:
    events, final = await client.helper("sky", lambda stream: stream.get_final_completion())
    assert final.choices[0].message.content == SKY
    assert "".join(e.delta for e in events if e.type == "content.delta") == SKY


async def test_the_streaming_helper_on_a_redaction(client: Client) -> None:
    _, final = await client.helper("refund", lambda stream: stream.get_final_completion())
    assert final.choices[0].message.content == MASKED


async def test_the_streaming_helper_iterates_through_a_halt_and_then_names_it(client: Client) -> None:
    with pytest.raises(openai.ContentFilterFinishReasonError):
        await client.helper("vault", lambda stream: stream.get_final_completion())
    events, snapshot = await client.helper("vault", lambda stream: stream.current_completion_snapshot)
    assert snapshot.choices[0].finish_reason == "content_filter"
    assert "".join(e.delta for e in events if e.type == "content.delta").startswith(BEFORE_HALT)


async def test_with_two_choices_only_the_offending_one_ends(client: Client) -> None:
    heard = await client.stream("vault", n=2)
    assert (heard.finish(0), heard.finish(1)) == ("content_filter", "stop")
    assert heard.text(0).startswith(BEFORE_HALT + "\n[Stopped.")
    assert heard.text(1) == SKY
    answer = await client.create("vault", n=2)
    assert [c.finish_reason for c in answer.choices] == ["content_filter", "stop"]
    assert answer.choices[1].message.content == SKY


async def test_two_choices_are_edited_apart(client: Client) -> None:
    heard = await client.stream("picnic", n=2)
    assert [heard.text(0), heard.text(1)] == [BRAND.replace("Acme Cola", "our drink"), "Take lemonade."]


async def test_a_clean_tool_call(client: Client) -> None:
    heard = await client.stream("weather", tools=TOOLS)
    assert {k: json.loads(v) for k, v in heard.arguments().items()} == {0: {"city": "Lisbon", "days": 3}}
    assert heard.finish() == "tool_calls"
    (choice,) = (await client.create("weather", tools=TOOLS)).choices
    (call,) = choice.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("look", {"city": "Lisbon", "days": 3})


async def test_a_tool_call_is_redacted_and_stays_valid_json(client: Client) -> None:
    heard = await client.stream("mail", tools=TOOLS)
    assert {k: json.loads(v) for k, v in heard.arguments().items()} == {0: {"to": "[EMAIL]", "n": 1}}
    (choice,) = (await client.create("mail", tools=TOOLS)).choices
    (call,) = choice.message.tool_calls
    assert json.loads(call.function.arguments) == {"to": "[EMAIL]", "n": 1}


async def test_the_streaming_helper_gathers_a_tool_call(client: Client) -> None:
    _, final = await client.helper("mail", lambda s: s.get_final_completion(), tools=TOOLS)
    (call,) = final.choices[0].message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("send", {"to": "[EMAIL]", "n": 1})


async def test_a_tool_call_that_is_halted_never_arrives(client: Client) -> None:
    heard = await client.stream("deploy", tools=TOOLS)
    assert heard.finish() == "content_filter"
    assert heard.arguments() == {}
    assert heard.text().startswith("I will write it.\n[Stopped. Case ")
    (choice,) = (await client.create("deploy", tools=TOOLS)).choices
    assert choice.finish_reason == "content_filter"
    assert not choice.message.tool_calls


async def test_reasoning_passes_and_a_halt_in_it_ends_the_answer(client: Client) -> None:
    clean = await client.stream("sky", model="sim-reasoning")
    assert clean.text(name="reasoning_content").startswith("The user asks")
    assert clean.text() == SKY
    halted = await client.stream("vault", model="sim-reasoning")
    assert halted.finish() == "content_filter"
    assert halted.text(name="reasoning_content") == "I know that "
    assert halted.text().startswith("\n[Stopped. Case ")


@pytest.mark.parametrize("prompt", ["sky", "refund", "vault"])
async def test_usage_comes_last_also_after_an_edit_or_a_halt(client: Client, prompt: str) -> None:
    heard = await client.stream(prompt, stream_options={"include_usage": True})
    *others, last = heard.chunks
    assert last.choices == []
    assert last.usage.completion_tokens > 0
    assert all(chunk.choices and chunk.usage is None for chunk in others)


async def test_logprobs_of_a_clean_answer_pass(client: Client) -> None:
    heard = await client.stream("sky", logprobs=True)
    spelled = [
        token.token
        for chunk in heard.chunks
        for choice in chunk.choices
        if choice.logprobs
        for token in choice.logprobs.content
    ]
    assert "".join(spelled) == SKY


async def test_logprobs_never_spell_what_was_removed(client: Client) -> None:
    heard = await client.stream("refund", logprobs=True)
    assert heard.text() == MASKED
    for chunk in heard.chunks:
        for choice in chunk.choices:
            if choice.logprobs:
                spelled = "".join(token.token for token in choice.logprobs.content)
                assert spelled == choice.delta.content
    answer = await client.create("refund", logprobs=True)
    assert answer.choices[0].logprobs is None or not answer.choices[0].logprobs.content


@pytest.mark.parametrize("stream", [False, True])
async def test_headers_name_the_policy_and_the_request(client: Client, stream: bool) -> None:
    raw = await client.raw("sky", stream=stream)
    name, _, digest = raw.headers["x-guardrail-policy"].partition("@")
    assert (name, len(digest)) == ("acme", 12)
    assert raw.headers["x-guardrail-request-id"]


async def test_models_are_listed(client: Client) -> None:
    assert await client.model_ids() == ["sim", "sim-reasoning"]


async def test_a_bad_key_is_an_authentication_error(client: Client) -> None:
    other = Client(client.sdk.with_options(api_key="wrong"))
    with pytest.raises(openai.AuthenticationError) as caught:
        await other.stream("sky")
    assert caught.value.status_code == 401


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("status=400", openai.BadRequestError),
        ("status=404", openai.NotFoundError),
        ("status=429", openai.RateLimitError),
        ("status=500", openai.InternalServerError),
        ("status=503", openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_of_the_model_server_is_the_same_error_to_the_client(
    client: Client, fault: str, kind: type[openai.APIStatusError], stream: bool
) -> None:
    with pytest.raises(kind) as caught:
        await client.create("sky", stream=stream, extra_headers={"x-simulate-fault": fault})
    assert "told to fail" in caught.value.message


@pytest.mark.parametrize("fault", ["close@20", "reset@20", "malformed@20"])
async def test_a_stream_that_breaks_off_is_an_error_after_what_had_come(client: Client, fault: str) -> None:
    heard = Heard()
    with pytest.raises(openai.APIError) as caught:
        await client.stream("sky", heard, extra_headers={"x-simulate-fault": fault})
    assert not isinstance(caught.value, openai.APIStatusError)
    assert SKY.startswith(heard.text())
    assert len(heard.text()) > 60
