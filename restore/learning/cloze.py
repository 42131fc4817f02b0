"""Training of the cloze model (PyTorch).

Every word of clean text is a gap to be filled, frequent ones less often (Mikolov
et al. 2013). The loss is twofold: to tell the word from words at large (sampled
softmax, Jean et al. 2015), and from those that a spinner may confuse it with, by
the lexicon and the thesaurus. In part of the text some context words are replaced by confusable ones too, because the
engine's input is never fully restored. Word vectors are initialised from a language model's (`embeddings.py`).
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from restore import vectors
from restore.cloze import LAYERS, MARKS, NEAR, OFFSETS, PASSAGE, UNKNOWN
from restore.inflection import Form
from restore.learning.descent import Descent
from restore.learning.embeddings import principal
from restore.lexicon import Lexicon
from restore.synonyms import Synonyms, inflected
from restore.vectors import Array, Arrays, Ints

READ: Final = 32_000  # words that have a vector as neighbours,
TOLD: Final = 28_000  # and those that may fill a gap
ALWAYS_TOLD: Final = 6_000  # of these, for phrases hold words that are confused with none
DIMENSIONS: Final = 96
HIDDEN: Final = 384
QUERY: Final = 128
READ_SPREAD: Final = 0.3  # of the first vectors, of words read
TOLD_SPREAD: Final = 0.1  # and told
BATCH_WORDS: Final = 4096
NOISE_WORDS: Final = 1024  # of the sampled softmax
CONFUSED: Final = 48  # words that one may be confused with, at most,
BY_TABLES: Final = 32  # and so many of these by the lexicon
EVERY: Final = 2  # of these is heard in a step
REPLACED: Final = (0.0, 0.06, 0.12, 0.25)  # shares of the words replaced, a stretch of text having one of these
FREQUENT: Final = 2e-4  # share of the text above which a word is asked for less often
SAVE_EVERY: Final = 1000  # steps
NORM_STEPS: Final = 12  # whose gaps log Z is foretold by,
NORM_SEED: Final = 1  # in an order of their own

_FORMS: Final[tuple[Form, ...]] = ("s", "ed", "ing")


def confusable(words: list[str], lexicon: Lexicon, synonyms: Synonyms, seed: int) -> Ints:
    """Numbers of the words that each of `words` may stand for or be replaced by, shape (words, CONFUSED), -1 where
    there are no more."""
    number = {word: n for n, word in enumerate(words)}
    draw = random.Random(seed)
    listed: list[set[int]] = [set() for _ in words]
    for one, other in _listed(lexicon):
        a, b = number.get(one, 0), number.get(other, 0)
        if a >= MARKS and b >= MARKS and a != b:
            listed[a].add(b)
            listed[b].add(a)
    out = np.full((len(words), CONFUSED), -1, np.int64)
    for n, word in enumerate(words[MARKS:], MARKS):
        related = {m for other in _related(word, synonyms) if (m := number.get(other, 0)) >= MARKS and m != n}
        first, rest = sorted(listed[n]), sorted(related - listed[n])
        draw.shuffle(first)
        draw.shuffle(rest)
        row = (first[:BY_TABLES] + rest)[:CONFUSED]
        out[n, : len(row)] = row
    return out


def _listed(lexicon: Lexicon) -> Iterator[tuple[str, str]]:
    """Single words that a lexicon changes to single words, and their forms."""
    for found, options in lexicon.options.items():
        for option in options:
            if len(option.words) == 1 and " " not in found:
                yield found, option.words[0]
                yield from ((inflected(found, "*", f), inflected(option.words[0], "*", f)) for f in _FORMS)


def _related(word: str, synonyms: Synonyms) -> Iterator[str]:
    """What WordNet relates a word to, either way, in the word's own form."""
    for section in synonyms.sections:
        pos = section[-1]
        if pos == "*":
            continue
        for base, form in synonyms.readings(word, pos):
            yield from (inflected(synonyms.vocabulary[n], pos, form) for n in sorted(synonyms.kin(section, base)))


