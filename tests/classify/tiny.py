"""Model folders with real, very small ONNX models: the logit of a category is a bias and the sum of its words' weights.

The graph is what a Hugging Face export is from outside: `input_ids` and `attention_mask`, logits out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from guardrail.classify.features import hashed
from guardrail.text.scores import CATEGORIES

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
BIAS = -4.0
"""A text of no known words has the probability 0.018 in every category."""

GATE_BITS = 10
GATE_WORD = "dubious"
"""What the first stage of `gate` is not sure of."""

Weights = Mapping[str, Mapping[str, float]]
"""What each word (or Chinese character) adds to the logit of each label."""

WEIGHTS: Weights = {
    "idiot": {"harassment": 8.0, "unsafe": 8.0},
    "damn": {"profanity": 6.0},
    "kill": {"violence": 6.0, "unsafe": 6.0},
    "坏": {"harassment": 8.0, "unsafe": 8.0},
    "broken": {"unsafe": float("nan")},
}
"""`idiot` 0.98, `damn` and `kill` 0.88; `broken` makes the model answer what is no number."""


def tokenizer(words: list[str]) -> bytes:
    vocabulary = {token: index for index, token in enumerate((*SPECIAL, *words))}
    made = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    made.normalizer = BertNormalizer(lowercase=True)
    made.pre_tokenizer = BertPreTokenizer()
    made.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    made.add_special_tokens(list(SPECIAL))
    return made.to_str().encode()


def graph(
    weights: Weights,
    labels: list[str],
    *,
    inputs: tuple[str, ...] = ("input_ids", "attention_mask"),
    per_token: bool = False,
    shape: list[str | int] | None = None,
    bias: float = BIAS,
    positions: int | None = None,
) -> bytes:
    """`per_token`: a model that answers [texts, tokens] instead. `shape`: what the graph says of its output.
    `positions`: the most tokens it can read."""
    table = np.zeros((len(SPECIAL) + len(weights), len(labels)), np.float32)
    for row, word in enumerate(weights, len(SPECIAL)):
        table[row] = [weights[word].get(label, 0.0) for label in labels]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["each" if positions is None else "word"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["each", "column"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "last" if per_token else "middle"], ["sum"], keepdims=0),
        helper.make_node("Add", ["sum", "bias"], ["logits"]),
    ]
    constants = {"table": table, "bias": np.float32([bias]), "last": np.int64([2]), "middle": np.int64([1])}
    if positions is not None:
        constants["positions"] = np.zeros((positions + 1, 1), np.float32)  # they are counted from 1
        nodes[1:1] = [
            helper.make_node("CumSum", ["attention_mask", "middle"], ["place"]),
            helper.make_node("Gather", ["positions", "place"], ["there"]),
            helper.make_node("Add", ["word", "there"], ["each"]),
        ]
    made = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape or ["texts", len(labels)])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    data: bytes = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    onnx.checker.check_model(data)
    return data


def quantised(words: list[str], labels: list[str], folder: Path) -> bytes:
    """A graph of eight bits whose activations are scaled by the greatest in the whole batch; the words' vectors are of
    very different sizes. `folder` is for files that the quantiser needs."""
    dice = np.random.default_rng(1)
    table = dice.normal(size=(len(SPECIAL) + len(words), 16)).astype(np.float32)
    table *= np.geomspace(0.1, 10, len(table), dtype=np.float32)[:, None]
    weights = dice.normal(size=(16, len(labels))).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["each"]),
        helper.make_node("ReduceMean", ["each"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["logits"]),
    ]
    made = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["texts", "tokens"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["texts", len(labels)])],
        [numpy_helper.from_array(table, "table"), numpy_helper.from_array(weights, "weights")],
    )
    before, after = folder / "before.onnx", folder / "after.onnx"
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(before))
    quantize_dynamic(str(before), str(after), weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"])
    return after.read_bytes()


def write_folder(folder: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Path:
    """A model folder of these files; `files` of the manifest is added unless given, a key that is None left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    pinned = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    whole = {key: value for key, value in {"files": pinned, **manifest}.items() if value is not None}
    (folder / "manifest.yaml").write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True))
    return folder


