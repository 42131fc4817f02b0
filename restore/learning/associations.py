"""Counts to associations: which pairs of words stand near each other more or less often than by chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from restore.associations import KINDS, Associations, pair_hash, steps
from restore.buckets import Hashes
from restore.inflection import analyses
from restore.learning.smoothing import pack
from restore.lexicon import Lexicon
from restore.rereading import doubtful
from restore.restorer import Restorer
from restore.surroundings import NEAR, PASSAGE, words_read
from restore.vectors import Doubles, Ints

TOGETHER: Final = 2 * PASSAGE  # tokens that share a topic
COMPANY: Final = 40_000  # words, the most frequent ones, that are counted as company
SEEN: Final = 3  # the first words of the vocabulary are marks
FUNCTION_WORDS: Final = 120  # the first so many tell nothing of a topic,
PLAIN: Final = 60  # nor is the company of the first so many worth keeping
CLIP: Final = 3.0  # nats
PRIOR: Final = 1.0  # added to a count and to what chance would give
RARE: Final = 200  # occurrences below which a word's pairs are not thought more of
LEAST: Final = {"before": 0.36, "after": 0.36, "topic": 0.5}  # of what a pair tells, for it to be kept
UNDOUBTED: Final = 0.3  # places in doubt of a word that had none
_BLOCK: Final = 4_000_000  # tokens counted at a time
_ROWS: Final = 1_000  # words whose pairs are weighed at a time


def candidate_words(lexicon: Lexicon, vocabulary: list[str]) -> Ints:
    """Numbers of the words that phrases or originals hold, and of their inflected forms."""
    listed = {w for phrase in lexicon.options for w in phrase.split()}
    listed |= {w for found in lexicon.options.values() for option in found for w in option.words}
    known = (w in listed or any(base in listed for base, _ in analyses(w)) for w in vocabulary)
    numbers = np.flatnonzero(np.fromiter(known, bool, len(vocabulary)))
    return numbers[numbers >= PLAIN]


def doubts(texts: Iterable[str], engine: Restorer) -> Counter[str]:
    """How often each word is a candidate of a doubtful edit in some texts."""
    return Counter(
        word
        for text in texts
        for candidate in doubtful(engine.restore(text).edits, engine.dense_families).text
        for word in words_read(candidate)
    )


def associate(
    stream: Ints, words: Hashes, candidates: Ints, doubted: Doubles, report: Callable[[str], object]
) -> Associations:
    """The associations of some words in a stream of word numbers, words[i] being the hash of number i.

    doubted: relative frequency with which each candidate is in doubt (any scale), shape (candidates,). Needs scipy
    (the extra `train`).
    """
    number = np.full(len(words), -1, np.int64)
    number[candidates] = np.arange(len(candidates))
    company = min(COMPANY, len(words))
    usual = np.bincount(stream, minlength=len(words)).astype(float)
    near = {"before": range(-NEAR, 0), "after": range(1, NEAR + 1)}
    kinds = {kind: _beside(stream, number, len(candidates), company, d) for kind, d in near.items()}
    keys, values = [], []
    for kind in KINDS:
        if kind == "topic":
            counts, own, other, windows = _together(stream, number, len(candidates), company)
        else:
            counts = kinds.pop(kind)
            own, other, windows = usual[candidates], usual[:company] * NEAR, float(len(stream))
        first = FUNCTION_WORDS if kind == "topic" else SEEN
        count = 0
        for row, column, value in _telling(counts, own, other / windows, doubted, first, LEAST[kind]):
            keys.append(pair_hash(kind, words[candidates[row]], words[column]))
            values.append(steps(value))
            count += len(row)
        report(f"{kind}: {count:,} pairs kept")
    every = np.concatenate(keys)
    table = pack(every, [np.concatenate(values)], np.ones(len(every), np.int64), 0.85)
    return Associations(table)


def _beside(stream: Ints, number: Ints, rows: int, columns: int, distances: range) -> Any:
    """How often each candidate (row) has each word (column) at one of some distances."""
    from scipy.sparse import coo_matrix, csr_matrix

    total = csr_matrix((rows, columns), dtype=np.float32)
    for begin in range(0, len(stream), _BLOCK):
        at = np.flatnonzero(number[stream[begin : begin + _BLOCK]] >= 0) + begin
        row, column = [], []
        for d in distances:
            inside = at[(at + d >= 0) & (at + d < len(stream))]
            other = stream[inside + d]
            counted = (other >= SEEN) & (other < columns)
            row.append(number[stream[inside[counted]]])
            column.append(other[counted])
        r, c = np.concatenate(row), np.concatenate(column)
        total = total + coo_matrix((np.ones(len(r), np.float32), (r, c)), (rows, columns)).tocsr()
    return total


def _together(stream: Ints, number: Ints, rows: int, columns: int) -> tuple[Any, Doubles, Doubles, float]:
    """Numbers of passages: with each candidate and word together, shape (rows, columns); with each candidate; with
    each word; in all."""
    from scipy.sparse import csr_matrix

    passages = stream[: len(stream) // TOGETHER * TOGETHER].reshape(-1, TOGETHER)
    total = csr_matrix((rows, columns), dtype=np.float32)
    own, other = np.zeros(rows), np.zeros(columns)
    for begin in range(0, len(passages), _BLOCK // TOGETHER):
        part = passages[begin : begin + _BLOCK // TOGETHER]
        where = np.repeat(np.arange(len(part)), TOGETHER)
        words = part.ravel()

        def present(kept: NDArray[np.bool_], column: Ints, size: int, where: Ints = where, n: int = len(part)) -> Any:
            matrix = csr_matrix((np.ones(int(kept.sum()), np.float32), (where[kept], column[kept])), (n, size))
            matrix.data[:] = 1
            return matrix

        them = present((words >= FUNCTION_WORDS) & (words < columns), words, columns)
        mine = present(number[words] >= 0, number[words], rows)
        total = total + mine.T @ them
        own += np.asarray(mine.sum(0)).ravel()
        other += np.asarray(them.sum(0)).ravel()
    return total, own, other, float(len(passages))


def _telling(
    counts: Any, own: Doubles, share: Doubles, doubted: Doubles, first: int, least: float
) -> Iterator[tuple[Ints, Ints, Doubles]]:
    """Pairs worth keeping: row, column, value.

    A pair's usefulness is |value| times the square root of how often it is expected or observed at places where the
    word is in doubt.
    """
    weight = np.sqrt(doubted / np.maximum(own, RARE))
    for begin in range(0, counts.shape[0], _ROWS):
        count = counts[begin : begin + _ROWS].toarray()
        mine = own[begin : begin + _ROWS]
        expected = np.outer(mine, share).astype(np.float32)
        value = np.clip(np.log((count + PRIOR) / (expected + PRIOR)), -CLIP, CLIP)
        value[:, :first] = 0
        tells = np.abs(value) * np.sqrt(np.maximum(count, expected) + PRIOR)
        tells *= weight[begin : begin + _ROWS, None]
        row, column = np.nonzero(tells >= least)
        yield row + begin, column, value[row, column]
