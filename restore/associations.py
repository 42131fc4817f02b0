"""Which words keep company: how much oftener two words stand near each other than by chance.

Three kinds of company, each with its own counts: the words just before, the
words just after, and the words of the passage (its topic). A value is a smoothed
pointwise mutual information (Church and Hanks 1990),

    log (count + 1) / (expected count + 1)

clipped and kept in eight bits where it tells most, in the hash buckets of
`context.Table`; pairs that are not kept count as nothing. Summed over a window
it is naive Bayes as used for word senses (Gale, Church and Yarowsky 1992): it
sees what trigrams cannot, "price" beside "barrel" ten words away.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from restore.context import BUCKET, Floats, Hashes, Table, ngram_hash, word_hash
from restore.vectors import ModelError

KINDS: Final = ("before", "after", "topic")
STEP: Final = 0.025  # nats a step of the eight-bit values
ZERO: Final = 128  # the step that stands for chance
MAGIC: Final = b"RESTORE-ASSOCIATIONS-1\n"
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
        with open(path, "rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise ModelError(f"{path}: not a table of associations; build one with 'python -m restore.learning'")
            buckets = json.loads(file.readline())["buckets"]
            offset = file.tell()
        data = np.memmap(path, np.uint8, "r", offset).view(np.ndarray)
        cells = buckets * BUCKET
        if len(data) < 3 * cells:
            raise ModelError(f"{path}: the table of associations is cut short; fetch the file again")
        fingerprints = data[: 2 * cells].view(np.uint16).reshape(-1, BUCKET)
        return cls(Table(fingerprints, (data[2 * cells : 3 * cells].reshape(-1, BUCKET),)))

    def save(self, path: Path) -> None:
        """Write the table as one file: magic, a line of JSON, the arrays."""
        fingerprints, (values,) = self._table.fingerprints, self._table.planes
        with open(path, "wb") as file:
            file.write(MAGIC + json.dumps({"buckets": len(fingerprints)}).encode() + b"\n")
            file.write(np.ascontiguousarray(fingerprints).tobytes())
            file.write(np.ascontiguousarray(values).tobytes())

    def values(self, kind: str, words: Hashes, company: Hashes) -> Floats:
        """Association of each pair in nats, shape (n,); zero where none is kept."""
        out = np.zeros(len(words), np.float32)
        which, values = self.kept(kind, words, company)
        out[which] = values
        return out

    def kept(self, kind: str, words: Hashes, company: Hashes) -> tuple[NDArray[np.intp], Floats]:
        """Places of the pairs that are kept, in order, and their associations in nats."""
        which, (steps,) = self._table.held(pair_hash(kind, words, company))
        return which, (steps.astype(np.float32) - ZERO) * np.float32(STEP)


def steps(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Values in nats as they are kept."""
    return np.asarray(np.clip(np.round(values / STEP) + ZERO, 0, 255), np.uint8)