@dataclass(frozen=True, slots=True)
class Text:
    """What is learned from: a stream of word numbers, how often each word that can be told occurs, and how it may be
    confused."""

    stream: NDArray[np.integer[Any]]
    counts: NDArray[np.float64]
    confused: Ints

    @classmethod
    def of(cls, stream: NDArray[np.integer[Any]], confused: Ints) -> Text:
        """Of a stream of numbers, frequent words first (`corpora.read_corpora`)."""
        return cls(stream, np.bincount(stream, minlength=len(confused))[: len(confused)].astype(float), confused)


class Net(nn.Module):
    """Feed-forward net over the position-specific vectors of the words beside a gap and a weighted mean of a wider
    window; two hidden layers."""

    def __init__(self, told: int, read: int = READ):
        super().__init__()
        self.E = nn.Embedding(read, DIMENSIONS)
        self.U = nn.Embedding(told, QUERY)
        self.fame = nn.Embedding(read, 1)
        self.bias = nn.Parameter(torch.zeros(told))
        self.near = nn.Linear(2 * NEAR * DIMENSIONS, HIDDEN)
        self.topic = nn.Linear(DIMENSIONS, HIDDEN, bias=False)
        self.mix = nn.Linear(HIDDEN, HIDDEN)
        self.out = nn.Linear(HIDDEN, QUERY)
        nn.init.normal_(self.E.weight, std=READ_SPREAD)
        nn.init.normal_(self.U.weight, std=TOLD_SPREAD)
        nn.init.zeros_(self.fame.weight)

    def begin_with(self, known: Array) -> None:
        """Take vectors of words by another model, shape (words, dimensions), as the first ones."""
        with torch.no_grad():
            for table, spread in ((self.E.weight, READ_SPREAD), (self.U.weight, TOLD_SPREAD)):
                count, dimensions = table.shape
                table[MARKS:] = spread * torch.from_numpy(principal(known, dimensions)[MARKS:count])

    def heard(self, words: Tensor) -> Tensor:
        """How much words count for the topic, shape (words, 1)."""
        return torch.sigmoid(self.fame(words)) * (words >= MARKS)[:, None]

    def hidden(self, words: Tensor, gaps: Tensor) -> Tensor:
        """Hidden units for gaps in a text, shape (gaps, HIDDEN)."""
        x = self.E(words)
        beside = x.index_select(0, (gaps[:, None] + torch.from_numpy(OFFSETS)).flatten()).view(len(gaps), -1)
        fame = self.heard(words)
        weighed = torch.cat([x * fame, fame], 1)
        total = torch.cat([torch.zeros(1, DIMENSIONS + 1), torch.cumsum(weighed, 0)])
        near = total[gaps + PASSAGE + 1] - total[gaps - PASSAGE] - weighed[gaps]
        hidden = torch.relu(self.near(beside) + self.topic(near[:, :-1] / (near[:, -1:] + 1)))
        return torch.as_tensor(hidden + torch.relu(self.mix(hidden)))

    def query(self, words: Tensor, gaps: Tensor) -> Tensor:
        """Vectors of gaps in a text, shape (gaps, QUERY)."""
        return torch.as_tensor(self.out(self.hidden(words, gaps)))


class Batch(NamedTuple):
    """A stretch of text. words: its words, some of them replaced; gaps: the places of words that are asked for, right:
    these words; draw: the step's random generator."""

    words: Tensor
    gaps: Tensor
    right: Tensor
    draw: np.random.Generator


