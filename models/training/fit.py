"""Training the encoder: one weighted loss over all categories, checkpoints, and the same result after a restart.

A pass is drawn anew with its own seed, so that texts are cut and disguised differently each time. Everything random
comes from the seed and the step; a checkpoint holds the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from guardrail.classify.features import normalise
from guardrail.text.scores import CATEGORIES
from guardrail.text.units import Window
from models.training.batches import by_length, pad
from models.training.encoder import Classifier, Encoder
from models.training.progress import Step
from models.training.windows import Example

MAX_TOKENS = 96
"""A window has 31 on average and 64 at the 95th percentile; of a longer one the end counts."""
BATCH_TOKENS = 2560
RATE, HEAD_RATE = 6e-5, 1e-3
WARM_UP = 0.06
MAX_POSITIVE_WEIGHT = 4.0
"""How much more a rare category's positives count, at most; else the square root of their rarity."""
CHECKPOINT_STEPS = 400


def token_ids(tokenizer: Tokenizer, windows: Sequence[Window]) -> list[list[int]]:
    """The ids of each window: of one that is too long, the end between the same two special tokens."""
    texts = [normalise(window.context + window.text) for window in windows]
    ids = [e.ids for e in tokenizer.encode_batch(texts)]
    return [one if len(one) <= MAX_TOKENS else [one[0], *one[1 - MAX_TOKENS :]] for one in ids]


def positive_weights(examples: Sequence[Example]) -> Tensor:
    """[categories]"""
    weights = []
    for label in range(len(CATEGORIES)):
        yes = sum(e.weights[label] for e in examples if e.targets[label])
        no = sum(e.weights[label] for e in examples if not e.targets[label])
        weights.append(min(max((no / max(yes, 1.0)) ** 0.5 / 2, 1.0), MAX_POSITIVE_WEIGHT))
    return torch.tensor(weights)


def fit(
    start: Encoder,
    tokenizer: Tokenizer,
    row_of: Tensor,
    draw: Callable[[int], Sequence[Example]],
    *,
    passes: int,
    seed: int,
    checkpoint: Path,
    progress: Step,
    device: str = "cpu",
) -> Classifier:
    """A trained classifier. `draw(number)` gives the examples of a pass."""
    torch.manual_seed(seed)
    model = Classifier(start, len(CATEGORIES)).to(device)
    body = list(model.encoder.parameters())
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": RATE}, {"params": list(model.head.parameters()), "lr": HEAD_RATE}],
        weight_decay=0.01,
        fused=True,
    )
    planned = [_plan(draw(number), tokenizer, seed + number) for number in range(passes)]
    steps = sum(len(batches) for _, _, batches in planned)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(step / (WARM_UP * steps), max(0.02, (steps - step) / ((1 - WARM_UP) * steps)))
    )
    done = _resume(checkpoint, model, optimiser, schedule)
    balance = positive_weights(planned[0][0]).to(device)
    rows = row_of.to(device)
    model.train()
    step = 0
    recent = 0.0
    for examples, ids, batches in planned:
        for batch in batches:
            step += 1
            if step <= done:
                continue
            torch.manual_seed(seed * 1_000_003 + step)
            said, mask = (tensor.to(device) for tensor in pad([ids[at] for at in batch]))
            targets = torch.tensor([examples[at].targets for at in batch], device=device)
            weights = torch.tensor([examples[at].weights for at in batch], device=device)
            with torch.autocast(device, dtype=torch.bfloat16):
                logits = model(rows[said], mask)
            losses = F.binary_cross_entropy_with_logits(
                logits.float(), targets, weights, reduction="none", pos_weight=balance
            )
            loss = losses.sum() / len(batch)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            recent = loss.item() if not recent else 0.98 * recent + 0.02 * loss.item()
            progress(step, steps, f"loss {recent:.3f}")
            if step % CHECKPOINT_STEPS == 0:
                _save(checkpoint, step, model, optimiser, schedule)
    return model.eval()


def _plan(
    examples: Sequence[Example], tokenizer: Tokenizer, seed: int
) -> tuple[Sequence[Example], list[list[int]], list[list[int]]]:
    ids = token_ids(tokenizer, [e.window for e in examples])
    return examples, ids, by_length([len(one) for one in ids], BATCH_TOKENS, seed)


def _save(path: Path, step: int, model: nn.Module, optimiser: torch.optim.Optimizer, schedule: object) -> None:
    state = {
        "step": step,
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "schedule": schedule.state_dict(),  # type: ignore[attr-defined]
    }
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def _resume(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, schedule: object) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])  # type: ignore[attr-defined]
    return int(state["step"])
