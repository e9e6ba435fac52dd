"""What a model server tells besides answers: its models, its version, and embeddings, in each protocol's shape.

Embeddings are made of the text's hash: equal texts have equal vectors, and nothing else is true of them.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import Any, Final

import msgspec

MODELS: Final = ("sim", "sim-reasoning")
CREATED: Final = 1_700_000_000
CREATED_AT: Final = "2023-11-14T22:13:20Z"
DIMENSIONS: Final = 8
DETAILS: Final = {
    "parent_model": "",
    "format": "gguf",
    "family": "sim",
    "families": ["sim"],
    "parameter_size": "1B",
    "quantization_level": "Q4_0",
}
"""What Ollama tells of a model."""


class _Embeddings(msgspec.Struct):
    """A request in OpenAI's shape; Ollama's has the same `model` and `input`."""

    input: str | list[str | int | list[int]]
    model: str = "sim"
    encoding_format: str = "float"


def openai_models() -> dict[str, Any]:
    """`GET /v1/models`."""
    data = [{"id": name, "object": "model", "created": CREATED, "owned_by": "guardrail"} for name in MODELS]
    return {"object": "list", "data": data}


def anthropic_models() -> dict[str, Any]:
    """`GET /v1/models`, for a client that sends `anthropic-version`."""
    data = [{"type": "model", "id": name, "display_name": name, "created_at": CREATED_AT} for name in MODELS]
    return {"data": data, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}


class _Show(msgspec.Struct):
    """`model`, or `name` as older clients have it."""

    model: str = ""
    name: str = ""


class _Prompt(msgspec.Struct):
    prompt: str


class _Content(msgspec.Struct):
    """A request for one vector in Google's shape."""

    content: _Parts


class _Parts(msgspec.Struct):
    parts: list[dict[str, Any]]

    @property
    def text(self) -> str:
        return "".join(str(part.get("text", "")) for part in self.parts)


class _Contents(msgspec.Struct):
    requests: list[_Content]


def ollama_tags() -> dict[str, Any]:
    """`GET /api/tags`."""
    models = [
        {
            "name": f"{name}:latest",
            "model": f"{name}:latest",
            "modified_at": CREATED_AT,
            "size": 1_000_000,
            "digest": hashlib.sha256(name.encode()).hexdigest(),
            "details": DETAILS,
        }
        for name in MODELS
    ]
    return {"models": models}


def ollama_ps() -> dict[str, Any]:
    """`GET /api/ps`: nothing is loaded, since there is no model."""
    return {"models": []}


def ollama_show(body: bytes) -> dict[str, Any]:
    """`POST /api/show`. Raises ValueError."""
    asked = msgspec.json.decode(body, type=_Show)
    if not (asked.model or asked.name):
        raise ValueError("model is required")
    return {
        "modelfile": f"FROM {asked.model or asked.name}",
        "template": "{{ .Prompt }}",
        "details": DETAILS,
        "model_info": {"general.architecture": "sim"},
        "capabilities": ["completion", "tools"],
        "modified_at": CREATED_AT,
    }


def ollama_version() -> dict[str, Any]:
    """`GET /api/version`."""
    return {"version": "0.12.6"}


def gemini_models() -> dict[str, Any]:
    """`GET /v1beta/models`."""
    models = [
        {
            "name": f"models/{name}",
            "version": "1",
            "displayName": name,
            "inputTokenLimit": 100_000,
            "outputTokenLimit": 8_192,
            "supportedGenerationMethods": ["generateContent", "countTokens", "embedContent"],
        }
        for name in MODELS
    ]
    return {"models": models}


def openai_embeddings(body: bytes) -> dict[str, Any]:
    """`POST /v1/embeddings`. Raises ValueError."""
    asked = msgspec.json.decode(body, type=_Embeddings)
    texts = _texts(asked)
    data = []
    for index, text in enumerate(texts):
        vector: Any = embedding(text)
        if asked.encoding_format == "base64":
            vector = base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *vector)).decode()
        data.append({"object": "embedding", "index": index, "embedding": vector})
    tokens = sum(len(text) // 4 + 1 for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": asked.model, "usage": usage}


def ollama_embed(body: bytes) -> dict[str, Any]:
    """`POST /api/embed`. Raises ValueError."""
    asked = msgspec.json.decode(body, type=_Embeddings)
    texts = _texts(asked)
    return {
        "model": asked.model,
        "embeddings": [embedding(text) for text in texts],
        "total_duration": 10_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": sum(len(text) // 4 + 1 for text in texts),
    }


def ollama_embedding(body: bytes) -> dict[str, Any]:
    """`POST /api/embeddings`, the older one. Raises ValueError."""
    return {"embedding": embedding(msgspec.json.decode(body, type=_Prompt).prompt)}


def gemini_embed(body: bytes) -> dict[str, Any]:
    """`:embedContent`. Raises ValueError."""
    return {"embedding": {"values": embedding(msgspec.json.decode(body, type=_Content).content.text)}}


def gemini_embed_batch(body: bytes) -> dict[str, Any]:
    """`:batchEmbedContents`. Raises ValueError."""
    asked = msgspec.json.decode(body, type=_Contents)
    return {"embeddings": [{"values": embedding(each.content.text)} for each in asked.requests]}


def embedding(text: str) -> list[float]:
    """A vector of length one."""
    values = [byte - 127.5 for byte in hashlib.sha256(text.encode()).digest()[:DIMENSIONS]]
    length = sum(value * value for value in values) ** 0.5
    return [value / length for value in values]


def _texts(asked: _Embeddings) -> list[str]:
    """The texts to embed; a list of token ids is one text, as the API has it."""
    if isinstance(asked.input, str):
        return [asked.input]
    if any(isinstance(item, int) for item in asked.input):
        return [str(asked.input)]
    return [str(item) for item in asked.input]
