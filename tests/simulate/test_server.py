"""The simulated model server over real HTTP: the service's shapes, the pace, the faults, the token count."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import aiohttp
import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer

from guardrail.simulate.fault import Fault, FaultKind
from guardrail.simulate.script import BUILT_IN, SKY, Script
from guardrail.simulate.server import Generation, Pace, create_app

Client = TestClient[Any, Any]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with TestClient(TestServer(create_app())) as client:
        yield client


def ask(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "sim", "messages": [{"role": "user", "content": text}], **fields}


async def stream(client: Client, body: dict[str, Any], **headers: str) -> list[dict[str, Any]]:
    async with client.post("/v1/chat/completions", json={**body, "stream": True}, headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = (await response.read()).split(b"\n\n")
    assert events[-2:] == [b"data: [DONE]", b""]
    return [json.loads(event.removeprefix(b"data: ")) for event in events[:-2]]


async def generations(client: Client) -> list[dict[str, Any]]:
    async with client.get("/simulate/stats") as response:
        found: list[dict[str, Any]] = (await response.json())["generations"]
        return found


def joined(chunks: list[dict[str, Any]], field: str, index: int = 0) -> str:
    choices = [choice for chunk in chunks for choice in chunk["choices"] if choice["index"] == index]
    return "".join(choice["delta"].get(field) or "" for choice in choices)


async def test_a_stream_has_the_shape_of_the_real_service(client: Client) -> None:
    chunks = await stream(client, ask("Why is the sky blue?"))
    head, *middle, tail = chunks
    assert list(head) == [
        "id", "object", "created", "model", "service_tier", "system_fingerprint", "choices",
    ]  # fmt: skip
    assert head["object"] == "chat.completion.chunk"
    assert head["choices"] == [
        {
            "index": 0,
            "delta": {"role": "assistant", "content": "", "refusal": None},
            "logprobs": None,
            "finish_reason": None,
        }
    ]
    assert all(len(chunk["choices"][0]["delta"]["content"]) <= 4 for chunk in middle)
    assert tail["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]
    assert joined(chunks, "content") == SKY
    assert len({chunk["id"] for chunk in chunks}) == 1


async def test_without_streaming_the_same_text_comes_in_one_body(client: Client) -> None:
    async with client.post("/v1/chat/completions", json=ask("sky", logprobs=True)) as response:
        body = await response.json()
    assert body["object"] == "chat.completion"
    (choice,) = body["choices"]
    assert choice["message"] == {"role": "assistant", "content": SKY, "refusal": None}
    assert "".join(part["token"] for part in choice["logprobs"]["content"]) == SKY
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]


async def test_usage_comes_last_with_no_choices_if_it_was_asked_for(client: Client) -> None:
    chunks = await stream(client, ask("sky", stream_options={"include_usage": True}))
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == -(-len(SKY) // 4)
    assert {chunk["usage"] for chunk in chunks[:-1]} == {None}


async def test_choices_take_turns(client: Client) -> None:
    chunks = await stream(client, ask("picnic", n=2))
    assert "Acme Cola" in joined(chunks, "content", 0)
    assert "lemonade" in joined(chunks, "content", 1)
    assert [chunk["choices"][0]["index"] for chunk in chunks[:6]] == [0, 1, 0, 1, 0, 1]


async def test_logprobs_spell_each_delta(client: Client) -> None:
    chunks = await stream(client, ask("sky", logprobs=True))
    for chunk in chunks[1:-1]:
        (choice,) = chunk["choices"]
        assert [part["token"] for part in choice["logprobs"]["content"]] == [choice["delta"]["content"]]


async def test_a_reasoning_model_reasons_first(client: Client) -> None:
    chunks = await stream(client, {**ask("sky"), "model": "sim-reasoning"})
    kinds = [next(iter(chunk["choices"][0]["delta"]), "") for chunk in chunks[1:-1]]
    assert kinds == sorted(kinds, reverse=True)
    assert joined(chunks, "reasoning_content").startswith("The user asks")
    assert joined(chunks, "content") == SKY


async def test_a_tool_call_comes_in_fragments(client: Client) -> None:
    chunks = await stream(client, ask("weather", tools=TOOLS))
    parts = [p for chunk in chunks for p in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert parts[0]["function"] == {"name": "get_weather", "arguments": ""}
    assert parts[0]["id"].startswith("call_")
    assert len(parts) > 3
    assert json.loads("".join(p["function"]["arguments"] for p in parts)) == {"city": "Lisbon", "days": 3}
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


async def test_a_tool_call_in_one_body(client: Client) -> None:
    async with client.post("/v1/chat/completions", json=ask("weather", tools=TOOLS)) as response:
        (choice,) = (await response.json())["choices"]
    assert choice["message"]["content"] is None
    (call,) = choice["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Lisbon", "days": 3}


async def test_no_tool_is_called_unless_the_request_offers_one(client: Client) -> None:
    for fields in ({}, {"tools": TOOLS, "tool_choice": "none"}):
        chunks = await stream(client, ask("deploy", **fields))
        assert joined(chunks, "content") == "I will write the file."
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


async def test_max_tokens_cuts_the_answer(client: Client) -> None:
    chunks = await stream(client, ask("sky", max_tokens=5))
    assert joined(chunks, "content") == SKY[:20]
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"


async def test_an_unknown_message_is_echoed_and_parts_of_text_are_read(client: Client) -> None:
    content = [{"type": "text", "text": "Bonjour"}, {"type": "image_url", "image_url": {"url": "x"}}]
    body = {"model": "m", "messages": [{"role": "user", "content": content}]}
    assert joined(await stream(client, body), "content") == "You wrote: Bonjour"


async def test_a_request_may_choose_its_own_token_size(client: Client) -> None:
    chunks = await stream(client, ask("sky"), **{"x-simulate-token-size": "1000"})
    assert chunks[1]["choices"][0]["delta"]["content"] == SKY


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{", {}),
        (b'{"model": "sim"}', {}),
        (b'{"messages": []}', {"x-simulate-token-size": "0"}),
        (b'{"messages": []}', {"x-simulate-delay": "soon"}),
        (b'{"messages": []}', {"x-simulate-fault": "explode"}),
    ],
)
async def test_a_bad_request_is_refused_in_the_shape_of_the_service(
    client: Client, body: bytes, headers: dict[str, str]
) -> None:
    async with client.post("/v1/chat/completions", data=body, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["error"]["type"] == "invalid_request_error"


async def test_an_aborted_request_stops_the_generation(client: Client) -> None:
    body = ask("sky", stream=True)
    response = await client.post("/v1/chat/completions", json=body, headers={"x-simulate-delay": "10"})
    await response.content.readany()
    response.close()
    for _ in range(500):
        if (await generations(client))[-1]["state"] != "running":
            break
        await asyncio.sleep(0.01)
    last = (await generations(client))[-1]
    assert last["state"] == "aborted"
    assert 0 <= last["generated"] < last["planned"]


async def test_a_finished_generation_is_counted_whole(client: Client) -> None:
    await stream(client, ask("sky"))
    last = (await generations(client))[-1]
    assert (last["state"], last["generated"]) == ("finished", last["planned"])


async def broken(client: Client, fault: str) -> tuple[bytes, Exception | None]:
    headers = {"x-simulate-fault": fault}
    data = b""
    async with client.post("/v1/chat/completions", json=ask("sky", stream=True), headers=headers) as response:
        try:
            async for block in response.content.iter_any():
                data += block
        except aiohttp.ClientError as error:
            return data, error
        except ConnectionResetError as error:
            return data, error
    return data, None


async def test_fault_close_ends_in_the_middle_of_an_event(client: Client) -> None:
    data, error = await broken(client, "close@2")
    assert data.count(b"\n\n") == 3
    assert not data.endswith(b"\n\n")
    assert isinstance(error, aiohttp.ClientPayloadError)


async def test_fault_reset_ends_with_a_connection_error(client: Client) -> None:
    _, error = await broken(client, "reset@2")
    assert error is not None


async def test_fault_malformed_ends_with_an_event_that_is_no_json(client: Client) -> None:
    data, error = await broken(client, "malformed@1")
    assert error is None
    with pytest.raises(json.JSONDecodeError):
        json.loads(data.split(b"\n\n")[-2].removeprefix(b"data: "))


async def test_fault_stall_sends_no_more_and_keeps_the_connection(client: Client) -> None:
    async def read(response: aiohttp.ClientResponse) -> bytes:
        data = b""
        while data.count(b"\n\n") < 3:
            data += await response.content.readany()
        return data

    headers = {"x-simulate-fault": "stall@2"}
    async with client.post("/v1/chat/completions", json=ask("sky", stream=True), headers=headers) as response:
        assert (await read(response)).count(b"\n\n") == 3
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(response.content.readany(), 0.1)


@pytest.mark.parametrize(("fault", "status"), [("status=429", 429), ("status=503", 503), ("status", 500)])
async def test_fault_status_answers_an_error_in_the_shape_of_the_service(
    client: Client, fault: str, status: int
) -> None:
    headers = {"x-simulate-fault": fault}
    async with client.post("/v1/chat/completions", json=ask("sky", stream=True), headers=headers) as response:
        assert response.status == status
        assert "message" in (await response.json())["error"]


async def test_fault_html_answers_a_page_with_status_200(client: Client) -> None:
    headers = {"x-simulate-fault": "html"}
    async with client.post("/v1/chat/completions", json=ask("sky", stream=True), headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/html")


async def test_a_fault_of_the_server_befalls_every_request() -> None:
    app = create_app(BUILT_IN, Pace(token_size=8), Fault.parse("status=503"))
    async with (
        TestClient(TestServer(app)) as client,
        client.post("/v1/chat/completions", json=ask("sky")) as reply,
    ):
        assert reply.status == 503


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("close", Fault("close")),
        ("stall@0", Fault("stall", 0)),
        ("status=418", Fault("status", status=418)),
    ],
)
def test_faults_are_read(text: str, expected: Fault) -> None:
    assert Fault.parse(text) == expected


@pytest.mark.parametrize("text", ["", "close=1", "status=200", "close@", "explode"])
def test_unknown_faults_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected close, stall"):
        Fault.parse(text)


async def test_models_are_listed(client: Client) -> None:
    async with client.get("/v1/models") as response:
        body = await response.json()
    assert [model["id"] for model in body["data"]] == ["sim", "sim-reasoning"]


async def test_a_script_replaces_the_built_in_replies() -> None:
    script = Script(())
    async with TestClient(TestServer(create_app(script))) as client:
        assert joined(await stream(client, ask("sky")), "content") == "You wrote: sky"


def test_the_documentation_names_every_fault_header_and_state() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulate.md").read_text(encoding="utf-8")
    states = get_args(get_type_hints(Generation)["state"])
    for name in (*get_args(FaultKind), *states, "token-size", "delay", "fault"):
        assert name in page
    example = page.split("```yaml\n")[1].split("```")[0]
    script = msgspec.yaml.decode(example, type=Script)
    assert [choice.content for choice in script.replies[0].choices] == ["It will rain.", ""]
