"""Compositions around what is sure or telling: the likeliest reading of a run of words, by a small Viterbi search.

P(word | word before) mixes the context model with a sparse family's terms (`model.py`), so that originals are found
that are no known term, but that the context model holds for a common phrase or whose head is a term's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import exp, inf, log
from typing import Final, NamedTuple

import numpy as np

from restore.buckets import hashes
from restore.context import SENTENCE, ContextModel
from restore.memo import Memo
from restore.sparse.model import FLOOR, RARE_SHARE, SMALL, TERM_SHARE, TermModel
from restore.sparse.places import LEAST_RATIO, Draft, Place, changed_words
from restore.sparse.segments import Segments, surface
from restore.sparse.tables import Listed, Tables, term_key
from restore.text import JOINED, PROTECTED_WORD, Tokens, shape

TELLING: Final = 3.0  # log-likelihood ratio from which a word alone is worth a closer look
HINT: Final = -0.5  # of a word, from which on its pairs with its neighbours are looked at
REMEMBERED: Final = 200_000  # pairs of words whose gain is kept between texts
GAIN: Final = 5.0  # log-likelihood ratio of a pair that makes it worth a closer look
APART: Final = 1.0  # association below which neighbouring changes are two
BOUND: Final = 2.5  # least association (nats) of an original's words with each other or with their neighbours
SURE: Final = 4.0  # weight of a place from which on its neighbours are looked at
REACH: Final = 3  # neighbours of a trigger that are looked at on either side
MAX_WORDS: Final = 12  # originals tried for one segment
PATHS: Final = 4  # readings kept for each last word

_LINKS: Final = frozenset("of and to in for with".split())

Pairs = dict[tuple[str, str], float]  # log P(second word | first)


class _Arc(NamedTuple):
    """A reading of some tokens. score: log share; kept: the tokens as they stand."""

    start: int
    end: int
    words: tuple[str, ...]
    score: float
    kept: bool


class Runs:
    """Finds and decodes the runs of one family."""

    def __init__(
        self, name: str, listed: Listed, tables: Tables, segments: Segments, terms: TermModel, model: ContextModel
    ):
        self._name = name
        self._listed, self._tables, self._segments = listed, tables, segments
        self._terms, self._model = terms, model
        self._strength: dict[str, float] = {}
        self._gains = Memo[tuple[str, str], float](REMEMBERED)

    def places(self, tokens: Tokens, starts: list[int], known: Sequence[Place], drafts: list[Draft]) -> Iterator[Place]:
        """Compositions around the sure ones of `known` places, and around what is telling among the tokens that may be
        replaced (`starts`)."""
        triggers = {i for p in known if p.weight > SURE for i in range(p.start, p.end)}
        triggers |= self._telling(tokens, starts)
        for begin, end in self._runs(tokens, triggers):
            yield from self._decoded(tokens, begin, end, drafts)

    def _telling(self, tokens: Tokens, starts: list[int]) -> set[int]:
        """Tokens that are far likelier in a tortured paper than in clean text, alone or with the next one."""
        keys, gaps, known = tokens.key, tokens.gap, self._strength
        new = sorted({keys[i] for i in starts if keys[i] not in known})
        if new:
            known.update(zip(new, self._strengths(new), strict=True))
        telling = {i for i in starts if known[keys[i]] >= TELLING}
        at: dict[tuple[str, str], list[int]] = {}
        for i in starts:
            own = known[keys[i]]
            if own < HINT:
                continue
            for j in (i - 1, i):
                if 0 <= j < len(keys) - 1 and gaps[j + 1] in JOINED:
                    x, y = keys[j], keys[j + 1]
                    if x not in SMALL and y not in SMALL:
                        at.setdefault((x, y), []).append(j)
        if fresh := self._gains.missing(at):
            self._gains.update(zip(fresh, self._pair_gains(fresh), strict=True))
        telling.update(
            i for pair, places in at.items() if self._gains[pair] >= GAIN for j in places for i in (j, j + 1)
        )
        return telling

    def _pair_gains(self, pairs: list[tuple[str, str]]) -> list[float]:
        """Log-likelihood ratio of the best reading of two neighbouring words; only for pairs that the model lacks."""
        first, second = hashes(shape(x) for x, _ in pairs), hashes(shape(y) for _, y in pairs)
        held, usual = self._model.seen(first, second)
        gains = [-inf] * len(pairs)
        asked: list[tuple[int, str, str, float]] = []
        for k, (x, y) in enumerate(pairs):
            if held[k]:
                continue
            for o, s in self._segments.of(x)[: MAX_WORDS // 2 + 2]:
                for q, t in self._segments.of(y)[: MAX_WORDS // 2 + 2]:
                    v, w = surface(o), surface(q)
                    if (v, w) != (x, y):
                        asked.append((k, v.rpartition(" ")[2], w.partition(" ")[0], s + t))
        if not asked:
            return gains
        one, other = hashes(q[1] for q in asked), hashes(q[2] for q in asked)
        alone = np.maximum(self._model.unigram(one), FLOOR)
        after, _ = self._model.bigram(one, other, self._model.unigram(other))
        for (k, x, y, share), p, q in zip(asked, alone.tolist(), np.maximum(after, FLOOR).tolist(), strict=True):
            score = share + self._terms.mixed(SENTENCE, x, p) + self._terms.mixed(x, y, q)
            gains[k] = max(gains[k], score - max(float(usual[k]), 2 * FLOOR))
        return gains

    def _strengths(self, words: list[str]) -> Iterator[float]:
        """Log-likelihood ratio of each word, tortured against clean."""
        made = [[(surface(o), s) for o, s in self._segments.of(w)[1:] if " " not in o] for w in words]
        index = {w: k for k, w in enumerate(dict.fromkeys([*words, *(o for m in made for o, _ in m)]))}
        usual = self._model.unigram(hashes(map(shape, index))).astype(float)
        for word, options in zip(words, made, strict=True):
            own = max(float(usual[index[word]]), FLOOR)
            total = sum(
                exp(s) * (exp(max(usual[index[o]], FLOOR)) + TERM_SHARE * self._terms.words.get(o, 0.0))
                for o, s in options
            )
            yield log(total) - own if total else -inf

    def _runs(self, tokens: Tokens, triggers: set[int]) -> Iterator[tuple[int, int]]:
        """Stretches of neighbouring words that hold a trigger; small words only inside them."""
        keys, gaps, after = tokens.key, tokens.gap, 0

        def joins(i: int) -> bool:
            """Whether a run may go on with a token."""
            if keys[i] == PROTECTED_WORD or keys[i].isdigit():
                return False
            return keys[i] not in SMALL or keys[i] in _LINKS or self._segments.hold(keys, i)

        for i in sorted(triggers):
            if i < after or keys[i] == PROTECTED_WORD:
                continue
            begin = i
            while begin > after and i - begin < REACH and gaps[begin] in JOINED and joins(begin - 1):
                begin -= 1
            end, last = i + 1, i
            while end < len(keys) and gaps[end] in JOINED and end - last <= REACH and joins(end):
                last = end if end in triggers and end - begin < 3 * REACH else last
                end += 1
            while begin < end and keys[begin] in _LINKS and not self._segments.hold(keys, begin):
                begin += 1
            while begin < end and keys[end - 1] in _LINKS and not self._segments.hold(keys, end - 1):
                end -= 1
            after = max(end, i + 1)
            if begin < end:
                yield begin, end

    def _decoded(self, tokens: Tokens, begin: int, end: int, drafts: list[Draft]) -> Iterator[Place]:
        """The likeliest reading of a run, and for each stretch that it changes the rivals and the weight."""
        keys = tokens.key
        arcs = self._arcs(keys, begin, end, drafts)
        left = keys[begin - 1] if begin and tokens.gap[begin] in JOINED else SENTENCE
        right = keys[end] if end < len(keys) and tokens.gap[end] in JOINED else SENTENCE
        pairs = self._pair_table(arcs, begin, end, left, right)
        paths = _best_paths(arcs, begin, end, left, right, pairs)
        if not paths:
            return
        score, path = paths[0]
        joints = [(a.words[-1], b.words[0]) for a, b in pairwise(path)]
        alone = self._model.unigram(hashes(y for _, y in joints)).tolist() if joints else []
        bound = [pairs[p] - max(a, FLOOR) >= APART for p, a in zip(joints, alone, strict=True)]
        for lo, hi in _changed(path, bound):
            first, last = path[lo].start, path[hi - 1].end
            own = [a for i in range(first, last) for a in arcs[i] if a.kept]
            reverted = _path_score([*path[:lo], *own, *path[hi:]], left, right, pairs)
            options = _rivals(paths, lo, hi)
            top = log(sum(exp(v - score) for v in options.values()))
            weight = score + top - reverted
            if last - first == 1 and tokens.text[tokens.start[first] : tokens.end[first]].isupper():
                continue  # an acronym, not a paraphrase
            if weight > LEAST_RATIO and " ".join(keys[first:last]) not in self._tables.ordinary:
                gaps = tokens.gap[first + 1 : last]
                yield Place(
                    first,
                    last,
                    weight,
                    tuple(
                        self._listed.option(" ".join(w), gaps, exp(v - score), self._name) for w, v in options.items()
                    ),
                    tuple(v - score - top for v in options.values()),
                    frozenset(changed_words(keys[first:last], next(iter(options)))),
                    loose=not self._bound(path, lo, hi, left, right, pairs),
                )

    def _bound(self, path: list[_Arc], lo: int, hi: int, left: str, right: str, pairs: Pairs) -> bool:
        """Whether a composition's words go with each other or with their neighbours."""
        inner = [w for a in path[lo:hi] for w in a.words]
        before = path[lo - 1].words[-1] if lo else left
        after = path[hi].words[0] if hi < len(path) else right
        words = [before, *inner, after]
        known = [p for p in pairwise(words) if p[0] not in SMALL and p[1] not in SMALL and SENTENCE not in p]
        alone = self._model.unigram(hashes(y for _, y in known)).tolist() if known else []
        technical = any(y in self._terms.heads and self._terms.technical(x) >= RARE_SHARE / 2 for x, y in known)
        return technical or any(pairs.get(p, FLOOR) - max(a, FLOOR) >= BOUND for p, a in zip(known, alone, strict=True))

    def _arcs(self, keys: Sequence[str], begin: int, end: int, drafts: list[Draft]) -> dict[int, list[_Arc]]:
        arcs: dict[int, list[_Arc]] = {}
        for i in range(begin, end):
            here = arcs[i] = [_Arc(i, i + 1, (shape(keys[i]),), self._segments.kept(keys[i]), True)]
            segment = keys[i]
            for j in range(i + 1, min(end, i + self._tables.long_first.get(keys[i], 1)) + 1):
                segment += "" if j == i + 1 else " " + keys[j - 1]
                made = [(surface(o), s) for o, s in self._segments.of(segment)]
                made = [(o, s) for o, s in made if o != segment]
                made.sort(key=lambda o: -o[1] - log(self._terms.words.get(o[0].rpartition(" ")[2], 0.0) + 1e-5))
                here += [_Arc(i, j, tuple(o.split()), s, False) for o, s in made[:MAX_WORDS]]
        for d in drafts:
            if begin <= d.start and d.end <= end and d.end > d.start + 1 and d.met is not None:
                for original, (joint, _) in d.options.items():
                    share = joint - self._tables.term_weight(original) + 1.0
                    arcs[d.start].append(_Arc(d.start, d.end, tuple(term_key(original).split()), share, False))
        return arcs

    def _pair_table(self, arcs: dict[int, list[_Arc]], begin: int, end: int, left: str, right: str) -> Pairs:
        """Log P(second | first) of all neighbouring words that arcs may give: context model and terms, mixed."""
        wanted: dict[tuple[str, str], None] = {}
        ending: dict[int, set[str]] = {begin: {left}}
        for i in range(begin, end):
            for a in arcs[i]:
                for before in ending.get(i, ()):
                    wanted[before, a.words[0]] = None
                wanted.update(((x, y), None) for x, y in pairwise(a.words))
                ending.setdefault(a.end, set()).add(a.words[-1])
        wanted.update(((before, right), None) for before in ending.get(end, ()))
        return self._terms.logs(list(wanted))


