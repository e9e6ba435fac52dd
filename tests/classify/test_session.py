"""Graphs and tokenizers: what can be run, what cannot, and what no model may answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guardrail.classify.session import BadGraph, BadTokenizer, Encoding, Graph, Session
from guardrail.errors import ModelFault
from tests.classify.tiny import BIAS, WEIGHTS, graph, quantised, tokenizer

LABELS = ["harassment", "unsafe"]
WORDS = list(WEIGHTS)


def session(data: bytes | None = None, max_tokens: int = 64, outputs: int = 2) -> Session:
    return Session(Graph(data or graph(WEIGHTS, LABELS), outputs), Encoding(tokenizer(WORDS), max_tokens))


def test_logits_are_those_of_the_graph() -> None:
    found = session().logits(["you idiot", "kill", "你坏"])
    assert found.tolist() == [[BIAS + 8, BIAS + 8], [BIAS, BIAS + 6], [BIAS + 8, BIAS + 8]]


def test_a_text_has_the_same_logits_alone_and_beside_longer_ones() -> None:
    texts = ["idiot", "kill " * 30, "", "damn you"]
    together = session().logits(texts)
    assert together.tolist() == [session().logits([text]).tolist()[0] for text in texts]


def test_of_a_long_text_the_end_is_kept() -> None:
    assert session(max_tokens=8).logits(["idiot " + "x " * 20, "x " * 20 + "idiot"]).tolist() == [
        [BIAS, BIAS],
        [BIAS + 8, BIAS + 8],
    ]


def test_a_graph_gets_the_inputs_that_it_asks_for() -> None:
    wanted = ("input_ids", "attention_mask", "token_type_ids")
    assert session(graph(WEIGHTS, LABELS, inputs=wanted)).logits(["idiot"]).tolist() == [[BIAS + 8, BIAS + 8]]


def test_special_tokens_that_a_text_spells_are_text() -> None:
    ids, _ = Encoding(tokenizer(WORDS), 64).padded(["idiot [SEP] [PAD]"])
    assert ids[0].tolist() == [2, 4, *[1] * 6, 3]


def test_padding_is_that_of_the_tokenizer() -> None:
    from tokenizers import Tokenizer

    made = Tokenizer.from_str(tokenizer(WORDS).decode())
    made.enable_padding(pad_id=3, pad_token="[SEP]")
    made.enable_truncation(4)
    ids, mask = Encoding(made.to_str().encode(), 64).padded(["idiot", "a b c d e f"])
    assert ids[0].tolist() == [2, 4, 3, *[3] * 5]
    assert mask.tolist() == [[1, 1, 1, 0, 0, 0, 0, 0], [1] * 8]


def test_only_a_graph_that_is_not_dynamically_quantised_may_run_batches(tmp_path: Path) -> None:
    assert session().batches
    small = session(quantised(WORDS, LABELS, tmp_path))
    assert not small.batches
    # What it is for: such a graph gives a text other logits beside other texts.
    assert small.logits(["idiot"]).tolist()[0] != small.logits(["idiot", "broken"]).tolist()[0]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "found no graph that ONNX Runtime can run"),
        (b"garbage", "found no graph that ONNX Runtime can run"),
        (graph(WEIGHTS, LABELS)[:-200], "found no graph that ONNX Runtime can run"),
        (graph(WEIGHTS, ["hate", *LABELS]), r"of the shape \['texts', 3\], expected \[texts, 2\]"),
        (graph(WEIGHTS, LABELS, per_token=True, shape=["a", "b", "c"]), r"expected \[texts, 2\]"),
        (graph(WEIGHTS, LABELS, inputs=("input_ids", "attention_mask", "pixels")), "found the input 'pixels'"),
    ],
)
def test_what_is_no_graph_of_ours(data: bytes, expected: str) -> None:
    with pytest.raises(BadGraph, match=expected):
        Graph(data, 2)


def changed(**inputs: Any) -> bytes:
    """The graph with another type or shape of an input."""
    import onnx

    model = onnx.load_from_string(graph(WEIGHTS, LABELS, inputs=("input_ids", "attention_mask", "extra")))
    extra = model.graph.input[2]
    extra.name = inputs.get("name", "token_type_ids")
    extra.type.tensor_type.elem_type = inputs.get("type", onnx.TensorProto.INT64)
    if "length" in inputs:
        extra.type.tensor_type.shape.dim[1].dim_value = inputs["length"]
    return model.SerializeToString()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (changed(type=6), r"found the input 'token_type_ids' of tensor\(int32\), expected tensor\(int64\)"),
        (changed(length=128), r"expected \[texts, tokens\], both free"),
    ],
)
def test_what_a_graph_may_not_ask_for(data: bytes, expected: str) -> None:
    with pytest.raises(BadGraph, match=expected):
        Graph(data, 2)


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", tokenizer(WORDS)[:-20]])
def test_what_is_no_tokenizer(data: bytes) -> None:
    with pytest.raises(BadTokenizer, match="found no tokenizer"):
        Encoding(data, 64)


def test_what_is_no_number_is_a_fault() -> None:
    for texts in (["broken"], ["idiot", "broken"]):
        with pytest.raises(ModelFault, match="answered what is no number"):
            session().logits(texts)


def test_another_shape_is_a_fault() -> None:
    wrong = session(graph(WEIGHTS, ["unsafe"], per_token=True, shape=["texts", "tokens"]), outputs=3)
    assert wrong.logits(["one"]).shape == (1, 3)
    with pytest.raises(ModelFault, match=r"answered the shape \(1, 4\), expected \(1, 3\)"):
        wrong.logits(["one two"])


def test_a_graph_that_fails_is_a_fault_that_quotes_nothing() -> None:
    # The tokenizer knows more words than the graph has rows for.
    small = Session(Graph(graph({"idiot": {}}, LABELS), 2), Encoding(tokenizer([*WORDS, "secret"]), 64))
    assert np.isfinite(small.logits(["idiot"])).all()
    with pytest.raises(ModelFault, match=r"^the model failed: InvalidArgument$"):
        small.logits(["secret"])


def test_the_runtime_leaves_and_sends_nothing(tmp_path: Path) -> None:
    """Where it reports to its maker it first writes the id of its session into the folder for temporary files."""
    program = "import guardrail.classify.session, onnxruntime; print('ready')"
    environment = {key: value for key, value in os.environ.items() if key not in ("CI", "ORT_DISABLE_TELEMETRY")}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment, "TMPDIR": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "ready\n"
    assert list(tmp_path.iterdir()) == []
