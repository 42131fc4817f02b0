"""Which phrase became which, over a whole corpus of aligned sentences.

Where words differ, several substitutions may have run together ("local weather
extra" for "climate more"), and a substitution may share words with what it
replaced ("brand new" for "new"). A stretch is therefore a lattice: each path parts
both sides into phrase pairs, in order. The probability of a path is the product of
P(found | original) of its pairs and of P(kept | word) of the words left alone
between them. These are estimated by expectation-maximisation over the corpus
(Dempster, Laird and Rubin 1977; a monotone form of the phrase model of Marcu and
Wong 2002), each text judged by the counts of all others (leaving one out, Wuebker,
Mauser and Ney 2010), so that a long pair of one text does not explain itself.
"""

from __future__ import annotations

from array import array
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from restore.learning.alignment import Bead, Block
from restore.lexicon import LONGEST
from restore.text import PROTECTED_WORD, Tokens
from restore.vectors import Doubles, Ints

CONTEXT: Final = 2  # words that both sides of a pair share, at most: one, or all of the shorter side
PASSES: Final = 6
LARGEST_BLOCK: Final = LONGEST + 1  # words on one side; more is no substitution

NEW: Final = 0.5  # pseudo-count of all pairs that an original may newly form
WORD: Final = 0.01  # prior probability of each word in a new pair's found phrase
PHRASE: Final = 0.3  # of each further word in either phrase of a new pair
SHARED: Final = 0.5  # of each word that both sides of a pair share
PARTABLE: Final = 0.3  # of each word more that both sides of a pair have, so that they might be parted there
NOISE: Final = 1e-5  # of each word that was edited in or out
ALONE: Final = 0.1  # further prior of each word that both sides share, once it is settled which context matters
SHARPER: Final = 2.0  # power of the probabilities in the last pass, so that near-ties are decided
EDITED: Final = 0.15  # of a sentence's words, and
EDITED_WORDS: Final = 3  # words that may be edited in or out; a sentence with more teaches nothing
LEAST_KEPT: Final = 0.02  # share of a word's occurrences that are left alone
SURE: Final = 0.5  # posterior from which on a pair is certain at a place

Shape = tuple[tuple[int, int], ...]
_GAPS: Final = {"": 0, " ": 1, "-": 2}  # joiners; other gaps part phrases
_APART: Final = 3
_JOINERS: Final = tuple(_GAPS)


class Counted(NamedTuple):
    """A phrase pair of a corpus.

    seen: expected number of places, rounded. occurred: places where the original
    stands, replaced or not. sure: places where the pair is likelier than all others
    together; elsewhere the stretch might be parted otherwise.
    """

    found: str
    original: str
    seen: int
    occurred: int
    sure: int


class Corpus:
    """Paired sentences of all texts as two streams of words, and the stretches in which they differ."""

    def __init__(self) -> None:
        self.words: dict[str, int] = {PROTECTED_WORD: 0}
        self.sides = (_Stream(self.words), _Stream(self.words))
        self.shapes: dict[Shape, list[tuple[int, int, int, int]]] = {}  # begin in either stream, text, sentence
        self.sizes = (array("i"), array("i"))  # of each pair of sentences, in words of either side

    def add(self, spun: Tokens, original: Tokens, bead: Bead, changed: list[Block], text: int) -> None:
        """Add two paired sentences of a text; `changed` is relative to them. Blocks that are too large are left out."""
        i, k = (side.add(tokens, *part) for side, tokens, part in zip(self.sides, (spun, original), bead, strict=True))
        sizes = bead.spun[1] - bead.spun[0], bead.original[1] - bead.original[0]
        for a, b, shape in _stretches(changed, *sizes):
            self.shapes.setdefault(shape, []).append((i + a, k + b, text, len(self.sizes[0])))
        for column, size in zip(self.sizes, sizes, strict=True):
            column.append(size)


class _Stream:
    """Words by number, each with the kind of gap before it."""

    def __init__(self, words: dict[str, int]):
        self._words = words
        self.word = array("i")
        self.gap = array("b")

    def add(self, tokens: Tokens, begin: int, end: int) -> int:
        """Append some tokens; returns the place of the first."""
        at, number = len(self.word), self._words
        self.word.extend([number.setdefault(k, len(number)) for k in tokens.key[begin:end]])
        self.gap.append(_APART)
        self.gap.extend([_GAPS.get(g, _APART) for g in tokens.gap[begin + 1 : end]])
        return at


