"""Spinners with a table that `restore` does not know, and what it makes of their work.

Each table of `tables/` was written by itself, without sight of a lexicon, a corpus
or another table. It spins clean documents; these are then judged and restored, as
they were and spun.
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

FOLDER: Final = Path(__file__).parent / "tables"


class Result(NamedTuple):
    """Of one table. replaced: words replaced, of all; spun: share of documents judged spun; score: their spans; clean:
    edits in the same documents untouched."""

    table: str
    replaced: float
    spun: float
    score: Score
    clean: int


def run(documents: Sequence[str], tables: Iterable[Path], engine: Restorer) -> Iterator[Result]:
    """Each table on all documents."""
    untouched = sum(len(engine.restore(text).edits) for text in documents)
    words = sum(len(text.split()) for text in documents)
    for path in tables:
        table = listed(path)
        marked = [read_marked(spin(text, table, seed)) for seed, text in enumerate(documents)]
        judged: list[tuple[Marked, Sequence[Edit]]] = []
        spun = 0
        for m in marked:
            result = engine.restore(m.tokens.text)
            judged.append((m, result.edits))
            spun += result.verdict.spun
        replaced = sum(len(m.spans) for m in marked) / words
        yield Result(path.stem, replaced, spun / len(marked), score(judged), untouched)


def lines(results: Iterable[Result]) -> Iterator[str]:
    """As a table in Markdown."""
    yield "| table | words replaced | judged spun | precision | recall | F0.5 | edits in the originals |"
    yield "|---|---|---|---|---|---|---|"
    for r in results:
        s = r.score
        yield (
            f"| {r.table} | {r.replaced:.1%} | {r.spun:.0%} | {s.precision:.3f} | {s.recall:.3f} | {s.f:.3f} | {r.clean} |"
        )
