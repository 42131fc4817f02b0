"""Hidden units that do least are left out of a two-sided model (network trimming, Hu et al. 2016).

A unit's importance is its mean activation on real text times the norm of its outgoing weights. Every block keeps the
same number of units, whose outgoing weights are refitted by least squares to reproduce the full block's output (He,
Zhang and Sun 2017).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from restore import vectors
from restore.candidates import Finder
from restore.context import ContextModel
from restore.lexicon import load
from restore.shipped import CONTEXT, root
from restore.text import tokenize
from restore.twosided import TwoSided
from restore.vectors import Array, Arrays, Doubles, Ints

RIDGE: Final = 1e-3  # of the mean square of a unit


@dataclass(slots=True)
class _Watched(TwoSided):
    """The model, with sums of products of hidden units, the constant one being the last, by block."""

    products: dict[int, Doubles] = field(default_factory=dict)

    def _mixed(self, block: int, hidden: Array, out: Array) -> Array:
        self.products[block] = self.products.get(block, 0.0) + (hidden.T @ hidden).astype(np.float64)
        return TwoSided._mixed(self, block, hidden, out)


def trim(path: Path, spun: Iterable[str], family: str, hidden: int) -> None:
    """Leave `hidden` units of each block of a model's file, those that do most on some spun texts."""
    model, context = _Watched.load(path), ContextModel.load(root() / CONTEXT)
    finder = Finder(load([family]), context)
    for tokens in map(tokenize, spun):
        model.score(tokens, finder.lattice(tokens, tokens.sentences()), context)
    with np.load(path) as file:
        arrays: Arrays = dict(file)
    for block, products in model.products.items():
        down = np.vstack([model.weights[f"down.{block}"], model.weights[f"down.{block}.bias"]])
        kept = _most_active(products, down, hidden)
        *added, bias = _refitted(products, down, np.append(kept, len(down) - 1))
        arrays |= vectors.rounded(f"down.{block}", np.array(added)) | {f"down.{block}.bias": bias}
        arrays[f"up.{block}"] = np.ascontiguousarray(arrays[f"up.{block}"][:, kept])
        arrays[f"up.{block}.bias"] = arrays[f"up.{block}.bias"][kept]
    with open(path, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _most_active(products: Doubles, down: Array, hidden: int) -> Ints:
    """The units that do most, in order."""
    does = products[-1, :-1] * np.linalg.norm(down[:-1], axis=1)  # the last row is of the constant unit
    return np.sort(np.argsort(-does, kind="stable")[:hidden])


def _refitted(products: Doubles, down: Array, kept: Ints) -> Array:
    """What the units that are kept add, so that it is nearest to what all did."""
    own = products[np.ix_(kept, kept)]
    missing = products[kept] @ down - own @ down[kept]
    ridge = RIDGE * np.diag(own).mean() * np.eye(len(kept))
    return np.asarray(down[kept] + np.linalg.solve(own + ridge, missing), np.float32)
