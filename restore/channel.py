"""The channel: was a text spun, and which of its passages.

A spinner leaves traces in every sentence: phrases that it makes become
frequent, words that it replaces become rare. `Screen` holds for each listed
phrase the log of how much likelier it is in spun text than in untouched text,

    weight(x) = log [ (P(x) stay(x) + sum over originals o of P(x | o) P(o)) / P(x) ],

P from the context model, stay and P(x | o) from the lexicon. Summed over a
sentence this is the log-likelihood ratio of a naive Bayes detector; repeats of a
phrase count for less, as a text repeats what it is about (Church and Gale 1995). Sentences
are chained by a hidden Markov model (the document untouched; or each sentence spun
or quoted), so that a document's sentences vouch for each other and a clean
quotation in a spun page stays clean.

That is for dense families, whose spinner touches every sentence. A sparse family
(tortured papers) leaves few phrases among clean prose: each place that may be one
(`terms.Terms.places`) is judged on its own weight and on that of the others, all
as a mixture over how densely such phrases may stand (`places.smooth_places`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, expm1, log, log1p
from typing import Final

import numpy as np

from restore.context import ContextModel
from restore.lexicon import LONGEST, Lexicon, words_of
from restore.places import Place, apart, smooth_places
from restore.terms import Terms
from restore.text import Tokens, shape

SPUN_PRIOR: Final = 0.02  # of documents, before anything is read
# Chances that an untouched sentence (a quotation, boilerplate) follows a spun one, and that a spun one follows such a one:
WITHIN: Final = (0.003, 0.02)  # a paragraph
ACROSS: Final = (0.2, 0.2)  # two paragraphs: most pages are spun throughout or not at all
UNPARTED: Final = (0.22, 0.5)  # a text of one line, whose paragraphs are not to be seen
# A spinner may be the one whose table the lexicon holds, or one whose table has only a part of it: shares of a listed
# phrase's occurrences that have to do with the lexicon, and how likely such a spinner is.
TABLES: Final = ((1.0, 0.99), (0.7, 0.001))
STRANGER: Final = 0.3  # the same share, of a spinner with a table of its own (`thesaurus.py`)
UNLIKELY: Final = -7.0  # log odds below which another table is not looked into
SCALE: Final = 0.95  # evidence of neighbouring words is not independent; fitted on the training pairs
REPEATS: Final = 0.8  # the k-th place of a phrase counts as one in k to this power
FADES: Final = 300  # tokens by which an earlier place of a phrase counts by half for a later one
# The same of a sparse family where the caller names it, or says that a text was spun and names no dense one:
EVEN: Final = 0.5  # for the verdict
LEAST_ODDS: Final = -2.0  # log odds of a place from which on its originals are candidates
EXPLAINED: Final = 6.0  # taken off a place's weight where a dense family already explains the sentence
_BREAKS: Final = frozenset((".", ","))
_TELLING: Final = 1.0  # weight from which on a phrase counts as the spinner's
_CAP: Final = (-2.5, 2.4)  # of one phrase's weight


Trace = tuple[int, int, str, float]


@dataclass(frozen=True, slots=True)
class Passages:
    """Result of screening one text.

    sentences: token ranges. evidence: log-likelihood ratio of each, spun against
    untouched. spun: probability of each to have been spun, given all.
    probability: that any was. rate: expected share of tokens in the spinner's
    phrases. family: the likeliest one at work. dense: probability that a dense family was at work. table: which of
    `TABLES` explains the text best. untouched: log probability that no dense family was. places: the
    stretches that sparse families claim, each with its log odds, tortured
    against the author's own, given all the others. traces: the listed phrases, longest
    first and not overlapping: start, end, phrase, weight.
    """

    sentences: list[tuple[int, int]]
    evidence: list[float]
    spun: list[float]
    probability: float
    rate: float
    family: str | None
    places: tuple[tuple[Place, float], ...] = ()
    dense: float = 0.0
    table: float = 1.0
    untouched: float = 0.0
    traces: Sequence[Trace] = ()

    @classmethod
    def none(cls, sentences: list[tuple[int, int]]) -> Passages:
        """Of a text that nothing has touched."""
        return cls(sentences, [0.0] * len(sentences), [0.0] * len(sentences), 0.0, 0.0, None)


_FIRST: Final = re.compile(r"'s|(?:(?!'s\b)[^ -])+")  # token of a phrase


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
            tried = _smoothed(tokens, Passages(sentences, evidence, [], 0.0, 0.0, None, table=table, traces=traces))
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
                while end < last and gaps[end] not in _BREAKS:
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


def turns_of(
    tokens: Tokens,
    sentences: list[tuple[int, int]],
    across: tuple[float, float] = ACROSS,
    unparted: tuple[float, float] = UNPARTED,
) -> Iterator[tuple[float, float]]:
    """Chances to leave spun text and to come back, before each sentence but the first: where a paragraph ends, and
    anywhere in a text of one line."""
    gaps = [tokens.text[tokens.end[a - 1] : tokens.start[a]] for a, _ in sentences[1:]]
    parted = any("\n" in gap for gap in gaps)
    for gap in gaps:
        yield across if "\n" in gap else WITHIN if parted else unparted


def _smoothed(tokens: Tokens, passages: Passages) -> Passages:
    """Probabilities by the evidence of the sentences."""
    prior = SPUN_PRIOR * dict(TABLES)[passages.table]
    spun, untouched = smooth(passages.evidence, list(turns_of(tokens, passages.sentences)), prior)
    return replace(passages, spun=spun, untouched=untouched, probability=-expm1(untouched))


def smooth(
    evidence: Sequence[float], turns: Sequence[tuple[float, float]], prior: float = SPUN_PRIOR
) -> tuple[list[float], float]:
    """Posterior of each sentence to have been spun, and the log probability that none was.

    evidence: log-likelihood ratio of each sentence, spun against untouched.
    turns: between one sentence and the next, the chances to leave spun text and to come back.
    A document is untouched as a whole, or its sentences change between spun and
    quoted (clean passages in a spun page) as a Markov chain; forward-backward
    in the log domain.
    """
    if not evidence:
        return [], 0.0
    leave = turns[0][0] if turns else UNPARTED[0]
    spun, quoted = log(prior) + log1p(-leave) + evidence[0], log(prior) + log(leave)
    all_quoted = quoted
    forward = [(spun, quoted)]
    for e, (leave, back) in zip(evidence[1:], turns, strict=True):
        stays = quoted + log1p(-back)
        spun, quoted = _add(spun + log1p(-leave), quoted + log(back)) + e, _add(spun + log(leave), stays)
        all_quoted += log1p(-back)
        forward.append((spun, quoted))
    total = _add(_add(spun, quoted), log1p(-prior))
    posterior = [0.0] * len(evidence)
    after_spun = after_quoted = 0.0
    for i in range(len(evidence) - 1, -1, -1):
        posterior[i] = exp(min(0.0, forward[i][0] + after_spun - total))
        if i:
            leave, back = turns[i - 1]
            spun_here = evidence[i] + after_spun
            after_spun, after_quoted = (
                _add(log1p(-leave) + spun_here, log(leave) + after_quoted),
                _add(log(back) + spun_here, log1p(-back) + after_quoted),
            )
    return posterior, min(0.0, _add(log1p(-prior), all_quoted) - total)


def _add(x: float, y: float) -> float:
    """log(exp(x) + exp(y))."""
    return x + log1p(exp(y - x)) if x >= y else y + log1p(exp(x - y))
