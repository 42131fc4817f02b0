"""Files of what is learned: a vocabulary, and word vectors and layers as int8 with a scale a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Arrays = dict[str, NDArray[Any]]

_LARGEST: Final = 127


class ModelError(ValueError):
    """A shipped model that is damaged or another's; the message names the file and the remedy."""


def load(path: Path, what: str, needed: Sequence[str]) -> tuple[dict[str, int], Arrays]:
    """Number of each word, and the arrays: floats as float32, others as they are. Raises OSError where the file is not
    there, ModelError where it is not one, or lacks one of the arrays `needed`; `what` names it."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays: Arrays = {name: file[name] for name in file.files}
        words = bytes(arrays.pop("vocabulary")).decode("utf-8").split("\n")
        if missing := [name for name in needed if name not in arrays]:
            raise ValueError(f"it lacks {missing[0]}")
    except (ValueError, TypeError, EOFError, KeyError, AttributeError, BadZipFile) as error:
        raise ModelError(f"{path}: not {what}, or cut short ({error}); fetch the file again") from None
    floats = {name: a.astype(np.float32) for name, a in arrays.items() if a.dtype.kind == "f"}
    return {word: number for number, word in enumerate(words)}, arrays | floats


def whole(arrays: Mapping[str, NDArray[Any]], names: Iterable[str]) -> Arrays:
    """Some tables as float32, with all of their rows."""
    return {name: rows(arrays, name, np.arange(len(arrays[name]))) for name in names}


def save(
    path: Path,
    words: Sequence[str],
    tables: Mapping[str, Array],
    rest: Mapping[str, NDArray[Any]],
    largest: int = _LARGEST,
) -> None:
    """Write a file that `load` reads; the tables (of word vectors, layers) are rounded to int8, of size `largest` at
    most."""
    arrays: Arrays = {"vocabulary": np.frombuffer("\n".join(words).encode(), np.uint8), **rest}
    for name, table in tables.items():
        arrays |= rounded(name, table, largest)
    with open(path, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def rounded(name: str, rows: Array, largest: int = _LARGEST) -> Arrays:
    """A table as it is stored: int8, and the scale of each row."""
    scale = np.abs(rows).max(axis=1) / largest + 1e-9
    return {name: np.round(rows / scale[:, None]).astype(np.int8), f"{name}.scale": scale.astype(np.float16)}


def rows(arrays: Mapping[str, NDArray[Any]], name: str, numbers: NDArray[np.int64]) -> Array:
    """Vectors of some words, shape (*numbers.shape, dimensions)."""
    return np.asarray(arrays[name][numbers] * arrays[f"{name}.scale"][numbers][..., None], np.float32)
