"""From trained modules to the files of a model folder: ONNX graphs, the encoder's in eight bits.

Dynamic quantisation by onnxruntime: weights in signed bytes with one scale per output channel, activations scaled as
they come. What it costs in accuracy is in the report of a training run.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

from models.training.encoder import Classifier
from models.training.gate import BITS, Gate

OPSET = 17


class _Whole(nn.Module):
    """Token ids as the tokenizer says them, to logits."""

    def __init__(self, model: Classifier, row_of: Tensor) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("row_of", row_of)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        return self.model(self.row_of[input_ids], attention_mask.to(torch.float32))


def compact(model: Classifier, row_of: Tensor) -> tuple[Classifier, Tensor]:
    """Without the rows of the embedding that no token has."""
    used, rows = torch.unique(row_of, return_inverse=True)
    table = nn.Embedding(len(used), model.encoder.tokens.embedding_dim)
    with torch.no_grad():
        table.weight[:] = model.encoder.tokens.weight[used]
    model.encoder.tokens = table
    return model, rows


def export_encoder(model: Classifier, row_of: Tensor, fp32: Path, int8: Path) -> None:
    """Inputs `input_ids` and `attention_mask`, int64 [n, t]; output `logits`, float32 [n, categories]."""
    model, rows = compact(model, row_of)
    whole = _Whole(model, rows).eval()
    example = torch.ones(2, 8, dtype=torch.long)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            whole,
            (example, example),
            str(fp32),
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={"input_ids": {0: "n", 1: "t"}, "attention_mask": {0: "n", 1: "t"}, "logits": {0: "n"}},
            opset_version=OPSET,
            dynamo=False,
        )
    ready = fp32.with_suffix(".ready.onnx")
    quant_pre_process(str(fp32), str(ready), skip_symbolic_shape=True)
    quantize_dynamic(str(ready), str(int8), weight_type=QuantType.QInt8, per_channel=True)
    ready.unlink()
    onnx.checker.check_model(str(int8))


def export_gate(gate: Gate, path: Path) -> None:
    """Inputs `unit` and `context`, int32 [n] and [m]; output `logits`, float32 [categories]."""
    vectors = gate.vectors.weight.detach().numpy()
    scale = np.abs(vectors).max() / 127
    table = np.round(vectors / scale).astype(np.int8)

    def constant(name: str, value: np.ndarray) -> TensorProto:
        return numpy_helper.from_array(value, name)

    nodes = []
    for bag in ("unit", "context"):
        nodes += [
            helper.make_node("Gather", ["table", bag], [bag + "_rows"]),
            helper.make_node("Cast", [bag + "_rows"], [bag + "_floats"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", [bag + "_floats"], [bag + "_mean"], axes=[0], keepdims=1),
        ]
    nodes += [
        helper.make_node("Concat", ["unit_mean", "context_mean"], ["both"], axis=1),
        helper.make_node("Gemm", ["both", "hidden_weight", "hidden_bias"], ["before"], transB=1),
        helper.make_node("Relu", ["before"], ["after"]),
        helper.make_node("Gemm", ["after", "out_weight", "out_bias"], ["row"], transB=1),
        helper.make_node("Squeeze", ["row", "zero"], ["logits"]),
    ]
    # The scale of the table goes into the weights behind it.
    hidden = (gate.hidden.weight.detach().numpy() * scale).astype(np.float32)
    initialisers = [
        constant("table", table),
        constant("hidden_weight", hidden),
        constant("hidden_bias", gate.hidden.bias.detach().numpy()),
        constant("out_weight", gate.out.weight.detach().numpy()),
        constant("out_bias", gate.out.bias.detach().numpy()),
        constant("zero", np.array([0], np.int64)),
    ]
    graph = helper.make_graph(
        nodes,
        "gate",
        [
            helper.make_tensor_value_info(name, TensorProto.INT32, [size])
            for name, size in (("unit", "n"), ("context", "m"))
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [gate.out.out_features])],
        initialisers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    assert table.shape == (1 << BITS, gate.vectors.embedding_dim)
