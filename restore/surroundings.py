"""How well words go with a place of a text: the cloze model's view of the gap, and the company around it.

Candidates of many places are looked at in a few array operations; whose the
candidates are (a second reading's, a sparse family's) does not matter here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from restore.associations import Associations
from restore.buckets import Hashes, hashes
from restore.cloze import Cloze
from restore.context import sequence
from restore.shipped import ASSOCIATIONS, CLOZE, root
from restore.text import tokenize
from restore.vectors import Doubles, Ints

TRAITS: Final = ("before", "after", "topic", "cloze")
NEAR: Final = 4  # words on either side whose company counts by side
PASSAGE: Final = 40  # words on either side whose company counts as the topic of a place


class Surroundings:
    """Judges candidates by what stands around them."""

    def __init__(self, associations: Associations, cloze: Cloze):
        self._associations = associations
        self._cloze = cloze

    @classmethod
    def load(cls) -> Surroundings:
        """With the shipped models. Raises OSError where a file is not there, ModelError where it is damaged."""
        return cls(Associations.load(root() / ASSOCIATIONS), Cloze.load(root() / CLOZE))

    def traits(
        self, words: Sequence[str], begin: Ints, end: Ints, candidates: Sequence[Sequence[str]], place: Ints
    ) -> Doubles:
        """What speaks for each candidate, in nats, shape (candidates, `TRAITS`): the mean association of its words with
        those just before, just after and all around its place, and log P of its words in the gap.

        words: of a text, as the context model reads them (`context.sequence`). begin, end: the places as ranges of
        these, shape (places,). place: that of each candidate, shape (candidates,).
        """
        fits = self._cloze.score(words, begin, end, candidates, place)
        return np.column_stack([*self._associated(words, begin, end, candidates, place), fits])

    def _associated(
        self, words: Sequence[str], begin: Ints, end: Ints, said: Sequence[Sequence[str]], place: Ints
    ) -> list[Doubles]:
        """Mean association of each candidate's words with those before, after and all around its place."""
        size = np.fromiter(map(len, said), np.int64, len(said))
        row = np.repeat(np.arange(len(said)), size)
        flat, at, key = hashes(w for one in said for w in one), place[row], hashes(words)
        said_before = _previous(key)
        windows = {
            "before": (begin - NEAR, begin, end, end),
            "after": (begin, begin, end, end + NEAR),
            "topic": (begin - PASSAGE, begin, end, end + PASSAGE),
        }
        near = (self._company(kind, flat, at, sides, key, said_before) for kind, sides in windows.items())
        return [_sum(row, n, len(said)) / np.maximum(size, 1) for n in near]

    def _company(
        self, kind: str, candidate: Hashes, place: Ints, sides: Sequence[Ints], key: Hashes, said_before: Ints
    ) -> Doubles:
        """Summed association of each word with the distinct words of the two windows of its place, shape (words,).

        sides: where the windows of each place begin and end, the first before the second, shape (places,) each.
        """
        lo, mid, after, hi = (np.clip(b, 0, len(key)) for b in sides)
        side, at = _ranges(np.stack([lo, after], axis=1).ravel(), np.stack([mid, hi], axis=1).ravel())
        beside = side // 2
        new = said_before[at] < lo[beside]  # a word that is said twice counts once
        at = at[new]
        end = np.cumsum(np.bincount(beside[new], minlength=len(lo)))
        row, which = _ranges(np.append(0, end)[place], end[place])
        kept, values = self._associations.kept(kind, candidate[row], key[at[which]])
        return _sum(row[kept], values, len(candidate))


@lru_cache(maxsize=1)
def shared() -> Surroundings:
    """Those of the shipped models, read once a process."""
    return Surroundings.load()


@lru_cache(maxsize=16384)
def words_read(candidate: str) -> tuple[str, ...]:
    """Its words as the context model reads them."""
    return tuple(sequence(tokenize(candidate))[0][1:])


def _sum(row: Ints, values: NDArray[np.floating], rows: int) -> Doubles:
    """Sum of the values of each row, shape (rows,)."""
    return np.bincount(row, values, rows).astype(np.float64)


def _ranges(lo: Ints, hi: Ints) -> tuple[Ints, Ints]:
    """Row and value of every number in the half-open ranges lo[i], hi[i]."""
    size = np.maximum(hi - lo, 0)
    row = np.repeat(np.arange(len(lo)), size)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size) + lo[row]


def _previous(key: Hashes) -> Ints:
    """Where each word was said before, -1 for the first time; shape (words,)."""
    order = np.argsort(key, kind="stable")
    out = np.full(len(key), -1, np.int64)
    same = key[order][1:] == key[order][:-1]
    out[order[1:][same]] = order[:-1][same]
    return out
