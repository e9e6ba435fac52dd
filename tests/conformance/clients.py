"""The clients: how each is run, what it calls an ending or an error, and what it does not have.

What stands here is what `test_clients.py` asserts and what docs/clients.md shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tests.conformance.cases import REFUSED, Ending

PYTHON: Final = "python"
NODE: Final = "node"


@dataclass(frozen=True, slots=True)
class Client:
    """One row of the matrix.

    `program`: its script under `python/` or `js/`. `helper`: what of the client is called. `change`: the one line that
    points it at guardrail. `words`: what it says of each ending. `fault`, `refusal`: what it raises. `notice`: where
    the notice of a halt reaches its user; "refusal as text": it makes text of a part that is a refusal. `absent`: the
    cases that it does not have, and why. `odd`: fields of what it returns that differ from the case's, and why they
    may. `told`: whether guardrail's own note reaches its user. `final`: what its helper for the final answer raises
    after a halt, when the stream itself has ended without an error. `unparsed`: what its helper for structured output
    raises when the output was halted; "" where it tells of no output.
    """

    name: str
    package: str
    program: str
    runs_on: Literal["python", "node"]
    helper: str
    change: str
    words: Mapping[Ending, str]
    fault: str
    refusal: str
    provider: str = ""
    notice: Literal["text", "refusal", "refusal as text"] = "text"
    told: bool = False
    final: str = ""
    unparsed: str = ""
    absent: Mapping[str, str] = field(default_factory=dict)
    odd: Mapping[str, tuple[Mapping[str, Any], str]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """A short name for tests."""
        return f"{self.program}-{self.provider}" if self.provider else self.program


OPENAI: Final[Mapping[Ending, str]] = {"stop": "stop", "tools": "tool_calls", "halt": "content_filter"}
RESPONSES: Final[Mapping[Ending, str]] = {"stop": "completed", "tools": "completed", "halt": "completed"}
ANTHROPIC: Final[Mapping[Ending, str]] = {"stop": "end_turn", "tools": "tool_use", "halt": "refusal"}
OLLAMA: Final[Mapping[Ending, str]] = {"stop": "stop", "tools": "stop", "halt": "content_filter"}
VERCEL: Final[Mapping[Ending, str]] = {"stop": "stop", "tools": "tool-calls", "halt": "content-filter"}

ONE: Final = {"two": "The protocol has no second choice."}
TEXT_ONLY: Final = dict.fromkeys(("tool", "parallel", "calls"), "Completions have no tools.")
NO_REASONING: Final = dict.fromkeys(("thoughts", "reasoning"), "Completions have no reasoning.")

NO_HELPER: Final = dict.fromkeys(("json", "cut"), "It has no helper for structured output.")
DROPPED: Final = "It drops `reasoning_content`, guarded or not."

CLIENTS: Final = (
    Client(
        name="openai (Python), Chat Completions",
        package="openai",
        program="openai_chat",
        runs_on="python",
        helper="`chat.completions.stream()`, `create()`",
        change='openai.OpenAI(base_url="http://localhost:8080/v1", api_key=KEY)',
        words=OPENAI,
        fault="APIError",
        unparsed="ContentFilterFinishReasonError",
        refusal="BadRequestError",
        told=True,
        final="ContentFilterFinishReasonError",
    ),
    Client(
        name="openai (Python), Completions",
        package="openai",
        program="openai_text",
        runs_on="python",
        helper="`completions.create()`",
        change='openai.OpenAI(base_url="http://localhost:8080/v1", api_key=KEY)',
        words=OPENAI,
        fault="APIError",
        refusal="BadRequestError",
        told=True,
        absent={**NO_HELPER, **TEXT_ONLY, **NO_REASONING},
    ),
    Client(
        name="openai (Python), Responses",
        package="openai",
        program="openai_responses",
        runs_on="python",
        helper="`responses.stream()`, `create()`",
        change='openai.OpenAI(base_url="http://localhost:8080/v1", api_key=KEY)',
        words=RESPONSES,
        fault="APIError",
        refusal="BadRequestError",
        notice="refusal",
        told=True,
        absent=ONE,
    ),
    Client(
        name="anthropic (Python)",
        package="anthropic",
        program="anthropic_messages",
        runs_on="python",
        helper="`messages.stream()`, `create()`",
        change='anthropic.Anthropic(base_url="http://localhost:8080", api_key=KEY)',
        words=ANTHROPIC,
        fault="APIStatusError",
        unparsed="ValidationError",
        refusal="BadRequestError",
        absent=ONE,
    ),
    Client(
        name="ollama (Python), chat",
        package="ollama",
        program="ollama_chat",
        runs_on="python",
        helper="`Client.chat()`",
        change='ollama.Client(host="http://localhost:8080", headers={"authorization": f"Bearer {KEY}"})',
        words=OLLAMA,
        fault="ResponseError",
        refusal="ResponseError",
        absent={**ONE, **NO_HELPER},
    ),
    Client(
        name="ollama (Python), generate",
        package="ollama",
        program="ollama_generate",
        runs_on="python",
        helper="`Client.generate()`",
        change='ollama.Client(host="http://localhost:8080", headers={"authorization": f"Bearer {KEY}"})',
        words=OLLAMA,
        fault="ResponseError",
        refusal="ResponseError",
        absent={**NO_HELPER, **ONE, **dict.fromkeys(TEXT_ONLY, "`generate` has no tools.")},
    ),
    Client(
        name="google-genai (Python)",
        package="google-genai",
        program="google_genai",
        runs_on="python",
        helper="`generate_content_stream()`, `generate_content()`",
        change='genai.Client(api_key=KEY, http_options={"base_url": "http://localhost:8080"})',
        words={"stop": "STOP", "tools": "STOP", "halt": "BLOCKLIST"},
        fault="ServerError",
        refusal="",
        odd={
            "tool": ({"finish": ["SPII"]}, "The reason goes by what was found: `SPII`, `BLOCKLIST` or `SAFETY`."),
            "refused": (
                {"error": "", "text": [""], "finish": ["BLOCKLIST"], "refusal": REFUSED},
                "Not raised, as by Gemini itself: in `prompt_feedback`, with the notice as `block_reason_message`.",
            ),
        },
    ),
    Client(
        name="litellm, `openai/`",
        package="litellm",
        program="litellm_chat",
        provider="openai",
        runs_on="python",
        helper="`completion()`, `stream_chunk_builder()`",
        change='litellm.completion("openai/MODEL", messages, api_base="http://localhost:8080/v1", api_key=KEY)',
        words=OPENAI,
        fault="MidStreamFallbackError",
        refusal="BadRequestError",
        absent=NO_HELPER,
    ),
    Client(
        name="litellm, `anthropic/`",
        package="litellm",
        program="litellm_chat",
        provider="anthropic",
        runs_on="python",
        helper="`completion()`, `stream_chunk_builder()`",
        change='litellm.completion("anthropic/MODEL", messages, api_base="http://localhost:8080", api_key=KEY)',
        words=OPENAI,
        fault="MidStreamFallbackError",
        refusal="BadRequestError",
        absent={**ONE, **NO_HELPER},
    ),
    Client(
        name="litellm, `gemini/`",
        package="litellm",
        program="litellm_chat",
        provider="gemini",
        runs_on="python",
        helper="`completion()`, `stream_chunk_builder()`",
        change='litellm.completion("gemini/MODEL", messages, api_base="http://localhost:8080/v1beta", api_key=KEY)',
        words=OPENAI,
        fault="MidStreamFallbackError",
        refusal="BadRequestError",
        odd={
            "refused": (
                {"error": "", "text": [""], "finish": ["content_filter"]},
                "litellm gives an empty answer for Gemini's `promptFeedback`.",
            ),
            "halted": ({"text": [""]}, "litellm leaves out the text of a whole answer that Gemini's filter ended."),
        },
        absent={**NO_HELPER, "two": "litellm's `stream_chunk_builder()` keeps one candidate of Gemini's."},
    ),
    Client(
        name="litellm, `ollama_chat/`",
        package="litellm",
        program="litellm_chat",
        provider="ollama_chat",
        runs_on="python",
        helper="`completion()`, `stream_chunk_builder()`",
        change='litellm.completion("ollama_chat/MODEL", messages, api_base="http://localhost:8080", api_key=KEY)',
        words=OPENAI,
        fault="BadRequestError",
        refusal="BadRequestError",
        absent={
            **NO_HELPER,
            **ONE,
            "parallel": "litellm joins two calls of one Ollama stream into one, guarded or not.",
        },
    ),
    Client(
        name="langchain-openai, Chat Completions",
        package="langchain-openai",
        program="langchain_openai_chat",
        provider="chat",
        runs_on="python",
        helper="`ChatOpenAI.stream()`, `invoke()`",
        change='ChatOpenAI(base_url="http://localhost:8080/v1", api_key=KEY, model=MODEL)',
        words=OPENAI,
        fault="APIError",
        unparsed="ContentFilterFinishReasonError",
        refusal="OpenAIInvalidRequestError",
        absent={"two": "`stream()` yields one message.", "thoughts": DROPPED},
        odd={"reasoning": ({"reasoning": ""}, DROPPED)},
    ),
    Client(
        name="langchain-openai, Responses",
        package="langchain-openai",
        program="langchain_openai_chat",
        provider="responses",
        runs_on="python",
        helper="`ChatOpenAI.stream()`, `invoke()`",
        change='ChatOpenAI(base_url="http://localhost:8080/v1", api_key=KEY, model=MODEL, use_responses_api=True)',
        words=RESPONSES,
        fault="APIError",
        unparsed="OpenAIRefusalError",
        refusal="OpenAIInvalidRequestError",
        notice="refusal",
        absent=ONE,
    ),
    Client(
        name="openai (JavaScript), Chat Completions",
        package="openai",
        program="openai_chat",
        runs_on="node",
        helper="`chat.completions.stream()`, `create()`",
        change='new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: KEY })',
        words=OPENAI,
        fault="APIError",
        unparsed="ContentFilterFinishReasonError",
        refusal="BadRequestError",
        told=True,
    ),
    Client(
        name="openai (JavaScript), Responses",
        package="openai",
        program="openai_responses",
        runs_on="node",
        helper="`responses.stream()`, `create()`",
        change='new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: KEY })',
        words=RESPONSES,
        fault="APIError",
        refusal="BadRequestError",
        notice="refusal",
        told=True,
        absent=ONE,
    ),
    Client(
        name="@anthropic-ai/sdk",
        package="@anthropic-ai/sdk",
        program="anthropic_messages",
        runs_on="node",
        helper="`messages.stream()`, `create()`",
        change='new Anthropic({ baseURL: "http://localhost:8080", apiKey: KEY })',
        words=ANTHROPIC,
        fault="APIError",
        unparsed="AnthropicError",
        refusal="BadRequestError",
        absent=ONE,
    ),
    Client(
        name="ai with @ai-sdk/openai, Responses",
        package="ai",
        program="vercel_ai",
        provider="responses",
        runs_on="node",
        helper="`streamText()`, `generateText()`",
        change='createOpenAI({ baseURL: "http://localhost:8080/v1", apiKey: KEY })(MODEL)',
        words=VERCEL,
        fault="error part",
        unparsed="AI_NoObjectGeneratedError",
        refusal="AI_APICallError",
        notice="refusal as text",
        absent=ONE,
    ),
    Client(
        name="ai with @ai-sdk/openai, Chat Completions",
        package="ai",
        program="vercel_ai",
        provider="chat",
        runs_on="node",
        helper="`streamText()`, `generateText()`",
        change='createOpenAI({ baseURL: "http://localhost:8080/v1", apiKey: KEY }).chat(MODEL)',
        words=VERCEL,
        fault="error part",
        unparsed="AI_NoObjectGeneratedError",
        refusal="AI_APICallError",
        absent={"two": "It asks for one choice.", "thoughts": DROPPED},
        odd={"reasoning": ({"reasoning": ""}, DROPPED)},
    ),
    Client(
        name="ai with @ai-sdk/anthropic",
        package="ai",
        program="vercel_ai",
        provider="anthropic",
        runs_on="node",
        helper="`streamText()`, `generateText()`",
        change='createAnthropic({ baseURL: "http://localhost:8080/v1", apiKey: KEY })(MODEL)',
        words=VERCEL,
        fault="error part",
        unparsed="AI_NoObjectGeneratedError",
        refusal="AI_APICallError",
        absent=ONE,
    ),
)
