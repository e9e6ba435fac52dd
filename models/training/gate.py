"""The first stage as a PyTorch module: hashed n-grams, a mean of their vectors, a small net; and the linear baseline.

It is taught by the encoder (its probabilities on the training windows, mixed with the labels), because its work is to
know which windows the encoder would pass, not to be right by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from guardrail.classify.features import Bags, hashed
from guardrail.text.scores import CATEGORIES
from models.training.progress import Step
from models.training.windows import Example

BITS, VECTOR, HIDDEN = 17, 16, 32
BASELINE_BITS = 20
BATCH = 256
TEACHER = 0.7
"""Share of the encoder's probability in the target where there is a label too."""


class Gate(nn.Module):
    """Bags of a unit and of its context to logits [n, categories]."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors = nn.EmbeddingBag(1 << BITS, VECTOR, mode="mean", sparse=True)
        self.hidden = nn.Linear(2 * VECTOR, HIDDEN)
        self.out = nn.Linear(HIDDEN, len(CATEGORIES))
        nn.init.normal_(self.vectors.weight, std=0.1)

    def forward(self, unit: Tensor, unit_at: Tensor, context: Tensor, context_at: Tensor) -> Tensor:
        both = torch.cat([self.vectors(unit, unit_at), self.vectors(context, context_at)], 1)
        return self.out(torch.relu(self.hidden(both)))


class Baseline(nn.Module):
    """A linear model over the same n-grams, in a larger table: what the rest is compared with."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.EmbeddingBag(1 << BASELINE_BITS, len(CATEGORIES), mode="mean", sparse=True)
        self.bias = nn.Parameter(torch.zeros(len(CATEGORIES)))
        nn.init.zeros_(self.weights.weight)

    def forward(self, unit: Tensor, unit_at: Tensor, context: Tensor, context_at: Tensor) -> Tensor:
        return self.weights(unit, unit_at) + 0.5 * self.weights(context, context_at) + self.bias


def bags(examples: Sequence[Example], bits: int) -> list[Bags]:
    return [hashed(e.window.context, e.window.text, bits) for e in examples]


def tensors(chosen: Sequence[Bags]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The bags of a batch end to end, with where each begins."""
    made: list[Tensor] = []
    for parts in ([b.unit for b in chosen], [b.context for b in chosen]):
        starts = np.cumsum([0, *map(len, parts[:-1])])
        made += [torch.from_numpy(np.concatenate(parts).astype(np.int64)), torch.from_numpy(starts)]
    return made[0], made[1], made[2], made[3]


def fit_bags(
    model: Gate | Baseline,
    examples: Sequence[Example],
    taught: Tensor | None,
    *,
    passes: int,
    rate: float,
    seed: int,
    progress: Step,
) -> None:
    """Train in place. `taught`: the encoder's probabilities [n, categories], None to learn from the labels alone."""
    torch.manual_seed(seed)
    bits = BITS if isinstance(model, Gate) else BASELINE_BITS
    prepared = bags(examples, bits)
    targets = torch.tensor([e.targets for e in examples])
    weights = torch.tensor([e.weights for e in examples])
    if taught is not None:
        labelled = (weights > 0).float()
        targets = torch.where(weights > 0, TEACHER * taught + (1 - TEACHER) * targets, taught)
        weights = 0.5 + 0.5 * labelled
    table = model.vectors if isinstance(model, Gate) else model.weights
    dense = [p for p in model.parameters() if p is not table.weight]
    optimisers = [torch.optim.SparseAdam([table.weight], rate), torch.optim.Adam(dense, rate / 3)]
    steps = passes * (len(examples) // BATCH)
    step = 0
    for _ in range(passes):
        order = torch.randperm(len(examples)).tolist()
        for at in range(0, len(order) - BATCH + 1, BATCH):
            batch = order[at : at + BATCH]
            step += 1
            for optimiser in optimisers:
                optimiser.param_groups[0]["lr"] = (rate if optimiser is optimisers[0] else rate / 3) * (
                    1 - 0.95 * step / steps
                )
                optimiser.zero_grad()
            logits = model(*tensors([prepared[i] for i in batch]))
            loss = F.binary_cross_entropy_with_logits(logits, targets[batch], weights[batch])
            loss.backward()
            for optimiser in optimisers:
                optimiser.step()
            progress(step, steps, "")


def logits_of(model: Gate | Baseline, examples: Sequence[Example]) -> Tensor:
    """[n, categories]"""
    bits = BITS if isinstance(model, Gate) else BASELINE_BITS
    prepared = bags(examples, bits)
    with torch.no_grad():
        return torch.cat([model(*tensors(prepared[at : at + 1024])) for at in range(0, len(prepared), 1024)])
