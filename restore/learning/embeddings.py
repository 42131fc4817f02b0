"""Word vectors out of a language model's embedding: what it knows of words from far more text than the corpora.

SmolLM2-135M (`smollm2.py`) has a vector for each of 49,152 tokens, by which it reads and by which it
tells them. A word's vector is the mean of its word-initial tokens, lower-case and capitalised; a word that is not a
single token gets the mean of its pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from restore.learning import smollm2
from restore.vectors import Array

FREQUENT: Final = 20_000  # of words in order of frequency: those whose spread counts
_SPACE: Final = "Ġ"  # how the tokens write it


def token_vectors() -> tuple[dict[str, int], Array]:
    """The model's tokens and their vectors, shape (tokens, dimensions). Raises ImportError where packages are
    missing."""
    (vectors,) = smollm2.tensors("token_embd.weight".__eq__).values()
    return {token: n for n, token in enumerate(smollm2.tokens())}, vectors


def word_vectors(words: Sequence[str]) -> Array:
    """Vectors of words in order of frequency, shape (words, dimensions), less the mean of the frequent ones; marks such
    as "<s>" have noughts."""
    number, table = token_vectors()
    out = np.zeros((len(words), table.shape[1]), np.float32)
    whole = np.zeros(len(words), bool)
    for n, word in enumerate(words):
        own = [number[token] for token in (_SPACE + word, _SPACE + word.capitalize()) if token in number]
        whole[n] = bool(own) and word.isalpha()
        if own or not word.startswith("<"):
            out[n] = table[own or _pieces(_SPACE + word, number)].mean(axis=0)
    marks = ~out.any(axis=1)
    out -= out[:FREQUENT][whole[:FREQUENT]].mean(axis=0)
    out[marks] = 0
    return out


def principal(vectors: Array, dimensions: int) -> Array:
    """Vectors projected on the first principal components of the frequent words' vectors, each scaled to a root mean
    square of one;
    shape (words, dimensions)."""
    _, _, components = np.linalg.svd(vectors[:FREQUENT], full_matrices=False)
    out = vectors @ components[:dimensions].T
    size = np.sqrt(np.mean(out * out, axis=1, keepdims=True))
    return np.asarray(out / np.maximum(size, 1e-6))


def _pieces(word: str, number: dict[str, int]) -> list[int]:
    """The longest tokens that make a word, from left to right."""
    out: list[int] = []
    at = 0
    while at < len(word):
        end = next((e for e in range(len(word), at, -1) if word[at:e] in number), None)
        if end is not None:
            out.append(number[word[at:end]])
        at = end or at + 1
    return out