class Task:
    """Batches of gaps, and the loss of filling them."""

    def __init__(self, text: Text, seed: int):
        self.text, self.seed = text, seed
        self.stretches = (len(text.stream) - 2 * PASSAGE) // BATCH_WORDS
        self.order: tuple[int, Ints] = (-1, np.empty(0, np.int64))
        share = text.counts / len(text.stream)
        self.asked = np.minimum(1.0, np.sqrt(FREQUENT / np.maximum(share, 1e-12)))  # chance that a word makes a gap
        self.asked[:MARKS] = 0
        noise = (text.counts * self.asked) ** 0.75
        self.noise = np.cumsum(noise / noise.sum())
        self.log_noise = _tensor(np.log(np.maximum(noise / noise.sum(), 1e-30)))
        self.log_share = _tensor(np.log((text.counts + 1) / len(text.stream)))
        self.log_asked = _tensor(np.log(np.maximum(self.asked, 1e-9)))
        self.confused = torch.from_numpy(text.confused)
        self.many = (text.confused >= 0).sum(1)

    def batch(self, step: int) -> Batch:
        """A stretch of the text. All that is drawn for a step depends on its number alone; each epoch reads the
        stretches in an order of its own."""
        epoch, within = divmod(step, self.stretches)
        if self.order[0] != epoch:
            self.order = epoch, np.random.default_rng([self.seed, epoch]).permutation(self.stretches)
        draw = np.random.default_rng([self.seed, 0, step])
        at = int(self.order[1][within]) * BATCH_WORDS
        own = np.asarray(self.text.stream[at : at + BATCH_WORDS + 2 * PASSAGE]).astype(np.int64)
        told = np.where(own < len(self.asked), own, 0)
        middle = told[PASSAGE : PASSAGE + BATCH_WORDS]
        gaps = np.flatnonzero(draw.random(len(middle)) < self.asked[middle]) + PASSAGE
        words = np.where(own < READ, own, UNKNOWN)
        replaced = np.flatnonzero((draw.random(len(own)) < draw.choice(REPLACED)) & (self.many[told] > 0))
        which = (draw.random(len(replaced)) * self.many[told[replaced]]).astype(np.int64)
        words[replaced] = self.text.confused[told[replaced], which]
        return Batch(torch.from_numpy(words), torch.from_numpy(gaps), torch.from_numpy(own[gaps]), draw)

    def loss(self, net: Net, batch: Batch) -> tuple[Tensor, Tensor]:
        """Mean negative log probability of the right words, among words at large and among those they may be confused
        with."""
        query, bias, right = net.query(batch.words, batch.gaps), net.bias + self.log_share, batch.right
        own = (query * net.U(right)).sum(1) + bias[right]
        noise = np.searchsorted(self.noise, batch.draw.random(NOISE_WORDS))
        part = int(batch.draw.integers(EVERY))
        return self._at_large(net, query, bias, right, own, noise), self._confused(net, query, bias, right, own, part)

    def _at_large(self, net: Net, query: Tensor, bias: Tensor, right: Tensor, own: Tensor, drawn: Ints) -> Tensor:
        noise = torch.from_numpy(np.minimum(drawn, len(self.noise) - 1))
        added = bias[noise] + self.log_asked[noise] - self.log_noise[noise] - math.log(NOISE_WORDS)
        score = (query @ net.U(noise).T + added).masked_fill(noise[None, :] == right[:, None], -1e9)
        asked = own + self.log_asked[right]
        return (torch.logaddexp(asked, torch.logsumexp(score, 1)) - asked).mean()

    def _confused(self, net: Net, query: Tensor, bias: Tensor, right: Tensor, own: Tensor, part: int) -> Tensor:
        rivals = self.confused[right][:, part::EVERY]
        there = rivals >= 0
        rivals = rivals.clamp(min=0)
        score = torch.bmm(net.U(rivals), query[:, :, None])[:, :, 0] + bias[rivals]
        score = score.masked_fill(~there, -1e9)
        has = there.any(1)
        lost = torch.logaddexp(own, torch.logsumexp(score, 1)) - own
        return (lost * has).sum() / has.sum().clamp(min=1)