def _stretches(changed: list[Block], size_spun: int, size_original: int) -> list[tuple[int, int, Shape]]:
    """Blocks grouped where a single phrase pair could span two of them: the begin of each group on either side, and
    its shape."""
    out: list[tuple[int, int, Shape]] = []
    group: list[Block] = []
    before = 0  # end of what stands before the group, in spun words
    end = Block((size_spun, size_spun), (size_original, size_original))
    for block, after in zip(changed, [*changed[1:], end], strict=False):
        if max(block.spun[1] - block.spun[0], block.original[1] - block.original[0]) > LARGEST_BLOCK:
            group, before = [], block.spun[1]
            continue
        group.append(block)
        large = max(after.spun[1] - after.spun[0], after.original[1] - after.original[0]) > LARGEST_BLOCK
        if large or after is end or after.spun[0] - block.spun[1] > CONTEXT:
            out.append(_stretch(group, group[0].spun[0] - before, after.spun[0] - block.spun[1]))
            group, before = [], block.spun[1]
    return out


def _stretch(group: list[Block], room_before: int, room_after: int) -> tuple[int, int, Shape]:
    before = min(CONTEXT, room_before)
    shape = [(before, -1)]
    for block, after in zip(group, [*group[1:], None], strict=True):
        shape.append((block.spun[1] - block.spun[0], block.original[1] - block.original[0]))
        shape.append((after.spun[0] - block.spun[1] if after else min(CONTEXT, room_after), -1))
    return group[0].spun[0] - before, group[0].original[0] - before, tuple(shape)


class Template(NamedTuple):
    """Lattice of a shape: its nodes, and a row an edge: source, target, begin and end on either side, shared words
    (-1: an edit, no pair)."""

    nodes: int
    edges: Ints


@lru_cache(maxsize=100_000)
def template(shape: Shape) -> Template:
    """Lattice of a stretch.

    shape: runs of equal words and changed blocks by turns, a run first and last:
    (n, -1) for n equal words, (n, m) for n spun words against m of the original.
    """
    nodes, rows = _nodes(shape)
    for u, (i, k, e) in enumerate(nodes):
        for v in range(u + 1, len(nodes)):
            i2, k2, e2 = nodes[v]
            a, b, equal = i2 - i, k2 - k, e2 - e
            if equal > CONTEXT or (a > LONGEST and b > LONGEST):
                break
            if not (0 < a <= LONGEST and 0 < b <= LONGEST):
                continue
            if a == b == equal == 1 or (equal < 2 and a + b > 2 * equal) or (equal == min(a, b) < max(a, b)):
                rows.append((u, v, i, i2, k, k2, equal))
    return Template(len(nodes), np.array(_whole(rows, len(nodes) - 1), np.int64))


def _whole(rows: list[tuple[int, ...]], last: int) -> list[tuple[int, ...]]:
    """Edges that lie on a path from the first node to the last."""
    reached, leading = {0}, {last}
    for row in sorted(rows):
        if row[0] in reached:
            reached.add(row[1])
    for row in sorted(rows, key=lambda r: -r[1]):
        if row[1] in leading:
            leading.add(row[0])
    return [row for row in rows if row[0] in reached and row[1] in leading]


def _nodes(shape: Shape) -> tuple[list[tuple[int, int, int]], list[tuple[int, ...]]]:
    """Points at which a stretch can be parted (spun words, original words, equal words before each), and the edges
    that skip a block as edited."""
    i = k = e = 0
    nodes = [(0, 0, 0)]
    skips: list[tuple[int, ...]] = []
    for n, m in shape:
        if m < 0:
            nodes += [(i + t, k + t, e + t) for t in range(1, n + 1)]
            i, k, e = i + n, k + n, e + n
            continue
        first = len(nodes) - 1
        outer = {(0, 0), (n, 0), (0, m)} if n and m else {(0, 0)}
        inner = [(p, q) for p in range(n + 1) for q in range(m + 1) if (p, q) not in outer]
        nodes += [(i + p, k + q, e) for p, q in sorted(inner, key=lambda x: (x[0] + x[1], x))]
        skips.append((first, len(nodes) - 1, i, i + n, k, k + m, -1))
        i, k = i + n, k + m
    return nodes, skips


def ngrams(word: Ints, gap: Ints, words: int) -> list[Ints]:
    """Numbers of the phrases of one to seven words that begin at each place, equal for equal phrases, else -1.

    Phrases of different lengths have different numbers. A phrase ends where its
    words are not joined by a space or a hyphen, or are protected (word 0).
    """
    out = [word]
    parted = (gap == _APART) | (word == 0)
    step = word * _APART + np.minimum(gap, _APART - 1)
    offset = words
    for n in range(1, LONGEST):
        shorter = out[-1]
        longer = np.full(len(word), -1, np.int64)
        whole = np.flatnonzero((shorter[: len(word) - n] >= 0) & ~parted[n:] & (word[: len(word) - n] > 0))
        _, inverse = np.unique(shorter[whole] * (words * _APART) + step[whole + n], return_inverse=True)
        longer[whole] = inverse + offset
        offset += int(inverse.max(initial=-1)) + 1
        out.append(longer)
    return out


