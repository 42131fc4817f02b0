"""Training of the two-sided context model (PyTorch).

Clean documents are spun by the learned channel, afresh for each, and the model
learns which arc of the lattice was the author's: softmax over the arcs that
start at one token, identity included. The runtime (`restore.twosided`) reads
the weights that `export` writes, word vectors quantised to int8.
"""

from __future__ import annotations

import math
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from restore import vectors
from restore.buckets import hashes
from restore.candidates import Finder, Lattice
from restore.context import COMMA, SENTENCE, ContextModel
from restore.learning.corpora import UNKNOWN, barred_shingles, corpus_files, is_barred, words_of
from restore.learning.descent import Descent
from restore.learning.gold import read_marked, split
from restore.learning.phrases import open_text
from restore.learning.spinner import Spinner, Spun
from restore.lexicon import Lexicon, load, phrase_key
from restore.shipped import CONTEXT, root
from restore.text import shape, tokenize
from restore.twosided import GAPS, KINDS, MAX_WORDS, TOPIC_AFTER, WIDTH, WINDOW, layers
from restore.vectors import Array, Arrays

DIMENSIONS: Final = 128
MARKS: Final = (SENTENCE, COMMA, UNKNOWN)  # the first words of a vocabulary
DILATIONS: Final = (1, 2, 4, 8, 2, 1)  # of the blocks' convolutions
COMMON_WORDS: Final = 36_000
BATCH_TOKENS: Final = 8192
LONGEST_DOCUMENT: Final = 1500  # words; the rest of a longer one is not used
WORD_DROPOUT: Final = 0.05
SHARD_WORDS: Final = 700_000
AHEAD: Final = 2  # shards made before they are needed
REAL_EVERY: Final = 10  # shards of spun text between two readings of the real pairs
DECAY: Final = 0.01
HIDDEN: Final = 3  # times `DIMENSIONS`: width between the two layers of a block


def vocabulary(common: list[str], lexicon: Lexicon) -> list[str]:
    """The words that have vectors: special ones, the most frequent, and all of the lexicon."""
    words = dict.fromkeys(common[:COMMON_WORDS])
    for found, options in lexicon.options.items():
        words.update(dict.fromkeys(found.replace("-", " ").replace("'s", " 's").split()))
        words.update(dict.fromkeys(w for option in options for w in option.words))
    return list(words)


@dataclass(slots=True)
class Shard:
    """Spun documents as arrays: tokens, gaps, cut points of windows; arcs of ambiguous tokens with their features."""

    token: NDArray[np.int64]
    gap: NDArray[np.int64]
    cuts: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    words: NDArray[np.int64]  # (arcs, MAX_WORDS), -1 where there is none
    rate: NDArray[np.float32]
    usual: NDArray[np.float32]
    kind: NDArray[np.int64]
    gold: NDArray[np.bool_]


class ShardMaker:
    """Lays out the lattices of spun documents."""

    def __init__(self, lexicon: Lexicon, model: ContextModel, words: list[str]):
        self._model = model
        self._finder = Finder(lexicon, model)
        self._number = {w: i for i, w in enumerate(words)}
        self._usual: dict[tuple[str, ...], float] = {}

    def make(self, documents: Iterable[Spun]) -> Shard:
        """One shard."""
        unknown = self._number["<unk>"]
        token: list[int] = []
        gap: list[int] = []
        cuts = [0]
        arcs: list[tuple[int, int, list[int], float, float, int, bool]] = []
        for spun in documents:
            tokens = spun.tokens
            lattice = self._finder.lattice(tokens, tokens.sentences())
            base, begin = len(token), 0
            for a, b in lattice.sentences:
                if b - begin > WINDOW and a > begin:
                    cuts.append(base + a)
                    begin = a
            token += [self._number.get(shape(k), unknown) for k in tokens.key]
            gap += [GAPS[g] for g in tokens.gap]
            cuts.append(len(token))
            arcs += self._labelled(spun, lattice, base)
        start, length, words_, rate_, usual, kind, gold_ = zip(*arcs, strict=True)
        return Shard(
            np.array(token), np.array(gap), np.array(cuts), np.array(start), np.array(length), np.array(words_),
            np.array(rate_, np.float32), np.array(usual, np.float32), np.array(kind), np.array(gold_),
        )  # fmt: skip

    def _labelled(
        self, spun: Spun, lattice: Lattice, base: int
    ) -> Iterator[tuple[int, int, list[int], float, float, int, bool]]:
        """Features of the arcs at each token where there is a choice, and which of them is the author's."""
        gold = {a: (b, original) for a, b, original in spun.substitutions}
        inner = {k for a, b, _ in spun.substitutions for k in range(a + 1, b)}
        unknown = self._number["<unk>"]
        for group in _groups(lattice.start):
            at = lattice.start[group[0]]
            right = [
                k
                for k in group
                if ((o := lattice.option[k]) is None and at not in gold)
                or (o is not None and gold.get(at) == (lattice.end[k], o.original))
            ]
            if len(group) == 1 or at in inner or not right:
                continue
            for k in group:
                option = lattice.option[k]
                words = option.words if option else (shape(spun.tokens.key[at]),)
                ids = [self._number.get(w, unknown) for w in words[:MAX_WORDS]]
                row = ids + [-1] * (MAX_WORDS - len(ids))
                rate = math.log(option.rate) if option else lattice.weight[k]
                kind = KINDS.get(lattice.kind[k], 1)
                yield base + at, lattice.end[k] - at, row, rate, self._frequency(words), kind, k == right[0]

    def _frequency(self, words: tuple[str, ...]) -> float:
        if words not in self._usual:
            self._usual[words] = float(self._model.phrases([list(words)])[0])
        return self._usual[words]