def train(
    text: Text,
    tokens: int,
    seed: int,
    checkpoint: Path,
    report: Callable[[str], object],
    known: Array | None = None,
) -> Net:
    """A net that has read about `tokens` words.

    known: another model's word vectors, shape (words, dimensions), used as initial values. State is saved
    now and then; where `checkpoint` is there, training goes on from it. Raises ValueError where that is of another
    text, seed or length.
    """
    torch.manual_seed(seed)
    task, net = Task(text, seed), Net(len(text.confused))
    if known is not None:
        net.begin_with(known)
    about = [seed, tokens, len(text.stream), crc32(text.counts.tobytes()), crc32(text.confused.tobytes())]
    descent = Descent(net, [net.E.weight, net.U.weight, net.bias, net.fame.weight], 0.0, checkpoint, about)
    first, steps = descent.kept.get("done", 0), tokens // BATCH_WORDS
    if first:
        report(f"going on from {checkpoint}: {first:,} of {steps:,} steps")
    losses: list[tuple[float, float]] = []
    begin = time.monotonic()
    for step in range(first, steps):
        large, confused = task.loss(net, task.batch(step))
        descent.step(large + confused, step / steps)
        losses.append((large.item(), confused.item()))
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            descent.save(done=step + 1)
            speed = (step + 1 - first) * BATCH_WORDS / (time.monotonic() - begin)
            mean = " and ".join(f"{loss:.4f}" for loss in np.mean(losses, axis=0))
            report(f"{step + 1:,} of {steps:,} steps, loss {mean}, {speed:,.0f} words/s")
            losses.clear()
    return net


def export(net: Net, text: Text, words: list[str], path: Path) -> None:
    """Write the weights that `restore.cloze.Cloze.load` reads: first the words that are frequent or confused with
    others, for a gap is asked about no others, and only these have vectors as what fills it."""
    told = np.flatnonzero((text.confused >= 0).any(axis=1) | (np.arange(TOLD) < ALWAYS_TOLD))
    order = np.concatenate([told, np.setdiff1d(np.arange(READ), told)])
    vectors_told = _array(net.U.weight)[told]
    vectors_told[:MARKS] = 0  # no gap was ever filled with a mark
    layers = {name: getattr(net, name) for name in LAYERS}
    rest: Arrays = {f"{name}.bias": _array(layer.bias) for name, layer in layers.items() if layer.bias is not None}
    rest["fame"] = _array(net.heard(torch.arange(READ)))[order, 0].astype(np.float16)
    bias = np.log((np.bincount(text.stream, minlength=READ)[:READ] + 1) / len(text.stream))
    bias[told] += _array(net.bias)[told]
    rest["bias"] = bias[order].astype(np.float16)
    rest["norm"], rest["norm.bias"] = _normaliser(net, text, told, bias[told])
    tables = {"E": _array(net.E.weight)[order], "U": vectors_told}
    tables |= {name: _array(layer.weight).T for name, layer in layers.items()}
    vectors.save(path, [words[k] for k in order], tables, rest)


def _normaliser(net: Net, text: Text, told: Ints, bias: NDArray[np.float64]) -> tuple[Array, Array]:
    """Coefficients, shape (HIDDEN,), and constant, shape (1,), of a least-squares prediction of log Z from the hidden
    units."""
    task = Task(text, NORM_SEED)
    with torch.no_grad():
        hidden = torch.cat([net.hidden(*task.batch(step)[:2]) for step in range(NORM_STEPS)])
        words, own = net.U.weight[torch.from_numpy(told[MARKS:])], _tensor(bias[MARKS:])
        log_z = torch.cat([torch.logsumexp(net.out(part) @ words.T + own, 1) for part in hidden.split(1024)])
    x = np.concatenate([_array(hidden), np.ones((len(hidden), 1), np.float32)], axis=1).astype(float)
    w = np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ _array(log_z))
    return w[:-1].astype(np.float32), w[-1:].astype(np.float32)


def _array(tensor: Tensor) -> Array:
    return np.asarray(tensor.detach().numpy())


def _tensor(values: Iterable[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)