class _Lattices:
    """All stretches as one set of arrays, an edge each, in order of their target; nodes are passed level by level."""

    def __init__(self, corpus: Corpus):
        word, gap = (
            np.concatenate([np.frombuffer(getattr(s, name), dtype) for s in corpus.sides]).astype(np.int64)
            for name, dtype in (("word", np.int32), ("gap", np.int8))
        )
        self.phrase = np.stack(ngrams(word, gap, len(corpus.words)))
        self.shift = len(corpus.sides[0].word)
        self._sizes = np.frombuffer(corpus.sizes[1], np.int32)
        self._expand(corpus)

    def occurrences(self, sentences: NDArray[np.bool_]) -> Ints:
        """How often each phrase stands in the originals of the sentences chosen; shape (phrases,)."""
        own = self.phrase[:, self.shift :][:, np.repeat(sentences, self._sizes)]
        return np.bincount(own[own >= 0], minlength=int(self.phrase.max(initial=0)) + 1)

    def _expand(self, corpus: Corpus) -> None:
        """The templates at all their places."""
        parts: list[Ints] = []
        levels: list[Ints] = []
        finals: list[Ints] = []
        nodes = 0
        for shape, places in corpus.shapes.items():
            size, edges = template(shape)
            at = np.array(places, np.int64)
            base = nodes + size * np.arange(len(at))
            nodes += size * len(at)
            row = np.empty((len(at), len(edges), 7), np.int64)
            row[:, :, 0:2] = edges[:, 0:2] + base[:, None, None]
            for side, (column, shift) in enumerate(((2, 0), (4, self.shift))):
                place = edges[:, column] + at[:, side, None] + shift
                length = edges[:, column + 1] - edges[:, column]
                row[:, :, 2 + side] = self.phrase[
                    np.clip(length, 1, LONGEST) - 1, np.minimum(place, self.phrase.shape[1] - 1)
                ]
            skip = edges[:, 6] < 0
            row[:, skip, 2] = -2
            row[:, skip, 3] = (edges[:, 3] - edges[:, 2] + edges[:, 5] - edges[:, 4])[skip]
            row[:, :, 4] = edges[:, 6]
            row[:, :, 5:7] = at[:, None, 2:4]
            flat = row.reshape(-1, 7)
            parts.append(flat[(flat[:, 2] != -1) & (flat[:, 3] != -1)])
            levels.append(np.tile(np.arange(size), len(at)))
            finals.append(np.repeat(base + size - 1, size))
        level = np.concatenate(levels)
        rows = np.concatenate(parts)
        order = np.lexsort((rows[:, 1], level[rows[:, 1]]))
        columns = rows[order].T.copy()
        self.source, self.target, self.found, self.original, self.shared, self.text, self.sentence = columns
        self._first = level == 0
        self._final = np.concatenate(finals)  # of each node: the last of its stretch
        self._ahead = [(slice(a, b), _starts(self.target[a:b])) for a, b in _runs(level[self.target])]
        back = np.lexsort((self.source, -level[self.source]))
        self._back = [(back[a:b], _starts(self.source[back[a:b]])) for a, b in _runs(level[self.source[back]])]

    def posterior(self, weight: Doubles) -> Doubles:
        """Probability of each edge given all of its stretch, by forward-backward; shape (edges,)."""
        ahead = np.where(self._first, 0.0, -np.inf)
        for part, starts in self._ahead:
            reached = ahead[self.source[part]] + weight[part]
            ahead[self.target[part][starts]] = np.logaddexp.reduceat(reached, starts)
        back = np.full(len(ahead), -np.inf)
        back[self._final] = 0
        for edge, starts in self._back:
            reached = back[self.target[edge]] + weight[edge]
            back[self.source[edge][starts]] = np.logaddexp.reduceat(reached, starts)
        total = ahead[self._final[self.target]]
        return np.asarray(np.exp(ahead[self.source] + weight + back[self.target] - total))


def _runs(values: Ints) -> list[tuple[int, int]]:
    """Bounds of runs of equal values."""
    starts = _starts(values).tolist()
    return list(zip(starts, [*starts[1:], len(values)], strict=True))


def _starts(values: Ints) -> Ints:
    return np.flatnonzero(np.r_[len(values) > 0, values[1:] != values[:-1]])


