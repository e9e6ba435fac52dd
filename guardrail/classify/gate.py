"""The first stage of a model: says of most windows that they are harmless, in tens of microseconds.

A mean of vectors of hashed n-grams (see `features`) and a small net over it, as an ONNX graph that `models.training`
writes: inputs `unit` and `context`, int32 rows of the table, shapes [n] and [m]; output `logits`, float32 [categories].
It runs where it is called: handing it to a thread would cost more than it takes.

Never answers for a window that it is not sure of: that is the encoder's.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import onnxruntime as ort

from guardrail.classify.features import hashed, is_chinese
from guardrail.text.units import Window


class Gate:
    """`ask_from`: per output, the probability from which the encoder is to be asked; `han_ask_from`: the same for a
    window that is Chinese for the most part. `bits`: of the hash table."""

    __slots__ = ("_ask_from", "_bits", "_han_ask_from", "_session")

    def __init__(
        self, session: ort.InferenceSession, bits: int, ask_from: Sequence[float], han_ask_from: Sequence[float]
    ) -> None:
        self._session = session
        self._bits = bits
        self._ask_from = tuple(ask_from)
        self._han_ask_from = tuple(han_ask_from)

    def probabilities(self, window: Window) -> tuple[float, ...]:
        """One per output of the model, in its order."""
        bags = hashed(window.prompt + window.context, window.text, self._bits)
        (logits,) = self._session.run(("logits",), {"unit": bags.unit, "context": bags.context})
        return tuple([0.0 if logit < -700 else 1.0 / (1.0 + exp(-logit)) for logit in logits.tolist()])

    def __call__(self, window: Window) -> tuple[float, ...] | None:
        """The probabilities of a window that is surely harmless; None: ask the encoder."""
        found = self.probabilities(window)
        limits = self._han_ask_from if is_chinese(window.context + window.text) else self._ask_from
        for probability, limit in zip(found, limits, strict=True):
            if not probability < limit:  # NaN too
                return None
        return found
