"""The context model: how likely a word is after two others.

A trigram model with interpolated modified Kneser-Ney smoothing (Chen and
Goodman 1999), kept in hash tables on disk. An n-gram is not stored, only a
16-bit fingerprint of its 64-bit hash, in buckets of sixteen (a lossy store in
the manner of Talbot and Osborne 2007): no vocabulary to load, one gather a
look-up, and the file is memory-mapped, so opening it costs nothing. A false hit
happens about once in 5,000 look-ups of n-grams that are not there.

Look-ups are vectorised: arrays of word hashes in, arrays of natural-log
probabilities out. Words that the model has not seen back off to `wordfreq`.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import msgpack
import numpy as np
from numpy.typing import NDArray

from restore.text import Tokens, shape
from restore.vectors import ModelError

Hashes = NDArray[np.uint64]
Floats = NDArray[np.float32]

BUCKET: Final = 16
LOG_STEP: Final = 0.08  # nats a step of the eight-bit log probabilities
BACKOFF_STEP: Final = 0.04
BACKOFF_ZERO: Final = 200  # the step that stands for a backoff weight of one
UNSEEN: Final = -17.0  # log probability of a word that neither model nor wordfreq knows
SENTENCE: Final = "<s>"
COMMA: Final = ","
MAGIC: Final = b"RESTORE-CONTEXT-1\n"
_MARKS: Final = {".": SENTENCE, ",": COMMA}

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


def sequence(tokens: Tokens) -> tuple[list[str], list[int]]:
    """Words as the model reads them, among them marks of commas and of where sentences begin; and where each word
    begins, a mark where the word before it ends."""
    words: list[str] = []
    starts: list[int] = []
    last = 0
    for gap, key, start, end in zip(tokens.gap, tokens.key, tokens.start, tokens.end, strict=True):
        if gap in _MARKS:
            words.append(_MARKS[gap])
            starts.append(last)
        words.append(shape(key))
        starts.append(start)
        last = end
    return words, starts


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


@dataclass(frozen=True, slots=True)
class Table:
    """Hash buckets: fingerprints (buckets, 16) and one or more planes of values of the same shape."""

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


def locate(ngrams: Hashes, buckets: int) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """Bucket and fingerprint of each hash; fingerprint zero means an empty slot."""
    bucket = ((ngrams >> np.uint64(32)) * np.uint64(buckets)) >> np.uint64(32)
    fingerprint = (ngrams & np.uint64(0xFFFF)).astype(np.uint16)
    fingerprint[fingerprint == 0] = 1
    return bucket.astype(np.int64), fingerprint


class ContextModel:
    """Trigram log probabilities over folded words (`text.shape` of `text.fold`)."""

    def __init__(self, low: Table, high: Table, info: dict[str, object] | None = None):
        self._low = low  # unigrams and bigrams: log probability, backoff weight
        self._high = high  # trigrams: log probability
        self.info = info or {}

    @classmethod
    def load(cls, path: Path) -> ContextModel:
        """Map a compiled model. Raises ModelError where the file is not one, OSError where it is not there."""
        with open(path, "rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise ModelError(f"{path}: not a compiled context model; build one with 'python -m restore.learning'")
            header = json.loads(file.readline())
            offset = file.tell()
        data = np.memmap(path, np.uint8, "r", offset).view(np.ndarray)
        expected = sum(a["bytes"] for a in header["arrays"])
        if len(data) < expected:
            raise ModelError(f"{path}: the context model is cut short; fetch the file again")
        arrays: dict[str, NDArray[np.generic]] = {}
        at = 0
        for a in header["arrays"]:
            arrays[a["name"]] = data[at : at + a["bytes"]].view(a["dtype"]).reshape(-1, BUCKET)
            at += a["bytes"]
        low = Table(arrays["low"], (arrays["low_p"], arrays["low_b"]))  # type: ignore[arg-type]
        high = Table(arrays["high"], (arrays["high_p"],))  # type: ignore[arg-type]
        return cls(low, high, header["info"])

    def save(self, path: Path) -> None:
        """Write the model as one file: magic, a line of JSON, the arrays."""
        arrays: dict[str, NDArray[Any]] = {
            "low": self._low.fingerprints,
            "low_p": self._low.planes[0],
            "low_b": self._low.planes[1],
            "high": self._high.fingerprints,
            "high_p": self._high.planes[0],
        }
        header = {
            "info": self.info,
            "arrays": [{"name": n, "dtype": a.dtype.str, "bytes": a.nbytes} for n, a in arrays.items()],
        }
        with open(path, "wb") as file:
            file.write(MAGIC + json.dumps(header).encode() + b"\n")
            for array in arrays.values():
                file.write(np.ascontiguousarray(array).tobytes())

    def unigrams(self, words: Hashes) -> tuple[Floats, Floats]:
        """Log probability of each word on its own (`UNSEEN` where the model does not know it), and its backoff weight
        as a history."""
        held, (p, b) = self._low.find(ngram_hash(words))
        alone = np.where(held, p * np.float32(-LOG_STEP), np.float32(UNSEEN)).astype(np.float32)
        return alone, np.where(held, _backoff(b), np.float32(0))

    def unigram(self, words: Hashes) -> Floats:
        """Log probability of each word on its own."""
        return self.unigrams(words)[0]

    def bigram(
        self, before: Hashes, words: Hashes, alone: Floats, weights: Floats | None = None
    ) -> tuple[Floats, Floats]:
        """Log P(word | before), and the backoff weight of the pair as a history.

        alone: log probability of each word on its own (from `unigram`, or `wordfreq` for words that the model lacks).
        weights: backoff weights of `before`, where these are known already.
        """
        if weights is None:
            weights = self.unigrams(before)[1]
        held, (p, b) = self._low.find(ngram_hash(before, words))
        log_p = np.where(held, p * np.float32(-LOG_STEP), alone + weights).astype(np.float32)
        return log_p, np.where(held, _backoff(b), np.float32(0)).astype(np.float32)

    def trigram(self, first: Hashes, second: Hashes, words: Hashes, backed_off: Floats) -> Floats:
        """Log P(word | first second).

        `backed_off`: log P(word | second) plus the backoff weight of (first, second).
        """
        held, (p,) = self._high.find(ngram_hash(first, second, words))
        return np.where(held, p * np.float32(-LOG_STEP), backed_off).astype(np.float32)

    def seen(self, before: Hashes, words: Hashes) -> tuple[NDArray[np.bool_], Floats]:
        """Whether the model holds each pair of neighbouring words, and the log probability of the pair."""
        held, _ = self._low.find(ngram_hash(before, words))
        alone = self.unigram(words)
        after, _ = self.bigram(before, words, alone)
        return held, np.asarray(self.unigram(before) + after, np.float32)

    def phrases(self, phrases: list[list[str]]) -> Floats:
        """Log probability of each phrase out of context: its first word alone, the others after it; shape (n,)."""
        size = np.fromiter(map(len, phrases), np.int64, len(phrases))
        words = hashes(w for phrase in phrases for w in phrase)
        first = np.cumsum(size) - size
        alone, weights = self.unigrams(words)
        total = alone[first]
        pair_p, pair_b = self.bigram(words[:-1], words[1:], alone[1:], weights[:-1])
        for place in range(1, int(size.max(initial=0))):
            many = np.flatnonzero(size > place)
            at = first[many] + place
            step = pair_p[at - 1]
            if place > 1:
                step = self.trigram(words[at - 2], words[at - 1], words[at], step + pair_b[at - 2])
            total[many] += step
        return np.asarray(total, np.float32)


def _backoff(steps: NDArray[np.uint8]) -> Floats:
    return np.asarray((steps.astype(np.float32) - BACKOFF_ZERO) * BACKOFF_STEP, np.float32)


@lru_cache(maxsize=65536)
def frequency(word: str) -> float:
    """Natural-log probability of a word by `wordfreq`, no higher than a rare word of the model."""
    if word.isalpha():
        zipf = _zipf().get(word, 0.0)
    else:
        from wordfreq import zipf_frequency

        zipf = zipf_frequency(word, "en", wordlist="small")
    return max(UNSEEN, min(-13.0, (zipf - 9) * math.log(10))) if zipf else UNSEEN


@lru_cache(maxsize=1)
def _zipf() -> dict[str, float]:
    """Zipf frequency (log10 of occurrences in 10^9 words) of the words of `wordfreq`'s small English list.

    The list is read as it lies in that package: importing it loads tokenizers of all languages, a fifth of a second at
    each start. It holds one list of words for each centibel below certainty, after a header.
    """
    spec = find_spec("wordfreq")
    assert spec is not None
    path = Path((spec.submodule_search_locations or [""])[0]) / "data" / "small_en.msgpack.gz"
    with gzip.open(path) as file:
        header, *steps = msgpack.load(file, raw=False)
    if header != {"format": "cB", "version": 1}:
        raise ModelError(f"{path}: a word list of another make; install wordfreq 3")
    return {word: round(9 - centibels / 100, 2) for centibels, words in enumerate(steps) for word in words}
