"""Detection: area under the curve, spun against clean, at a number of words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import restore
from restore.learning.gold import marked_lines
from restore.learning.phrases import as_found, as_written
from restore.text import tokenize


def windows(texts: list[str], words: int) -> list[str]:
    """Stretches of so many words, end to end."""
    out = []
    for text in texts:
        parts = text.split()
        out += [" ".join(parts[i : i + words]) for i in range(0, len(parts) - words + 1, words)]
    return out


def sentences(texts: list[str], least: int = 15, most: int = 25) -> list[str]:
    """Single sentences of so many words."""
    out = []
    for text in texts:
        tokens = tokenize(text)
        pieces = (text[tokens.start[a] : tokens.end[b - 1]] for a, b in tokens.sentences())
        out += [p for p in pieces if least <= len(p.split()) <= most]
    return out


def area(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """Area under the ROC curve by ranks (Mann and Whitney 1947), ties counted half."""
    order = np.sort(negative)
    below = np.searchsorted(order, positive, side="left")
    ties = np.searchsorted(order, positive, side="right") - below
    return float((below + ties / 2).mean() / len(negative))


def detection(pairs: Path, words: int) -> tuple[float, int, int]:
    """AUC over windows (single sentences where `words` is 0) of the spun and of the original sides of marked JSON
    lines; how many of each kind. Sentences that nothing was replaced in count as clean on both sides and are left out.
    """
    marked = marked_lines(pairs)
    spun, clean = [as_found(m) for m in marked], [as_written(m) for m in marked]
    if words:
        spun, clean = windows(spun, words), windows(clean, words)
    else:
        untouched = set(clean := sentences(clean))
        spun = [s for s in sentences(spun) if s not in untouched]
    engine = restore.Restorer()
    scores = [np.array([engine.evidence(text) for text in side]) for side in (spun, clean)]
    return area(scores[0], scores[1]), len(spun), len(clean)
