"""DistilBERT with a classifier of two classes in PyTorch, its parameters named as Hugging Face's.

Written out instead of imported: transformers' DistilBERT would cost every trial 2.3 s and 146 MiB.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

VOCABULARY = 30522
POSITIONS = 512
WIDTH = 768
LAYERS = 6
HEADS = 12
INNER = 3072
EPSILON = 1e-12
CLASSES = 2


class Embeddings(nn.Module):
    """From token numbers, shape (batch, sequence), to values, shape (batch, sequence, 768)."""

    def __init__(self) -> None:
        super().__init__()
        # Empty tables: to draw values for one without memory PyTorch imports its compiler, which is 77 MB and 3 s.
        self.word_embeddings = nn.Embedding.from_pretrained(torch.empty(VOCABULARY, WIDTH), freeze=False)
        self.position_embeddings = nn.Embedding.from_pretrained(torch.empty(POSITIONS, WIDTH), freeze=False)
        self.LayerNorm = nn.LayerNorm(WIDTH, eps=EPSILON)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Look the tokens up and add where each of them stands."""
        positions = self.position_embeddings.weight[: tokens.shape[1]]
        return self.LayerNorm(self.word_embeddings(tokens) + positions)


class Attention(nn.Module):
    """Every token looks at all that the mask admits: values stay (batch, sequence, 768)."""

    def __init__(self) -> None:
        super().__init__()
        self.q_lin = nn.Linear(WIDTH, WIDTH)
        self.k_lin = nn.Linear(WIDTH, WIDTH)
        self.v_lin = nn.Linear(WIDTH, WIDTH)
        self.out_lin = nn.Linear(WIDTH, WIDTH)

    def forward(self, values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Mix the values of the tokens; `mask`, shape (batch, 1, 1, sequence), is true where one may look."""
        query, key, value = (_split(layer(values)) for layer in (self.q_lin, self.k_lin, self.v_lin))
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.out_lin(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Two layers for each token by itself: values stay (batch, sequence, 768)."""

    def __init__(self) -> None:
        super().__init__()
        self.lin1 = nn.Linear(WIDTH, INNER)
        self.lin2 = nn.Linear(INNER, WIDTH)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Compute both layers."""
        return self.lin2(functional.gelu(self.lin1(values)))


class TransformerBlock(nn.Module):
    """Attention and feed-forward, each added to what went in and normalised: (batch, sequence, 768) stays."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = Attention()
        self.sa_layer_norm = nn.LayerNorm(WIDTH, eps=EPSILON)
        self.ffn = FeedForward()
        self.output_layer_norm = nn.LayerNorm(WIDTH, eps=EPSILON)

    def forward(self, values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Compute the block."""
        values = self.sa_layer_norm(self.attention(values, mask) + values)
        return self.output_layer_norm(self.ffn(values) + values)


class Transformer(nn.Module):
    """All blocks, one after the other: (batch, sequence, 768) stays."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.ModuleList(TransformerBlock() for _ in range(LAYERS))

    def forward(self, values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Compute the blocks."""
        for block in self.layer:
            values = block(values, mask)
        return values


class DistilBert(nn.Module):
    """From token numbers and mask, shape (batch, sequence), to values, shape (batch, sequence, 768)."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = Embeddings()
        self.transformer = Transformer()

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Embed the tokens and compute the blocks; a token may look where the mask is not zero."""
        return self.transformer(self.embeddings(tokens), mask[:, None, None, :].bool())


class Classifier(nn.Module):
    """From `input_ids` and `attention_mask`, shape (batch, sequence), to `logits`, shape (batch, 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.distilbert = DistilBert()
        self.pre_classifier = nn.Linear(WIDTH, WIDTH)
        self.classifier = nn.Linear(WIDTH, CLASSES)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Compute the scores of the classes from what the first token has become."""
        first = self.distilbert(input_ids, attention_mask)[:, 0]
        return self.classifier(torch.relu(self.pre_classifier(first)))


def build() -> nn.Module:
    """Build the module; its state dict has the names of `weights.safetensors`."""
    return Classifier()


def _split(values: torch.Tensor) -> torch.Tensor:
    """Split (batch, sequence, 768) into heads: (batch, 12, sequence, 64)."""
    return values.unflatten(2, (HEADS, -1)).transpose(1, 2)
