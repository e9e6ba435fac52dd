"""Legacy Completions as the simulated server says them."""

from typing import Any

import pytest

from guardrail.simulate.openai_text import DIALECT
from guardrail.simulate.script import BRAND, SKY
from tests.simulate import saying


def ask(prompt: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "sim", "prompt": prompt, **fields}


def test_a_stream() -> None:
    data = saying.stream(DIALECT, ask("sky", stream=True, stream_options={"include_usage": True}))
    assert data.endswith(b"data: [DONE]\n\n")
    first, *middle, tail, usage = saying.plain(data)
    assert first["object"] == "text_completion"
    assert first["choices"] == [{"text": "Sunl", "index": 0, "logprobs": None, "finish_reason": None}]
    assert "".join(chunk["choices"][0]["text"] for chunk in (first, *middle)) == SKY
    assert tail["choices"] == [{"text": "", "index": 0, "logprobs": None, "finish_reason": "stop"}]
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == -(-len(SKY) // 4)


def test_one_body() -> None:
    whole: Any = saying.answer(DIALECT, ask("sky", logprobs=1)).body()
    (choice,) = whole["choices"]
    assert (choice["text"], choice["finish_reason"]) == (SKY, "stop")
    assert "".join(choice["logprobs"]["tokens"]) == SKY
    assert choice["logprobs"]["text_offset"][:3] == [0, 4, 8]


def test_the_offsets_of_a_stream_go_on() -> None:
    chunks = saying.plain(saying.stream(DIALECT, ask("picnic", stream=True, n=2, logprobs=1)))
    offsets = [c["logprobs"]["text_offset"] for k in chunks for c in k["choices"] if c["index"] == 1 and c["logprobs"]]
    assert offsets[:3] == [[0], [4], [8]]


def test_several_prompts_have_n_choices_each() -> None:
    whole: Any = saying.answer(DIALECT, ask(["picnic", "sky"], n=2)).body()
    texts = [choice["text"] for choice in whole["choices"]]
    assert texts == [BRAND, BRAND.replace("Acme Cola", "lemonade"), SKY, SKY]
    assert [choice["index"] for choice in whole["choices"]] == [0, 1, 2, 3]


def test_max_tokens_cuts() -> None:
    whole: Any = saying.answer(DIALECT, ask("sky", max_tokens=2)).body()
    assert (whole["choices"][0]["text"], whole["choices"][0]["finish_reason"]) == (SKY[:8], "length")


def test_a_request_without_a_prompt_is_refused() -> None:
    for request in ({"model": "sim"}, ask([])):
        with pytest.raises(ValueError, match="prompt"):
            saying.answer(DIALECT, request)