def _groups(start: list[int]) -> Iterator[list[int]]:
    """Indices of arcs by their first token."""
    group: list[int] = []
    for k, at in enumerate(start):
        if group and start[group[0]] != at:
            yield group
            group = []
        group.append(k)
    if group:
        yield group


def real_spun(marked: str) -> Spun:
    """A real spun document with its gold; the first alternative counts as the original."""
    document = read_marked(marked)
    spans = [(*s.tokens, phrase_key(s.originals[0])) for s in document.spans if s.tokens]
    return Spun(document.tokens, spans)


def documents(corpora: Path, without: Path | None, seed: int) -> Iterator[str]:
    """Documents of all corpora, mixed in proportion to their size; those for measuring, or in `without`, left out."""
    paths = corpus_files(corpora)
    files = [open_text(p) for p in paths]  # closed one by one below
    size = [p.stat().st_size ** 0.9 for p in paths]
    barred = barred_shingles(without)
    draw = random.Random(seed)
    while files:
        k = draw.choices(range(len(files)), size)[0]
        line = files[k].readline()
        if not line:
            files.pop(k).close()
            size.pop(k)
            continue
        words = line.split()
        if len(words) >= 30:
            text = line.rstrip("\n") if len(words) <= LONGEST_DOCUMENT else " ".join(words[:LONGEST_DOCUMENT])
            if not is_barred(hashes(words_of(text)), barred):
                yield text


@dataclass(frozen=True, slots=True)
class Sources:
    """What to train on: a folder of plain text; real pairs (JSON lines, marked), but each tenth; pairs whose
    documents must not be among the plain ones."""

    corpora: Path
    pairs: Path | None
    without: Path | None
    seed: int

    def batches(self) -> Iterator[tuple[bool, list[str]]]:
        """Without end: about `SHARD_WORDS` words of clean documents to be spun or, now and then, real ones (True)."""
        real = split(self.pairs)[0] if self.pairs else []
        for epoch in count():
            held: list[str] = []
            words = made = 0
            for text in documents(self.corpora, self.without, self.seed + epoch):
                held.append(text)
                words += text.count(" ") + 1
                if words > SHARD_WORDS:
                    yield False, held
                    held, words, made = [], 0, made + 1
                    if real and made % REAL_EVERY == 0:
                        yield True, real
            if not made and not held:
                raise ValueError(f"{self.corpora}: no document of thirty words that may be learned from")
            if not made:  # a small folder is one batch
                yield False, held


_maker: ShardMaker
_lexicon: Lexicon


def _start(family: str, words: list[str]) -> None:
    global _maker, _lexicon
    _lexicon = load([family])
    _maker = ShardMaker(_lexicon, ContextModel.load(root() / CONTEXT), words)


def _make(real: bool, texts: list[str], seed: int) -> Shard:
    if real:
        return _maker.make(real_spun(text) for text in texts)
    spinner = Spinner(_lexicon, seed)
    return _maker.make(spinner.spin(tokenize(text)) for text in texts)


def shards(family: str, words: list[str], sources: Sources, skip: int) -> Iterator[Shard]:
    """Shards without end, from number `skip` on, made by a process beside this one."""
    waiting: deque[Future[Shard]] = deque()
    with ProcessPoolExecutor(1, get_context("spawn"), _start, (family, words)) as pool:
        for number, (real, texts) in enumerate(sources.batches()):
            if number >= skip:
                waiting.append(pool.submit(_make, real, texts, (sources.seed << 20) + number))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()


