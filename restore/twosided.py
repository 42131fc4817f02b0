"""The two-sided context model: how well a candidate fits what stands on both sides.

A small convolutional encoder reads the passage as it was found, spun words and
all, and gives each token a vector that knows about thirty words on either side
and the passage's topic. A candidate's score is the product of the span's
vector with the mean of the candidate's word vectors, plus biases, the log of
P(found | original) and the log of P(original). Scores are normalised over the
arcs that start at one token: log P(arc | token, context). Trained on clean text
passed through the channel (`python -m restore.learning twosided`).

Arithmetic is float32 numpy; word vectors and layers are stored as int8 with a scale a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import filterfalse
from pathlib import Path
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from restore import vectors
from restore.candidates import IDENTITY, INFLECTED, LISTED, REMEMBERED, Lattice
from restore.context import COMMA, ContextModel
from restore.text import Tokens, shape
from restore.vectors import Array, Arrays

GAPS: Final = {"": 0, " ": 1, "-": 2, ",": 3, ".": 4}
KINDS: Final = {IDENTITY: 0, LISTED: 1, INFLECTED: 2}
WIDTH: Final = 5  # of a convolution
TOPIC_AFTER: Final = 1  # block after which the passage's mean is added
WINDOW: Final = 256  # tokens read at once, about
MAX_WORDS: Final = 4  # of a candidate that are looked at


@dataclass(slots=True)
class _Phrases:
    """What does not depend on the place of a phrase: its vector, its score by itself and, where it stays, its first
    word's bias. Kept between texts; rows of the arrays by `row`."""

    row: dict[tuple[str, ...], int]
    vector: Array
    alone: Array
    stays: Array

    @classmethod
    def empty(cls, room: int, dimensions: int) -> _Phrases:
        return cls({}, np.empty((room, dimensions), np.float32), np.empty(room, np.float32), np.empty(room, np.float32))


class _Block(NamedTuple):
    """A block of the encoder as it is worked out. kernels: of the convolution, with the gain of what it reads and the
    token itself added, shape (WIDTH, dimensions). up, down: the bias is the last row."""

    dilation: int
    kernels: Array
    up: Array
    down: Array


