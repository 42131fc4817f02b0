"""Quality on the texts of this repository, for the floors in CI."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rapidfuzz.distance import Indel

import restore
from benchmarks import metrics
from benchmarks.corpus import TRACKS, UNTOUCHED, Document, external, load

ROOT = Path(__file__).resolve().parent.parent
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


def quality() -> dict[str, float]:
    """Figures by the names of `floors.json`."""
    engine = restore.Restorer()
    spun, original, clean = (
        (ROOT / "examples" / name).read_text(encoding="utf-8") for name in ("spun.txt", "original.txt", "clean.txt")
    )
    return {
        "spun example: share of its words as in the original, mean over thresholds": likeness(spun, original),
        "clean example: edits": float(len(engine.restore(clean).edits)),
        "look-alikes left alone inside a spun article": lookalikes(engine, spun),
        **corpus_quality(engine),
        "paraphrased: F0.5": f_half(engine, external(ROOT / "benchmarks" / "paraphrased")),
    }


def likeness(spun: str, original: str) -> float:
    """Share of the words of a restored text that are its original's, at thresholds from 0.5 to 0.9: at a single one,
    one edit in doubt would decide."""
    restored = [restore.Restorer(threshold=t).restore(spun).text.lower().split() for t in THRESHOLDS]
    return sum(Indel.normalized_similarity(words, original.lower().split()) for words in restored) / len(restored)


def f_half(engine: restore.Restorer, documents: Sequence[Document]) -> float:
    """F0.5 of all documents together."""
    return metrics.value(
        metrics.table([metrics.count(d, engine.restore(d.text).text) for d in documents]), metrics.f_half
    )


def corpus_quality(engine: restore.Restorer) -> dict[str, float]:
    """F0.5 on the spun tracks of the corpus's dev half, also of each mechanism of `autoblog`; false edits on the
    untouched ones."""
    found: dict[str, float] = {}
    for track in TRACKS:
        documents = load("dev", [track])
        counts = metrics.table([metrics.count(d, engine.restore(d.text).text) for d in documents])
        if track in UNTOUCHED:
            found[f"{track}: edits"] = float(counts.sum(axis=0)[metrics.NAMES.index("false")])
            continue
        found[f"{track}: F0.5"] = metrics.value(counts, metrics.f_half)
        if track == "autoblog":
            for way in sorted({d.mechanism for d in documents}):
                own = counts[[k for k, d in enumerate(documents) if d.mechanism == way]]
                found[f"{track}, {way}: F0.5"] = metrics.value(own, metrics.f_half)
    return found


def lookalike_rows() -> list[tuple[str, str]]:
    """Phrases that spinners make, each with a sentence in which it is its author's own."""
    path = ROOT / "tests" / "cases" / "lookalikes.tsv"
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    return [(phrase, sentence) for phrase, sentence in (line.split("\t") for line in lines)]


def changed_alone(engine: restore.Restorer) -> list[str]:
    """The look-alike sentences of which something is changed when they stand alone."""
    return [sentence for _, sentence in lookalike_rows() if engine.restore(sentence).edits]


def lookalikes(engine: restore.Restorer, spun: str) -> float:
    """Share of look-alike sentences whose phrase is left alone between two spun paragraphs."""
    rows = lookalike_rows()
    before, after = spun.split("\n\n")[1:3]
    begin = len(before) + 2
    kept = 0
    for phrase, sentence in rows:
        edits = engine.restore(f"{before}\n\n{sentence}\n\n{after}").edits
        inside = [e.found.lower() for e in edits if e.end > begin and e.start < begin + len(sentence)]
        kept += not any(phrase in found or found in phrase for found in inside)
    return kept / len(rows)
