"""Two texts that should say the same: which sentences belong together, and which words in them differ.

Sentences are paired by dynamic programming over one-to-one, one-to-two,
two-to-one and unpaired ones, in the manner of Gale and Church (1993), but scored by
the words that they share (the rarer in the two texts, the heavier) instead of
their lengths, since a spinner leaves most words alone. Words within paired
sentences are aligned by insertions and deletions (RapidFuzz, Indel).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from rapidfuzz.distance import Indel

from restore.text import Tokens
from restore.vectors import Doubles

ALIKE: Final = 0.12  # share of their weight that paired sentences have in common, at least
PLAIN: Final = 0.55  # as many sentences on both sides, each so much alike with its fellow: nothing to search
MERGING: Final = 0.5  # of its weight that a sentence must add when it is taken together with another
CELLS: Final = 40_000  # sentence pairs looked at in one table; longer texts are parted first
SHINGLE: Final = 4  # words in a row; those that are unique on both sides show where texts can be parted

Range = tuple[int, int]


class Block(NamedTuple):
    """A stretch that differs: half-open ranges in the spun words and in the original's; one of them may be empty."""

    spun: Range
    original: Range


class Bead(NamedTuple):
    """Sentences that belong together: token ranges in the spun text and in the original."""

    spun: Range
    original: Range


@dataclass(frozen=True, slots=True)
class Paired:
    """Sentences paired, and how many have no partner: `added` stand in the spun text alone, `missing` in the
    original."""

    beads: list[Bead]
    added: int
    missing: int


def pair_sentences(spun: Tokens, original: Tokens) -> Paired:
    """Pair the sentences of two texts, both in order. Time grows with the product of their sentences up to
    `CELLS`, and linearly beyond."""
    a, b = spun.sentences(), original.sentences()
    rows = _pair(spun.key, original.key, a, b)
    beads = [Bead((a[i][0], a[i2 - 1][1]), (b[j][0], b[j2 - 1][1])) for i, i2, j, j2 in rows]
    used_a, used_b = sum(i2 - i for i, i2, _, _ in rows), sum(j2 - j for _, _, j, j2 in rows)
    return Paired(beads, len(a) - used_a, len(b) - used_b)


def blocks(spun: list[str], original: list[str]) -> list[Block]:
    """Stretches in which two word lists differ, in order; between them both are the same."""
    out: list[Block] = []
    for step in Indel.opcodes(spun, original):
        if step.tag == "equal":
            continue
        a, b = (step.src_start, step.src_end), (step.dest_start, step.dest_end)
        if out and out[-1].spun[1] == a[0] and out[-1].original[1] == b[0]:
            a, b = (out[-1].spun[0], a[1]), (out.pop().original[0], b[1])
        out.append(Block(a, b))
    return out


def _pair(spun: list[str], original: list[str], a: list[Range], b: list[Range]) -> list[tuple[int, int, int, int]]:
    """Paired runs of sentences (begin, end, begin, end); `a` and `b` are token ranges."""
    if not a or not b:
        return []
    if len(a) * len(b) > CELLS:
        anchor = _middle_anchor(spun, original, a, b)
        if anchor is None:
            return []
        i, j = anchor
        left = _pair(spun, original, a[:i], b[:j])
        return left + [(p + i, q + i, r + j, s + j) for p, q, r, s in _pair(spun, original, a[i:], b[j:])]
    common, weight_a, weight_b = _common_weight(spun, original, a, b)
    if len(a) == len(b):
        diagonal = 2 * np.diagonal(common) / (weight_a + weight_b)
        if diagonal.min() >= PLAIN:
            return [(i, i + 1, i, i + 1) for i in range(len(a))]
    return _best_path(common, weight_a, weight_b)


