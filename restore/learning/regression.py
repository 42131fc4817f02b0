"""Logistic regressions: of yes and no, and of one among several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

NEWTON_STEPS: Final = 25

Rivals = tuple[NDArray[np.float64], NDArray[np.bool_]]  # features (candidates, features), which candidates are right


def logistic(
    rows: NDArray[np.float64],
    labels: NDArray[np.integer],
    penalty: float = 1.0,
    untouched: float = 1.0,
    towards: Sequence[float] | None = None,
    given: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """Weights of a logistic regression with an L2 penalty, by Newton's method with step halving; shape (features,).

    untouched: weight of each row of label 0; rows of label 1 weigh one. towards: weights that the penalty draws to,
    noughts where none are given. given: log odds that each row has beside its features.
    """
    counts = np.where(labels == 1, 1.0, untouched)
    prior = np.zeros(rows.shape[1]) if towards is None else np.array(towards)

    def loss(w: NDArray[np.float64]) -> float:
        each = np.logaddexp(0, np.where(labels == 1, -1, 1) * (rows @ w + given))
        return float(counts @ each + penalty * (w - prior) @ (w - prior) / 2)

    weights = prior.copy()
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(rows @ weights + given, -30, 30)))
        gradient = rows.T @ (counts * (labels - p)) - penalty * (weights - prior)
        curvature = (rows * (counts * p * (1 - p))[:, None]).T @ rows + penalty * np.eye(len(weights))
        step = np.linalg.solve(curvature, gradient)
        while loss(weights + step) > loss(weights) and np.abs(step).max() > 1e-9:
            step /= 2
        weights += step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def conditional_logit(choices: Sequence[Rivals]) -> tuple[float, ...]:
    """Coefficients under which right candidates are likeliest among those of their places, by Newton's method
    (McFadden 1974); it begins with the first feature, a log probability, as it is."""
    theta = np.eye(choices[0][0].shape[1])[0]
    for _ in range(NEWTON_STEPS):
        gradient, curvature = np.zeros(len(theta)), 1e-3 * np.eye(len(theta))
        for x, right in choices:
            p = np.exp(x @ theta - (x @ theta).max())
            p /= p.sum()
            q = p * right / (p * right).sum()
            centred = x - p @ x
            gradient += (q - p) @ x
            curvature += (centred * p[:, None]).T @ centred
        theta = theta + np.linalg.solve(curvature, gradient)
    return tuple(round(float(v), 4) for v in theta)
