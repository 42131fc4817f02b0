"""Counts to a context model: modified Kneser-Ney estimates, pruned and packed.

Chen and Goodman, "An empirical study of smoothing techniques for language
modeling" (1999), interpolated form; trigrams below a count are dropped after
estimation and the backoff weights are computed over what is left, so that every
history's probabilities still sum to one.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from restore.buckets import BUCKET, Hashes, Table, locate, ngram_hash
from restore.context import BACKOFF_STEP, BACKOFF_ZERO, LOG_STEP, ContextModel
from restore.vectors import Doubles, Ints

BITS: Final = 21  # of a word's number in a packed n-gram
SENTENCE_ID: Final = 0  # the word that stands between sentences
UNKNOWN_ID: Final = 2


def estimate(stream: Ints, words: Hashes, min_bigram: int, min_trigram: int, fill: float = 0.85) -> ContextModel:
    """Model from a stream of word numbers (0 between sentences), words[i] being the hash of number i.

    n-grams seen fewer than `min_bigram` or `min_trigram` times are not kept.
    Raises ValueError for a vocabulary too large to pack.
    """
    if len(words) >= 1 << BITS:
        raise ValueError(f"{len(words)} words; raise the least count of a word")
    middle = stream[1:-1] != SENTENCE_ID
    tri, tri_count = _count((stream[:-2] << 2 * BITS | stream[1:-1] << BITS | stream[2:])[middle])
    bi, bi_count = _count(stream[:-1] << BITS | stream[1:])
    p1 = _unigrams(bi, len(words))
    p2 = _bigrams(bi, bi_count, tri, p1)
    keep2 = (bi_count >= min_bigram) & _known(bi, 2)
    p3 = _trigrams(tri, tri_count, bi, p2)
    keep3 = (tri_count >= min_trigram) & _known(tri, 3)
    # only trigrams whose history and ending are kept can be backed off from
    keep3 &= _member(tri >> BITS, bi[keep2]) & _member(tri & (1 << 2 * BITS) - 1, bi[keep2])
    bi, p2, tri, p3, c3 = bi[keep2], p2[keep2], tri[keep3], p3[keep3], tri_count[keep3]
    c2 = bi_count[keep2]
    history_weight = _backoff_weights(bi >> BITS, p2, p1[bi & (1 << BITS) - 1], len(words))
    lower = p2[np.searchsorted(bi, tri & (1 << 2 * BITS) - 1)]
    pair_index = np.searchsorted(bi, tri >> BITS)
    pair_weight = _backoff_weights(pair_index, p3, lower, len(bi))

    u, v = words[bi >> BITS], words[bi & (1 << BITS) - 1]
    seen = np.flatnonzero(p1 > 0)
    low = pack(
        np.concatenate([ngram_hash(words[seen]), ngram_hash(u, v)]),
        [
            np.concatenate([_steps(p1[seen]), _steps(p2)]),
            np.concatenate([_weight_steps(history_weight[seen]), _weight_steps(pair_weight)]),
        ],
        np.concatenate([np.full(len(seen), 1 << 30), c2]),
        fill,
    )
    mask = (1 << BITS) - 1
    high = pack(
        ngram_hash(words[tri >> 2 * BITS], words[tri >> BITS & mask], words[tri & mask]), [_steps(p3)], c3, fill
    )
    info = {"tokens": len(stream), "words": len(seen), "bigrams": len(bi), "trigrams": len(tri)}
    return ContextModel(low, high, dict(info))


def _count(ngrams: Ints) -> tuple[Ints, Ints]:
    values, counts = np.unique(ngrams, return_counts=True)
    return values, counts


def _known(ngrams: Ints, order: int) -> NDArray[np.bool_]:
    mask = (1 << BITS) - 1
    known = np.ones(len(ngrams), bool)
    for place in range(order):
        known &= (ngrams >> place * BITS & mask) != UNKNOWN_ID
    return known


def _member(values: Ints, within: Ints) -> NDArray[np.bool_]:
    at = np.minimum(np.searchsorted(within, values), len(within) - 1)
    return np.asarray(within[at] == values)


def _discounts(counts: Ints) -> Doubles:
    """Discount of an n-gram by its count, 0 to 3 and more."""
    n1, n2, n3, n4 = (max(1, int((counts == k).sum())) for k in (1, 2, 3, 4))
    y = n1 / (n1 + 2 * n2)
    return np.array([0.0, *(max(0.0, d) for d in (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3))])


def _unigrams(bi: Ints, vocabulary: int) -> Doubles:
    """Continuation probabilities: in how many histories a word has been seen."""
    continuations = np.bincount(bi & (1 << BITS) - 1, minlength=vocabulary).astype(float)
    return np.asarray(continuations / continuations.sum())


def _bigrams(bi: Ints, bi_count: Ints, tri: Ints, p1: Doubles) -> Doubles:
    """Interpolated P(w | v) from continuation counts; after a sentence's start, from counts."""
    continuations = np.zeros(len(bi), np.int64)
    suffix, distinct = np.unique(tri & (1 << 2 * BITS) - 1, return_counts=True)
    continuations[np.searchsorted(bi, suffix)] = distinct
    history = bi >> BITS
    raw = (history == SENTENCE_ID) | (continuations == 0)
    counts = np.where(raw, bi_count, continuations)
    return _interpolate(counts, history, len(p1), p1[bi & (1 << BITS) - 1])


