"""Spinners with a table that `restore` does not know, and what it makes of their work.

Each table of `tables/` was written by itself, without sight of a lexicon, a corpus
or another table. It spins clean documents, or one half of each; these are then judged and
restored, as they were and spun.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.scoring import Score, score
from benchmarks.spinning import listed, spin
from restore.learning.gold import Marked, read_marked
from restore.restoration import Edit
from restore.restorer import Restorer
from restore.text import tokenize

FOLDER: Final = Path(__file__).parent / "tables"


class Result(NamedTuple):
    """Of one table. replaced: words replaced, of all; spun: share of documents judged spun; score: their spans; clean:
    edits in the same documents untouched. strays: edits in the halves that were left, where halves were spun."""

    table: str
    replaced: float
    spun: float
    score: Score
    clean: int
    strays: int


def run(documents: Sequence[str], tables: Iterable[Path], engine: Restorer, half: bool = False) -> Iterator[Result]:
    """Each table on all documents, or on one half of each, by turns the first and the second."""
    untouched = sum(len(engine.restore(text).edits) for text in documents)
    words = sum(len(text.split()) for text in documents)
    for path in tables:
        table = listed(path)
        marked = []
        judged: list[tuple[Marked, Sequence[Edit]]] = []
        spun = strays = 0
        for seed, text in enumerate(documents):
            first, second = _halves(text) if half else (text, "")
            parts = (
                (spin(first, table, seed), second) if seed % 2 == 0 or not half else (first, spin(second, table, seed))
            )
            m = read_marked("\n\n".join(filter(None, parts)))
            marked.append(m)
            result = engine.restore(m.tokens.text)
            judged.append((m, result.edits))
            spun += result.verdict.spun
            if half:
                cut = m.tokens.text.index("\n\n")
                strays += sum((e.start > cut) == (seed % 2 == 0) for e in result.edits)
        replaced = sum(len(m.spans) for m in marked) / words
        yield Result(path.stem, replaced, spun / len(marked), score(judged), untouched, strays)


def _halves(text: str) -> tuple[str, str]:
    """A text parted at the end of a sentence, in the middle as near as may be."""
    tokens = tokenize(" ".join(text.split()))
    begins = [tokens.start[begin] for begin, _ in tokens.sentences()]
    cut = min(begins, key=lambda begin: abs(begin - len(tokens.text) / 2))
    return tokens.text[:cut].rstrip(), tokens.text[cut:]


def lines(results: Iterable[Result]) -> Iterator[str]:
    """As a table in Markdown."""
    yield "| table | words replaced | judged spun | precision | recall | F0.5 | edits in the originals | in halves left |"
    yield "|---|---|---|---|---|---|---|---|"
    for r in results:
        s = r.score
        yield (
            f"| {r.table} | {r.replaced:.1%} | {r.spun:.0%} | {s.precision:.3f} | {s.recall:.3f} | {s.f:.3f} | {r.clean} "
            f"| {r.strays} |"
        )
