"""OpenAI Responses: `POST /v1/responses`, in the shapes of OpenAI's API reference.

The output is a list of items: a reasoning item with a summary (when the request asks for summaries, or the model's name
ends in `-reasoning`), a message, then one item for each function call. Each `*.done` event and the last one repeat the
text whole. Responses are not stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from guardrail.simulate.dialect import Answer, Dialect, Target, named_event
from guardrail.simulate.openai_chat import error
from guardrail.simulate.plan import Ask, Plan, Step, last_user_text, text_of


class _Fields(msgspec.Struct):
    input: str | list[dict[str, Any]]
    model: str = "sim"
    stream: bool | None = None
    instructions: str | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    reasoning: dict[str, Any] | None = None
    max_output_tokens: int | None = None


def read(body: bytes, target: Target) -> Ask:
    """A request for a response."""
    fields = msgspec.json.decode(body, type=_Fields)
    items = [{"role": "user", "content": fields.input}] if isinstance(fields.input, str) else fields.input
    messages = [item for item in items if item.get("type", "message") == "message"]
    return Ask(
        model=fields.model,
        prompts=[last_user_text(messages)],
        size=len(fields.instructions or "") + sum(len(text_of(message.get("content"))) for message in messages),
        stream=bool(fields.stream),
        tools=bool(fields.tools) and fields.tool_choice != "none",
        reasoning=fields.model.endswith("-reasoning") or bool((fields.reasoning or {}).get("summary")),
        limit=fields.max_output_tokens,
        fields={"tools": fields.tools or [], "instructions": fields.instructions, "reasoning": fields.reasoning},
    )


class ResponseAnswer(Answer):
    """One response."""

    malformed = b'event: response.output_text.delta\ndata: {"type": "response.output_text.delta", "item_id":\n\n'

    def __init__(self, ask: Ask, plan: Plan) -> None:
        super().__init__(ask, plan)
        self._number = -1
        self._open: dict[str, Any] | None = None
        self._done: list[dict[str, Any]] = []

    @property
    def id(self) -> str:
        return f"resp_{self.key}"

    def opening(self) -> Iterator[bytes]:
        for kind in ("response.created", "response.in_progress"):
            yield self._event(kind, response=self._response("in_progress", []))

    def step(self, step: Step) -> Iterator[bytes]:
        identity = self._identity(step)
        if self._open is None or self._open["id"] != identity:
            yield from self._close()
            yield from self._begin(step, identity)
        item, where = self._open, self._where()
        assert item is not None
        if step.call is not None:
            item["arguments"] += step.text
            if step.text:
                yield self._event("response.function_call_arguments.delta", **where, delta=step.text)
        elif step.kind == "content":
            item["content"][0]["text"] += step.text
            yield self._event("response.output_text.delta", **where, content_index=0, delta=step.text, logprobs=[])
        else:
            item["summary"][0]["text"] += step.text
            yield self._event("response.reasoning_summary_text.delta", **where, summary_index=0, delta=step.text)

    def closing(self) -> Iterator[bytes]:
        yield from self._close()
        status = self._status
        yield self._event(f"response.{status}", response=self._response(status, self._done))

    def body(self) -> dict[str, Any]:
        for step in self.plan.steps:
            for _ in self.step(step):
                pass
        for _ in self._close():
            pass
        return self._response(self._status, self._done)

    @property
    def _status(self) -> str:
        return "incomplete" if self.plan.reasons == ["length"] else "completed"

    def _identity(self, step: Step) -> str:
        if step.call is not None:
            return f"fc_{step.call.key}"
        return f"msg_{self.key}" if step.kind == "content" else f"rs_{self.key}"

    def _where(self) -> dict[str, Any]:
        assert self._open is not None
        return {"item_id": self._open["id"], "output_index": len(self._done)}

    def _begin(self, step: Step, identity: str) -> Iterator[bytes]:
        item: dict[str, Any]
        part: dict[str, Any]
        if step.call is not None:
            call = {"call_id": f"call_{step.call.key}", "name": step.call.name, "arguments": ""}
            item = {"id": identity, "type": "function_call", "status": "in_progress", **call}
        elif step.kind == "content":
            item = {"id": identity, "type": "message", "status": "in_progress", "role": "assistant", "content": []}
        else:
            item = {"id": identity, "type": "reasoning", "summary": []}
        self._open = item
        yield self._event("response.output_item.added", output_index=len(self._done), item=item)
        if step.call is not None:
            return
        if step.kind == "content":
            part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            yield self._event("response.content_part.added", **self._where(), content_index=0, part=part)
            item["content"].append(part)
        else:
            part = {"type": "summary_text", "text": ""}
            yield self._event("response.reasoning_summary_part.added", **self._where(), summary_index=0, part=part)
            item["summary"].append(part)

    def _close(self) -> Iterator[bytes]:
        item = self._open
        if item is None:
            return
        where = self._where()
        if item["type"] == "function_call":
            yield self._event("response.function_call_arguments.done", **where, arguments=item["arguments"])
        elif item["type"] == "message":
            (part,) = item["content"]
            at = {**where, "content_index": 0}
            yield self._event("response.output_text.done", **at, text=part["text"], logprobs=[])
            yield self._event("response.content_part.done", **at, part=part)
        else:
            (part,) = item["summary"]
            at = {**where, "summary_index": 0}
            yield self._event("response.reasoning_summary_text.done", **at, text=part["text"])
            yield self._event("response.reasoning_summary_part.done", **at, part=part)
        if "status" in item:
            cut = self._status == "incomplete" and self._identity(self.plan.steps[-1]) == item["id"]
            item["status"] = "incomplete" if cut else "completed"
        yield self._event("response.output_item.done", output_index=where["output_index"], item=item)
        self._done.append(item)
        self._open = None

    def _event(self, kind: str, **fields: Any) -> bytes:
        self._number += 1
        return named_event({"type": kind, "sequence_number": self._number, **fields})

    def _response(self, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
        ended, tokens, thought = status != "in_progress", len(self.plan.steps), self.plan.reasoning_tokens
        usage = {
            "input_tokens": self.ask.read_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": tokens,
            "output_tokens_details": {"reasoning_tokens": thought},
            "total_tokens": self.ask.read_tokens + tokens,
        }
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "instructions": self.ask.fields["instructions"],
            "max_output_tokens": self.ask.limit,
            "model": self.ask.model,
            "output": output,
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "reasoning": {"effort": None, "summary": None, **(self.ask.fields["reasoning"] or {})},
            "service_tier": "default",
            "store": False,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}, "verbosity": "medium"},
            "tool_choice": "auto",
            "tools": self.ask.fields["tools"],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": usage if ended else None,
            "user": None,
            "metadata": {},
        }


DIALECT: Final = Dialect(read, ResponseAnswer, error)
