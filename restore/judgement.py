"""Whether a spinner whose table nobody has was at work: log odds by words alone, and after decoding.

Logistic regressions, fitted by `python -m restore.learning thesaurus-judge` and `own-table-judge` on texts that were
spun for it and on clean ones, evenly; the priors here are what makes their odds those of a text as it comes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, log, sqrt
from typing import Final, NamedTuple

import numpy as np

from restore.evidence import Evidence

GATE: Final = (-3.0, 1.0)  # evidence of words alone from which on a text is decoded: constant, each hundred tokens
LEAST_GATE: Final = 1.0  # but no less: of three sources, no window of 12 to 200 words was convicted from below
OWN_GATE: Final = -0.5  # the same, each hundred tokens, to be decoded as by a spinner with a table of its own
LEAST_OWN_GATE: Final = -4.0  # but no less: in a long text words recur and say nothing new
UNREAD: Final = -1.0  # log odds that words alone can at most give
LEAST_READ: Final = 0.1  # hundreds of tokens, as which a shorter text counts
MOST_READ: Final = 10.0  # the same, as which a longer one counts by its length alone
ALONE_PRIOR: Final = -4.5  # log odds of any text to have been spun so
PRIOR: Final = -2.0  # of one that words alone do not clear
OWN_PRIOR: Final = -4.5  # to have been spun by a table of its own: good English full of spinners' phrases comes near


class WordsAlone(NamedTuple):
    """Coefficients of the log odds by words alone: constant, their evidence, hundreds of tokens."""

    constant: float
    evidence: float
    length: float


class BySynonyms(NamedTuple):
    """Coefficients of the log odds after decoding with synonyms, in the order of `features`."""

    constant: float
    ratio: float
    distinct: float
    length: float
    coherence: float
    archaic: float


class ByOwnTable(NamedTuple):
    """Coefficients of the log odds after decoding as by a spinner with a table of its own: constant, the lattice's
    ratio, expected different changes, hundreds of tokens that could be changed, evidence of the words alone (whose
    weight is negative: what context adds). They are linear, so that the sentences of a text add up to it."""

    constant: float
    ratio: float
    distinct: float
    free: float
    strange: float

    def added(self, read: Evidence, strange: float) -> float:
        """What a text, or a sentence, adds to the constant."""
        return self.ratio * read.ratio + self.distinct * read.distinct + self.free * read.free + self.strange * strange


WORDS_ALONE: Final = WordsAlone(-0.818, 0.194, -0.442)
BY_SYNONYMS: Final = BySynonyms(0.101, 0.342, -0.559, 1.043, 1.152, -3.16)
BY_OWN_TABLE: Final = ByOwnTable(-0.047, 0.542, -0.304, -2.312, -0.541)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a text was spun by such a spinner.

    log_odds: that it was. alone: log-likelihood ratio in nats, spun against untouched, of the words alone; strange: the
    same for a spinner with a table of its own. source: the thesaurus. archaic: words of older or formal English per
    hundred tokens, capped at one. rate: expected share of tokens that were replaced; zero where the text was not
    decoded. own_table: whether the spinner seems to have a table of its own (which shares some entries with the listed
    families'). spun: probability of each sentence if any was; empty: one.
    """

    log_odds: float
    alone: float
    strange: float
    source: str
    archaic: float = 0.0
    rate: float = 0.0
    own_table: bool = False
    spun: tuple[float, ...] = ()

    @property
    def probability(self) -> float:
        """Of having been spun."""
        return 1 / (1 + exp(min(700.0, -self.log_odds)))


def by_words(alone: float, strange: float, source: str, archaic: float, size: int) -> Judgement:
    """The judgement of a text of `size` tokens by its words alone, which never convict."""
    log_odds = ALONE_PRIOR + float(np.dot(WORDS_ALONE, (1, alone, size / 100)))
    return Judgement(min(UNREAD, log_odds), alone, strange, source, archaic)


def by_synonyms(alone: Judgement, size: int, read: Evidence) -> Judgement:
    """The judgement of a text of `size` tokens after decoding with synonyms. With no sentence long enough to count, the
    log odds are `UNREAD`."""
    log_odds = PRIOR + float(np.dot(BY_SYNONYMS, features(alone, read))) if read.words else UNREAD
    return replace(alone, log_odds=log_odds, rate=read.changes / max(1, size), own_table=False)


def by_own_table(alone: Judgement, size: int, read: Evidence) -> Judgement:
    """The judgement of a text of `size` tokens after decoding as by a spinner with a table of its own."""
    log_odds = OWN_PRIOR + BY_OWN_TABLE.constant + BY_OWN_TABLE.added(read, alone.strange)
    return replace(alone, log_odds=log_odds, rate=read.changes / max(1, size), own_table=True)


def features(alone: Judgement, read: Evidence) -> tuple[float, ...]:
    """Features for `BY_SYNONYMS`: constant, ratio and changes (both by the square root of the length), log length,
    coherence, archaic words. They tell a spinner from an author who likes rare words. Sentences of one text are not
    independent, so evidence grows with the root of the length."""
    root = sqrt(max(LEAST_READ, read.words))
    length = log(min(max(LEAST_READ, read.words), MOST_READ))
    return 1.0, read.ratio / root, read.distinct / root, length, read.coherence, alone.archaic


def gate(size: int) -> float:
    """Evidence of the words alone from which on a text of `size` tokens is decoded."""
    return max(GATE[0] + GATE[1] * size / 100, LEAST_GATE)


def own_gate(size: int) -> float:
    """The same, to be decoded as by a spinner with a table of its own."""
    return max(OWN_GATE * size / 100, LEAST_OWN_GATE)
