"""What decoding says of whether a spinner was at work: the evidence of a text, or of each of its sentences.

A sentence's log-likelihood ratio is

    log [ sum over all readings of P(reading) P(found | reading) ] - log P(found),

the first from the forward-backward sums of its lattice, the second by trigrams of
the words as they stand. Words that are wrong where they stand, and right once
restored, speak for a spinner; words of a spinner's that are right where they
stand speak against one.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from restore.buckets import hashes
from restore.candidates import Lattice
from restore.context import ContextModel
from restore.decoder import Decoded, as_found
from restore.text import Tokens
from restore.vectors import Doubles

MOST_A_CHANGE: Final = 4.0  # nats that each different change can add to the ratio of a whole text
DIFFERENT: Final = 0.6  # share of different changes among all below which a text is not spun but repeats itself
LEAST_WORDS: Final = 5  # of a sentence that says something of a whole text


@dataclass(frozen=True, slots=True)
class Block:
    """Sentences (their numbers among those of the text) that were decoded together."""

    numbers: list[int]
    lattice: Lattice
    decoded: Decoded


class Evidence(NamedTuple):
    """What decoding says of a text, or of a sentence.

    ratio: log-likelihood ratio in nats, as the decoder weighs its parts; that of a text is less where few changes recur
    often. distinct: expected number of different changes. free: hundreds of tokens that could be changed. changes:
    expected number of all changes. words: hundreds of tokens that were read. coherence: mean of log P(word in place) -
    log P(word) over the unchanged words.
    """

    ratio: float = 0.0
    distinct: float = 0.0
    free: float = 0.0
    changes: float = 0.0
    words: float = 0.0
    coherence: float = 0.0


class Weigher:
    """Weighs decoded sentences. context: weight of the context model in the score by which they were decoded."""

    def __init__(self, model: ContextModel, context: float):
        self._model = model
        self._context = context

    def ratios(self, block: Block) -> Doubles:
        """Log-likelihood ratio of each sentence, all readings against the words as they stand; shape (sentences,)."""
        return np.asarray(block.decoded.evidence - self._context * as_found(block.lattice, self._model))

    def of_text(self, tokens: Tokens, blocks: Iterable[Block], among: Container[int] | None = None) -> Evidence:
        """Evidence of a whole text, or of the sentences whose numbers are in `among`. Changes that recur count for
        little: a text repeats what it is about."""
        ratio = apt = standing = made = 0.0
        read = 0
        left: dict[tuple[str, str], float] = {}  # probability that a change is made nowhere
        could: set[int] = set()
        for block in blocks:
            lattice, counted = block.lattice, _counted(block, among)
            ratio += float(self.ratios(block)[counted].sum())
            read += sum(end - begin for (begin, end), counts in zip(lattice.sentences, counted, strict=True) if counts)
            fits, stays = self._aptness(block, counted)
            apt, standing = apt + float(stays @ fits), standing + float(stays.sum())
            probability, heard = block.decoded.posterior.tolist(), counted.tolist()
            for k, sentence in _changing(lattice):
                if heard[sentence]:
                    p = probability[k]
                    change = " ".join(tokens.key[lattice.start[k] : lattice.end[k]]), " ".join(lattice.words[k])
                    left[change] = left.get(change, 1.0) * (1 - p)
                    made += p
                    could.add(lattice.start[k])
        distinct = sum(1 - p for p in left.values())
        if ratio > 0 and made:
            share = distinct / made
            ratio = min(ratio * share * min(1.0, share / DIFFERENT) ** 3, MOST_A_CHANGE * distinct)
        return Evidence(ratio, distinct, len(could) / 100, made, read / 100, apt / max(1.0, standing))

    def of_sentences(self, blocks: Iterable[Block], sentences: int) -> list[Evidence]:
        """Evidence of each sentence by itself, shape (sentences,); zeros for those that were not decoded or are too
        short."""
        said = [Evidence()] * sentences
        for block in blocks:
            lattice, counted = block.lattice, _counted(block)
            made = [0.0] * len(counted)
            could: list[set[int]] = [set() for _ in made]
            probability = block.decoded.posterior.tolist()
            for k, sentence in _changing(lattice):
                made[sentence] += probability[k]
                could[sentence].add(lattice.start[k])
            columns = self.ratios(block).tolist(), made, could, block.numbers, counted.tolist()
            for ratio, changes, free, number, counts in zip(*columns, strict=True):
                if counts:
                    said[number] = Evidence(ratio, changes, len(free) / 100, changes)
        return said

    def _aptness(self, block: Block, counted: NDArray[np.bool_]) -> tuple[Doubles, Doubles]:
        """For each unchanged word of the counted sentences: log P(word in place) - log P(word), averaged over the
        readings of its neighbours, and the posterior that it was left alone. Shape (words,) each. Words after a comma
        are left out."""
        lattice, decoded = block.lattice, block.decoded
        alone = (k for k, option in enumerate(lattice.option) if option is None and len(lattice.words[k]) == 1)
        stays = np.fromiter(alone, np.int64)
        stays = stays[counted[lattice.sentence_of(np.array(lattice.start, np.int64)[stays])]]
        anywhere = self._model.unigram(hashes(lattice.words[k][0] for k in stays.tolist()))
        return decoded.context[stays] - anywhere, decoded.posterior[stays]


def expected_changes(block: Block) -> Doubles:
    """Expected changes of each sentence by the first decoding, shape (sentences,)."""
    lattice = block.lattice
    arcs = [k for k, option in enumerate(lattice.option) if option is not None]
    sentence = lattice.sentence_of(np.array(lattice.start, np.int64)[arcs])
    return np.bincount(sentence, block.decoded.suspected[arcs], len(lattice.sentences)).astype(np.float64)


def _changing(lattice: Lattice) -> Iterator[tuple[int, int]]:
    """Arcs that change something, each with its sentence."""
    arcs = [k for k, option in enumerate(lattice.option) if option is not None]
    return zip(arcs, lattice.sentence_of(np.array(lattice.start, np.int64)[arcs]).tolist(), strict=True)


def _counted(block: Block, among: Container[int] | None = None) -> NDArray[np.bool_]:
    """Which sentences count as evidence of a text: those of at least `LEAST_WORDS` words. Shorter ones (an index,
    marginal glosses) have too little context for a word to be wrong in."""
    long = (end - begin >= LEAST_WORDS for begin, end in block.lattice.sentences)
    wanted = (among is None or number in among for number in block.numbers)
    return np.array([a and b for a, b in zip(long, wanted, strict=True)], bool)
