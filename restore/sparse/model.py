"""Which words follow each other in terms: a bigram model of a family's terms, mixed with the context model.

A pair that no term has backs off to how often the word follows another in terms
(heads are shared: an unknown word before "corrosive" is an acid), as far as the
word before is a technical one.
"""

from __future__ import annotations

from math import exp, log
from typing import Any, Final, NamedTuple

from restore.buckets import hashes
from restore.context import SENTENCE, ContextModel
from restore.memo import Memo

MIX: Final = 0.4  # weight of terms against the context model in P(word | word before)
TERM_SHARE: Final = 0.05  # share of a paper's words that begin a term
RARE_SHARE: Final = 0.4  # P(a word that the context model hardly knows is part of a term that goes on)
RARE_WORD: Final = -13.0  # log probability of such a word
SPARSE: Final = 2e-4  # added to the weight of a word in terms
REMEMBERED: Final = 30_000  # words whose share is kept between texts
FLOOR: Final = -13.0  # least log probability of one found word: the model's rare words are not that telling
SMALL: Final = frozenset(
    "a an the and or but of in on at to for by with from as is was are were be been it its this that these we not".split()
)


class Counts(NamedTuple):
    """What a family's terms say of words.

    pairs: weights of neighbouring words, after "" of first ones. heads: how often a word follows another. words: weight
    of each word.
    """

    pairs: dict[str, dict[str, float]]
    heads: dict[str, float]
    words: dict[str, float]


class TermModel:
    """P(word | word before) in a paper that has a family's terms."""

    def __init__(self, counts: Counts, model: ContextModel):
        self.pairs, self.heads, self.words = counts
        self._model = model
        self._technicals = Memo[str, float](REMEMBERED)

    def mixed(self, before: str, word: str, usual: float) -> float:
        """Log P(word | before). usual: the same by the context model."""
        group = self.pairs.get(before)
        weight = self.words.get(before, 0.0)
        in_terms = group.get(word, 0.0) / (weight + SPARSE) if group else 0.0
        head = self.heads.get(word, 0.0) * self.technical(before) if before != SENTENCE else 0.0
        start = TERM_SHARE * self.pairs[""].get(word, 0.0)
        return log(MIX * (in_terms + head + start) + (1 - MIX) * exp(max(usual, FLOOR)))

    def logs(self, pairs: list[tuple[str, str]]) -> dict[tuple[str, str], float]:
        """Log P(second | first) of neighbouring words: context model and terms, mixed."""
        if not pairs:
            return {}
        first, second = hashes(x for x, _ in pairs), hashes(y for _, y in pairs)
        usual, _ = self._model.bigram(first, second, self._model.unigram(second))
        return {(x, y): self.mixed(x, y, p) for (x, y), p in zip(pairs, usual.tolist(), strict=True)}

    def technical(self, word: str) -> float:
        """Probability that a word is part of a term that goes on, where its terms do not say how."""
        known = self._technicals.get(word)
        if known is None:
            usual = float(self._model.unigram(hashes([word]))[0])
            weight = self.words.get(word, 0.0)
            share = RARE_SHARE if usual <= RARE_WORD else min(RARE_SHARE, 3 * TERM_SHARE * weight / exp(usual))
            known = self._technicals[word] = share * SPARSE / (weight + SPARSE)
        return 0.0 if word in SMALL else known


def counted(terms: dict[str, Any]) -> Counts:
    """Weights of words and of their neighbours in the terms of a trie (words; the key "" holds a term's log weight)."""
    pairs: dict[str, dict[str, float]] = {}
    heads: dict[str, float] = {}
    words: dict[str, float] = {}

    def visit(node: dict[str, Any], before: str) -> float:
        total = exp(node[""]) if "" in node else 0.0
        for word, below in node.items():
            if word:
                mass = visit(below, word)
                group = pairs.setdefault(before, {})
                group[word] = group.get(word, 0.0) + mass
                total += mass
        return total

    visit(terms, "")
    for before, group in pairs.items():
        for word, weight in group.items():
            words[word] = words.get(word, 0.0) + weight
            if before:
                heads[word] = heads.get(word, 0.0) + weight
    mass = sum(heads.values()) or 1.0
    return Counts(pairs, {word: weight / mass for word, weight in heads.items()}, words)
