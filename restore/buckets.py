"""Hash tables of n-grams on disk: the store of the context model, the associations and the screening weights.

An n-gram is not stored, only a 16-bit fingerprint of its 64-bit hash, in buckets
of sixteen (a lossy store in the manner of Talbot and Osborne 2007): no vocabulary
to load, one gather a look-up, and the file is memory-mapped, so opening it costs
nothing. A false hit happens about once in 5,000 look-ups of n-grams that are not
there. Look-ups are vectorised: arrays of hashes in, arrays of bytes out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from restore.vectors import ModelError

Hashes = NDArray[np.uint64]

BUCKET: Final = 16

_MIX: Final = [np.uint64(m) for m in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)]
_SHIFT: Final = np.uint64(29)


@lru_cache(maxsize=65536)
def word_hash(word: str) -> int:
    """64-bit hash of a word, the same on every machine and in every process."""
    data = word.encode("utf-8", "surrogatepass")
    return crc32(data) << 32 | crc32(data, 0x5BD1E995)


def hashes(words: Iterable[str]) -> Hashes:
    """Array of word hashes, shape (n,)."""
    return np.fromiter(map(word_hash, words), np.uint64)


def ngram_hash(*columns: Hashes) -> Hashes:
    """Hash of n-grams given as one column of word hashes a position; shape (n,)."""
    mixed = columns[0] * _MIX[0]
    for column in columns[1:]:
        mixed ^= mixed >> _SHIFT
        mixed *= _MIX[1]
        mixed += column * _MIX[2]
    mixed ^= mixed >> _SHIFT
    mixed *= _MIX[1]
    mixed ^= mixed >> np.uint64(32)
    return mixed


def locate(ngrams: Hashes, buckets: int) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """Bucket and fingerprint of each hash; fingerprint zero means an empty slot."""
    bucket = ((ngrams >> np.uint64(32)) * np.uint64(buckets)) >> np.uint64(32)
    fingerprint = (ngrams & np.uint64(0xFFFF)).astype(np.uint16)
    fingerprint[fingerprint == 0] = 1
    return bucket.astype(np.int64), fingerprint


@dataclass(frozen=True, slots=True)
class Table:
    """Fingerprints, shape (buckets, 16), and one or more planes of values of the same shape."""

    fingerprints: NDArray[np.uint16]
    planes: tuple[NDArray[np.uint8], ...]

    def find(self, ngrams: Hashes) -> tuple[NDArray[np.bool_], tuple[NDArray[np.uint8], ...]]:
        """Which n-grams are held, and their values (meaningless where not held)."""
        bucket, hit = self._hits(ngrams)
        row = hit // BUCKET
        held = np.zeros(len(ngrams), bool)
        held[row] = True
        cell = bucket * BUCKET
        cell[row[::-1]] += hit[::-1] % BUCKET  # the first of a bucket, where two are alike
        return held, tuple(plane.ravel().take(cell) for plane in self.planes)

    def held(self, ngrams: Hashes) -> tuple[NDArray[np.intp], tuple[NDArray[np.uint8], ...]]:
        """Places of the n-grams that are held, in order, and the values of these: faster where most are not."""
        bucket, hit = self._hits(ngrams)
        row = hit // BUCKET
        first = np.ones(len(row), bool)  # of a bucket, where two are alike
        np.not_equal(row[1:], row[:-1], out=first[1:])
        row, hit = row[first], hit[first]
        cell = bucket[row] * BUCKET + hit % BUCKET
        return row, tuple(plane.ravel().take(cell) for plane in self.planes)

    def _hits(self, ngrams: Hashes) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """The bucket of each n-gram, and the slots that have its fingerprint, those of all buckets numbered on."""
        bucket, fingerprint = locate(ngrams, len(self.fingerprints))
        # by bytes: of numbers that lie at an odd place of their file numpy would copy the whole table first
        slots = self.fingerprints.view(np.uint8).take(bucket, axis=0).view(np.uint16)
        return bucket, np.flatnonzero(slots == fingerprint[:, None])


class Kind(NamedTuple):
    """A kind of file of tables. magic: its first line. name: for messages. build: the command that makes one."""

    magic: bytes
    name: str
    build: str


def save(path: Path, kind: Kind, tables: Sequence[Table], info: Mapping[str, Any] | None = None) -> None:
    """Write tables as one file: magic, a line of JSON, the arrays."""
    shapes = [{"buckets": len(t.fingerprints), "planes": len(t.planes)} for t in tables]
    header = {"tables": shapes, "info": dict(info or {})}
    with open(path, "wb") as file:
        file.write(kind.magic + json.dumps(header).encode() + b"\n")
        for array in (array for t in tables for array in (t.fingerprints, *t.planes)):
            file.write(np.ascontiguousarray(array).tobytes())


def load(path: Path, kind: Kind) -> tuple[list[Table], dict[str, Any]]:
    """Map the tables of a file, with what else `save` was told. Raises OSError where it is not there, ModelError where
    it is another's, damaged or cut short."""
    with open(path, "rb") as file:
        if file.read(len(kind.magic)) != kind.magic:
            raise ModelError(f"{path}: not {kind.name}; build one with '{kind.build}'")
        try:
            header = json.loads(file.readline())
            shapes = [(int(t["buckets"]) * BUCKET, int(t["planes"])) for t in header["tables"]]
            info = dict(header["info"])
        except (ValueError, TypeError, KeyError) as error:
            raise ModelError(
                f"{path}: the header of {kind.name} is damaged ({error!r}); fetch the file again"
            ) from None
        begin = file.tell()
        size = file.seek(0, 2) - begin
    if size < sum(cells * (2 + planes) for cells, planes in shapes):
        raise ModelError(f"{path}: cut short, for {kind.name}; fetch the file again")
    data = np.memmap(path, np.uint8, "r", begin).view(np.ndarray)
    tables, at = [], 0
    for cells, planes in shapes:
        fingerprints = data[at : at + 2 * cells].view(np.uint16).reshape(-1, BUCKET)
        values = data[at + 2 * cells : at + (2 + planes) * cells].reshape(planes, -1, BUCKET)
        tables.append(Table(fingerprints, tuple(values)))
        at += (2 + planes) * cells
    return tables, info
