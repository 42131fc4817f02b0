"""Logistic regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def logistic(
    rows: NDArray[np.float64], labels: NDArray[np.integer], penalty: float = 1.0, untouched: float = 1.0
) -> NDArray[np.float64]:
    """Weights of a logistic regression with an L2 penalty, by Newton's method with step halving; shape (features,).

    untouched: how much oftener than once each row of label 0 counts.
    """
    counts = np.where(labels == 1, 1.0, untouched)

    def loss(w: NDArray[np.float64]) -> float:
        each = np.logaddexp(0, np.where(labels == 1, -1, 1) * (rows @ w))
        return float(counts @ each + penalty * w @ w / 2)

    weights = np.zeros(rows.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        gradient = rows.T @ (counts * (labels - p)) - penalty * weights
        curvature = (rows * (counts * p * (1 - p))[:, None]).T @ rows + penalty * np.eye(len(weights))
        step = np.linalg.solve(curvature, gradient)
        while loss(weights + step) > loss(weights) and np.abs(step).max() > 1e-9:
            step /= 2
        weights += step
        if np.abs(step).max() < 1e-8:
            break
    return weights
