"""A model folder with a first stage: a real, very small graph that knows one word by its n-grams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from guardrail.classify.features import hashed
from guardrail.text.scores import CATEGORIES
from tests.classify import tiny

BITS = 16
LOW, HIGH = 0.047426, 0.880797
"""The probabilities that the logits -3 and 2 stand for."""


def gate_graph(word: str, others: str) -> bytes:
    """The logit of harassment is 2 where a unit has n-grams of `word` that `others` lacks; all else is -3."""
    table = np.full((1 << BITS, len(CATEGORIES)), -3, np.float32)
    own = set(hashed("", word, BITS).unit.tolist()) - set(hashed("", others, BITS).unit.tolist())
    table[sorted(own), CATEGORIES.index("harassment")] = 2
    nodes = [
        helper.make_node("Gather", ["table", "unit"], ["each"]),
        helper.make_node("ReduceMax", ["each"], ["logits"], axes=[0], keepdims=0),
    ]
    made = helper.make_graph(
        nodes,
        "gate",
        [helper.make_tensor_value_info(name, TensorProto.INT32, [None]) for name in ("unit", "context")],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [len(CATEGORIES)])],
        [numpy_helper.from_array(table, "table")],
    )
    data: bytes = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    onnx.checker.check_model(data)
    return data


def folder(path: Path, others: str) -> Path:
    """A model whose first stage is sure of what does not say `idiot`; `others`: the harmless texts of the test."""
    gate = {"file": "gate.onnx", "bits": BITS, "ask_from": dict.fromkeys(CATEGORIES, 0.5)}
    return tiny.ours(path, files={"gate.onnx": gate_graph("idiot", others)}, gate=gate)
