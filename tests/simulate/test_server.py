"""The simulated model server over real HTTP: every path, the pace, the faults, the token count."""

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
from guardrail.simulate.server import ANSWERING, Generation, Pace, create_app

Client = TestClient[Any, Any]


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


async def broken(
    client: Client, fault: str, path: str = "/v1/chat/completions", body: dict[str, Any] | None = None
) -> tuple[bytes, Exception | None]:
    headers = {"x-simulate-fault": fault}
    data = b""
    async with client.post(path, json=body or ask("sky", stream=True), headers=headers) as response:
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


MESSAGES = [{"role": "user", "content": "sky"}]
CONTENTS = [{"role": "user", "parts": [{"text": "sky"}]}]
ANSWERS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/chat/completions", {"messages": MESSAGES}),
    ("/v1/completions", {"prompt": "sky"}),
    ("/v1/responses", {"input": "sky"}),
    ("/v1/messages", {"messages": MESSAGES, "max_tokens": 1000}),
    ("/api/chat", {"messages": MESSAGES}),
    ("/api/generate", {"prompt": "sky"}),
    ("/v1beta/models/sim:generateContent", {"contents": CONTENTS}),
    ("/v1/models/sim:generateContent", {"contents": CONTENTS}),
    ("/v1/projects/p/locations/l/publishers/google/models/sim:generateContent", {"contents": CONTENTS}),
    ("/openai/v1/chat/completions", {"messages": MESSAGES}),
    ("/openai/v1/responses", {"input": "sky"}),
    ("/openai/deployments/mine/chat/completions", {"messages": MESSAGES}),
    ("/openai/deployments/mine/completions", {"prompt": "sky"}),
    ("/anthropic/v1/messages", {"messages": MESSAGES, "max_tokens": 1000}),
]


@pytest.mark.parametrize(("path", "body"), ANSWERS)
async def test_every_protocol_answers_at_its_path(client: Client, path: str, body: dict[str, Any]) -> None:
    async with client.post(path, json={**body, "model": "sim", "stream": False}) as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        whole = await response.text()
    assert SKY in whole
    assert (await generations(client))[-1]["id"] in whole or path.startswith("/api/")


@pytest.mark.parametrize(
    ("path", "body", "media_type"),
    [
        *((path, body, "text/event-stream") for path, body in ANSWERS[:4]),
        *((path, body, "application/x-ndjson") for path, body in ANSWERS[4:6]),
        ("/v1beta/models/sim:streamGenerateContent?alt=sse", ANSWERS[6][1], "text/event-stream"),
        ("/v1beta/models/sim:streamGenerateContent", ANSWERS[6][1], "application/json"),
    ],
)
async def test_every_protocol_streams_and_breaks_off(
    client: Client, path: str, body: dict[str, Any], media_type: str
) -> None:
    async with client.post(path, json={**body, "stream": True}, headers={"x-simulate-token-size": "1000"}) as response:
        assert response.content_type == media_type
        assert SKY in await response.text()
    data, error = await broken(client, "close@2", path, {**body, "stream": True})
    assert isinstance(error, aiohttp.ClientPayloadError)
    data, error = await broken(client, "malformed@2", path, {**body, "stream": True})
    assert error is None
    lines = [line.removeprefix(b"data: ") for line in data.splitlines() if b"{" in line]
    with pytest.raises(json.JSONDecodeError):
        json.loads(lines[-1])


@pytest.mark.parametrize(("path", "body"), ANSWERS)
async def test_errors_are_in_the_protocol_s_shape(client: Client, path: str, body: dict[str, Any]) -> None:
    for sent, headers in ((body, {"x-simulate-fault": "status=429"}), ({}, {})):
        async with client.post(path, json=sent, headers=headers) as response:
            if sent or path != "/api/generate":
                assert response.status == (429 if sent else 400)
                assert "error" in await response.json()


@pytest.mark.parametrize(
    ("path", "headers", "key"),
    [
        ("/v1/models", {}, "data"),
        ("/v1/models", {"anthropic-version": "2023-06-01"}, "has_more"),
        ("/v1/models", {"x-goog-api-client": "google-genai-sdk"}, "models"),
        ("/v1beta/models", {}, "models"),
        ("/api/tags", {}, "models"),
        ("/api/version", {}, "version"),
        ("/api/ps", {}, "models"),
    ],
)
async def test_models_and_versions_are_told(client: Client, path: str, headers: dict[str, str], key: str) -> None:
    async with client.get(path, headers=headers) as response:
        assert key in await response.json()


@pytest.mark.parametrize(
    ("path", "body", "key"),
    [
        ("/v1/messages/count_tokens", ANSWERS[3][1], "input_tokens"),
        ("/v1beta/models/sim:countTokens", ANSWERS[6][1], "totalTokens"),
        ("/v1/embeddings", {"input": "sky"}, "data"),
        ("/api/embed", {"input": "sky"}, "embeddings"),
        ("/api/embeddings", {"prompt": "sky"}, "embedding"),
        ("/v1beta/models/sim:embedContent", {"content": CONTENTS[0]}, "embedding"),
        ("/v1beta/models/sim:batchEmbedContents", {"requests": [{"content": CONTENTS[0]}]}, "embeddings"),
        ("/api/show", {"model": "sim"}, "details"),
    ],
)
async def test_tokens_are_counted_and_texts_embedded(client: Client, path: str, body: dict[str, Any], key: str) -> None:
    async with client.post(path, json=body) as response:
        assert key in await response.json()
    async with client.post(path, data=b"{") as response:
        assert response.status == 400
        assert "error" in await response.json()


async def test_a_script_replaces_the_built_in_replies() -> None:
    script = Script(())
    async with TestClient(TestServer(create_app(script))) as client:
        assert joined(await stream(client, ask("sky")), "content") == "You wrote: sky"


def test_the_documentation_names_every_fault_header_and_state() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulate.md").read_text(encoding="utf-8")
    states = get_args(get_type_hints(Generation)["state"])
    for path in ANSWERING:
        assert f"`{path}`" in page
    for name in (*get_args(FaultKind), *states, "token-size", "delay", "fault"):
        assert name in page
    example = page.split("```yaml\n")[1].split("```")[0]
    script = msgspec.yaml.decode(example, type=Script)
    assert [choice.content for choice in script.replies[0].choices] == ["It will rain.", ""]