def estimate(corpus: Corpus, passes: int = PASSES) -> list[Counted]:
    """Phrase pairs of a corpus, sorted."""
    if not corpus.shapes:
        return []
    lattices = _Lattices(corpus)
    total = lattices.occurrences(np.ones(len(corpus.sizes[0]), np.bool_)).astype(np.float64)
    names = len(total)
    skip = lattices.found == -2
    kept = lattices.found == lattices.original
    kept &= ~skip
    change = np.flatnonzero(~skip & ~kept)
    original = lattices.original[change]
    pairs, pair = np.unique(lattices.found[change] * names + original, return_inverse=True)
    weight = np.zeros(len(skip))
    weight[skip] = lattices.original[skip] * np.log(NOISE)
    shared = lattices.shared[change]
    size = _sizes(lattices, names)
    new_found, new_original = size[lattices.found[change]] - shared, size[original] - shared
    prior = NEW * WORD**new_found * PHRASE ** (np.maximum(new_found, new_original) - 1.0 + shared)
    partable = np.maximum(0, np.minimum(new_found, new_original) - 1)
    fixed = shared * np.log(SHARED) + partable * np.log(PARTABLE)
    own = np.arange(len(change))  # one text alone: its other places are all the evidence there is
    if lattices.text.max() > lattices.text.min():
        _, own = np.unique(pair * (int(lattices.text.max()) + 1) + lattices.text[change], return_inverse=True)
    everywhere = np.zeros(len(skip))
    for left in range(passes - 1, -1, -1):
        posterior = everywhere[change]
        seen = np.bincount(pair, posterior, len(pairs))
        replaced = np.bincount(original, posterior, names)
        others = np.maximum(0, seen[pair] - np.bincount(own, posterior)[own])
        new = prior if left > 1 else prior * ALONE**shared
        weight[change] = fixed + np.log((others + new) / (total[original] - 1 + NEW))
        weight[kept] = np.log(np.maximum(LEAST_KEPT, 1 - replaced / (total + 1)))[lattices.original[kept]]
        everywhere = lattices.posterior(weight if left else SHARPER * weight)
    sound = _sound(corpus, lattices, skip, everywhere)
    posterior = np.where(sound[lattices.sentence[change]], everywhere[change], 0)
    return _counted(corpus, lattices, pairs, pair, posterior, lattices.occurrences(sound))


def _sound(corpus: Corpus, lattices: _Lattices, skip: NDArray[np.bool_], posterior: Doubles) -> NDArray[np.bool_]:
    """Which sentences were spun and not edited: few of their words came or went without being part of a pair."""
    size = np.frombuffer(corpus.sizes[0], np.int32)
    words = np.bincount(lattices.sentence[skip], (posterior * lattices.original)[skip], len(size))
    return np.asarray(words <= np.maximum(EDITED_WORDS, EDITED * size))


def _sizes(lattices: _Lattices, names: int) -> Ints:
    """Words in each phrase."""
    size = np.ones(names, np.int64)
    for n, row in enumerate(lattices.phrase, 1):
        size[row[row >= 0]] = n
    return size


def _counted(
    corpus: Corpus, lattices: _Lattices, pairs: Ints, pair: Ints, posterior: Doubles, total: Ints
) -> list[Counted]:
    """Pairs expected at one place at least."""
    seen = np.floor(np.bincount(pair, posterior, len(pairs)) + 0.5).astype(np.int64)
    sure = np.bincount(pair[posterior >= SURE], minlength=len(pairs))
    some = np.flatnonzero(seen > 0)
    found, original = pairs[some] // len(total), pairs[some] % len(total)
    name = _names(corpus, lattices, np.unique(np.concatenate([found, original])))
    return sorted(
        Counted(name[f], name[o], int(seen[n]), max(int(total[o]), int(seen[n])), int(sure[n]))
        for f, o, n in zip(found.tolist(), original.tolist(), some.tolist(), strict=True)
    )


def _names(corpus: Corpus, lattices: _Lattices, numbers: Ints) -> dict[int, str]:
    """The phrases that have these numbers, as keys."""
    words = list(corpus.words)
    word, gap = ([x for side in corpus.sides for x in getattr(side, name)] for name in ("word", "gap"))
    out: dict[int, str] = {}
    for n, row in enumerate(lattices.phrase, 1):
        present, place = np.unique(row, return_index=True)
        wanted = np.isin(present, numbers)
        for number, at in zip(present[wanted].tolist(), place[wanted].tolist(), strict=True):
            rest = (_JOINERS[gap[t]] + words[word[t]] for t in range(at + 1, at + n))
            out[number] = words[word[at]] + "".join(rest)
    return out
