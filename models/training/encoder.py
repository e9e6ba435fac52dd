"""The encoder as a PyTorch module: BERT as all-MiniLM-L6-v2 has it, mean pooling, one logit per category.

The architecture is that of Devlin et al. 2018 (https://arxiv.org/abs/1810.04805) with 6 layers of width 384; written
out here, and not taken from a library, so that what is exported is exactly this and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH, LAYERS, HEADS, INNER, POSITIONS, EPSILON = 384, 6, 12, 1536, 512, 1e-12


class Layer(nn.Module):
    """Self-attention and a feed-forward net, each with a residual and a layer norm behind it."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.norm1 = nn.LayerNorm(WIDTH, EPSILON)
        self.up = nn.Linear(WIDTH, INNER)
        self.down = nn.Linear(INNER, WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH, EPSILON)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """x: [n, t, width]; bias: [n, 1, 1, t], 0 where a token is and a very negative number where padding is."""
        n, t, _ = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        x = self.norm1(x + self.dropout(self.out(attended.transpose(1, 2).reshape(n, t, WIDTH))))
        return self.norm2(x + self.dropout(self.down(F.gelu(self.up(x)))))


class Encoder(nn.Module):
    """Token ids to one vector per text: [n, t] and a mask of the same shape to [n, width]."""

    def __init__(self, vocabulary: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, WIDTH)
        self.positions = nn.Embedding(POSITIONS, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, EPSILON)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(dropout) for _ in range(LAYERS))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        x = self.tokens(ids) + self.positions.weight[: ids.shape[1]]
        x = self.dropout(self.norm(x))
        bias = (1.0 - mask.to(x.dtype))[:, None, None, :] * -1e4
        for layer in self.layers:
            x = layer(x, bias)
        weight = mask.to(x.dtype)[:, :, None]
        return (x * weight).sum(1) / weight.sum(1).clamp(min=1)


class Classifier(nn.Module):
    """The encoder with a linear head: logits [n, categories]."""

    def __init__(self, encoder: Encoder, categories: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(WIDTH, categories)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.head(self.dropout(self.encoder(ids, mask)))


def from_bert(weights: Mapping[str, Tensor], vocabulary: int) -> Encoder:
    """An encoder with the weights of a BERT of this size; tokens beyond its vocabulary begin at the mean token.

    `weights`: by their names in Hugging Face's format."""
    encoder = Encoder(vocabulary)
    known = weights["embeddings.word_embeddings.weight"]
    with torch.no_grad():
        encoder.tokens.weight[:] = known.mean(0)
        encoder.tokens.weight[: len(known)] = known
        # All text is of type 0, so that the type's vector is a part of every position's.
        encoder.positions.weight[:] = (
            weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
        )
        _copy(encoder.norm, weights, "embeddings.LayerNorm")
        for number, layer in enumerate(encoder.layers):
            at = f"encoder.layer.{number}."
            for part in ("weight", "bias"):
                qkv = [weights[f"{at}attention.self.{name}.{part}"] for name in ("query", "key", "value")]
                getattr(layer.qkv, part)[:] = torch.cat(qkv)
            _copy(layer.out, weights, at + "attention.output.dense")
            _copy(layer.norm1, weights, at + "attention.output.LayerNorm")
            _copy(layer.up, weights, at + "intermediate.dense")
            _copy(layer.down, weights, at + "output.dense")
            _copy(layer.norm2, weights, at + "output.LayerNorm")
    return encoder


def _copy(module: nn.Module, weights: Mapping[str, Tensor], name: str) -> None:
    module.weight[:] = weights[name + ".weight"]
    module.bias[:] = weights[name + ".bias"]
