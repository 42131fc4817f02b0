"""The screen: was a text spun, and which of its sentences, by words alone.

A spinner leaves traces in every sentence: phrases that it makes become
frequent, words that it replaces become rare. `Screen` holds for each listed
phrase the log of how much likelier it is in spun text than in untouched text,

    weight(x) = log [ (P(x) stay(x) + sum over originals o of P(x | o) P(o)) / P(x) ],

P from the context model, stay and P(x | o) from the lexicon. Summed over a
sentence this is the log-likelihood ratio of a naive Bayes detector; repeats of a
phrase count for less, as a text repeats what it is about (Church and Gale 1995). Sentences
are chained (`passages.py`).

That is for dense families, whose spinner touches every sentence. A sparse family
(tortured papers) leaves few phrases among clean prose: each place that may be one
(`sparse.terms.Terms.places`) is judged on its own weight and on that of the others, all
as a mixture over how densely such phrases may stand (`sparse.places.smooth_places`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import exp, expm1, log
from typing import Final

import numpy as np

from restore.context import ContextModel
from restore.lexicon import LONGEST, Lexicon, words_of
from restore.passages import SPUN_PRIOR, Passages, Trace, smooth, turns_of
from restore.sparse.places import Place, apart, smooth_places
from restore.sparse.terms import Terms
from restore.text import JOINED, Tokens, shape

# A spinner may be the one whose table the lexicon holds, or one whose table has only a part of it: shares of a listed
# phrase's occurrences that have to do with the lexicon, and how likely such a spinner is.
TABLES: Final = ((1.0, 0.99), (0.7, 0.001))
UNLIKELY: Final = -7.0  # log odds below which another table is not looked into
SCALE: Final = 0.95  # evidence of neighbouring words is not independent; fitted on the training pairs
REPEATS: Final = 0.8  # the k-th place of a phrase counts as one in k to this power
FADES: Final = 300  # tokens by which an earlier place of a phrase counts by half for a later one
EVEN: Final = (
    0.5  # prior of a sparse family where the caller names it, or says that a text was spun and names no dense one
)
LEAST_ODDS: Final = -2.0  # log odds of a place from which on its originals are candidates
EXPLAINED: Final = 6.0  # taken off a place's weight where a dense family already explains the sentence
_FIRST: Final = re.compile(r"'s|(?:(?!'s\b)[^ -])+")  # token of a phrase
_TELLING: Final = 1.0  # weight from which on a phrase counts as the spinner's
_CAP: Final = (-2.5, 2.4)  # of one phrase's weight


class Screen:
    """Fast detector: one dictionary look-up a word, no lattice.

    weights: of the lexicon's phrases, see `phrase_weights`. sparse: matchers of the sparse families.
    """

    def __init__(self, lexicon: Lexicon, weights: dict[str, float], sparse: Sequence[Terms] = ()):
        self._sparse = sparse
        self._prefixes = lexicon.prefixes
        self._options = lexicon.options
        self._weights = weights
        self._openings = set(map(_opening, filter(lambda phrase: not phrase.isalpha(), self._prefixes)))

    def dense(self, tokens: Tokens, assume_spun: bool = False) -> Passages:
        """Probability of each sentence to have been spun, given all of them, by the dense families."""
        sentences = tokens.sentences()
        if not sentences:
            return Passages.none(sentences)
        traces = self._traces(tokens)
        begin = np.fromiter((t[0] for t in traces), np.int64, len(traces))
        place = np.searchsorted([b for b, _ in sentences], begin, side="right") - 1
        weight = SCALE * np.fromiter(_discounted(traces), np.float64, len(traces))
        best: Passages | None = None
        for table, prior in TABLES:
            heard = weight if table == 1 else np.log1p(table * np.expm1(weight))
            evidence = np.bincount(place, heard, len(sentences)).tolist()
            if best and sum(e for e in evidence if e > 0) + log(SPUN_PRIOR * prior) < UNLIKELY:
                continue
            such = Passages(
                sentences, evidence, [], 0.0, 0.0, None, table=table, prior=SPUN_PRIOR * prior, traces=traces
            )
            tried = _smoothed(tokens, such)
            if best is None or tried.untouched < best.untouched:
                best = tried
        assert best is not None  # the first table is always looked at
        if assume_spun:
            best = replace(best, spun=[1.0] * len(sentences), probability=1.0)
        return self._described(tokens, best)

    def revised(self, tokens: Tokens, passages: Passages, evidence: Mapping[int, float]) -> Passages:
        """The dense families' passages once better evidence of some sentences is known."""
        known = [evidence.get(i, e) for i, e in enumerate(passages.evidence)]
        return self._described(tokens, _smoothed(tokens, replace(passages, evidence=known)))

    def _described(self, tokens: Tokens, passages: Passages) -> Passages:
        """With rate and family, where they were spun."""
        rate, family = 0.0, None
        if passages.probability >= 0.5:
            rate, family = self._extent(tokens, passages)
        return replace(passages, rate=rate, family=family, dense=passages.probability)

    def with_sparse(self, tokens: Tokens, dense: Passages, assume_spun: bool = False) -> Passages:
        """Passages of the dense families with the places of sparse ones; the verdict's family is the likeliest."""
        if not self._sparse or not dense.sentences:
            return dense
        claimed: list[tuple[Place, float]] = []
        clean = 1 - dense.probability
        best, family, share = dense.probability, dense.family, dense.rate
        explained = dense.probability >= 0.5 and bool(self._options)  # without a lexicon nothing is
        for matcher in self._sparse:
            places = matcher.places(tokens, spun=explained)
            if explained:
                places = list(_unexplained(places, dense))
            if not places:
                continue
            named = matcher.named or (assume_spun and not self._options)
            odds, probability = smooth_places(places, len(tokens), EVEN if named else matcher.prior(tokens, places))
            if named:  # each place is judged as one of a text that has some
                odds, _ = smooth_places(places, len(tokens), some=True)
                probability = max(probability, 1 / (1 + exp(-max(odds))))
            kept = [(p, o) for p, o in zip(places, odds, strict=True) if o > LEAST_ODDS]
            claimed += kept
            clean *= 1 - probability
            words = sum(p.end - p.start for p in apart([p for p, o in kept if o > 0]))
            if probability >= 0.5:
                share = min(1.0, share + words / len(tokens))
            if probability > best or (family is None and probability >= 0.5):
                best, family = probability, matcher.name
        return replace(dense, probability=1 - clean, rate=share, family=family, places=tuple(claimed))

    def _traces(self, tokens: Tokens) -> list[Trace]:
        """The listed phrases of a text, longest first and not overlapping."""
        keys, gaps, prefixes, weights, openings = tokens.key, tokens.gap, self._prefixes, self._weights, self._openings
        found: list[Trace] = []
        after = 0
        for i in [i for i, key in enumerate(keys) if key in prefixes]:
            if i < after:
                continue
            phrase = best = keys[i]
            weight, after = weights.get(phrase), i + 1
            if phrase in openings:
                end, last = after, min(len(keys), i + LONGEST)
                while end < last and gaps[end] in JOINED:
                    phrase += gaps[end] + keys[end]
                    if phrase not in prefixes:
                        break
                    end += 1
                    longer = weights.get(phrase)
                    if longer is not None:
                        weight, after, best = longer, end, phrase
            if weight is not None:
                found.append((i, after, best, weight))
        return found

    def _extent(self, tokens: Tokens, passages: Passages) -> tuple[float, str | None]:
        """Expected share of tokens in the spinner's phrases, and the family that these speak for most."""
        sentences, spun = passages.sentences, passages.spun
        share = 0.0
        support: dict[str, float] = {}
        at = 0
        for i, end, phrase, weight in passages.traces:
            while i >= sentences[at][1]:
                at += 1
            if weight > _TELLING and phrase in self._options:
                share += spun[at] * (end - i)
                family = self._options[phrase][0].family
                support[family] = support.get(family, 0.0) + spun[at] * weight
        return share / len(tokens), max(support, key=lambda name: support[name], default=None)


