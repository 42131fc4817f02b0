"""The channel: was a text spun, and which of its passages.

A spinner leaves traces in every sentence: phrases that it makes become
frequent, words that it replaces become rare. `Screen` holds for each listed
phrase the log of how much likelier it is in spun text than in untouched text,

    weight(x) = log [ (P(x) stay(x) + sum over originals o of P(x | o) P(o)) / P(x) ],

P from the context model, stay and P(x | o) from the lexicon. Summed over a
sentence this is the log-likelihood ratio of a naive Bayes detector. Sentences
are chained by a two-state hidden Markov model (untouched, spun), so that a
document's sentences vouch for each other and a clean quotation stays clean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, expm1, log, log1p
from typing import Final

import numpy as np

from restore.context import ContextModel
from restore.lexicon import LONGEST, Lexicon
from restore.text import Tokens, shape

SPUN_PRIOR: Final = 0.05  # of documents, before anything is read
ENTER: Final = 0.0005  # chance that a spun sentence follows an untouched one: spinners take whole pages
LEAVE: Final = 0.03  # chance that an untouched one (a quotation, boilerplate) follows a spun one
SCALE: Final = 0.7  # evidence of neighbouring words is not independent; fitted on the training pairs
_BREAKS: Final = frozenset((".", ","))
_TELLING: Final = 1.0  # weight from which on a phrase counts as the spinner's
_CAP: Final = (-2.5, 5.0)  # of one phrase's weight


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a text was spun.

    spun: probability at least one half. probability: that any of it was spun.
    rate: share of its words that lie in spun passages' substituted phrases (an
    estimate). family: the lexicon at work, None where not spun.
    """

    spun: bool
    probability: float
    rate: float
    family: str | None


@dataclass(frozen=True, slots=True)
class Passages:
    """Result of screening one text.

    sentences: token ranges. evidence: log-likelihood ratio of each, spun against
    untouched. spun: probability of each to have been spun, given all.
    probability: that any was. rate: expected share of tokens in the spinner's
    phrases. family: the one whose phrases weigh most.
    """

    sentences: list[tuple[int, int]]
    evidence: list[float]
    spun: list[float]
    probability: float
    rate: float
    family: str | None


class Screen:
    """Fast detector: one dictionary look-up a word, no lattice."""

    def __init__(self, lexicon: Lexicon, model: ContextModel):
        self._prefixes = lexicon.prefixes
        self._options = lexicon.options
        self._weights = phrase_weights(lexicon, model)

    def passages(self, tokens: Tokens, assume_spun: bool = False) -> Passages:
        """Probability of each sentence to have been spun, given all of them."""
        sentences = tokens.sentences()
        if not sentences:
            return Passages([], [], [], 0.0, 0.0, None)
        traces = list(self._traces(tokens))
        evidence = [0.0] * len(sentences)
        at = 0
        for i, _, _, weight in traces:
            while i >= sentences[at][1]:
                at += 1
            evidence[at] += SCALE * weight
        spun, probability = smooth(evidence)
        if assume_spun:
            spun, probability = [1.0] * len(spun), 1.0
        if probability < 0.5:
            return Passages(sentences, evidence, spun, probability, 0.0, None)
        return Passages(sentences, evidence, spun, probability, *self._extent(tokens, sentences, spun, traces))

    def _traces(self, tokens: Tokens) -> Iterator[tuple[int, int, str, float]]:
        """The listed phrases of a text, longest first and not overlapping: start, end, phrase, weight."""
        keys, gaps, prefixes, weights = tokens.key, tokens.gap, self._prefixes, self._weights
        after = 0
        for i, phrase in enumerate(keys):
            if i < after or phrase not in prefixes:
                continue
            weight, after, end = weights.get(phrase), i + 1, i + 1
            best = phrase
            last = min(len(keys), i + LONGEST)
            while end < last and gaps[end] not in _BREAKS:
                phrase += gaps[end] + keys[end]
                if phrase not in prefixes:
                    break
                end += 1
                longer = weights.get(phrase)
                if longer is not None:
                    weight, after, best = longer, end, phrase
            if weight is not None:
                yield i, after, best, weight

    def _extent(
        self,
        tokens: Tokens,
        sentences: list[tuple[int, int]],
        spun: list[float],
        traces: list[tuple[int, int, str, float]],
    ) -> tuple[float, str | None]:
        """Expected share of tokens in the spinner's phrases, and the family that these speak for most."""
        share = 0.0
        support: dict[str, float] = {}
        at = 0
        for i, end, phrase, weight in traces:
            while i >= sentences[at][1]:
                at += 1
            if weight > _TELLING and phrase in self._options:
                share += spun[at] * (end - i)
                family = self._options[phrase][0].family
                support[family] = support.get(family, 0.0) + spun[at] * weight
        return share / len(tokens), max(support, key=lambda name: support[name], default=None)


def phrase_weights(lexicon: Lexicon, model: ContextModel) -> dict[str, float]:
    """Screening weight of every phrase that a lexicon lists on either side."""
    phrases = list({*lexicon.options, *lexicon.stay})
    index = {p: i for i, p in enumerate(phrases)}
    words = [[shape(w) for w in p.replace("-", " ").replace("'s", " 's").split()] for p in phrases]
    log_p = model.phrases(words).astype(np.float64)
    made = np.full(len(phrases), -np.inf)
    for found, options in lexicon.options.items():
        terms = [log(o.rate) + log_p[index[o.original]] for o in options]
        top = max(terms)
        made[index[found]] = top + log(sum(exp(t - top) for t in terms))
    stay = np.array([lexicon.stay.get(p, 1.0) for p in phrases])
    ratio = np.logaddexp(np.log(stay), made - log_p)
    return dict(zip(phrases, np.clip(ratio, *_CAP).tolist(), strict=True))


def smooth(
    evidence: Sequence[float], prior: float = SPUN_PRIOR, enter: float = ENTER, leave: float = LEAVE
) -> tuple[list[float], float]:
    """Posterior of the spun state by sentence, and that of any sentence being spun.

    evidence: log-likelihood ratio of each sentence, spun against untouched.
    Forward-backward over two states in the log domain.
    """
    if not evidence:
        return [], 0.0
    stay_clean, stay_spun = log1p(-enter), log1p(-leave)
    to_spun, to_clean = log(enter), log(leave)
    clean, spun = log1p(-prior), log(prior) + evidence[0]
    forward = [(clean, spun)]
    for e in evidence[1:]:
        clean, spun = _add(clean + stay_clean, spun + to_clean), _add(spun + stay_spun, clean + to_spun) + e
        forward.append((clean, spun))
    total = _add(clean, spun)
    posterior = [0.0] * len(evidence)
    after_clean = after_spun = 0.0
    for i in range(len(evidence) - 1, -1, -1):
        posterior[i] = exp(min(0.0, forward[i][1] + after_spun - total))
        spun_here = evidence[i] + after_spun
        after_clean, after_spun = (
            _add(stay_clean + after_clean, to_spun + spun_here),
            _add(to_clean + after_clean, stay_spun + spun_here),
        )
    untouched = log1p(-prior) + (len(evidence) - 1) * stay_clean
    return posterior, -expm1(min(0.0, untouched - total))


def _add(x: float, y: float) -> float:
    """log(exp(x) + exp(y))."""
    return x + log1p(exp(y - x)) if x >= y else y + log1p(exp(x - y))