def _common_weight(
    spun: list[str], original: list[str], a: list[Range], b: list[Range]
) -> tuple[Doubles, Doubles, Doubles]:
    """Weight of the words that each two sentences share, shape (a, b), and weight of each sentence."""
    number: dict[str, int] = {}
    sides = [
        [number.setdefault(k, len(number)) for k in keys[ranges[0][0] : ranges[-1][1]]]
        for keys, ranges in ((spun, a), (original, b))
    ]
    weight = 1 / np.bincount(sides[0] + sides[1])
    held = [np.zeros((len(ranges), len(number))) for ranges in (a, b)]
    for table, ids, ranges in zip(held, sides, (a, b), strict=True):
        table[np.repeat(np.arange(len(ranges)), [end - begin for begin, end in ranges]), ids] = 1
    return (held[0] * weight) @ held[1].T, held[0] @ weight, held[1] @ weight


def _best_path(common: Doubles, weight_a: Doubles, weight_b: Doubles) -> list[tuple[int, int, int, int]]:
    """The pairing of most gain: of each pair, the weight in common beyond `ALIKE` of what might be."""
    n, m = common.shape
    both = 2 * common
    single = (both - ALIKE * (weight_a[:, None] + weight_b)).tolist()
    more_a = (both - ALIKE * weight_a[:, None] - MERGING * weight_a[:, None]).tolist()
    more_b = (both - ALIKE * weight_b - MERGING * weight_b).tolist()
    best = [[0.0] * (m + 1) for _ in range(n + 1)]
    step = [[(1, 0)] * (m + 1) for _ in range(n + 1)]
    step[0] = [(0, 1)] * (m + 1)
    for i in range(1, n + 1):
        row, above, moves = best[i], best[i - 1], step[i]
        gain = single[i - 1]
        for j in range(1, m + 1):
            top, move = above[j], (1, 0)
            if row[j - 1] > top:
                top, move = row[j - 1], (0, 1)
            one = above[j - 1] + gain[j - 1]
            if one > top:
                top, move = one, (1, 1)
            if i > 1 and (two := best[i - 2][j - 1] + gain[j - 1] + more_a[i - 2][j - 1]) > top:
                top, move = two, (2, 1)
            if j > 1 and (two := above[j - 2] + gain[j - 1] + more_b[i - 1][j - 2]) > top:
                top, move = two, (1, 2)
            row[j], moves[j] = top, move
    out = []
    i, j = n, m
    while i or j:
        di, dj = step[i][j]
        if di and dj:
            out.append((i - di, i, j - dj, j))
        i, j = i - di, j - dj
    return out[::-1]


def _middle_anchor(spun: list[str], original: list[str], a: list[Range], b: list[Range]) -> tuple[int, int] | None:
    """Two sentences, near the middle, that share a run of words which is unique on both sides; not the first two."""
    places = []
    for keys, ranges in ((spun, a), (original, b)):
        runs = [
            (tuple(keys[t : t + SHINGLE]), s)
            for s, (begin, end) in enumerate(ranges)
            for t in range(begin, end - SHINGLE + 1)
        ]
        count = Counter(run for run, _ in runs)
        places.append({run: s for run, s in runs if count[run] == 1})
    shared = [(i, places[1][run]) for run, i in places[0].items() if run in places[1]]
    chain = [(i, j) for i, j in _increasing(shared) if i and j]
    return min(chain, key=lambda p: abs(2 * p[0] - len(a)), default=None)


def _increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """A longest subsequence that does not fall in its second part, of pairs in order of the first (patience
    sorting)."""
    tops: list[int] = []
    at: list[int] = []
    previous: list[int] = []
    for n, (_, j) in enumerate(pairs):
        pile = bisect_right(tops, j)
        tops[pile : pile + 1] = [j]
        at[pile : pile + 1] = [n]
        previous.append(at[pile - 1] if pile else -1)
    out = []
    n = at[-1] if at else -1
    while n >= 0:
        out.append(pairs[n])
        n = previous[n]
    return out[::-1]