def _best_paths(
    arcs: dict[int, list[_Arc]], begin: int, end: int, left: str, right: str, pairs: Pairs
) -> list[tuple[float, list[_Arc]]]:
    """The likeliest readings of a run, best first (Viterbi with several paths a state)."""
    states: dict[int, dict[str, list[tuple[float, list[_Arc]]]]] = {begin: {left: [(0.0, [])]}}
    for i in range(begin, end):
        for word, paths in states.pop(i, {}).items():
            for a in arcs[i]:
                step = a.score + pairs[word, a.words[0]] + sum(pairs[x, y] for x, y in pairwise(a.words))
                group = states.setdefault(a.end, {}).setdefault(a.words[-1], [])
                group += [(score + step, [*path, a]) for score, path in paths]
                if len(group) > 3 * PATHS:
                    group.sort(key=lambda g: -g[0])
                    del group[PATHS:]
    final = [(score + pairs[word, right], path) for word, paths in states.get(end, {}).items() for score, path in paths]
    return sorted(final, key=lambda p: -p[0])[: 2 * PATHS]


def _path_score(path: list[_Arc], left: str, right: str, pairs: Pairs) -> float:
    words = [left, *(w for a in path for w in a.words), right]
    return sum(a.score for a in path) + sum(pairs.get(p, FLOOR) for p in pairwise(words))


