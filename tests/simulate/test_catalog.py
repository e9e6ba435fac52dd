"""Models, versions and embeddings."""

import base64
import json
import struct
from typing import Any

import pytest

from guardrail.simulate import catalog


def test_every_protocol_lists_the_same_models() -> None:
    assert [model["id"] for model in catalog.openai_models()["data"]] == list(catalog.MODELS)
    assert [model["id"] for model in catalog.anthropic_models()["data"]] == list(catalog.MODELS)
    assert [model["name"] for model in catalog.gemini_models()["models"]] == [f"models/{n}" for n in catalog.MODELS]
    assert [model["model"] for model in catalog.ollama_tags()["models"]] == [f"{n}:latest" for n in catalog.MODELS]
    assert catalog.ollama_version()["version"]


def embed(text: Any, **fields: Any) -> dict[str, Any]:
    return catalog.openai_embeddings(json.dumps({"model": "sim", "input": text, **fields}).encode())


def test_embeddings_are_of_length_one_and_follow_the_text() -> None:
    first, second, third = (item["embedding"] for item in embed(["a", "b", "a"])["data"])
    assert first == third != second
    assert sum(value * value for value in first) == pytest.approx(1)


def test_embeddings_in_base64_are_floats_of_four_bytes() -> None:
    (item,) = embed("a", encoding_format="base64")["data"]
    vector = struct.unpack(f"<{catalog.DIMENSIONS}f", base64.b64decode(item["embedding"]))
    assert vector == pytest.approx(catalog.embedding("a"))


@pytest.mark.parametrize(("given", "count"), [("a", 1), (["a", "b"], 2), ([1, 2, 3], 1), ([[1], [2]], 2)])
def test_texts_may_be_token_ids(given: Any, count: int) -> None:
    assert len(embed(given)["data"]) == count


def test_ollama_embeds_too() -> None:
    found = catalog.ollama_embed(b'{"model": "sim", "input": ["a"]}')
    assert found["embeddings"] == [catalog.embedding("a")]


def test_gemini_embeds_too() -> None:
    content = b'{"content": {"parts": [{"text": "a"}]}}'
    assert catalog.gemini_embed(content)["embedding"]["values"] == catalog.embedding("a")
    found = catalog.gemini_embed_batch(b'{"requests": [' + content + b"]}")
    assert found["embeddings"] == [{"values": catalog.embedding("a")}]


def test_a_model_must_be_named_to_be_shown() -> None:
    assert catalog.ollama_show(b'{"name": "sim"}')["details"]["family"] == "sim"
    with pytest.raises(ValueError, match="model is required"):
        catalog.ollama_show(b"{}")


def test_a_request_without_input_is_refused() -> None:
    with pytest.raises(ValueError, match="input"):
        catalog.openai_embeddings(b"{}")
