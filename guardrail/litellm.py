"""A guardrail for the LiteLLM proxy: what it answers, streamed and not, and what it is asked.

    guardrails:
      - guardrail_name: guardrail
        litellm_params: {guardrail: guardrail.litellm.Guardrail, mode: [pre_call, post_call], default_on: true,
                         policy: policy.yaml}

Only to be imported where LiteLLM's proxy is installed. `post_call` guards answers by the policy's rules; `pre_call`
prompts by its section `input`. `policy`: a name or a path, as `load_policy` takes it; `config`: where names are looked
for.

Promises: a policy that cannot be loaded keeps the proxy from starting (LiteLLM skips a guardrail that raises ValueError
or TypeError, and starts without it, so neither is raised). What is guarded are the answers of chat, completions,
Responses, Anthropic's messages and Gemini's contents; vectors, images, sound, files, batches and realtime are not.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from litellm.exceptions import GuardrailRaisedException
from litellm.integrations.custom_guardrail import CustomGuardrail

from guardrail.asgi_paths import PathTable
from guardrail.errors import ConfigError, ConfigProblem, WireError
from guardrail.guarding import guarded_body, guarded_prompt, new_case_id
from guardrail.policy.compile import load_policy
from guardrail.proxy.instructions import Instructions
from guardrail.stream import guard_items
from guardrail.wire import anthropic, gemini, openai_chat, openai_responses, openai_text
from guardrail.wire.protocol import Protocol
from guardrail.wire.request import ModelRequest

logger = logging.getLogger("guardrail.litellm")

ASKED_BY: Mapping[str, Protocol] = {
    "completion": openai_chat.PROTOCOL,
    "text_completion": openai_text.PROTOCOL,
    "responses": openai_responses.PROTOCOL,
    "anthropic_messages": anthropic.PROTOCOL,
    "generate_content": gemini.PROTOCOL,
    "generate_content_stream": gemini.PROTOCOL,
}
"""Protocols by LiteLLM's name for the call; asynchronous ones have an `a` before it."""

_ASKED = frozenset(
    {
        "contents",
        "generationConfig",
        "input",
        "instructions",
        "max_tokens",
        "messages",
        "model",
        "n",
        "prompt",
        "response_format",
        "stream",
        "stream_options",
        "system",
        "systemInstruction",
        "text",
        "user",
    }
)
"""The fields of a request that the readers of the protocols look at. LiteLLM adds many of its own."""


