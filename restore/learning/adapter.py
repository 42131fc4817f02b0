"""Training of the adapter that makes a language model a better judge of close calls (PyTorch).

A causal language model has learned to tell text, not to choose between candidates. Low-rank matrices beside its
linear layers (LoRA, Hu et al. 2022) are fitted by the likelihood of the right candidate among those of a place: its
score is what `restore.neural` makes of the engine's log probability, the model's, and a bonus for identity, whose
weights are fitted along. The model itself stays as it is. Places are close calls of the engine on real pairs, each
half with a lexicon of the other, and on originals spun by thesauri.

A window of text is read once. Candidates are branches that leave it at their place: their tokens attend to the text before
and to one another, as in llama.cpp's batches of sequences.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from restore.learning import smollm2
from restore.learning.fitting import lexicon_without, right_or_found, spun_by_thesauri
from restore.learning.gold import Marked, read_marked, split
from restore.neural import LEAST, Branch, Opinions, candidates_of, questions
from restore.rereading import LEAST as REREAD_LEAST
from restore.restorer import Restorer
from restore.thesaurus import FAMILY as THESAURUS
from restore.vectors import Array, Doubles

RANK: Final = 8
WINDOWS: Final = 4  # of a step, each of another document
RATE: Final = 8e-4
RATE_OF_WEIGHTS: Final = 2e-3  # of the three weights of a score
WARM: Final = 15  # steps until the rate is reached
LAST: Final = 0.03  # share of it that is left in the end
SPUN: Final = 800  # originals that are spun by thesauri, after the first
APART: Final = 100  # ones, by which a model's weight is fitted
WINDOW: Final = 512  # tokens
KEPT: Final = 160  # of these, of the window before
SURE: Final = 0.9  # probability of a candidate above which a place is seldom learned from,
SELDOM: Final = 0.3  # one in so many
UNLIKELY: Final = 0.004  # probability of a wrong candidate up to which it is left out
REPORT: Final = 20  # steps

HEADS: Final = 9  # of SmolLM2-135M, of 64 dimensions each;
SHARED: Final = 3  # keys and values, each for three of them
BLOCKS: Final = 30
EPSILON: Final = 1e-5  # of its root-mean-square norms
BASE: Final = 100_000.0  # of its rotary positions
LAYERS: Final = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
_FAR: Final = -1e4  # added to the score of what may not be attended to


class Place(NamedTuple):
    """A close call: of each candidate the engine's log probability, whether it is the word found, and whether it is
    right."""

    engine: Doubles
    own: NDArray[np.bool_]
    right: NDArray[np.bool_]


class Document(NamedTuple):
    """A text's close calls. spinner: the kind; pieces and asked: as in `restore.neural.Questions`."""

    spinner: str
    pieces: list[str]
    asked: list[tuple[int, list[str]]]
    places: list[Place]


class Windows(Protocol):
    """`restore.neural.LanguageModel.windows`."""

    def __call__(
        self, pieces: Sequence[str], asked: Sequence[tuple[int, Sequence[str]]], most: int, kept: int
    ) -> Iterator[tuple[list[int], list[Branch]]]: ...


def close_calls(pairs: Path, family: str, draw: Random) -> list[Document]:
    """Documents to learn from: those of pairs, shuffled, with one spun by a thesaurus after each four."""
    learned, _ = split(pairs)
    of_family: list[Document] = []
    for half in (0, 1):
        with tempfile.TemporaryDirectory() as folder:
            path = lexicon_without(learned[half::2], family, Path(folder))
            engine = Restorer(families=[], lexicons=[path], threshold=REREAD_LEAST)
            of_family += _asked(map(read_marked, learned[1 - half :: 2]), engine, "", draw)
    others = islice(spun_by_thesauri(pairs, APART + SPUN), APART, None)
    spun = list(_asked(others, Restorer(threshold=LEAST), THESAURUS, draw))
    draw.shuffle(of_family)
    out: list[Document] = []
    for n, document in enumerate(of_family, 1):
        out.append(document)
        if n % 4 == 0 and spun:
            out.append(spun.pop())
    return out


