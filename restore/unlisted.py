"""Spinners that no listed family explains: found out by their words, then by what decoding finds.

A text is weighed by its words alone (`thesaurus.py`). A doubtful one is decoded with a
thesaurus's synonyms, or as by a spinner with a table of its own (`reading.py`), and
judged anew. A page may be spun in part: its sentences, each with what it adds to the log odds of
the whole, are chained as those of the listed families are, and the likeliest part
is judged as a text of its own, less what it costs to be but a part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import exp, expm1, log, log1p
from typing import Final, NamedTuple

from restore.evidence import Block
from restore.judgement import BY_OWN_TABLE, OWN_PRIOR, Judgement, by_own_table, by_synonyms, gate, own_gate
from restore.passages import smooth, turns_of
from restore.reading import Reader
from restore.sparse.places import Place
from restore.text import Tokens, tokenize
from restore.thesaurus import FAMILY, Thesaurus

LEAST_PART: Final = 60  # tokens of a part that is judged by itself
# Evidence of the words of the strangest stretch of a longer text from which on it is read, though the whole has too
# little; of clean pages one in sixty has so much.
PART_GATE: Final = 2.0
FIRST: Final = 150  # tokens of a text twice as long that are decoded first, where its words are strangest
# Log odds of these, decoded with synonyms, below which the rest is left. Of 112 windows of text spun by thesauri that were
# convicted in the end none had less, of 56 clean ones three quarters;
HOPELESS: Final = -2.0
HOPELESS_BY_OWN_TABLE: Final = -8.0  # of 114 spun by tables of their own none had less, of 39 clean ones all but one
# Chances to leave spun text and to come back where a paragraph ends, or after a sentence in a text of one line: less
# than for listed families, since a sentence says less.
TURNS: Final = (0.02, 0.1)


class _Tried(NamedTuple):
    """A judgement, the lattice's log-likelihood ratio behind it, and what was decoded."""

    judgement: Judgement
    ratio: float
    blocks: list[Block]


