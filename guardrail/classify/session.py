"""One ONNX graph with its tokenizer: texts in, finite logits out.

The graph is that of a Hugging Face sequence classification: `input_ids`, `attention_mask` and `token_type_ids` (those
it asks for) of shape [texts, tokens], and logits of shape [texts, outputs].

Promises: what comes back has the shape that was asked for and is finite, else `ModelFault`; a text that is too long
loses its beginning, never its end; one call uses one thread, the caller's, and leaves none spinning. May be called by
several threads at once. Never looks at files: bytes come in, so that what runs is what was checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from guardrail.errors import ModelFault

Logits = NDArray[np.float32]
"""Shape [texts, outputs]."""

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUT = "logits"
_FLOATS = ("tensor(float)", "tensor(float16)")
_PADDINGS = ("[PAD]", "<pad>", "<|pad|>")
_DYNAMIC = b"DynamicQuantize"
"""How the operators are called that scale activations by the greatest in the whole batch."""
_QUIET = 4
"""ONNX Runtime's level `fatal`: what goes wrong is raised, and its messages could quote shapes of users' texts."""


class BadGraph(Exception):
    """Bytes that are no graph of the kind we can run; the message says what was found and expected."""


class BadTokenizer(Exception):
    """Bytes that are no tokenizer."""


class Encoding:
    """A tokenizer that keeps the end of what is too long. Raises BadTokenizer."""

    def __init__(self, data: bytes, max_tokens: int) -> None:
        try:
            tokenizer = Tokenizer.from_str(data.decode())
        except Exception as error:  # the library raises nothing narrower
            raise BadTokenizer(f"found no tokenizer of Hugging Face's `tokenizers`: {error}") from error
        padding = tokenizer.padding or {}
        known = (tokenizer.token_to_id(token) for token in _PADDINGS)
        self._padding = padding.get("pad_id") or next((token for token in known if token is not None), 0)
        # A model that writes "[SEP]" writes text, and must not say where its text ends for us.
        tokenizer.encode_special_tokens = True
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens, direction="left")
        self._tokenizer = tokenizer

    def padded(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The tokens of texts, the model's special ones included, and which of them are none but padding (0); both of
        shape [texts, tokens of the longest]."""
        # One by one: the library's batches would start threads of their own.
        tokens = [self._tokenizer.encode(text).ids for text in texts]
        longest = max(map(len, tokens))
        ids = np.full((len(tokens), longest), self._padding, np.int64)
        mask = np.zeros((len(tokens), longest), np.int64)
        for row, found in enumerate(tokens):
            ids[row, : len(found)] = found
            mask[row, : len(found)] = 1
        return ids, mask


class Graph:
    """A graph that is ready to run. Raises BadGraph when it is not of the kind that is described above."""

    def __init__(self, data: bytes, outputs: int) -> None:
        self._session = opened(data)
        self.outputs = outputs
        self._inputs = _inputs(self._session)
        self._output = _output(self._session, outputs)
        self.batches = _DYNAMIC not in data
        """Whether a text gets the same logits whatever it is batched with. A dynamically quantised graph scales by
        the whole batch; its texts must be run one by one for scores to depend on the text alone."""

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Any:
        """What the graph makes of tokens of one shape; whatever goes wrong is raised as it comes."""
        # A single text is of the first type throughout.
        by_name = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        return self._session.run([self._output], {name: by_name[name] for name in self._inputs})[0]


class Session:
    """A graph with the tokenizer that feeds it."""

    def __init__(self, graph: Graph, encoding: Encoding) -> None:
        self._graph = graph
        self._encoding = encoding
        self.batches = graph.batches

    def logits(self, texts: Sequence[str]) -> Logits:
        """The logits of texts, at least one, that were normalised before. Raises ModelFault."""
        try:
            found = self._graph.run(*self._encoding.padded(texts))
        except Exception as error:
            # No text of the error: it may speak of the user's.
            raise ModelFault(f"the model failed: {type(error).__name__}") from error
        expected = (len(texts), self._graph.outputs)
        if found.shape != expected:
            raise ModelFault(f"the model answered the shape {found.shape}, expected {expected}")
        if not np.isfinite(found).all():
            raise ModelFault("the model answered what is no number")
        return cast(Logits, found)


def opened(data: bytes) -> ort.InferenceSession:
    """A graph of any kind, to be run on the caller's thread alone. Raises BadGraph."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _QUIET
    # Plans of memory are kept for every shape that was seen; there are as many as lengths times batches.
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no common base
        raise BadGraph(f"found no graph that ONNX Runtime can run: {_first_line(error)}") from error


def _inputs(session: Any) -> list[str]:
    names = []
    for found in session.get_inputs():
        if found.name not in INPUTS:
            raise BadGraph(f"found the input {found.name!r}, expected no others than {', '.join(INPUTS)}")
        if found.type != "tensor(int64)":
            raise BadGraph(f"found the input {found.name!r} of {found.type}, expected tensor(int64)")
        if len(found.shape) != 2 or any(isinstance(size, int) for size in found.shape):
            message = f"found the input {found.name!r} of the shape {found.shape}, expected [texts, tokens], both free"
            raise BadGraph(message)
        names.append(found.name)
    if "input_ids" not in names:
        raise BadGraph("found no input 'input_ids', expected one")
    return names


def _output(session: Any, outputs: int) -> str:
    found = {output.name: output for output in session.get_outputs()}
    if OUTPUT not in found and len(found) != 1:
        raise BadGraph(f"found the outputs {', '.join(found)}, expected one, or one that is called {OUTPUT!r}")
    output = found.get(OUTPUT) or next(iter(found.values()))
    if output.type not in _FLOATS:
        raise BadGraph(f"found the output {output.name!r} of {output.type}, expected tensor(float)")
    shape = output.shape
    if len(shape) != 2 or (isinstance(shape[1], int) and shape[1] != outputs):
        message = (
            f"found the output {output.name!r} of the shape {shape}, expected [texts, {outputs}], one for each label"
        )
        raise BadGraph(message)
    return str(output.name)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
