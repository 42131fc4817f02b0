"""A lexicon learned from parallel text without its marks, whole and damaged, beside the one learned with them."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import restore
from benchmarks.scoring import score
from restore.learning.gold import read_marked, split
from restore.learning.phrases import Learned, Pair, as_found, as_written, from_marked, learn, write_learned
from restore.text import tokenize


def learning(pairs: Path, damage: float = 0.2, seed: int = 0) -> Iterator[tuple[str, dict[str, float]]]:
    """Figures of each lexicon alone on every tenth document, which is kept out of learning.

    `pairs`: marked JSON lines. `damage`: share of the spun sentences dropped, shuffled or
    joined by a strange one.
    """
    known, held = split(pairs)
    plain = [Pair(as_written(m), None, as_found(m)) for m in known]
    draw = random.Random(seed)
    damaged = [Pair(p.original, None, _damaged(p.spun, plain, damage, draw)) for p in plain]
    variants: tuple[tuple[str, Iterable[Pair]], ...] = (
        ("marked", map(from_marked, known)),
        ("plain", plain),
        ("damaged", damaged),
    )
    for name, source in variants:
        begin = time.process_time()
        learned = learn(source)
        seconds = time.process_time() - begin
        yield name, {"entries": len(learned.entries), "seconds": seconds, **_quality(learned, held)}


def _damaged(spun: str, others: list[Pair], damage: float, draw: random.Random) -> str:
    """A text some of whose sentences are missing, in disorder, or followed by one of another text."""
    tokens = tokenize(spun)
    out = []
    for begin, end in tokens.sentences():
        sentence = spun[tokens.start[begin] : tokens.start[end] if end < len(tokens) else len(spun)]
        kind = draw.randrange(3) if draw.random() < damage else -1
        if kind == 1:
            words = sentence.split()
            sentence = " ".join(draw.sample(words, len(words))) + " "
        elif kind == 2:
            sentence += draw.choice(others).original.partition(". ")[0] + ". "
        if kind:
            out.append(sentence)
    return "".join(out)


def _quality(learned: Learned, held: list[str]) -> dict[str, float]:
    """F0.5, precision and recall of a lexicon alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "learned.tsv"
        write_learned(learned, path)
        engine = restore.Restorer(families=[], lexicons=[path])
    read = map(read_marked, held)
    s = score((marked, engine.restore(marked.tokens.text).edits) for marked in read)
    return {"F0.5": s.f, "precision": s.precision, "recall": s.recall}
