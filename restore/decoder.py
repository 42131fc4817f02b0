"""Lattice to posteriors: coarse-to-fine forward-backward.

A first pass with bigrams over all arcs drops what cannot be (coarse-to-fine
decoding, Charniak and Johnson 2005); a second with trigrams over the arcs that
are left gives the probability of each arc given the whole sentence (forward-
backward, Rabiner 1989). All sentences of a passage advance together, level by
level, so that the work is done by a few large array operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from restore.buckets import hashes
from restore.candidates import Lattice
from restore.context import SENTENCE, UNSEEN, ContextModel, Floats, frequency
from restore.vectors import Ints

KEEP: Final = 1e-3  # arcs and pairs of arcs below this coarse posterior are dropped
_FLOOR: Final = np.float64(-1e30)


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the log-linear score of an arc, fitted by `python -m restore.learning weights` (but for `judging`).

    context: trigrams. channel: log P(found | original). two_sided: the model that reads both sides; judging: the same
    in the first pass, which says whether a sentence was spun. consistency: the document's own habits.
    """

    context: float = 0.4
    channel: float = 0.5
    two_sided: float = 0.5
    judging: float = 0.5
    consistency: float = 0.3


@dataclass(frozen=True, slots=True)
class Decoded:
    """posterior: probability of each arc of the lattice, shape (arcs,). context: mean log probability of each arc's
    words in place, shape (arcs,). evidence: log probability of each sentence under the lattice, shape (sentences,).
    suspected: posterior of each arc in the first pass, by which it is decided whether a sentence was spun, shape
    (arcs,)."""

    posterior: NDArray[np.float64]
    context: NDArray[np.float64]
    evidence: NDArray[np.float64]
    suspected: NDArray[np.float64]


@dataclass(slots=True)
class _Words:
    """The words that arcs emit, flat: arc i emits word[first[i] : first[i] + size[i]]."""

    first: Ints
    size: Ints
    word: NDArray[np.uint64]
    alone: Floats
    back: Floats

    def at(self, arcs: Ints, place: int) -> Ints:
        """Index of an arc's word, counted from its beginning, or from its end where negative."""
        return self.first[arcs] + (place if place >= 0 else self.size[arcs] + place)


@dataclass(frozen=True, slots=True)
class Graph:
    """A lattice as pairs of adjoining arcs that may be, with their trigram scores; what remains of coarse decoding.

    Nodes are pairs (before, after); an edge joins (a, b) to (b, c). `own` is the log probability of the second
    arc's words given the first's where no earlier arc is known, `score` that given the two before, for each edge.
    """

    arcs: int
    sentences: int
    channel: NDArray[np.float64]
    before: Ints
    after: Ints
    own: NDArray[np.float64]
    score: NDArray[np.float64]
    edges: _Edges
    sentence: Ints


def expand(lattice: Lattice, extra: NDArray[np.float64], model: ContextModel, weights: Weights) -> Graph:
    """The pairs of arcs that a coarse pass leaves. `extra`: log score added to each arc, shape (arcs,)."""
    n = len(lattice)
    count = len(lattice.sentences)
    starts, ends, level, sentence = _positions(lattice)
    words = _emissions(lattice, count, model)
    channel = np.concatenate([np.asarray(lattice.weight, np.float64), np.zeros(2 * count)])
    unary = _unary(channel, extra, weights)

    src, dst = _join(ends, starts)
    internal_p, internal_b = _internal(words, model)
    inside = _inside(words, internal_p, internal_b, model)
    h, w = words.at(src, -1), words.at(dst, 0)
    pair_p, pair_b = model.bigram(words.word[h], words.word[w], words.alone[w], words.back[h])

    coarse = weights.context * (pair_p + inside[dst]).astype(np.float64) + unary[dst]
    begin = np.full(n + 2 * count, _FLOOR)
    begin[n : n + count] = 0.0
    final = np.arange(n + 2 * count) >= n + count
    alpha, beta, z = _forward_backward(_Edges.of(src, dst, level), coarse, sentence, count, begin, final)
    pair_posterior = np.exp(np.minimum(alpha[src] + coarse + beta[dst] - z[sentence[dst]], 0.0))
    kept = np.flatnonzero(pair_posterior > KEEP)

    src, dst, pair_p, pair_b = src[kept], dst[kept], pair_p[kept], pair_b[kept]
    two = np.flatnonzero(words.size[dst] > 1)
    own = pair_p.astype(np.float64)
    # the second word of an arc sees the last of the arc before it
    a, b, c = words.at(src[two], -1), words.at(dst[two], 0), words.at(dst[two], 1)
    own[two] += model.trigram(words.word[a], words.word[b], words.word[c], internal_p[b] + pair_b[two])
    own += _inside(words, internal_p, internal_b, model, skip=1)[dst]
    long = np.flatnonzero(words.size[src] > 1)
    a, b, c = words.at(src[long], -2), words.at(src[long], -1), words.at(dst[long], 0)
    own[long] += model.trigram(words.word[a], words.word[b], words.word[c], pair_p[long] + internal_b[a]) - pair_p[long]

    left, right = _join(dst, src)
    score = own[right].copy()
    short = np.flatnonzero(words.size[src[right]] == 1)
    lo, hi = left[short], right[short]
    a, b, c = words.at(src[lo], -1), words.at(dst[lo], -1), words.at(dst[hi], 0)
    score[short] += model.trigram(words.word[a], words.word[b], words.word[c], pair_p[hi] + pair_b[lo]) - pair_p[hi]
    edges = _Edges.of(left, right, level[dst])
    return Graph(n, count, channel, src, dst, own, score, edges, sentence[dst])


