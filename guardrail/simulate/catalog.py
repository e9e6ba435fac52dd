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


def ollama_tags() -> dict[str, Any]:
    """`GET /api/tags`."""
    details = {
        "parent_model": "",
        "format": "gguf",
        "family": "sim",
        "families": ["sim"],
        "parameter_size": "1B",
        "quantization_level": "Q4_0",
    }
    models = [
        {
            "name": f"{name}:latest",
            "model": f"{name}:latest",
            "modified_at": CREATED_AT,
            "size": 1_000_000,
            "digest": hashlib.sha256(name.encode()).hexdigest(),
            "details": details,
        }
        for name in MODELS
    ]
    return {"models": models}


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
            "supportedGenerationMethods": ["generateContent", "countTokens"],
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