class Guardrail(CustomGuardrail):
    """One entry of LiteLLM's `guardrails`."""

    def __init__(self, policy: str | None = None, config: str | None = None, **settings: Any) -> None:
        """Raises ConfigError."""
        super().__init__(**settings)
        if not policy:
            problem = "found no `policy` in its litellm_params, expected the name or path of one"
            raise ConfigError([ConfigProblem(str(self.guardrail_name), 0, 0, problem)])
        if isinstance(policy, str) and policy.endswith((".yaml", ".yml")):
            policy = str(Path(policy).absolute())
        self.policy = load_policy(policy, config)
        self._paths = PathTable(None)
        self._instructions = Instructions()

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any] | None:
        """The request as the model is to read it; None when nothing changes. Raises GuardrailRaisedException
        for a prompt that is refused, or that cannot be read."""
        protocol = ASKED_BY.get(call_type.removeprefix("a") if call_type not in ASKED_BY else call_type)
        section = self.policy.input
        if section is None or protocol is None:
            return None
        body = _body(data)
        try:
            request = protocol.read_request(body, _target(protocol, data))
        except WireError as error:
            raise self._refusal(400, str(error)) from error
        outcome = await guarded_prompt(section, request, body)
        self._log(outcome.record)
        if outcome.record.refused is not None:
            message = section.notice.replace("{case_id}", new_case_id())
            raise self._refusal(400, message, blocked_content=True)
        if outcome.changed:
            data.update(json.loads(outcome.body))
            return data
        return None

    async def async_post_call_success_hook(self, data: dict[str, Any], user_api_key_dict: Any, response: Any) -> Any:
        """An answer that is not streamed. Raises GuardrailRaisedException when it cannot be guarded."""
        value = response if isinstance(response, dict) else _dumped(response)
        protocol = _protocol_of(value)
        if protocol is None:
            return response
        request = _request(protocol, data)
        policy = await self._instructions.kept(self.policy, request)
        body = json.dumps(value).encode()
        try:
            guarded, record = await guarded_body(protocol.guard_body, policy, request, body, new_case_id())
        except WireError as error:
            raise self._refusal(502, str(error)) from error
        self._log(record)
        if guarded == body:
            return response
        if isinstance(response, dict):
            response.clear()
            response.update(json.loads(guarded))
            return response
        told = type(response)(**json.loads(guarded))
        for name in ("_hidden_params", "_response_headers"):
            if hasattr(response, name):
                setattr(told, name, getattr(response, name))
        return told

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: Any, request_data: dict[str, Any]
    ) -> Any:
        """A stream: of chunks, of events, or of the bytes of one."""
        found = self._paths.find({"path": getattr(user_api_key_dict, "request_route", None) or "/"})
        protocol = openai_chat.PROTOCOL if found is None else found.protocol
        request = _request(protocol, request_data)
        policy = await self._instructions.kept(self.policy, request)
        before: dict[str, Any] = {}
        async for item in guard_items(_framed(response), policy, request, protocol=protocol, on_record=self._log):
            # LiteLLM sorts chunks by when it made them; one of ours stands behind the one before it.
            hidden = getattr(item, "_hidden_params", None)
            if isinstance(hidden, dict):
                if "created_at" not in hidden:
                    item._hidden_params = hidden = {**before, **hidden}
                before = hidden
            yield item

    def _refusal(self, status: int, message: str, *, blocked_content: bool = False) -> GuardrailRaisedException:
        return GuardrailRaisedException(
            self.guardrail_name,
            message,
            should_wrap_with_default_message=False,
            status_code=status,
            blocked_content=blocked_content,
        )

    def _log(self, record: Any) -> None:
        """The findings, without text."""
        if record.findings:
            said = [f"{found.rule} ({found.action.value}) in {found.channel}" for found in record.findings]
            logger.info("%s: %s", self.guardrail_name, "; ".join(said))


async def _framed(response: AsyncIterable[Any]) -> AsyncIterator[Any]:
    """Streams of text are those of bytes: LiteLLM has both."""
    try:
        async for item in response:
            yield item.encode() if isinstance(item, str) else item
    finally:
        close = getattr(response, "aclose", None)
        if close is not None:
            await close()


def _body(data: Mapping[str, Any]) -> bytes:
    return json.dumps({name: value for name, value in data.items() if name in _ASKED}, default=_dumped).encode()


def _dumped(value: Any) -> Any:
    return value.model_dump(mode="json", exclude_none=True, warnings=False)


def _target(protocol: Protocol, data: Mapping[str, Any]) -> str:
    """A path at which the protocol is spoken, for its reader."""
    if protocol is gemini.PROTOCOL:
        return f"/v1beta/models/{data.get('model', 'm')}:generateContent"
    return "/v1/responses" if protocol is openai_responses.PROTOCOL else "/"


def _request(protocol: Protocol, data: Mapping[str, Any]) -> ModelRequest:
    """What was asked for; LiteLLM has taken the request, so one that cannot be read is answered all the same."""
    try:
        return dataclasses.replace(protocol.read_request(_body(data), _target(protocol, data)), stream=True)
    except (WireError, TypeError, ValueError, AttributeError):
        return ModelRequest(stream=True)


def _protocol_of(value: Mapping[str, Any]) -> Protocol | None:
    """By the shape of an answer; None for what is none."""
    if "choices" in value:
        return openai_text.PROTOCOL if value.get("object") == "text_completion" else openai_chat.PROTOCOL
    if "output" in value:
        return openai_responses.PROTOCOL
    if "candidates" in value:
        return gemini.PROTOCOL
    return anthropic.PROTOCOL if value.get("type") == "message" and "content" in value else None
