"""The first reading: sentences that may have been spun, decoded; and whether they were, by what decoding finds.

The screen (`screen.py`) looks at words alone. Once a sentence is decoded its lattice has a likelihood ratio too
(`evidence.py`). Its scores are tempered and not independent, so that the ratio is
heard beside the screen's in a logistic regression, fitted on sentences of held-out
pairs, both sides (`python -m restore.learning passage`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from restore.candidates import TERM, Finder, Lattice, joined
from restore.context import ContextModel
from restore.decoder import Decoded, Weights, expand, posteriors
from restore.evidence import Block, Weigher, expected_changes
from restore.fitted import Fitted
from restore.lexicon import Lexicon, load
from restore.passages import STRANGER, Passages
from restore.screen import Screen
from restore.shipped import TWO_SIDED, root
from restore.sparse.places import Place
from restore.synonyms import OWN_TABLE
from restore.text import Tokens
from restore.thesaurus import FAMILY as THESAURUS
from restore.thesaurus import Source
from restore.twosided import TwoSided
from restore.vectors import Doubles

LOOK: Final = 0.005  # probability from which on a sentence is read
CERTAIN: Final = -20.0  # log probability of an untouched text below which its verdict is left as it is
# Cap on a sentence's log-likelihood ratio, unless its words alone say more: some thousand held-out ones support no more.
MOST: Final = 5.5
A_PLACE: Final = 1.7  # cap on what each expected change adds to it: no single one convicts a sentence
PRIOR_PLACES: Final = 2.0  # places that the lexicon's share counts for against the document's
# Shares of what is listed, and of what tables have in common, that a table of one's own is thought to have.
SUPPOSED: Final = (0.15, 0.2)
BLOCK: Final = 3000  # tokens decoded at once


class Reader:
    """Decodes sentences by the dense families, and judges once more which of them were spun."""

    def __init__(self, lexicon: Lexicon, screen: Screen, model: ContextModel, fitted: Fitted, common: bool = True):
        """`common`: whether a spinner with a table of its own may have what such tables have in common."""
        self._screen = screen
        self._model = model
        self._fitted = fitted
        self._finder = Finder(lexicon, model)
        self._common_too = common

    @cached_property
    def twosided(self) -> TwoSided:
        """The two-sided model, read on first use."""
        return TwoSided.load(root() / TWO_SIDED)

    @cached_property
    def _common(self) -> Finder:
        """What tables written by hand have in common, read on first use."""
        return Finder(load([THESAURUS]), self._model)

    def doubts(self, passages: Passages) -> bool:
        """Whether the screen leaves a text in doubt, so that it is decoded for the verdict."""
        return bool(self._fitted.passage) and passages.untouched > CERTAIN and any(p >= LOOK for p in passages.spun)

    def read(
        self, tokens: Tokens, passages: Passages, fixed: frozenset[int], least: float, assumed: bool = False
    ) -> tuple[Passages, list[Block]]:
        """Decodes the sentences that may have been spun and revises the passages by what that shows, until no further
        sentence comes into question.

        least: probability from which on a sentence is decoded. assumed: the caller says what was spun; nothing is revised.
        """
        revise = bool(self._fitted.passage) and not assumed
        floor = min(least, LOOK) if revise else least
        blocks: list[Block] = []
        read: set[int] = set()
        while numbers := [i for i, p in enumerate(passages.spun) if p >= floor and i not in read]:
            new = list(self.decoded(tokens, passages, numbers, fixed))
            blocks += new
            read.update(numbers)
            if not revise:
                break
            heard = {i: e for block in new for i, e in self._evidence(passages, block)}
            passages = self._screen.revised(tokens, passages, heard)
        return passages, blocks

    def decoded(
        self,
        tokens: Tokens,
        passages: Passages,
        numbers: Sequence[int],
        fixed: frozenset[int],
        places: Sequence[tuple[Place, float]] = (),
        dense: Callable[[tuple[int, int]], bool] = lambda _: True,
    ) -> Iterator[Block]:
        """Some sentences, decoded block by block; `places` and `dense` as for `Finder.lattice`."""
        weights = self._fitted.weights_of(passages.family or "")
        for block in blocked(numbers, passages.sentences):
            sentences = [passages.sentences[i] for i in block]
            lattice = self._finder.lattice(tokens, sentences, fixed, places, dense, passages.table, weights.context)
            if passages.table < 1 and self._common_too:
                lattice = joined(lattice, self._common.lattice(tokens, sentences, fixed, (), dense), left=False)
            two_sided = self._two_sided(tokens, lattice) if weights.two_sided or weights.judging else None
            yield Block(block, lattice, decoded_twice(lattice, tokens, two_sided, self._model, weights))

    def by_synonyms(
        self, tokens: Tokens, source: Source, fixed: frozenset[int], numbers: Sequence[int] | None = None
    ) -> list[Block]:
        """Sentences, all or some, decoded with the synonyms of a thesaurus."""
        return self._blocks(tokens, lambda own: source.lattice(tokens, own, fixed), THESAURUS, numbers)

    def by_own_table(
        self,
        tokens: Tokens,
        source: Source | None,
        fixed: frozenset[int],
        known: bool,
        numbers: Sequence[int] | None = None,
        places: Sequence[tuple[Place, float]] = (),
    ) -> list[Block]:
        """Sentences, all or some, decoded as those of a spinner with a table of its own: by a part of what is listed,
        by what such tables have in common, and with the synonyms of a thesaurus, if any.

        known: whether this is what spun them. Then every candidate is welcome; till then the words that it left alone
        speak against such a spinner. places: what sparse families claim, with log odds.
        """

        context = self._fitted.weights_of(OWN_TABLE).context

        def lattice(own: list[tuple[int, int]]) -> Lattice:
            listed, common = (STRANGER, 1.0) if known else SUPPOSED
            both = joined(
                self._finder.lattice(tokens, own, fixed, places, table=listed, context=context),
                self._common.lattice(tokens, own, fixed, table=common),
                left=not known,
            )
            return joined(both, source.lattice(tokens, own, fixed), left=not known) if source else both

        return self._blocks(tokens, lattice, OWN_TABLE, numbers)

    def _blocks(
        self,
        tokens: Tokens,
        lattice_of: Callable[[list[tuple[int, int]]], Lattice],
        spinner: str,
        numbers: Sequence[int] | None = None,
    ) -> list[Block]:
        """Sentences, all or some, decoded by such a lattice and the weights for such a spinner."""
        weights = self._fitted.weights_of(spinner)
        sentences = tokens.sentences()
        blocks: list[Block] = []
        for block in blocked(range(len(sentences)) if numbers is None else numbers, sentences):
            lattice = lattice_of([sentences[i] for i in block])
            decoded = decoded_twice(lattice, tokens, None, self._model, weights)
            blocks.append(Block(block, lattice, decoded))
        return blocks

    def weigher(self, spinner: str) -> Weigher:
        """What weighs sentences that were decoded by the weights of a family or kind of spinner."""
        return Weigher(self._model, self._fitted.weights_of(spinner).context)

    def _evidence(self, passages: Passages, block: Block) -> Iterator[tuple[int, float]]:
        """Of each sentence, what the screen and the lattice say together."""
        screened = np.array([passages.evidence[i] for i in block.numbers])
        one, screen, lattice = self._fitted.passage
        heard = one + screen * screened + lattice * self.weigher(passages.family or "").ratios(block)
        most = np.maximum(np.minimum(MOST, A_PLACE * np.maximum(1.0, expected_changes(block))), screened)
        return zip(block.numbers, np.clip(heard, -MOST, most).tolist(), strict=True)

    def _two_sided(self, tokens: Tokens, lattice: Lattice) -> Doubles | None:
        """Two-sided log probability of each arc, None where no arc changes anything. The model was not trained on
        sparse families; their arcs get the scores of the found words."""
        sparse = TERM in lattice.kind
        known = [k for k, kind in enumerate(lattice.kind) if kind != TERM] if sparse else list(range(len(lattice)))
        part = lattice.taken(known) if sparse else lattice
        if all(option is None for option in part.option):
            return None
        score = np.zeros(len(lattice))
        score[known] = self.twosided.score(tokens, part, self._model)
        if sparse:
            own = {lattice.start[k]: score[k] for k in known if lattice.option[k] is None}
            for k in (k for k, kind in enumerate(lattice.kind) if kind == TERM):
                score[k] = sum(own[i] for i in range(lattice.start[k], lattice.end[k]))
        return score


def blocked(numbers: Sequence[int], sentences: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Runs of sentences of about `BLOCK` tokens."""
    block: list[int] = []
    size = 0
    for i in numbers:
        block.append(i)
        size += sentences[i][1] - sentences[i][0]
        if size >= BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def decoded_twice(
    lattice: Lattice, tokens: Tokens, two_sided: Doubles | None, model: ContextModel, weights: Weights
) -> Decoded:
    """Posteriors of a block: decoded, then once more with the habits that the first pass shows. What the sentences
    say of a spinner is the first pass's evidence, in which the two-sided model has a weight of its own: it tells a
    spinner's words from an author's better than one original from another.

    two_sided: that model's log probability of each arc, shape (arcs,).
    """
    odds = np.array(lattice.odds)
    first = odds if two_sided is None else odds + weights.judging * two_sided
    graph = expand(lattice, first, model, weights)
    decoded = posteriors(graph, first, weights)
    extra = odds if two_sided is None else odds + weights.two_sided * two_sided
    habits = _habits(lattice, decoded, tokens) if weights.consistency else np.zeros(0)
    if habits.any():
        extra = extra + weights.consistency * habits
    elif two_sided is None or weights.two_sided == weights.judging:
        return decoded
    return replace(posteriors(graph, extra, weights), evidence=decoded.evidence, suspected=decoded.suspected)


