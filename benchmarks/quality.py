"""Quality on the texts of this repository, for the floors in CI."""

from __future__ import annotations

from pathlib import Path

from rapidfuzz.distance import Indel

import restore

ROOT = Path(__file__).resolve().parent.parent


def quality() -> dict[str, float]:
    """Figures by the names of `floors.json`."""
    engine = restore.Restorer()
    spun, original, clean = (
        (ROOT / "examples" / name).read_text(encoding="utf-8") for name in ("spun.txt", "original.txt", "clean.txt")
    )
    return {
        "spun example: share of its words as in the original": Indel.normalized_similarity(
            engine.restore(spun).text.lower().split(), original.lower().split()
        ),
        "clean example: edits": float(len(engine.restore(clean).edits)),
        "look-alikes left alone inside a spun article": lookalikes(engine, spun),
    }


def lookalikes(engine: restore.Restorer, spun: str) -> float:
    """Share of look-alike sentences whose phrase is left alone between two spun paragraphs."""
    path = ROOT / "tests" / "cases" / "lookalikes.tsv"
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    before, after = spun.split("\n\n")[1:3]
    begin = len(before) + 2
    kept = 0
    for phrase, sentence in rows:
        edits = engine.restore(f"{before}\n\n{sentence}\n\n{after}").edits
        inside = [e.found.lower() for e in edits if e.end > begin and e.start < begin + len(sentence)]
        kept += not any(phrase in found or found in phrase for found in inside)
    return kept / len(rows)