def _discounted(traces: Iterable[Trace]) -> Iterator[float]:
    """Weights of phrases, the k-th place of one that speaks for a spinner counting less than the first.

    Earlier places fade by half every `FADES` tokens, so that a long text is judged all through.
    """
    places: dict[str, tuple[float, int]] = {}
    for begin, _, phrase, weight in traces:
        times, last = places.get(phrase, (0.0, begin))
        times = 1 + times * 0.5 ** ((begin - last) / FADES)
        places[phrase] = times, begin
        yield weight / times**REPEATS if weight > 0 else weight


def _unexplained(places: Sequence[Place], dense: Passages) -> Iterator[Place]:
    """Places with less weight in sentences that a dense family has spun."""
    at = 0
    for p in places:
        while p.start >= dense.sentences[at][1]:
            at += 1
        weight = p.weight - EXPLAINED * dense.spun[at]
        if weight > 0:
            yield p._replace(weight=weight)


def _opening(phrase: str) -> str:
    """The first token of a phrase."""
    word = phrase.partition(" ")[0]
    match = None if word.isalpha() else _FIRST.match(word)
    return match.group() if match else word


def phrase_weights(lexicon: Lexicon, model: ContextModel) -> dict[str, float]:
    """Screening weight of every phrase that a lexicon lists on either side."""
    phrases = list({*lexicon.options, *lexicon.stay})
    index = {p: i for i, p in enumerate(phrases)}
    log_p = model.phrases([[shape(w) for w in words_of(p)] for p in phrases]).astype(np.float64)
    arcs = [(index[found], index[o.original], o.rate) for found, options in lexicon.options.items() for o in options]
    found, original, rate = (np.array(column) for column in zip(*arcs, strict=True)) if arcs else 3 * [np.empty(0, int)]
    made = np.full(len(phrases), -np.inf)
    np.logaddexp.at(made, found, np.log(rate) + log_p[original])
    stay = np.array([lexicon.stay.get(p, 1.0) for p in phrases])
    ratio = np.logaddexp(np.log(stay), made - log_p)
    return dict(zip(phrases, np.clip(ratio, *_CAP).tolist(), strict=True))


def _smoothed(tokens: Tokens, passages: Passages) -> Passages:
    """Probabilities by the evidence of the sentences."""
    spun, untouched = smooth(passages.evidence, list(turns_of(tokens, passages.sentences)), passages.prior)
    return replace(passages, spun=spun, untouched=untouched, probability=-expm1(untouched))
