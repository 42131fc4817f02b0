"""The context model: how likely a word is after two others.

A trigram model with interpolated modified Kneser-Ney smoothing (Chen and
Goodman 1999) in hash tables on disk (`buckets.py`). Look-ups are vectorised:
arrays of word hashes in, arrays of natural-log probabilities out. Words that the
model has not seen back off to `wordfreq`.
"""

from __future__ import annotations

import gzip
import math
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import msgpack
import numpy as np
from numpy.typing import NDArray

from restore.buckets import Hashes, Kind, Table, hashes, load, ngram_hash, save
from restore.text import Tokens, shape
from restore.vectors import ModelError

Floats = NDArray[np.float32]

LOG_STEP: Final = 0.08  # nats a step of the eight-bit log probabilities
BACKOFF_STEP: Final = 0.04
BACKOFF_ZERO: Final = 200  # the step that stands for a backoff weight of one
UNSEEN: Final = -17.0  # log probability of a word that neither model nor wordfreq knows
SENTENCE: Final = "<s>"
COMMA: Final = ","
KIND: Final = Kind(b"RESTORE-CONTEXT-2\n", "a compiled context model", "python -m restore.learning context")
_MARKS: Final = {".": SENTENCE, ",": COMMA}


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


class ContextModel:
    """Trigram log probabilities over folded words (`text.shape` of `text.fold`)."""

    def __init__(self, low: Table, high: Table, info: dict[str, Any] | None = None):
        self._low = low  # unigrams and bigrams: log probability, backoff weight
        self._high = high  # trigrams: log probability
        self.info = info or {}

    @classmethod
    def load(cls, path: Path) -> ContextModel:
        """Map a compiled model. Raises ModelError where the file is not one, OSError where it is not there."""
        (low, high), info = load(path, KIND)
        return cls(low, high, info)

    def save(self, path: Path) -> None:
        """Write the model as one file."""
        save(path, KIND, (self._low, self._high), self.info)

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