def _asked(documents: Iterable[Marked], engine: Restorer, spinner: str, draw: Random) -> Iterator[Document]:
    for marked in documents:
        text = marked.tokens.text
        edits = engine.restore(text).edits
        close, pieces, asked = questions(text, edits, engine.threshold)
        kept: list[tuple[int, list[str]]] = []
        places: list[Place] = []
        for edit, (stand, texts) in zip((e for e, c in zip(edits, close, strict=True) if c), asked, strict=True):
            candidates, probability = candidates_of(edit)
            own = np.array([c == edit.found for c in candidates])
            right = right_or_found(marked, edit, candidates)
            if not right.any() or (probability.max() > SURE and draw.random() > SELDOM):
                continue
            among = np.flatnonzero((probability > UNLIKELY) | own | right)
            kept.append((stand, [texts[k] for k in among]))
            places.append(Place(np.log(np.maximum(probability[among], 1e-6)), own[among], right[among]))
        if places:
            yield Document(spinner, pieces, kept, places)


class Linear(nn.Module):
    """A linear layer that stays as it is, and the product of two low-rank matrices added to it, nought at first."""

    def __init__(self, weight: Array, rank: int, draw: torch.Generator):
        super().__init__()
        outputs, inputs = weight.shape
        self.register_buffer("weight", torch.from_numpy(weight).bfloat16())
        self.a = nn.Parameter(torch.randn(rank, inputs, generator=draw) / inputs**0.5)
        self.b = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight) + functional.linear(
            functional.linear(x, self.a.bfloat16()), self.b.bfloat16()
        )


class Reading(NamedTuple):
    """How tokens of a window and its branches stand to one another. text: tokens of the window, which come first;
    branches, length: rows that follow, and tokens of each; cos and sin: of positions, shape (tokens, 32); the others
    are what is added to attention: window to window, branch to window, and within a branch."""

    text: int
    branches: int
    length: int
    cos: Tensor
    sin: Tensor
    causal: Tensor
    before: Tensor
    within: Tensor


class Block(nn.Module):
    """A transformer block of SmolLM2 (grouped-query attention, gated feed-forward)."""

    def __init__(self, weights: dict[str, Array], number: int, rank: int, draw: torch.Generator):
        super().__init__()
        own = {name: weights[f"blk.{number}.{name}.weight"] for name in ("attn_norm", "ffn_norm", *LAYERS)}
        self.register_buffer("attn_norm", torch.from_numpy(own["attn_norm"]).bfloat16())
        self.register_buffer("ffn_norm", torch.from_numpy(own["ffn_norm"]).bfloat16())
        for name in LAYERS:
            self.add_module(name, Linear(own[name], rank, draw))

    def forward(self, x: Tensor, r: Reading) -> Tensor:
        x = x + self.attn_output(self._attended(functional.rms_norm(x, x.shape[-1:], self.attn_norm, EPSILON), r))
        h = functional.rms_norm(x, x.shape[-1:], self.ffn_norm, EPSILON)
        return x + self.ffn_down(functional.silu(self.ffn_gate(h)) * self.ffn_up(h))

    def _attended(self, h: Tensor, r: Reading) -> Tensor:
        """Attention of the window's tokens to those before, of branches' to these and to their own."""
        count, each = len(h), HEADS // SHARED
        q = _turned(self.attn_q(h).view(count, HEADS, -1), r).view(count, SHARED, each, -1)
        k = _turned(self.attn_k(h).view(count, SHARED, -1), r)
        v = self.attn_v(h).view(count, SHARED, -1)
        q = q * q.shape[-1] ** -0.5
        ahead = k[: r.text], v[: r.text]
        seen = torch.softmax(torch.einsum("mghd,ngd->ghmn", q[: r.text], ahead[0]) + r.causal, -1)
        of_text = torch.einsum("ghmn,ngd->mghd", seen, ahead[1]).reshape(r.text, -1)
        qb, kb, vb = (t[r.text :].view(r.branches, r.length, *t.shape[1:]) for t in (q, k, v))
        to_text = torch.einsum("blghd,ngd->ghbln", qb, ahead[0]) + r.before
        to_own = torch.einsum("blghd,bmgd->ghblm", qb, kb) + r.within
        seen = torch.softmax(torch.cat((to_text, to_own), -1), -1)
        of_branches = torch.einsum("ghbln,ngd->blghd", seen[..., : r.text], ahead[1])
        of_branches = of_branches + torch.einsum("ghblm,bmgd->blghd", seen[..., r.text :], vb)
        return torch.cat((of_text, of_branches.reshape(r.branches * r.length, -1)))


