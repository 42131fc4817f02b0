"""What the words of a text may stand for, one by one or a few together, by a sparse family's substitutions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log
from typing import Final

from restore.inflection import analyses, inflect
from restore.memo import Memo
from restore.sparse.tables import Tables, in_number, singular

KEPT_WORD: Final = 0.6  # P(word left alone) where nothing is known of it
REMEMBERED: Final = 100_000  # segments whose originals are kept between texts


class Segments:
    """Originals of segments: stretches that a family replaces as one."""

    def __init__(self, tables: Tables):
        self._tables = tables
        self._known = Memo[str, tuple[tuple[str, float], ...]](REMEMBERED)

    def of(self, key: str) -> tuple[tuple[str, float], ...]:
        """Originals of a found segment with their log shares; the word itself first, where it is one word."""
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = tuple(self._originals(key))
        return known

    def kept(self, key: str) -> float:
        """Log share of a word that was left alone."""
        return self.of(key)[0][1]

    def hold(self, keys: Sequence[str], i: int) -> bool:
        """Whether a small word lies in a known segment of several words ("getting to know")."""
        for begin in range(max(0, i - 3), i + 1):
            for end in range(
                max(i, begin + 1) + 1, min(len(keys), begin + self._tables.long_first.get(keys[begin], 1)) + 1
            ):
                if " ".join(keys[begin:end]) in self._tables.words:
                    return True
        return False

    def _originals(self, key: str) -> Iterator[tuple[str, float]]:
        """A plural ("woodlands") has the plurals of its singular's originals, marked `+s` on the singular."""
        words = self._tables.words
        seen: set[str] = set()
        if " " not in key:
            seen.add(key)
            yield key, log(max(0.2, min(KEPT_WORD, self._tables.stay.get(key, KEPT_WORD))))
        for original, share in words.get(key, {}).items():
            seen.add(original)
            yield original, log(share)
        head, _, last = key.rpartition(" ")
        head += " " if head else ""
        one = singular(last)
        if one:
            if not head and one not in seen:
                yield one + "+s", log(max(0.2, min(KEPT_WORD, self._tables.stay.get(one, KEPT_WORD))))
            for original, share in words.get(head + one, {}).items():
                yield original + "+s", log(share)
        elif not head:
            for base, form in analyses(last):
                if form in ("ed", "ing"):
                    for original, share in words.get(base, {}).items():
                        other = inflect(original, form)
                        if " " not in original and other not in seen:
                            yield other, log(share) - 1.0


def surface(original: str) -> str:
    """A segment's original as it will stand: `forest+s` is forests."""
    return in_number(original[:-2], "s") if original.endswith("+s") else original
