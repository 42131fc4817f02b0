"""A cloze model: how well a word fits a gap in the text as restored.

A feed-forward network reads the words on either side of a gap and the topic of
the passage (the weighted mean of the word vectors around), and gives a vector
whose product with a word's own tells how much likelier the word is there than
anywhere (a two-sided log-bilinear model with a hidden layer, after Bengio et al.
2003 and Mnih and Teh 2012):

    log P(word | gap) = log P(word) + b(word) + u(word) . q(gap) - log Z(gap)

log Z is foretold from the hidden layer, by linear regression, for working it out takes
every word. Trained on clean text, whose
other words are now and then replaced as a spinner would, to tell a word from its
synonyms (`python -m restore.learning cloze`). Where the two-sided model knows the
spinner's table, this one knows English alone, so that it serves any spinner.

Arithmetic is float32 numpy; word vectors are stored as int8 with a scale a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from restore import vectors
from restore.context import frequency
from restore.vectors import Array, Arrays, Ints

NEAR: Final = 6  # words on either side, each in its place
PASSAGE: Final = 40  # words on either side that make the topic
SENTENCE: Final = 0  # number of the mark of a sentence in the vocabulary
UNKNOWN: Final = 2  # number of any word that is not in it
MARKS: Final = 3  # of the vocabulary, its first, that are no words
LAYERS: Final = ("near", "topic", "mix", "out")
OFFSETS: Final = np.array([k for k in range(-NEAR, NEAR + 1) if k])  # of the words beside a gap


@dataclass(frozen=True, slots=True)
class Cloze:
    """Word vectors and layers.

    vocabulary: number of each word that is read; the first `len(weights["U"])` of them can be told in a gap. weights:
    `E` and `U`, vectors of words read and told, (words, dimensions) as int8, with `E.scale` and `U.scale`; `fame`, how
    much a word counts for the topic; `bias`, log P(word) + b(word); `norm` and `norm.bias`, from hidden units to log Z;
    the `LAYERS`, (inputs, outputs), in the file int8 as well, with `near.bias`, `mix.bias` and `out.bias`.
    """

    vocabulary: dict[str, int]
    weights: Arrays

    @classmethod
    def load(cls, path: Path) -> Cloze:
        """Read a model. Raises OSError where it is not there, ModelError where it is not one."""
        vocabulary, arrays = vectors.load(path, "a cloze model", (*LAYERS, "norm"))
        return cls(vocabulary, arrays | vectors.whole(arrays, LAYERS))

    def score(
        self, words: Sequence[str], begin: Ints, end: Ints, candidates: Sequence[Sequence[str]], place: Ints
    ) -> NDArray[np.float64]:
        """How well candidates fit: the sum over their words of log P(word | gap), shape (candidates,).

        words: of a text, as the context model reads them (`context.sequence`). begin, end: the gaps as ranges of these,
        shape (gaps,). place: the gap of each candidate, shape (candidates,). Each word of a candidate is told between
        those before it and what follows the gap; of one that cannot be told the plain log probability counts.
        """
        flat = [word for candidate in candidates for word in candidate]
        if not flat:
            return np.zeros(len(candidates))
        size = np.fromiter(map(len, candidates), np.int64, len(candidates))
        candidate = np.repeat(np.arange(len(size)), size)
        read, said, gap = self._numbers(words), self._numbers(flat), place[candidate]
        at = np.arange(len(said)) - np.repeat(np.cumsum(size) - size, size)  # in its candidate
        # first words share the query of their gap
        _, asked, which = np.unique(
            np.where(at == 0, -1 - gap, np.arange(len(said))), return_index=True, return_inverse=True
        )
        around = _around(read, begin[gap[asked]], end[gap[asked]], said, asked, at[asked])
        query, log_z = self._query(around, self._topic(read, begin, end)[gap[asked]])
        can = said < len(self.weights["U"])
        vector = vectors.rows(self.weights, "U", np.where(can, said, SENTENCE))  # a mark's vector is nought
        score = np.einsum("ij,ij->i", query[which], vector) + self.weights["bias"][said] - can * log_z[which]
        for unknown in np.flatnonzero(said == UNKNOWN).tolist():
            score[unknown] = frequency(flat[unknown])
        return np.bincount(candidate, score, len(size)).astype(np.float64)

    def _numbers(self, words: Sequence[str]) -> Ints:
        number = self.vocabulary.get
        return np.fromiter((number(word, UNKNOWN) for word in words), np.int64, len(words))

    def _topic(self, read: Ints, begin: Ints, end: Ints) -> Array:
        """Weighted mean of the words around each gap, shape (gaps, dimensions)."""
        fame = self.weights["fame"][read][:, None]
        weighed = np.concatenate([vectors.rows(self.weights, "E", read) * fame, fame], axis=1)
        total = np.concatenate([np.zeros_like(weighed[:1]), np.cumsum(weighed, axis=0)])
        lo, hi = np.maximum(begin - PASSAGE, 0), np.minimum(end + PASSAGE, len(read))
        near = total[hi] - total[end] + total[begin] - total[lo]
        return np.asarray(near[:, :-1] / (near[:, -1:] + 1))

    def _query(self, around: Ints, topic: Array) -> tuple[Array, Array]:
        """What is looked for in each gap, shape (gaps, dimensions), and log Z, shape (gaps,)."""
        w = self.weights
        beside = vectors.rows(w, "E", around).reshape(len(around), -1)
        hidden = np.maximum(beside @ w["near"] + w["near.bias"] + topic @ w["topic"], 0)
        hidden += np.maximum(hidden @ w["mix"] + w["mix.bias"], 0)
        return hidden @ w["out"] + w["out.bias"], hidden @ w["norm"] + w["norm.bias"]


def _around(read: Ints, begin: Ints, end: Ints, said: Ints, asked: Ints, at: Ints) -> Ints:
    """Words beside some words of candidates, shape (asked, 2 * NEAR): those before it in the candidate, then those of
    the text.

    said: words of all candidates; asked: which of them, `at` their places in their candidates, begin, end: their gaps.
    """
    beside = at[:, None] + OFFSETS  # in the candidate
    text = np.where(OFFSETS < 0, begin[:, None] + beside, end[:, None] + OFFSETS - 1)
    there = (text >= 0) & (text < len(read))
    outside = np.where(there, read[np.clip(text, 0, len(read) - 1)], SENTENCE)
    earlier = (OFFSETS < 0) & (beside >= 0)
    return np.where(earlier, said[np.where(earlier, asked[:, None] + OFFSETS, 0)], outside)