class Unlisted:
    """Judges texts by the thesaurus and as those of spinners with a table of their own."""

    def __init__(self, thesaurus: Thesaurus, reader: Reader):
        self._thesaurus = thesaurus
        self._reader = reader
        self._weigher = reader.weigher(FAMILY)

    def judge(
        self, tokens: Tokens, fixed: frozenset[int], look: bool = False, places: Sequence[tuple[Place, float]] = ()
    ) -> tuple[Judgement, list[Block] | None]:
        """Judges whether such a spinner was at work. Doubtful texts are decoded; the decoded sentences are returned
        too (None where none were).

        fixed: tokens that keep their identity. look: read it whatever its words say. places: what sparse families claim
        of it, with log odds.
        """
        alone = self._thesaurus.judge(tokens)
        tried: list[_Tried] = []
        if look or (alone.alone > gate(len(tokens)) and self._promising(tokens, fixed, alone.source)):
            tried.append(self._by_synonyms(tokens, alone, fixed))
        if (alone.strange > own_gate(len(tokens)) or self._strange_in_part(tokens)) and self._promising(tokens, fixed):
            tried.append(self._by_own_table(tokens, alone, fixed))
        if not tried:
            return alone, None
        last = tried[-1]
        if not last.judgement.own_table or last.judgement.log_odds < 0:
            best = max(tried, key=lambda t: t.judgement.log_odds)
            return best.judgement, best.blocks
        return last.judgement, self._restorable(tokens, alone, fixed, last.ratio, places)

    def _by_synonyms(self, tokens: Tokens, alone: Judgement, fixed: frozenset[int]) -> _Tried:
        blocks = self._reader.by_synonyms(tokens, self._thesaurus.source(alone.source), fixed)
        read = self._weigher.of_text(tokens, blocks)
        return _Tried(by_synonyms(alone, len(tokens), read), read.ratio, blocks)

    def _strange_in_part(self, tokens: Tokens) -> bool:
        """Whether the strangest stretch of a longer text is worth reading though the whole is not."""
        if len(tokens) < 2 * FIRST:
            return False
        begin, end, said = self._thesaurus.strangest(tokens, FIRST)
        return said > PART_GATE and self._thesaurus.judge(tokenize(_stretch(tokens, begin, end))).strange > PART_GATE

    def _promising(self, tokens: Tokens, fixed: frozenset[int], source: str | None = None) -> bool:
        """Whether decoding all of a long text is worth while: its strangest stretch is decoded first and must not
        be hopeless. source: the thesaurus's; None for a spinner with a table of its own. Short texts always are."""
        if len(tokens) < 2 * FIRST:
            return True
        begin, end, _ = self._thesaurus.strangest(tokens, FIRST, source)
        sentences = tokens.sentences()
        numbers = [i for i, (a, b) in enumerate(sentences) if a < end and begin < b]
        own = tokenize(_stretch(tokens, sentences[numbers[0]][0], sentences[numbers[-1]][1]))
        if source:
            blocks = self._reader.by_synonyms(tokens, self._thesaurus.source(source), fixed, numbers)
        else:
            blocks = self._reader.by_own_table(tokens, None, fixed, known=False, numbers=numbers)
        read, alone = self._weigher.of_text(tokens, blocks), self._thesaurus.judge(own)
        if source:
            return by_synonyms(alone, len(own), read).log_odds >= HOPELESS
        return by_own_table(alone, len(own), read).log_odds >= HOPELESS_BY_OWN_TABLE

    def _by_own_table(self, tokens: Tokens, alone: Judgement, fixed: frozenset[int]) -> _Tried:
        """The text as a whole, or the part of it that is likelier to have been spun."""
        blocks = self._reader.by_own_table(tokens, None, fixed, known=False)
        read = self._weigher.of_text(tokens, blocks)
        whole = by_own_table(alone, len(tokens), read)
        sentences = tokens.sentences()
        spun, turns = self._chained(tokens, alone, blocks)
        part = frozenset(i for i, p in enumerate(spun) if p >= 0.5)
        judgement = replace(whole, spun=tuple(spun))
        if 0 < len(part) < len(sentences):
            own = tokenize("\n".join(_stretch(tokens, *sentences[i]) for i in sorted(part)))
            if len(own) >= LEAST_PART:
                in_part = self._weigher.of_text(tokens, blocks, part)
                judged = by_own_table(self._thesaurus.judge(own), len(own), in_part)
                log_odds = judged.log_odds + _division(part, turns)
                judgement = replace(judgement, log_odds=max(whole.log_odds, log_odds))
        return _Tried(judgement, read.ratio, blocks)

    def _chained(
        self, tokens: Tokens, alone: Judgement, blocks: Sequence[Block]
    ) -> tuple[list[float], list[tuple[float, float]]]:
        """Probability of each sentence to have been spun if any was, and the chances of turning between them."""
        sentences = tokens.sentences()
        said = self._weigher.of_sentences(blocks, len(sentences))
        strange = alone.strange / len(tokens)
        evidence = [
            BY_OWN_TABLE.added(s, strange * (end - begin)) for s, (begin, end) in zip(said, sentences, strict=True)
        ]
        turns = list(turns_of(tokens, sentences, TURNS, TURNS))
        spun, untouched = smooth(evidence, turns, 1 / (1 + exp(-OWN_PRIOR - BY_OWN_TABLE.constant)))
        any_was = -expm1(untouched)
        return [min(1.0, p / any_was) if any_was > 0 else 0.0 for p in spun], turns

    def _restorable(
        self,
        tokens: Tokens,
        alone: Judgement,
        fixed: frozenset[int],
        ratio: float,
        places: Sequence[tuple[Place, float]],
    ) -> list[Block]:
        """The text of a spinner with a table of its own, decoded with every candidate, with synonyms where these
        explain it better still."""
        reader, source = self._reader, self._thesaurus.source(alone.source)
        blocks = reader.by_own_table(tokens, source, fixed, known=False)
        mixed = self._weigher.of_text(tokens, blocks).ratio > ratio
        return reader.by_own_table(tokens, source if mixed else None, fixed, known=True, places=places)


def _division(part: frozenset[int], turns: Sequence[tuple[float, float]]) -> float:
    """Log probability that a spun text is spun in these sentences and in no others."""
    total = log1p(-TURNS[0]) if 0 in part else log(TURNS[0])
    for i, (leave, back) in enumerate(turns):
        if i in part:
            total += log1p(-leave) if i + 1 in part else log(leave)
        else:
            total += log(back) if i + 1 in part else log1p(-back)
    return total


def _stretch(tokens: Tokens, begin: int, end: int) -> str:
    """The text of some tokens in a row."""
    return tokens.text[tokens.start[begin] : tokens.end[end - 1]]
