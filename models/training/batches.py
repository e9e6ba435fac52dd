"""Lists of token ids as padded tensors, and an order of examples that pads little."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor


def pad(ids: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Ids and mask, both [n, longest]; padding is 0."""
    longest = max(map(len, ids))
    padded = torch.zeros(len(ids), longest, dtype=torch.long)
    mask = torch.zeros(len(ids), longest)
    for row, said in enumerate(ids):
        padded[row, : len(said)] = torch.tensor(said)
        mask[row, : len(said)] = 1
    return padded, mask


def by_length(lengths: Sequence[int], tokens: int, seed: int) -> list[list[int]]:
    """Batches of at most `tokens` padded tokens, of examples of like length, in random order."""
    rng = random.Random(seed)
    order = sorted(range(len(lengths)), key=lambda at: (lengths[at] + rng.random() * 4, at))
    batches: list[list[int]] = [[]]
    for at in order:
        if batches[-1] and (len(batches[-1]) + 1) * lengths[at] > tokens:
            batches.append([])
        batches[-1].append(at)
    rng.shuffle(batches)
    return batches
