"""`restore lexicon suggest` with a tenth of the known phrases hidden: are they suspected, and are the originals
right?"""

from __future__ import annotations

import random
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import restore
from restore.learning.gold import split
from restore.learning.phrases import MARK, Learned, as_found, from_marked, learn, write_learned
from restore.learning.suggest import LEAST_PLACES, LEAST_TEXTS, Suggestion, suggest
from restore.lexicon import phrase_key

DEPTHS = (20, 50, 100, 200)
Truth = dict[str, Counter[str]]


def suggesting(pairs: Path, hidden: float, seed: int) -> dict[str, float]:
    """Figures by name. `pairs`: marked JSON lines; `hidden`: share of the found phrases taken out of the lexicon."""
    known, held = split(pairs)
    learned = learn(map(from_marked, known))
    founds = sorted({e.found for e in learned.entries})
    out = set(random.Random(seed).sample(founds, int(hidden * len(founds))))
    learned = Learned([e for e in learned.entries if e.found not in out])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "known.tsv"
        write_learned(learned, path)
        engine = restore.Restorer(families=[], lexicons=[path])
    made = suggest([as_found(m) for m in held], engine)
    return _figures(made, *_truth(held), {e.found for e in learned.entries})


def _truth(held: list[str]) -> tuple[Truth, dict[str, set[int]]]:
    """Found phrases of the held-out documents with their originals, whole and without the words that both share,
    and the documents of each."""
    truth: Truth = defaultdict(Counter)
    where: dict[str, set[int]] = defaultdict(set)
    for number, text in enumerate(held):
        for mark in MARK.finditer(text):
            found, original = phrase_key(mark.group(1)), phrase_key(mark.group(3).split("|")[0])
            for f, o in {(found, original), _core(found, original)}:
                truth[f][o] += 1
                where[f].add(number)
    return truth, where


def _core(found: str, original: str) -> tuple[str, str]:
    f, o = found.split(" "), original.split(" ")
    while len(f) > 1 and len(o) > 1 and f[0] == o[0]:
        f, o = f[1:], o[1:]
    while len(f) > 1 and len(o) > 1 and f[-1] == o[-1]:
        f, o = f[:-1], o[:-1]
    return " ".join(f), " ".join(o)


def _figures(made: list[Suggestion], truth: Truth, where: dict[str, set[int]], known: set[str]) -> dict[str, float]:
    figures: dict[str, float] = {"suggested": len(made)}
    for depth in DEPTHS:
        top = made[:depth]
        figures[f"precision at {depth}"] = sum(s.found in truth for s in top) / max(1, len(top))
    right = [s for s in made if s.found in truth]
    for name, count in (("first original right", 1), ("an original of the first three right", 3)):
        hits = sum(any(p.original in truth[s.found] for p in s.proposals[:count]) for s in right)
        figures[f"{name}, of the phrases rightly suspected"] = hits / max(1, len(right))
    frequent = {f for f in truth if f not in known and len(where[f]) >= LEAST_TEXTS}
    frequent = {f for f in frequent if sum(truth[f].values()) >= LEAST_PLACES}
    figures["phrases that could have been suspected"] = len(frequent)
    figures["of these suspected"] = len(frequent & {s.found for s in made}) / max(1, len(frequent))
    return figures
