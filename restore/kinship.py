"""Kinship of words: how readily one stands in for another.

Words have vectors in which those that a thesaurus or a spinner's table relates are near each other and others apart:
the embedding of a language model (SmolLM2-135M), projected by contrastive learning (InfoNCE, van den Oord et al. 2018;
`python -m restore.learning kinship`). So it also tells pairs that no table holds, and of many related words the
nearest.

Arithmetic is float32 numpy; vectors are stored as int8 with a scale a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from restore import vectors
from restore.vectors import Array, Arrays


@dataclass(frozen=True, slots=True)
class Kinship:
    """Word vectors: number of each word that has one, and `weights["K"]`, of unit length, (words, dimensions) as int8
    with `K.scale`."""

    vocabulary: dict[str, int]
    weights: Arrays

    @classmethod
    def load(cls, path: Path) -> Kinship:
        """Read the vectors. Raises OSError where the file is not there, ModelError where it is not one."""
        return cls(*vectors.load(path, "vectors of kinship", ("K", "K.scale")))

    def of(self, phrases: Sequence[Sequence[str]]) -> Array:
        """Vectors of phrases, the mean of their words', of unit length, shape (phrases, dimensions); noughts where no
        word has one."""
        number = self.vocabulary.get
        held = [(row, n) for row, words in enumerate(phrases) for word in words if (n := number(word)) is not None]
        out = np.zeros((len(phrases), self.weights["K"].shape[1]), np.float32)
        if held:
            row, words = np.array(held, np.int64).T
            np.add.at(out, row, vectors.rows(self.weights, "K", words))
        size = np.sqrt(np.einsum("ij,ij->i", out, out))
        return np.asarray(out / np.maximum(size, 1e-6)[:, None])