@dataclass(slots=True)
class TwoSided:
    """The encoder and its word vectors; `weights` as written by the training script, `dilations` those of its blocks.

    The first words of the vocabulary were candidates in training and have vectors as such (`U`), with biases `b` and
    `bi`; the last row of these is for all others. `pad` fills phrases up to `MAX_WORDS` words, as it did in training.
    """

    vocabulary: dict[str, int]
    weights: Arrays
    dilations: tuple[int, ...]
    _blocks: list[_Block] = field(init=False)
    _kept: _Phrases = field(default_factory=lambda: _Phrases.empty(0, 0))

    def __post_init__(self) -> None:
        w, self._blocks = self.weights, []
        for k, dilation in enumerate(self.dilations):
            kernels = w[f"conv.{k}"].copy()
            kernels[WIDTH // 2] += 1
            up, down = (np.vstack([w[f"{name}.{k}"], w[f"{name}.{k}.bias"]]) for name in ("up", "down"))
            self._blocks.append(_Block(dilation, kernels * w[f"norm.{k}"], up, down))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a model. Raises OSError where it is not there, ModelError where it is not one."""
        vocabulary, weights = vectors.load(path, "a two-sided model", ["dilations", "q", "pad"])
        dilations = tuple(weights.pop("dilations").tolist())
        return cls(vocabulary, weights | vectors.whole(weights, layers(len(dilations))), dilations)

    def score(self, tokens: Tokens, lattice: Lattice, model: ContextModel) -> NDArray[np.float64]:
        """Log probability of each arc among those that start at its token, shape (arcs,); zero where it is alone."""
        out = np.zeros(len(lattice))
        start = np.asarray(lattice.start)
        many = np.flatnonzero(np.bincount(start, minlength=len(tokens))[start] > 1)
        if not len(many):
            return out
        number = self.vocabulary.get
        unknown = self.vocabulary["<unk>"]
        shift = np.zeros(len(tokens), np.int64)  # from a token to its place among those that are read
        windows: list[tuple[int, int]] = []
        ids: list[int] = []
        gaps: list[int] = []
        begin = 0
        for b, e in lattice.sentences:
            if ids and len(ids) - begin + e - b > WINDOW:
                windows.append((begin, len(ids)))
                begin = len(ids)
            shift[b:e] = len(ids) - b
            ids += [number(shape(key), unknown) for key in tokens.key[b:e]]
            gaps += [GAPS[gap] for gap in tokens.gap[b:e]]
        windows.append((begin, len(ids)))
        first = start[many] + shift[start[many]]
        last = first + np.asarray(lattice.end)[many] - start[many] - 1
        wanted = np.unique(np.concatenate([first, last]))
        cut = np.searchsorted(wanted, windows)
        states = np.concatenate(
            [
                self._encode(np.array(ids[a:b]), np.array(gaps[a:b]), wanted[lo:hi] - a)
                for (a, b), (lo, hi) in zip(windows, cut.tolist(), strict=True)
                if lo < hi
            ]
        )
        ends = np.searchsorted(wanted, np.stack([first, last]))
        out[many] = self._arcs(states, ends, lattice, many, model)
        return out

    def _encode(self, ids: NDArray[np.int64], gaps: NDArray[np.int64], wanted: NDArray[np.int64]) -> Array:
        """Vectors of some of a window's tokens, shape (wanted, dimensions); the last block is worked out for these
        alone."""
        w = self.weights
        x = vectors.rows(w, "E", ids)
        x += w["G"][gaps]
        (n, d), last = x.shape, len(self._blocks) - 1
        reach = max(self.dilations) * (WIDTH // 2)
        normal = np.zeros((n + 2 * reach, d), np.float32)  # nothing stands before and after the window
        step, own = normal.strides
        part = np.empty_like(x)
        y = np.ones((n, d + 1), np.float32)  # the last column is for the biases
        hidden = np.ones((n, len(self._blocks[0].down)), np.float32)
        zeros = np.zeros_like(hidden)  # with a single zero numpy takes the maximum four times as slowly
        for number, block in enumerate(self._blocks):
            np.multiply(x, _scale(x), out=normal[reach : reach + n])
            first = (reach - WIDTH // 2 * block.dilation) * step
            around = np.ndarray((n, WIDTH, d), np.float32, normal, first, (step, step * block.dilation, own))
            np.einsum("nkd,kd->nd", around, block.kernels, out=y[:, :d])
            if number == last:
                x, y = x[wanted], y[wanted]
                hidden, zeros, part = (a[: len(wanted)] for a in (hidden, zeros, part))
            np.matmul(y, block.up, out=hidden[:, :-1])
            np.maximum(hidden, zeros, out=hidden)
            x += self._mixed(number, hidden, part)
            if number == TOPIC_AFTER:
                x += x.mean(axis=0) @ w["topic"] + w["topic.bias"]
        return np.asarray(x * _scale(x) * w[f"norm.{len(self._blocks)}"])

    def _mixed(self, block: int, hidden: Array, out: Array) -> Array:
        """What a block adds to its tokens, from its hidden units; written into `out`."""
        return np.matmul(hidden, self._blocks[block].down, out=out)

    def _arcs(
        self,
        states: Array,
        ends: NDArray[np.int64],
        lattice: Lattice,
        arcs: NDArray[np.int64],
        model: ContextModel,
    ) -> NDArray[np.float64]:
        """Scores of some arcs; `ends`: which states their first and last tokens have, shape (2, arcs)."""
        w = self.weights
        chosen = arcs.tolist()
        options = [lattice.option[k] for k in chosen]
        stays = np.array([option is None for option in options])
        emitted = [words[1:] if words[0] == COMMA else words for words in map(lattice.words.__getitem__, chosen)]
        phrases = self._phrases(emitted, model)
        row = np.fromiter(map(phrases.row.__getitem__, emitted), np.int64, len(emitted))
        channel = np.array([1.0 if option is None else option.rate for option in options], np.float32)
        stay = np.where(stays, np.asarray(lattice.weight)[arcs], 0.0)
        rate = np.log(channel) + stay.astype(np.float32)
        kind = np.array([KINDS.get(lattice.kind[k], KINDS[LISTED]) for k in chosen])

        first, last = ends
        spans, back = np.unique(first * len(states) + last, return_inverse=True)
        both = np.concatenate([states[spans // len(states)], states[spans % len(states)]], axis=1)
        query = both @ w["q"] + w["q.bias"]
        score = np.einsum("ij,ij->i", query[back], phrases.vector[row])
        score += (query @ w["Ki"].T + w["kind"])[back, kind] + phrases.alone[row] + (kind == 0) * phrases.stays[row]
        score += w["lin"][0] * rate
        return log_softmax(score.astype(np.float64), first)

    def _phrases(self, emitted: Sequence[tuple[str, ...]], model: ContextModel) -> _Phrases:
        """What is known of phrases, these among them; `model` is the same at each call."""
        w = self.weights
        kept = self._kept
        new = list(dict.fromkeys(filterfalse(kept.row.__contains__, emitted)))
        if not new:
            return kept
        if len(kept.row) + len(new) > len(kept.alone):
            new = list(dict.fromkeys(emitted))
            kept = self._kept = _Phrases.empty(max(REMEMBERED, len(new)), w["q"].shape[1])
        number, unknown = self.vocabulary.get, self.vocabulary["<unk>"]
        ids = np.array([[number(p[j], unknown) if j < len(p) else -1 for j in range(MAX_WORDS)] for p in new])
        held = (ids >= 0)[..., None]
        size = np.maximum(held.sum(axis=1), 1).astype(np.float32)
        ids = np.clip(ids, 0, len(w["b"]) - 1)
        flat = vectors.rows(w, "U", ids)
        added = slice(len(kept.row), len(kept.row) + len(new))
        kept.vector[added] = np.where(held, flat, w["pad"]).sum(axis=1) / size
        kept.alone[added] = (w["b"][ids] * held[..., 0]).sum(axis=1) / size[:, 0]
        kept.alone[added] += w["lin"][1] * 0.5 * model.phrases([list(p) for p in new])
        kept.stays[added] = w["bi"][ids[:, 0]]
        kept.row.update((words, added.start + k) for k, words in enumerate(new))
        return kept


def layers(blocks: int) -> list[str]:
    """Names of the layers that are stored as int8."""
    return [f"{name}.{k}" for name in ("up", "down") for k in range(blocks)]


def _scale(x: Array) -> Array:
    """What brings each row to a root mean square of one, shape (rows, 1)."""
    return np.asarray(1 / np.sqrt(np.einsum("ij,ij->i", x, x) / x.shape[1] + 1e-5))[:, None]


def log_softmax(score: NDArray[np.float64], group: NDArray[np.int64]) -> NDArray[np.float64]:
    """Scores normalised within runs of equal `group`."""
    run = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    width = np.diff(np.append(run, len(group)))
    top = np.maximum.reduceat(score, run)
    total = np.add.reduceat(np.exp(score - np.repeat(top, width)), run)
    return np.asarray(score - np.repeat(top + np.log(total), width))
