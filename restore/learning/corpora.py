"""Plain text to the numbers that the context models are learned from."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from multiprocessing import Pool
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from restore.buckets import hashes
from restore.context import COMMA, SENTENCE, sequence
from restore.learning.phrases import open_text, read_pairs
from restore.text import tokenize

UNKNOWN: Final = "<unk>"
LEAST_WORD: Final = 4  # occurrences of a word that the context model knows
_SHINGLE: Final = 8  # words in a row; documents that share many are taken for one
_SHARED: Final = 0.08


def words_of(text: str) -> list[str]:
    """The words of a document as the context model reads them."""
    return [*sequence(tokenize(text))[0], SENTENCE]


def corpus_files(folder: Path) -> list[Path]:
    """Files of a folder that may be learned from, a document a line; those named clean_dev* are for measuring."""
    return sorted(p for p in folder.glob("*.txt*") if not p.name.startswith("clean_dev"))


def read_lines(path: Path, most: int) -> list[str]:
    """The first documents of a corpus file, so many at most."""
    with open_text(path) as lines:
        return [line.rstrip("\n") for line in islice(lines, most)]


def _shingles(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hash of each run of eight words."""
    if len(words) < _SHINGLE:
        return np.empty(0, np.uint64)
    total = np.zeros(len(words) - _SHINGLE + 1, np.uint64)
    for k in range(_SHINGLE):
        total += words[k : len(total) + k] * np.uint64(31**k)
    return total


def barred_shingles(pairs: Path | None) -> NDArray[np.uint64]:
    """Shingles of the originals in parallel text that must not be learned from."""
    if pairs is None:
        return np.empty(0, np.uint64)
    return np.unique(np.concatenate([_shingles(hashes(words_of(p.original))) for p in read_pairs(pairs)]))


def is_barred(words: NDArray[np.uint64], barred: NDArray[np.uint64]) -> bool:
    """Whether a document shares much with the barred ones."""
    if not len(barred):
        return False
    own = _shingles(words)
    at = np.minimum(np.searchsorted(barred, own), len(barred) - 1)
    return bool(np.count_nonzero(barred[at] == own) > 4 + _SHARED * len(own))


def _read_part(job: tuple[Path, int, int, NDArray[np.uint64]]) -> tuple[list[str], NDArray[np.int32], int]:
    """Every `step`-th document of a file, from number `offset`: the vocabulary, the word numbers as one stream, and
    how many documents were barred."""
    path, offset, step, barred = job
    numbers = {SENTENCE: 0, COMMA: 1, UNKNOWN: 2}
    kept: list[NDArray[np.int32]] = []
    left_out = 0
    with open_text(path) as file:
        for i, line in enumerate(file):
            if i % step != offset:
                continue
            words = words_of(line)
            if is_barred(hashes(words), barred):
                left_out += 1
                continue
            kept.append(np.array([numbers.setdefault(w, len(numbers)) for w in words], np.int32))
    return list(numbers), np.concatenate(kept) if kept else np.empty(0, np.int32), left_out


def read_corpora(
    folder: Path, without: Path | None, jobs: int, report: Callable[[str], object] = print
) -> tuple[list[str], NDArray[np.int64]]:
    """All documents of a folder's .txt and .txt.xz files as words, frequent ones first, and one stream of their
    numbers.

    Documents that share text with the pairs in `without` are left out, so that these can serve to fit weights.
    """
    paths = corpus_files(folder)
    if not paths:
        raise FileNotFoundError(f"{folder}: no .txt or .txt.xz file there")
    barred = barred_shingles(without)
    tasks = []
    for path in paths:
        parts = 4 if path.stat().st_size > 20_000_000 else 1
        tasks += [(path, k, parts, barred) for k in range(parts)]
    numbers = {SENTENCE: 0, COMMA: 1, UNKNOWN: 2}
    streams: list[NDArray[np.int64]] = []
    with Pool(jobs) as pool:
        for task, (words, part, left_out) in zip(tasks, pool.imap(_read_part, tasks), strict=True):
            report(f"{task[0].name} part {task[1]}: {len(part):,} words, {left_out} documents left out")
            mapping = np.array([numbers.setdefault(w, len(numbers)) for w in words], np.int64)
            streams.append(mapping[part])
    stream = np.concatenate(streams)
    count = np.bincount(stream, minlength=len(numbers))
    known = np.flatnonzero(count >= LEAST_WORD)
    known = known[known > 2]
    known = np.concatenate([[0, 1, 2], known[np.argsort(-count[known], kind="stable")]])
    renumbered = np.full(len(numbers), 2, np.int64)
    renumbered[known] = np.arange(len(known))
    vocabulary = list(numbers)
    stream = renumbered[stream]
    doubled = (stream == 0) & np.concatenate([[False], stream[:-1] == 0])
    return [vocabulary[i] for i in known], stream[~doubled]