def _turned(x: Tensor, r: Reading) -> Tensor:
    """Rotary positions (Su et al. 2021), of neighbouring dimensions, as llama.cpp keeps the weights."""
    a, b = x[..., 0::2], x[..., 1::2]
    cos, sin = r.cos[:, None], r.sin[:, None]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


class Judge(nn.Module):
    """SmolLM2 with its adapter, and the weights of a score by kind of spinner."""

    def __init__(self, opinions: Opinions, rank: int = RANK, seed: int = 0):
        super().__init__()
        draw = torch.Generator().manual_seed(seed)
        weights = smollm2.tensors(lambda name: True)
        self.register_buffer("words", torch.from_numpy(weights["token_embd.weight"]).bfloat16())
        self.register_buffer("norm", torch.from_numpy(weights["output_norm.weight"]).bfloat16())
        self.blocks = nn.ModuleList(Block(weights, n, rank, draw) for n in range(BLOCKS))
        self.heard = nn.ParameterDict(
            {_key(kind): nn.Parameter(torch.tensor([o.engine, o.model, o.identity])) for kind, o in opinions.items()}
        )
        width = self.words.shape[1] // HEADS
        angle = torch.arange(2 * WINDOW)[:, None] * BASE ** (-torch.arange(0, width, 2) / width)
        self.register_buffer("cos", angle.cos().bfloat16())
        self.register_buffer("sin", angle.sin().bfloat16())

    def scores(self, window: Sequence[int], branches: Sequence[Branch]) -> Tensor:
        """Log probability of each row of each branch, one after another."""
        rows = [(at, row) for at, of in branches for row in of]
        text = -(-len(window) // 32) * 32  # few shapes, so that little is compiled
        length = -(-max(1, *(len(row) - 1 for _, row in rows)) // 4) * 4
        given, asked = (torch.zeros(len(rows), length, dtype=torch.long) for _ in range(2))
        there = torch.zeros(len(rows), length, dtype=torch.bool)
        for n, (_, row) in enumerate(rows):
            given[n, : len(row) - 1], asked[n, : len(row) - 1] = torch.tensor(row[:-1]), torch.tensor(row[1:])
            there[n, : len(row) - 1] = True
        stands = torch.tensor([at for at, _ in rows])
        padded = torch.tensor([*window, *[0] * (text - len(window))])
        x = self._read(torch.cat((padded, given.flatten())), text, length, stands)
        first = torch.log_softmax((x[stands - 1] @ self.words.T).float(), -1)
        first = first[torch.arange(len(rows)), torch.tensor([row[0] for _, row in rows])]
        lost = functional.cross_entropy(
            (x[text:][there.flatten()] @ self.words.T).float(), asked[there], reduction="none"
        )
        number = torch.arange(len(rows))[:, None].expand_as(there)[there]
        return first - torch.zeros(len(rows)).index_add(0, number, lost)

    def _read(self, tokens: Tensor, text: int, length: int, stands: Tensor) -> Tensor:
        """The last layer's vectors, shape (tokens, dimensions)."""
        positions = torch.cat((torch.arange(text), (stands[:, None] + torch.arange(length)).flatten()))
        before = torch.where(torch.arange(text) < stands[:, None, None], 0.0, _FAR).bfloat16()
        reading = Reading(
            text, len(stands), length, self.cos[positions], self.sin[positions], _causal(text), before, _causal(length)
        )
        x = functional.embedding(tokens, self.words)
        for block in self.blocks:
            x = block(x, reading)
        return functional.rms_norm(x, x.shape[-1:], self.norm, EPSILON)

    def loss(self, document: Document, number: int, window: Sequence[int], branches: Sequence[Branch]) -> Tensor:
        """Negative log probability of the right candidates, summed over the places of a window, of which the first is the
        document's `number`-th."""
        weights = self.heard[_key(document.spinner)]
        total = torch.zeros(())
        parts = self.scores(window, branches).split([len(rows) for _, rows in branches])
        for place, heard in zip(document.places[number:], parts, strict=False):
            known = torch.tensor(np.stack((place.engine, place.own)), dtype=torch.float32)
            p = torch.log_softmax(weights[0] * known[0] + weights[1] * heard + weights[2] * known[1], 0)
            total = total - torch.logsumexp(p[torch.from_numpy(place.right)], 0)
        return total


def _causal(size: int) -> Tensor:
    return torch.full((size, size), _FAR).triu(1).bfloat16()


def _key(kind: str) -> str:
    """A parameter has no empty name."""
    return kind or "family"


def train(
    judge: Judge,
    documents: Sequence[Document],
    windows: Windows,
    steps: int,
    seed: int,
    report: Callable[[str], object],
) -> None:
    """Fit the adapter in so many steps, the rate falling as a line. windows: as the language model cuts texts."""
    matrices = [p for block in judge.blocks for p in block.parameters()]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "peak": RATE}, {"params": list(judge.heard.values()), "peak": RATE_OF_WEIGHTS}],
        RATE, betas=(0.9, 0.98), weight_decay=0.0,
    )  # fmt: skip
    for block in judge.blocks:
        block.compile(dynamic=True)
    drawn = _drawn(documents, windows, Random(seed))
    lost, count, begin = 0.0, 0, time.monotonic()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * min(1.0, (step + 1) / WARM) * max(LAST, 1 - step / steps)
        part = list(islice(drawn, WINDOWS))
        places = sum(len(branches) for *_, branches in part)
        for window in part:
            loss = judge.loss(*window)
            (loss / places).backward()
            lost += loss.item()
        count += places
        nn.utils.clip_grad_norm_(matrices, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if (step + 1) % REPORT == 0:
            seconds = time.monotonic() - begin
            report(f"{step + 1} of {steps} steps, {lost / count:.4f} nats a place, {seconds / 60:.0f} minutes")
            lost, count = 0.0, 0


def _drawn(
    documents: Sequence[Document], windows: Windows, draw: Random
) -> Iterator[tuple[Document, int, list[int], list[Branch]]]:
    """A window of each document, again and again, with the number of its first place."""
    while True:
        for document in documents:
            found: list[tuple[int, list[int], list[Branch]]] = []
            number = 0
            for window, branches in windows(document.pieces, document.asked, WINDOW, KEPT):
                if branches:
                    found.append((number, window[: branches[-1][0]], branches))
                number += len(branches)
            yield document, *draw.choice(found)


def adapter_of(judge: Judge, rank: int) -> dict[str, tuple[Array, Array]]:
    """What is added to the model's weights, as `restore.neural.save_adapter` takes it: of each matrix the nearest of the
    given rank (Eckart and Young 1936)."""
    layers = (
        (f"blk.{n}.{name}.weight", getattr(block, name)) for n, block in enumerate(judge.blocks) for name in LAYERS
    )
    return {name: reduced(layer.a.detach().numpy(), layer.b.detach().numpy(), rank) for name, layer in layers}


def reduced(a: Array, b: Array, rank: int) -> tuple[Array, Array]:
    """Matrices (rank, inputs) and (outputs, rank) whose product is nearest to that of a larger rank's."""
    qa, ra = np.linalg.qr(a.T)
    qb, rb = np.linalg.qr(b)
    u, s, v = np.linalg.svd(rb @ ra.T)
    root = np.sqrt(s[:rank])
    return (root[:, None] * v[:rank]) @ qa.T, (qb @ u[:, :rank]) * root