THRESHOLDS = {category: {"precise": 0.9, "balanced": 0.5, "sensitive": 0.1} for category in CATEGORIES}


def ours(
    folder: Path, weights: Weights = WEIGHTS, *, files: Mapping[str, bytes] | None = None, **manifest: Any
) -> Path:
    """A folder as one of ours is; `files` and keys of the manifest replace what it would have."""
    labels = manifest.get("labels", list(CATEGORIES))
    made = {"model.onnx": graph(weights, labels), "tokenizer.json": tokenizer(list(weights)), **(files or {})}
    base = {
        "name": "tiny",
        "version": "1",
        "encoder": {"file": "model.onnx", "tokenizer": "tokenizer.json", "max_tokens": 64, "activation": "sigmoid"},
        "labels": labels,
        "thresholds": {name: THRESHOLDS[name] for name in labels if name in THRESHOLDS},
    }
    return write_folder(folder, made, {**base, **manifest})


def hugging_face(folder: Path, weights: Weights, labels: Mapping[str, str], **manifest: Any) -> Path:
    """A folder as an export of a softmax classifier with the labels of its own gives it; `weights` by these labels."""
    own = list(labels)
    config = {"architectures": ["TinyForSequenceClassification"], "id2label": {str(i): n for i, n in enumerate(own)}}
    files = {
        "model.onnx": graph(weights, own, bias=0.0),
        "tokenizer.json": tokenizer(list(weights)),
        "config.json": json.dumps(config).encode(),
    }
    base = {
        "name": "exported",
        "version": "1",
        "encoder": {"file": "model.onnx", "tokenizer": "tokenizer.json", "activation": "softmax"},
        "labels": dict(labels),
    }
    return write_folder(folder, files, {**base, **manifest})


def gate(
    labels: int, *, bits: int = GATE_BITS, at: int | None = None, inputs: tuple[str, str] = ("unit", "context")
) -> bytes:
    """A first stage: the logit of every label is -6, but 6 for a unit that has the n-grams of `GATE_WORD`; of the
    output `at` it is no number."""
    table = np.zeros((1 << bits, labels), np.float32)
    only_in_word = set(hashed("", GATE_WORD, bits).unit) - set(hashed("", "harmless words", bits).unit)
    table[sorted(only_in_word)] = 1000.0
    base = np.full(labels, -6.0, np.float32)
    if at is not None:
        base[at] = np.nan
    nodes = [
        helper.make_node("Gather", ["table", inputs[0]], ["rows"]),
        helper.make_node("ReduceMean", ["rows"], ["mean"], axes=[0], keepdims=0),
        helper.make_node("Gather", ["table", inputs[1]], ["other_rows"]),
        helper.make_node("ReduceMean", ["other_rows"], ["other_mean"], axes=[0], keepdims=0),
        helper.make_node("Add", ["mean", "other_mean"], ["both"]),
        helper.make_node("Clip", ["both", "zero", "most"], ["clipped"]),
        helper.make_node("Add", ["clipped", "base"], ["logits"]),
    ]
    constants = {"table": table, "base": base, "zero": np.float32(0), "most": np.float32(12)}
    made = helper.make_graph(
        nodes,
        "gate",
        [helper.make_tensor_value_info(name, TensorProto.INT32, [name]) for name in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [labels])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    data: bytes = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    return data


def gated(folder: Path, labels: list[str] | None = None, *, made: bytes | None = None, **entry: Any) -> Path:
    """A folder as one of ours is, with a first stage; `entry` replaces keys of its entry."""
    names = labels or list(CATEGORIES)
    files = {"gate.onnx": gate(len(names)) if made is None else made}
    limits = {name: 0.5 for name in names if name in CATEGORIES}
    whole = {"file": "gate.onnx", "bits": GATE_BITS, "ask_from": limits, **entry}
    return ours(folder, files=files, labels=names, gate=whole)