def _habits(lattice: Lattice, decoded: Decoded, tokens: Tokens) -> NDArray[np.float64]:
    """What a document shows of the spinner's habits, as a log score for each arc.

    An original becomes mostly one thing in one document. The share P(found |
    original) is re-estimated from the expected counts of all other places, with
    the lexicon's share as a Dirichlet prior: an original that became another
    phrase elsewhere, or was left alone there, is less likely here.
    """
    start, keys = lattice.start, tokens.key
    number: dict[str, int] = {}
    pairs: dict[tuple[int, str], int] = {}
    original: list[int] = []
    pair: list[int] = []
    for arc, option in enumerate(lattice.option):
        if option is None:
            spun, found = keys[start[arc]], ""
        else:
            end = lattice.end[arc]
            spun, found = option.original, keys[end - 1] if end == start[arc] + 1 else " ".join(keys[start[arc] : end])
        original.append(of := number.setdefault(spun, len(number)))
        pair.append(pairs.setdefault((of, found), len(pairs)))
    own = decoded.posterior
    others = np.bincount(original, own)[original] - own
    here = np.bincount(pair, own)[pair] - own
    weight = np.asarray(lattice.weight)
    heard = (others >= 0.5) & (weight != 0)  # not arcs of sparse families, nor words that no spinner changes
    share = PRIOR_PLACES * np.exp(weight)
    score = np.log((here + share) / (others + PRIOR_PLACES)) - weight
    return np.where(heard, score, 0.0)