def _rivals(paths: list[tuple[float, list[_Arc]]], lo: int, hi: int) -> dict[tuple[str, ...], float]:
    """Alternatives for arcs lo to hi of the best path, itself first: words -> score of the whole path. Only paths
    that agree with the best one everywhere else count."""
    best = paths[0][1]
    first, last = best[lo].start, best[hi - 1].end
    around = [a.words for a in best[:lo]], [a.words for a in best[hi:]]
    options: dict[tuple[str, ...], float] = {}
    for score, path in paths:
        inner = [a for a in path if first <= a.start < last]
        if inner and inner[0].start == first and inner[-1].end == last and any(not a.kept for a in inner):
            outer = [a.words for a in path if a.end <= first], [a.words for a in path if a.start >= last]
            if outer == around:
                options.setdefault(tuple(w for a in inner for w in a.words), score)
    return options


def _changed(path: list[_Arc], bound: list[bool]) -> Iterator[tuple[int, int]]:
    """Stretches of arcs that change something and belong together; `bound`: whether an arc and the next one do."""
    lo = -1
    for k, a in enumerate(path):
        if a.kept:
            lo = -1
            continue
        lo = k if lo < 0 else lo
        if k + 1 == len(path) or path[k + 1].kept or not bound[k]:
            yield lo, k + 1
            lo = -1
