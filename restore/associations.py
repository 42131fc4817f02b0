"""Which words keep company: how much oftener two words stand near each other than by chance.

Three kinds of company, each with its own counts: the words just before, the
words just after, and the words of the passage (its topic). A value is a smoothed
pointwise mutual information (Church and Hanks 1990),

    log (count + 1) / (expected count + 1)

clipped and kept in eight bits where it tells most, in the hash buckets of
`buckets.Table`; pairs that are not kept count as nothing. Summed over a window
it is naive Bayes as used for word senses (Gale, Church and Yarowsky 1992): it
sees what trigrams cannot, "price" beside "barrel" ten words away.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from restore.buckets import Hashes, Kind, Table, load, ngram_hash, save, word_hash
from restore.context import Floats

KINDS: Final = ("before", "after", "topic")
STEP: Final = 0.025  # nats a step of the eight-bit values
ZERO: Final = 128  # the step that stands for chance
KIND: Final = Kind(b"RESTORE-ASSOCIATIONS-2\n", "a table of associations", "python -m restore.learning associations")
_SALT: Final = {kind: np.uint64(word_hash(f"<{kind}>")) for kind in KINDS}


def pair_hash(kind: str, words: Hashes, company: Hashes) -> Hashes:
    """Key of pairs of words in one kind of company, shape (n,)."""
    return ngram_hash(words ^ _SALT[kind], company)


class Associations:
    """Values of pairs of words, by kind of company."""

    def __init__(self, table: Table):
        self._table = table

    @classmethod
    def load(cls, path: Path) -> Associations:
        """Map a compiled table. Raises ModelError where the file is not one, OSError where it is not there."""
        (table,), _ = load(path, KIND)
        return cls(table)

    def save(self, path: Path) -> None:
        """Write the table as one file."""
        save(path, KIND, (self._table,))

    def kept(self, kind: str, words: Hashes, company: Hashes) -> tuple[NDArray[np.intp], Floats]:
        """Places of the pairs that are kept, in order, and their associations in nats."""
        which, (steps,) = self._table.held(pair_hash(kind, words, company))
        return which, (steps.astype(np.float32) - ZERO) * np.float32(STEP)


def steps(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Values in nats as they are kept."""
    return np.asarray(np.clip(np.round(values / STEP) + ZERO, 0, 255), np.uint8)
