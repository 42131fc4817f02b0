"""Training of the kinship of words (PyTorch).

A linear projection of a language model's word vectors (`embeddings.py`) is learned that brings a word nearer to its
relatives in the thesaurus or a lexicon than to random words: InfoNCE (van den Oord et al. 2018) of
cosines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from restore import vectors
from restore.inflection import bases
from restore.lexicon import Lexicon
from restore.sparse.model import counted
from restore.sparse.tables import Tables
from restore.synonyms import Synonyms
from restore.vectors import Array

WORDS: Final = 28_000
DIMENSIONS: Final = 48
STEPS: Final = 3000
RELATED: Final = 435  # pairs of the thesaurus in a step,
LISTED: Final = 77  # of the lexicon,
NOISE: Final = 1024  # and words at large
RATE: Final = 2e-3
SHARPNESS: Final = 2.3  # log of what cosines are multiplied by, at first

Pairs = NDArray[np.int64]


def vocabulary(frequent: Iterable[str], lexicon: Lexicon, tables: Tables) -> list[str]:
    """Of frequent words those that a lexicon or the tables and terms of a sparse family hold, in any form."""
    known = set(tables.words) | {original for group in tables.words.values() for original in group}
    known |= {word for found, options in lexicon.options.items() for word in (found, *(o.original for o in options))}
    known |= set(counted(tables.terms).words)
    fitting = (w for w in frequent if w.isalpha() and len(w) > 1 and not known.isdisjoint((w, *bases(w))))
    return list(islice(fitting, WORDS))


def related_pairs(words: Sequence[str], synonyms: Synonyms) -> Pairs:
    """Numbers of words and of those that the thesaurus relates to them, shape (pairs, 2)."""
    number = {word: n for n, word in enumerate(words)}

    def pairs() -> Iterator[tuple[int, int]]:
        for n, word in enumerate(words):
            other = {number.get(synonyms.vocabulary[m], n) for m in synonyms.related(word)}
            yield from ((n, m) for m in sorted(other - {n}))

    return np.array(list(pairs()), np.int64)


def listed_pairs(words: Sequence[str], lexicon: Lexicon) -> Pairs:
    """Numbers of single words and of those that a lexicon has for them, shape (pairs, 2)."""
    number = {word: n for n, word in enumerate(words)}
    both = (
        (number[found], number[option.words[0]])
        for found, options in lexicon.options.items()
        for option in options
        if found in number and len(option.words) == 1 and option.words[0] in number
    )
    return np.array(sorted(set(both)), np.int64)


class Projection(nn.Module):
    """From vectors of a language model to unit ones."""

    def __init__(self, known: Array):
        super().__init__()
        self.known = torch.from_numpy(known / known.std())
        _, _, components = np.linalg.svd(known, full_matrices=False)
        self.weight = nn.Parameter(torch.from_numpy(components[:DIMENSIONS].T.copy()))
        self.bias = nn.Parameter(torch.zeros(known.shape[1]))
        self.sharpness = nn.Parameter(torch.tensor(SHARPNESS))

    def forward(self, words: Tensor) -> Tensor:
        return nn.functional.normalize((self.known[words] + self.bias) @ self.weight, dim=-1)


def train(known: Array, related: Pairs, listed: Pairs, seed: int, report: Callable[[str], object]) -> Array:
    """Unit vectors of words, shape (words, DIMENSIONS). known: those of a language model, shape (words, dimensions)."""
    torch.manual_seed(seed)
    draw, net = np.random.default_rng(seed), Projection(known)
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    for step in range(STEPS):
        drawn = (rows[draw.integers(len(rows), size=size)] for rows, size in ((related, RELATED), (listed, LISTED)))
        pairs = np.concatenate(list(drawn))
        one, other = torch.from_numpy(pairs).T
        noise = torch.from_numpy(draw.integers(len(known), size=NOISE))
        scale, vector = net.sharpness.exp(), net(one)
        right = (vector * net(other)).sum(1) * scale
        wrong = (vector @ net(noise).T * scale).masked_fill(noise == other[:, None], -1e9)
        loss = (torch.logaddexp(right, torch.logsumexp(wrong, 1)) - right).mean()
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - step / STEPS)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if (step + 1) % 500 == 0:
            report(f"{step + 1:,} of {STEPS:,} steps, loss {loss.item():.4f}")
    with torch.no_grad():
        return np.asarray(net(torch.arange(len(known))).numpy())


def export(words: Sequence[str], unit: Array, path: Path) -> None:
    """Write what `restore.kinship.Kinship.load` reads."""
    vectors.save(path, words, {"K": unit}, {})