def _trigrams(tri: Ints, tri_count: Ints, bi: Ints, p2: Doubles) -> Doubles:
    history = np.searchsorted(bi, tri >> BITS)
    lower = p2[np.searchsorted(bi, tri & (1 << 2 * BITS) - 1)]
    return _interpolate(tri_count, history, len(bi), lower)


def _interpolate(counts: Ints, history: Ints, histories: int, lower: Doubles) -> Doubles:
    discount = _discounts(counts)[np.minimum(counts, 3)]
    total = np.bincount(history, weights=counts, minlength=histories)
    freed = np.bincount(history, weights=discount, minlength=histories)
    weight = freed / np.maximum(total, 1)
    return (counts - discount) / total[history] + weight[history] * lower


def _backoff_weights(history: Ints, p: Doubles, lower: Doubles, histories: int) -> Doubles:
    """Backoff weight of each history: the probability left for words not kept after it, over the lower order's
    probability of those words."""
    left = 1 - np.bincount(history, weights=p, minlength=histories)
    rest = 1 - np.bincount(history, weights=lower, minlength=histories)
    return np.asarray(np.clip(left, 1e-4, 1) / np.clip(rest, 1e-4, 1))


def _steps(p: Doubles) -> NDArray[np.uint8]:
    return np.clip(np.round(-np.log(np.maximum(p, 1e-12)) / LOG_STEP), 0, 255).astype(np.uint8)


def _weight_steps(weight: Doubles) -> NDArray[np.uint8]:
    return np.clip(np.round(np.log(np.maximum(weight, 1e-12)) / BACKOFF_STEP) + BACKOFF_ZERO, 0, 255).astype(np.uint8)


def pack(ngrams: Hashes, values: list[NDArray[np.uint8]], counts: Ints, fill: float) -> Table:
    """Hash buckets; where one overflows, its rarest n-grams are lost."""
    buckets = int(len(ngrams) / (BUCKET * fill)) + 1
    bucket, fingerprint = locate(ngrams, buckets)
    order = np.lexsort((-counts, bucket))
    bucket = bucket[order]
    start = np.searchsorted(bucket, np.arange(buckets))
    slot = np.arange(len(bucket)) - start[bucket]
    fits = slot < BUCKET
    order, bucket, slot = order[fits], bucket[fits], slot[fits]
    fingerprints = np.zeros((buckets, BUCKET), np.uint16)
    fingerprints[bucket, slot] = fingerprint[order]
    planes = []
    for value in values:
        plane = np.zeros((buckets, BUCKET), np.uint8)
        plane[bucket, slot] = value[order]
        planes.append(plane)
    return Table(fingerprints, tuple(planes))