def posteriors(graph: Graph, extra: NDArray[np.float64], weights: Weights) -> Decoded:
    """Posterior of every arc of an expanded lattice; `extra` as for `expand`, which need not have had the same."""
    n, count = graph.arcs, graph.sentences
    unary = _unary(graph.channel, extra, weights)
    fine = weights.context * graph.score + unary[graph.after[graph.edges.dst]]
    starts = (graph.before >= n) & (graph.before < n + count)
    begin = np.where(starts, weights.context * graph.own + unary[graph.after], _FLOOR)
    final = graph.after >= n + count
    alpha, beta, z = _forward_backward(graph.edges, fine, graph.sentence, count, begin, final)
    node = np.exp(np.minimum(alpha + beta - z[graph.sentence], 0.0))
    posterior = np.bincount(graph.after, weights=node, minlength=n + 2 * count)[:n]
    mean = np.bincount(graph.after, weights=node * graph.own, minlength=n + 2 * count)[:n]
    probability = np.minimum(posterior, 1.0)
    return Decoded(probability, mean / np.maximum(posterior, 1e-12), z, probability)


def as_found(lattice: Lattice, model: ContextModel) -> NDArray[np.float64]:
    """Log probability of each sentence's words as they stand, its end included; shape (sentences,)."""
    begins = {begin for begin, _ in lattice.sentences}
    flat: list[str] = []
    for start, words, option in zip(lattice.start, lattice.words, lattice.option, strict=True):
        if option is None:
            flat += [SENTENCE, *words] if start in begins else words
    word = hashes([*flat, SENTENCE])
    ends = word == hashes([SENTENCE])
    alone, weights = model.unigrams(word)
    own, back = model.bigram(word[:-1], word[1:], alone[1:], weights[:-1])
    later = np.flatnonzero(~ends[1:-1]) + 1  # of `own`: those with two words before them in their sentence
    own[later] = model.trigram(word[later - 1], word[later], word[later + 1], own[later] + back[later - 1])
    return np.bincount(np.cumsum(ends[:-1]) - 1, own, len(lattice.sentences)).astype(np.float64)