class Net(nn.Module):
    """Embeddings, dilated depthwise convolutions with two-layer mixing, span queries against word vectors."""

    def __init__(self, words: int, d: int = DIMENSIONS):
        super().__init__()
        blocks = len(DILATIONS)
        self.E = nn.Embedding(words, d)
        self.G = nn.Embedding(len(GAPS), d)
        nn.init.normal_(self.E.weight, 0, 0.5)
        nn.init.normal_(self.G.weight, 0, 0.3)
        self.conv = nn.ParameterList([nn.Parameter(torch.randn(WIDTH, d) * 0.3) for _ in range(blocks)])
        self.up = nn.ModuleList([nn.Linear(d, HIDDEN * d) for _ in range(blocks)])
        self.down = nn.ModuleList([nn.Linear(HIDDEN * d, d) for _ in range(blocks)])
        for layer in self.down:
            nn.init.normal_(layer.weight, 0, 0.02)  # type: ignore[arg-type]
        self.norm = nn.ParameterList([nn.Parameter(torch.ones(d)) for _ in range(blocks + 1)])
        self.topic = nn.Linear(d, d)
        self.q = nn.Linear(2 * d, d)
        self.U = nn.Embedding(words + 1, d, padding_idx=words)
        nn.init.normal_(self.U.weight, 0, 0.05)
        self.b = nn.Embedding(words + 1, 1, padding_idx=words)
        self.bi = nn.Embedding(words + 1, 1, padding_idx=words)
        self.Ki = nn.Embedding(4, d)
        for table in (self.b, self.bi, self.Ki):
            nn.init.zeros_(table.weight)
        self.kind = nn.Parameter(torch.zeros(4))
        self.lin = nn.Parameter(torch.ones(2))

    def _normal(self, x: Tensor, gain: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * gain

    def encode(self, token: Tensor, gap: Tensor, mask: Tensor) -> Tensor:
        """Vectors of tokens, shape (windows, tokens, d)."""
        x = (self.E(token) + self.G(gap)) * mask[..., None]
        n = x.shape[1]
        for k, dilation in enumerate(DILATIONS):
            y = self._normal(x, self.norm[k]) * mask[..., None]
            pad = dilation * (WIDTH // 2)
            padded = functional.pad(y, (0, 0, pad, pad))
            for j in range(WIDTH):
                y = y + padded[:, j * dilation : j * dilation + n] * self.conv[k][j]
            x = x + self.down[k](torch.relu(self.up[k](y)))
            if k == TOPIC_AFTER:
                mean = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
                x = x + self.topic(mean)[:, None]
        return self._normal(x, self.norm[len(DILATIONS)])

    def forward(self, b: dict[str, Tensor]) -> Tensor:
        """Score of each arc, shape (arcs,)."""
        state = self.encode(b["token"], b["gap"], b["mask"]).flatten(0, 1)
        query = self.q(torch.cat([state[b["first"]], state[b["last"]]], -1))
        words = b["words"]
        size = (words < self.E.num_embeddings).sum(1).clamp(min=1)
        vector = self.U(words).sum(1) / size[:, None] + self.Ki(b["kind"])
        bias = self.b(words).sum(1)[:, 0] / size + (b["kind"] == 0) * self.bi(words[:, 0])[:, 0]
        linear = self.lin[0] * b["rate"] + self.lin[1] * 0.5 * b["usual"]
        return torch.as_tensor((query * vector).sum(-1) + bias + self.kind[b["kind"]] + linear)


def batches(shard: Shard, words: int, draw: np.random.Generator) -> Iterator[dict[str, Tensor]]:
    """Windows of like length, padded, about `BATCH_TOKENS` tokens together."""
    lo, hi = shard.cuts[:-1], shard.cuts[1:]
    lo, hi = lo[hi > lo], hi[hi > lo]
    size = hi - lo
    pools = np.array_split(draw.permutation(len(lo)), max(1, len(lo) // 400))
    groups: list[list[int]] = []
    for pool in pools:
        current: list[int] = []
        for i in pool[np.argsort(size[pool], kind="stable")].tolist():
            if current and size[i] * (len(current) + 1) > BATCH_TOKENS:
                groups.append(current)
                current = []
            current.append(i)
        groups.append(current)
    draw.shuffle(groups)  # type: ignore[arg-type]
    for group in groups:
        batch = _batch(shard, [(int(lo[i]), int(hi[i])) for i in group], words)
        if batch:
            yield batch


def _batch(shard: Shard, windows: list[tuple[int, int]], words: int) -> dict[str, Tensor] | None:
    longest = max(hi - lo for lo, hi in windows)
    token = np.zeros((len(windows), longest), np.int64)
    gap = np.zeros_like(token)
    mask = np.zeros(token.shape, np.float32)
    arcs, first = [], []
    for row, (lo, hi) in enumerate(windows):
        token[row, : hi - lo] = shard.token[lo:hi]
        gap[row, : hi - lo] = shard.gap[lo:hi]
        mask[row, : hi - lo] = 1
        own = np.arange(*np.searchsorted(shard.start, (lo, hi)))
        own = own[shard.start[own] + shard.length[own] <= hi]
        arcs.append(own)
        first.append(shard.start[own] - lo + row * longest)
    index, begin = np.concatenate(arcs), np.concatenate(first)
    if not len(index):
        return None
    group = np.cumsum(np.concatenate([[0], begin[1:] != begin[:-1]]))
    ids = shard.words[index]
    arrays: dict[str, Any] = {
        "token": token, "gap": gap, "mask": mask, "first": begin, "last": begin + shard.length[index] - 1,
        "words": np.where(ids < 0, words, ids), "rate": shard.rate[index], "usual": shard.usual[index],
        "kind": shard.kind[index], "group": group, "gold": shard.gold[index],
    }  # fmt: skip
    return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}


def loss_of(net: Net, b: dict[str, Tensor]) -> Tensor:
    """Mean negative log probability of the author's arcs."""
    score, group = net(b), b["group"]
    n = int(group[-1]) + 1
    top = torch.full((n,), -1e9).scatter_reduce(0, group, score.detach(), "amax")
    total = torch.zeros(n).index_add(0, group, torch.exp(score - top[group]))
    has = torch.zeros(n, dtype=torch.bool).index_fill(0, group[b["gold"]], True)
    gold = torch.zeros(n).index_add(0, group[b["gold"]], score[b["gold"]])
    return -(gold - top - torch.log(total))[has].mean()


def train(
    family: str,
    words: list[str],
    sources: Sources,
    tokens: int,
    checkpoint: Path,
    report: Callable[[str], object],
) -> Net:
    """A net trained on about `tokens` spun tokens; the learning rate rises, then falls as a cosine.

    State is saved after each shard; where `checkpoint` is there, training goes on from it. Raises ValueError where that
    is of another training.
    """
    torch.manual_seed(sources.seed)
    net = Net(len(words))
    about = [family, sources.seed, tokens, crc32("\n".join(words).encode())]
    descent = Descent(net, [net.E.weight, net.U.weight, net.b.weight, net.bi.weight], DECAY, checkpoint, about)
    seen, done = descent.kept.get("seen", 0.0), descent.kept.get("done", 0)
    if done:
        report(f"going on from {checkpoint}: {seen / 1e6:.1f}M tokens")
    before, begin = seen, time.monotonic()
    if seen >= tokens:
        return net
    for shard in shards(family, words, sources, done):
        torch.manual_seed((sources.seed << 20) + done)
        losses: list[float] = []
        for batch in batches(shard, len(words), np.random.default_rng([sources.seed, done])):
            loss = loss_of(net, _with_dropout(batch))
            descent.step(loss, seen / tokens)
            losses.append(loss.item())
            seen += float(batch["mask"].sum())
        done += 1
        speed = (seen - before) / (time.monotonic() - begin)
        descent.save(seen=seen, done=done, words=words)
        report(f"shard {done}: {seen / 1e6:.1f}M tokens, loss {np.mean(losses):.4f}, {speed:,.0f} tokens/s")
        if seen >= tokens:
            break
    return net


def words_of_checkpoint(path: Path) -> list[str]:
    """The vocabulary of a training that was stopped; empty where there is none."""
    return list(torch.load(path)["words"]) if path.exists() else []


def _with_dropout(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Some of the words are not known."""
    dropped = torch.rand(batch["token"].shape) < WORD_DROPOUT
    return batch | {"token": batch["token"].masked_fill(dropped, MARKS.index(UNKNOWN))}


def export(net: Net, words: list[str], path: Path) -> None:
    """Write the weights that `restore.twosided.TwoSided.load` reads: words that were candidates first, for only these
    have learned vectors as such, and after them a row of noughts for the others."""
    state = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    learned = ((state["b.weight"] != 0) | (state["bi.weight"] != 0))[: len(words), 0]
    learned[: len(MARKS)] = True
    order = np.argsort(~learned, kind="stable")
    told = order[: learned.sum()]
    told_as = state.pop("U.weight")
    tables = {"E": state.pop("E.weight")[order], "U": _with_nought(told_as[told])}
    rest: Arrays = {name: _with_nought(state.pop(f"{name}.weight")[told, 0]).astype(np.float16) for name in ("b", "bi")}
    for name, a in state.items():
        layer = name.removesuffix(".weight")
        rest[layer] = a if layer == name or layer in ("G", "Ki") else np.ascontiguousarray(a.T)
    tables |= {name: rest.pop(name) for name in layers(len(DILATIONS))}
    rest |= {"pad": told_as[len(words)], "dilations": np.array(DILATIONS)}
    vectors.save(path, [words[k] for k in order], tables, rest)


def _with_nought(rows: Array) -> Array:
    return np.concatenate([rows, np.zeros_like(rows[:1])])
