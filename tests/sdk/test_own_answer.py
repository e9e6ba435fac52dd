"""What guardrail says in the place of a model, as the real SDKs read it: over a socket, streamed, whole and typed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import ollama as ollama_sdk
import pydantic
import pytest

from guardrail.wire import anthropic, gemini, ollama, openai_chat, openai_responses, openai_text
from tests.sdk.streams import anthropic_of, genai_of, messages, openai_of

TEXT = "Help is near: call 112.\nYou are not alone."
SPOKEN_AT = {
    "/v1/chat/completions": openai_chat.PROTOCOL,
    "/v1/completions": openai_text.PROTOCOL,
    "/v1/responses": openai_responses.PROTOCOL,
    "/v1/messages": anthropic.PROTOCOL,
    "/api/chat": ollama.PROTOCOL,
    "/api/generate": ollama.PROTOCOL,
}
HI = messages("hi")


class Out(pydantic.BaseModel):
    a: int


class Says(BaseHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        protocol = SPOKEN_AT.get(self.path.partition("?")[0], gemini.PROTOCOL)
        reply = protocol.say(protocol.read_request(body, self.path), TEXT, "g-1")
        self.send_response(reply.status)
        self.send_header("content-type", reply.media_type)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)


@pytest.fixture(scope="module")
def own() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Says)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def chat_stream(url: str) -> str | None:
    with openai_of(url).chat.completions.stream(model="m", messages=HI) as stream:
        return stream.get_final_completion().choices[0].message.content


def responses_stream(url: str) -> str:
    with openai_of(url).responses.stream(model="m", input="hi") as stream:
        return stream.get_final_response().output_text


def anthropic_stream(url: str) -> str:
    with anthropic_of(url).messages.stream(model="m", max_tokens=9, messages=HI) as stream:
        return stream.get_final_text()


def chat_parse(url: str) -> Any:
    message = openai_of(url).chat.completions.parse(model="m", messages=HI, response_format=Out).choices[0].message
    assert message.parsed is None
    return message.refusal


def responses_parse(url: str) -> Any:
    response: Any = openai_of(url).responses.parse(model="m", input="hi", text_format=Out)
    assert response.output_parsed is None
    return response.output[0].content[0].refusal


def anthropic_parse(url: str) -> Any:
    message: Any = anthropic_of(url).messages.parse(model="m", max_tokens=9, messages=HI, output_format=Out)
    assert (message.parsed_output, message.stop_reason) == (None, "refusal")
    return message.stop_details.explanation


def gemini_parse(url: str) -> Any:
    config: Any = {"response_mime_type": "application/json", "response_schema": Out}
    response = genai_of(url).models.generate_content(model="m", contents="hi", config=config)
    assert response.parsed is None
    return response.text


def ollama_of(url: str) -> ollama_sdk.Client:
    return ollama_sdk.Client(host=url)


ASKED: dict[str, Callable[[str], Any]] = {
    "chat": lambda url: openai_of(url).chat.completions.create(model="m", messages=HI).choices[0].message.content,
    "chat stream": chat_stream,
    "chat parse": chat_parse,
    "completions": lambda url: openai_of(url).completions.create(model="m", prompt="hi").choices[0].text,
    "completions stream": lambda url: "".join(
        chunk.choices[0].text for chunk in openai_of(url).completions.create(model="m", prompt="hi", stream=True)
    ),
    "responses": lambda url: openai_of(url).responses.create(model="m", input="hi").output_text,
    "responses stream": responses_stream,
    "responses parse": responses_parse,
    "anthropic": lambda url: anthropic_of(url).messages.create(model="m", max_tokens=9, messages=HI).content[0].text,  # type: ignore[union-attr]
    "anthropic stream": anthropic_stream,
    "anthropic parse": anthropic_parse,
    "gemini": lambda url: genai_of(url).models.generate_content(model="m", contents="hi").text,
    "gemini stream": lambda url: "".join(
        chunk.text or "" for chunk in genai_of(url).models.generate_content_stream(model="m", contents="hi")
    ),
    "gemini parse": gemini_parse,
    "ollama": lambda url: ollama_of(url).chat(model="m", messages=HI).message.content,
    "ollama stream": lambda url: "".join(
        part.message.content or "" for part in ollama_of(url).chat(model="m", messages=HI, stream=True)
    ),
    "ollama generate": lambda url: ollama_of(url).generate(model="m", prompt="hi").response,
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
def test_the_user_of_an_sdk_reads_it(asked: Callable[[str], Any], own: str) -> None:
    assert asked(own) == TEXT
