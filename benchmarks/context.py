"""What each source of evidence adds, how far probabilities can be believed, and documents that are spun in part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.scoring import Score, score
from restore import Restorer
from restore.fitted import Fitted, load_fitted
from restore.learning.gold import Marked, judged, marked_lines, read_marked
from restore.shipped import root

PARAGRAPH = 80  # words of a paragraph in a mixed document, about


def read_pairs(path: Path) -> list[str]:
    """Marked documents of JSON lines, or of a folder of *.marked.txt."""
    if path.is_dir():
        return [p.read_text(encoding="utf-8").rstrip("\n") for p in sorted(path.glob("*.marked.txt"))]
    return marked_lines(path)


def ablations() -> dict[str, Fitted]:
    """Settings by name, from least to most evidence."""
    fitted = load_fitted(root() / "fitted.json")
    both = fitted.weights_of("")
    cases = {
        "no context": replace(both, context=0.0, two_sided=0.0, judging=0.0, consistency=0.0),
        "n-grams only": replace(both, context=0.6, two_sided=0.0, judging=0.0, consistency=0.0),
        "two-sided only": replace(both, context=0.0, two_sided=1.0, judging=1.0, channel=0.0, consistency=0.0),
        "both": replace(both, consistency=0.0),
        "both + consistency": both,
    }
    alone = replace(fitted, rereading={}, passage=())
    once = {name: replace(alone, weights={"": weights}) for name, weights in cases.items()}
    return {**once, "+ second reading": replace(fitted, passage=()), "+ passages by the lattice": fitted}


def engines(neural: bool = False) -> Iterator[tuple[str, Restorer]]:
    """An engine for each setting; with the language model's second opinion last, if wanted."""
    for name, fitted in ablations().items():
        yield name, Restorer(fitted=fitted)
    if neural:
        yield "+ neural", Restorer(neural=True)


def scored(engine: Restorer, documents: Sequence[str]) -> Score:
    """Score of an engine on marked documents."""
    read = (read_marked(m) for m in documents)
    return score((marked, engine.restore(marked.tokens.text).edits) for marked in read)


def judged_edits(engine: Restorer, documents: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Confidence of each edit, and whether it is right."""
    confidence: list[float] = []
    right: list[bool] = []
    for marked in map(read_marked, documents):
        edits = engine.restore(marked.tokens.text).edits
        confidence += [e.confidence for e in edits]
        right += judged(marked, edits)
    return np.array(confidence), np.array(right, bool)


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 15) -> float:
    """Expected calibration error over bins of equal width (Naeini et al. 2015)."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[place == k].mean() - right[place == k].mean()) * np.mean(place == k)
        for k in range(bins)
        if (place == k).any()
    ]
    return float(sum(gaps))


def reliability_picture(confidence: NDArray[np.float64], right: NDArray[np.bool_], path: Path) -> None:
    """Reliability diagram as a picture (needs matplotlib)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (top, bottom) = pyplot.subplots(2, 1, figsize=(5, 6), height_ratios=[3, 1], sharex=True)
    edges = np.linspace(0, 1, 21)
    place = np.minimum((confidence * 20).astype(int), 19)
    held = [k for k in range(20) if (place == k).sum() >= 20]
    top.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1)
    top.plot([confidence[place == k].mean() for k in held], [right[place == k].mean() for k in held], marker="o")
    top.set_ylabel("share of edits that are right")
    top.set_title(f"{len(right):,} edits, calibration error {calibration_error(confidence, right):.3f}")
    bottom.hist(confidence, bins=edges.tolist())
    bottom.set_xlabel("confidence")
    bottom.set_ylabel("edits")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def mixed(documents: Sequence[str], clean: Sequence[str]) -> Iterator[tuple[Marked, list[tuple[int, int]]]]:
    """Documents of which every other paragraph is clean, with the bounds of these (code points)."""
    paragraphs = (p for text in clean for p in _paragraphs(text))
    for marked in documents:
        parts: list[str] = []
        bounds: list[tuple[int, int]] = []
        at = 0
        for part in _paragraphs(marked):
            other = next(paragraphs, None)
            if other is None:
                return
            for text, own in ((part, True), (other, False)):
                length = len(read_marked(text).tokens.text)
                if not own:
                    bounds.append((at, at + length))
                parts.append(text)
                at += length + 2
        yield read_marked("\n\n".join(parts)), bounds


def _paragraphs(text: str) -> Iterator[str]:
    """Whole sentences, about `PARAGRAPH` words together."""
    held: list[str] = []
    for word in text.split():
        held.append(word)
        if len(held) >= PARAGRAPH and word.endswith((".", ".”", '."')):
            yield " ".join(held)
            held = []
    if len(held) >= 20:
        yield " ".join(held)
