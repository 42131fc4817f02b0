"""Training of the head over the pretrained encoder (PyTorch and the extra `neural`).

The encoder reads the spun side of real pairs once; the head learns which arc of
the lattice was the author's, given what the two-sided model says of it. Each
tenth pair is left out, as in all learning here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from restore.candidates import Finder
from restore.context import ContextModel
from restore.learning.fitting import gold_arcs
from restore.learning.gold import read_marked
from restore.lexicon import Lexicon
from restore.neural import LAYERS, SIZE, Encoder, spots
from restore.twosided import TwoSided

HIDDEN: Final = 384
QUERY: Final = 192
EPOCHS: Final = 5
RATE: Final = 1e-3
DROPOUT: Final = 0.1
GROUPS: Final = 600  # tokens with a choice in a batch


@dataclass(slots=True)
class Examples:
    """Arcs of many documents; `group` numbers the tokens that they start at, over all documents."""

    states: NDArray[np.float16]  # (arcs, 2 * len(LAYERS) * SIZE)
    phrase: NDArray[np.int64]
    kind: NDArray[np.int64]
    given: NDArray[np.float32]
    gold: NDArray[np.bool_]
    group: NDArray[np.int64]


def examples(
    marked: Sequence[str], lexicon: Lexicon, model: ContextModel, two_sided: TwoSided, encoder: Encoder,
    report: Callable[[str], object],
) -> tuple[Examples, list[str]]:  # fmt: skip
    """Labelled arcs of marked documents, and the phrases that they propose."""
    finder = Finder(lexicon, model)
    number: dict[str, int] = {}
    parts: list[Examples] = []
    groups = 0
    for n, text in enumerate(marked):
        document = read_marked(text)
        tokens = document.tokens
        lattice = finder.lattice(tokens, tokens.sentences())
        s = spots(tokens, lattice, two_sided.score(tokens, lattice, model))
        gold = np.isin(s.arc, gold_arcs(document, lattice))
        kept = np.isin(s.first, s.first[gold])
        if not kept.any():
            continue
        phrase = np.array([number.setdefault(p, len(number)) for p in s.phrases])[s.phrase]
        states = encoder.states(tokens, lattice.sentences).astype(np.float16)
        first, last = s.first[kept], s.last[kept]
        group = np.cumsum(np.r_[True, first[1:] != first[:-1]]) - 1 + groups
        groups = int(group[-1]) + 1
        both = np.concatenate([states[first], states[last]], axis=1)
        parts.append(Examples(both, phrase[kept], s.kind[kept], s.given[kept], gold[kept], group))
        if n % 50 == 49:
            report(f"{n + 1} of {len(marked)} documents read")
    joined = (np.concatenate([getattr(p, name) for p in parts]) for name in Examples.__slots__)
    return Examples(*joined), list(number)


class Head(nn.Module):
    """Span query against candidate vector, plus what is given."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(2 * len(LAYERS) * SIZE, HIDDEN)
        self.dropout = nn.Dropout(DROPOUT)
        self.query = nn.Linear(HIDDEN, QUERY)
        self.candidate = nn.Linear(SIZE, QUERY)
        nn.init.normal_(self.candidate.weight, 0, 0.01)
        self.usual = nn.Linear(SIZE, 1, bias=False)
        self.kinds = nn.Parameter(torch.zeros(4, QUERY))
        self.kind = nn.Parameter(torch.zeros(4))
        self.given = nn.Parameter(torch.tensor([0.3, 0.8]))
        nn.init.zeros_(self.usual.weight)

    def forward(self, states: Tensor, vectors: Tensor, kind: Tensor, given: Tensor) -> Tensor:
        """Score of each arc, shape (arcs,)."""
        query = self.query(self.dropout(torch.relu(self.hidden(states))))
        score = (query * (self.candidate(vectors) + self.kinds[kind])).sum(-1)
        return torch.as_tensor(score + self.usual(vectors)[:, 0] + self.kind[kind] + given @ self.given)


def train(held: Examples, vectors: NDArray[np.float32], seed: int, report: Callable[[str], object]) -> Head:
    """The head; the learning rate falls in a line."""
    torch.manual_seed(seed)
    head = Head()
    optimizer = torch.optim.AdamW(head.parameters(), RATE, weight_decay=0.05)
    table = torch.from_numpy(vectors)
    for epoch in range(EPOCHS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - epoch / EPOCHS)
        losses = []
        for index, place in _batches(held.group, np.random.default_rng([seed, epoch])):
            states = torch.from_numpy(held.states[index].astype(np.float32))
            kind, given = torch.from_numpy(held.kind[index]), torch.from_numpy(held.given[index])
            score = head(states, table[held.phrase[index]], kind, given)
            loss = _loss(score, torch.from_numpy(held.gold[index]), torch.from_numpy(place))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(loss.item())
        report(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}")
    return head.eval()


def _batches(
    group: NDArray[np.int64], draw: np.random.Generator
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Arcs of `GROUPS` tokens drawn at random, and the number of each one's token in the batch."""
    first = np.searchsorted(group, np.arange(group[-1] + 2))
    order = draw.permutation(len(first) - 1)
    for begin in range(0, len(order), GROUPS):
        chosen = order[begin : begin + GROUPS]
        index = np.concatenate([np.arange(first[g], first[g + 1]) for g in chosen])
        yield index, np.repeat(np.arange(len(chosen)), first[chosen + 1] - first[chosen])


def _loss(score: Tensor, gold: Tensor, place: Tensor) -> Tensor:
    n = int(place[-1]) + 1
    top = torch.full((n,), -1e9).scatter_reduce(0, place, score.detach(), "amax")
    total = torch.zeros(n).index_add(0, place, torch.exp(score - top[place]))
    return (top[place[gold]] + torch.log(total)[place[gold]] - score[gold]).mean()


def export(head: Head, spread: float, path: Path) -> None:
    """Write the weights that `restore.neural` reads."""
    arrays = {}
    for name, tensor in head.state_dict().items():
        array = tensor.numpy()
        if name == "usual.weight":
            arrays["usual"] = array[0]
        elif name.endswith(".weight"):
            arrays[name.removesuffix(".weight")] = np.ascontiguousarray(array.T)
        else:
            arrays[name] = array
    with open(path, "wb") as file:
        np.savez(file, spread=np.float16(spread), **{name: a.astype(np.float16) for name, a in arrays.items()})