def _unary(channel: NDArray[np.float64], extra: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
    """Score of each arc by itself."""
    unary = weights.channel * channel
    unary[: len(extra)] += extra
    return np.asarray(unary)


def _positions(lattice: Lattice) -> tuple[Ints, Ints, Ints, Ints]:
    """Start, end, level and sentence of every arc, then of the sentences' begin and end arcs.

    Positions are numbered so that a sentence's last differs from the next one's first.
    """
    count = len(lattice.sentences)
    first = np.fromiter((b for b, _ in lattice.sentences), np.int64, count)
    last = np.fromiter((e for _, e in lattice.sentences), np.int64, count)
    start = np.asarray(lattice.start, np.int64)
    sentence = np.searchsorted(first, start, side="right") - 1
    number = np.arange(count)
    starts = np.concatenate([start + sentence, np.full(count, -1), last + number])
    ends = np.concatenate([np.asarray(lattice.end, np.int64) + sentence, first + number, np.full(count, -2)])
    level = np.concatenate([start - first[sentence] + 1, np.zeros(count, np.int64), last - first + 1])
    return starts, ends, level, np.concatenate([sentence, number, number])


def _emissions(lattice: Lattice, count: int, model: ContextModel) -> _Words:
    """Hashes and unigram log probabilities of all emitted words."""
    index: dict[str, int] = {SENTENCE: 0}
    flat = [index.setdefault(w, len(index)) for words in lattice.words for w in words]
    size = np.fromiter(map(len, lattice.words), np.int64, len(lattice))
    size = np.concatenate([size, np.ones(2 * count, np.int64)])
    vocabulary = list(index)
    word_hashes = hashes(vocabulary)
    alone, back = model.unigrams(word_hashes)
    proposed = {w for words, o in zip(lattice.words, lattice.option, strict=True) if o is not None for w in words}
    for i in np.flatnonzero(alone == np.float32(UNSEEN)):
        if vocabulary[i] in proposed:
            alone[i] = frequency(vocabulary[i])
    ids = np.concatenate([np.asarray(flat, np.int64), np.zeros(2 * count, np.int64)])
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    return _Words(first, size, word_hashes[ids], alone[ids], back[ids])


def _join(ends: Ints, starts: Ints) -> tuple[Ints, Ints]:
    """All pairs (i, j) with ends[i] == starts[j]."""
    least = min(ends.min(initial=0), starts.min(initial=0))
    ends, starts = ends - least, starts - least
    count = np.bincount(ends, minlength=int(starts.max(initial=0)) + 1)
    order = np.argsort(ends, kind="stable")
    low, many = (np.cumsum(count) - count)[starts], count[starts]
    dst = np.repeat(np.arange(len(starts)), many)
    within = np.arange(len(dst)) - np.repeat(np.cumsum(many) - many, many)
    return order[low[dst] + within], dst


def _internal(words: _Words, model: ContextModel) -> tuple[Floats, Floats]:
    """Bigram log probability and backoff weight of each word with the next one of its arc, by the first's index."""
    total = len(words.word)
    inner = np.ones(total, bool)
    inner[words.first + words.size - 1] = False
    at = np.flatnonzero(inner)
    p, b = np.zeros(total, np.float32), np.zeros(total, np.float32)
    if len(at):
        p[at], b[at] = model.bigram(words.word[at], words.word[at + 1], words.alone[at + 1], words.back[at])
    return p, b


def _inside(words: _Words, pair_p: Floats, pair_b: Floats, model: ContextModel, skip: int = 0) -> Floats:
    """Log probability of an arc's words after the first (after the second where `skip` is 1), shape (arcs,)."""
    total = np.zeros(len(words.size), np.float32)
    if not skip:
        many = np.flatnonzero(words.size > 1)
        total[many] += pair_p[words.first[many]]
    for place in range(2, int(words.size.max(initial=0))):
        many = np.flatnonzero(words.size > place)
        a = words.first[many] + place - 2
        w = words.word
        total[many] += model.trigram(w[a], w[a + 1], w[a + 2], pair_p[a + 1] + pair_b[a])
    return total


@dataclass(frozen=True, slots=True)
class _Edges:
    """Edges between nodes in the order in which they are gone through: forwards from the beginnings of the sentences,
    and at the same time backwards, as edges of a second set of nodes, from their ends.

    dst: of each edge. order: edges, those of the second set numbered on. source: the node that each of these comes from. steps: stretches
    of `order` that are done at once, each with the nodes that its edges lead to, where the edges of each begin, and
    which node each leads to; the last two None where there is one edge a node.
    """

    dst: Ints
    order: Ints
    source: Ints
    steps: list[tuple[slice, Ints, Ints | None, Ints | None]]

    @classmethod
    def of(cls, src: Ints, dst: Ints, level: Ints) -> _Edges:
        """Edges (src[i], dst[i]); `level` is that of each node."""
        nodes = len(level)
        node, source = np.concatenate([dst, src + nodes]), np.concatenate([src, dst + nodes])
        turn = np.concatenate([level, level.max(initial=0) - level])[node]
        order = np.argsort(turn * (2 * nodes) + node, kind="stable")
        node, turn = node[order], turn[order]
        run, cut = _changes(node), _changes(turn)
        number = np.repeat(np.arange(len(run)), np.diff(run, append=len(node)))
        run_cut = np.searchsorted(run, cut).tolist()
        heads = node[run]
        steps: list[tuple[slice, Ints, Ints | None, Ints | None]] = []
        bounds = cut.tolist(), [*cut.tolist()[1:], len(node)], run_cut, [*run_cut[1:], len(run)]
        for lo, hi, r, s in zip(*bounds, strict=True):
            several = s - r < hi - lo
            begins, leads = (run[r:s] - lo, number[lo:hi] - r) if several else (None, None)
            steps.append((slice(lo, hi), heads[r:s], begins, leads))
        return cls(dst, order, source[order], steps)


def _changes(values: Ints) -> Ints:
    """Where runs of equal values begin."""
    first = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return np.flatnonzero(first)


def _forward_backward(
    edges: _Edges,
    score: NDArray[np.float64],
    sentence: Ints,
    count: int,
    begin: NDArray[np.float64],
    final: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Log forward and backward sums of every node, log total of every sentence.

    begin: score of each node that starts a sentence, `_FLOOR` for others. final: nodes that end one.
    """
    total = np.concatenate([begin, np.where(final, 0.0, _FLOOR)])
    step = np.concatenate([score, score])[edges.order]
    for stretch, heads, runs, run in edges.steps:
        values = total[edges.source[stretch]] + step[stretch]
        total[heads] = values if runs is None or run is None else _log_sum(values, runs, run)
    alpha, beta = total[: len(begin)], total[len(begin) :]
    z = np.full(count, _FLOOR)
    last = np.flatnonzero(final)
    np.logaddexp.at(z, sentence[last], alpha[last])
    return alpha, beta, z


def _log_sum(values: NDArray[np.float64], runs: Ints, run: Ints) -> NDArray[np.float64]:
    """Log of the sum of exponentials over each run; `run` is the number of the run of each value."""
    top = np.maximum.reduceat(values, runs)
    return np.asarray(top + np.log(np.add.reduceat(np.exp(values - top[run]), runs)))
