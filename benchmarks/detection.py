"""Detection: area under the curve, spun against clean, at a number of words."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import restore
from restore.learning.phrases import MARK


def windows(texts: list[str], words: int) -> list[str]:
    """Stretches of so many words, end to end."""
    out = []
    for text in texts:
        parts = text.split()
        out += [" ".join(parts[i : i + words]) for i in range(0, len(parts) - words + 1, words)]
    return out


def area(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """Area under the ROC curve by ranks (Mann and Whitney 1947), ties counted half."""
    order = np.sort(negative)
    below = np.searchsorted(order, positive, side="left")
    ties = np.searchsorted(order, positive, side="right") - below
    return float((below + ties / 2).mean() / len(negative))


def detection(pairs: Path, words: int) -> tuple[float, int, int]:
    """AUC over windows of the spun and of the original sides of marked JSON lines; windows of each kind."""
    with lzma.open(pairs, "rt", encoding="utf-8") as file:
        marked = [json.loads(line)["marked"] for line in file]
    spun = windows([MARK.sub(lambda m: m.group(1), m) for m in marked], words)
    clean = windows([MARK.sub(lambda m: m.group(3).split("|")[0], m) for m in marked], words)
    engine = restore.Restorer()
    scores = [np.array([engine.evidence(text) for text in side]) for side in (spun, clean)]
    return area(scores[0], scores[1]), len(spun), len(clean)
