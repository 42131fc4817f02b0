"""Thesauri as the engine reads them: which words a spinner may put in place of which.

One file holds the relations of several sources, numbered over one vocabulary and
packed (gaps between ascending numbers, seven bits a byte, zlib); it is read only
for documents that look spun from a thesaurus. Another holds a screening weight for
each word, in hash buckets as the context model's, and is memory-mapped.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from restore.buckets import Kind, Table, load, save
from restore.inflection import Form, analyses, bases, inflect
from restore.vectors import Doubles, Ints, ModelError

SOURCES: Final = {
    "wordnet": ("wordnet.n", "wordnet.v", "wordnet.a", "wordnet.r"),
    "near": ("near.n", "near.v", "near.a", "near.r"),
    "moby": ("moby.*",),
}  # sections end in a part of speech: noun, verb, adjective, adverb, or any
OWN_TABLE: Final = "own table"  # a spinner with a table of its own: no source, but screened beside them
SCREENED: Final = (*SOURCES, OWN_TABLE)
SECTIONS: Final = tuple(section for sections in SOURCES.values() for section in sections)
WEIGHT_STEP: Final = 0.05  # nats a step of the eight-bit screening weights
WEIGHT_ZERO: Final = 55  # the step that stands for a weight of zero
MAGIC: Final = b"RESTORE-THESAURUS-1\n"
_BUILD: Final = "python -m restore.learning thesaurus"
SCREEN: Final = Kind(b"RESTORE-SCREEN-2\n", "a file of screening weights", _BUILD)


@dataclass(frozen=True, slots=True)
class Relation:
    """Words that a spinner may put in place of others, each word as its number in the vocabulary.

    heads: the originals, ascending, shape (heads,). sizes, totals: how many of an
    original's related words are listed here, and how many the thesaurus has. members:
    those listed, flat, ascending for each head.
    """

    heads: Ints
    sizes: Ints
    totals: Ints
    members: Ints


class Synonyms:
    """A vocabulary and the relations between its words, by section."""

    def __init__(self, vocabulary: list[str], sections: dict[str, Relation]):
        self.vocabulary = vocabulary
        self.sections = sections
        self._inverse: dict[str, tuple[Ints, Ints, Doubles]] = {}
        self._sums: dict[str, Ints] = {}

    @classmethod
    def load(cls, path: Path) -> Synonyms:
        """Read a table. Raises OSError where it is not there, ModelError where it is not one."""
        data = path.read_bytes()
        if not data.startswith(MAGIC):
            raise ModelError(f"{path}: not a table of synonyms; build it with '{_BUILD}'")
        try:
            parts = [zlib.decompress(part) for part in _parts(data[len(MAGIC) :])]
        except zlib.error as error:
            raise ModelError(
                f"{path}: the table of synonyms is cut short or damaged ({error}); fetch it again"
            ) from None
        if len(parts) != 1 + 4 * len(SECTIONS):
            raise ModelError(f"{path}: the table of synonyms is cut short; fetch it again")
        numbers = [_unpack(part) for part in parts[1:]]
        sections = {}
        for name, k in zip(SECTIONS, range(0, len(numbers), 4), strict=True):
            heads, sizes, totals, gaps = numbers[k : k + 4]
            sums = np.cumsum(gaps)
            first = np.cumsum(sizes) - sizes
            before = np.repeat(sums[first] - gaps[first], sizes)
            sections[name] = Relation(np.cumsum(heads), sizes, totals, sums - before)
        return cls(parts[0].decode().split("\n"), sections)

    def save(self, path: Path) -> None:
        """Write the table as one file."""
        parts = ["\n".join(self.vocabulary).encode()]
        for relation in map(self.sections.__getitem__, SECTIONS):
            gaps = np.diff(relation.members, prepend=0)
            first = np.cumsum(relation.sizes) - relation.sizes
            gaps[first] = relation.members[first]
            parts += map(_pack, (np.diff(relation.heads, prepend=0), relation.sizes, relation.totals, gaps))
        packed = [zlib.compress(part, 9) for part in parts]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(MAGIC + b"".join(len(p).to_bytes(4, "little") + p for p in packed))

    @cached_property
    def number(self) -> dict[str, int]:
        """Number of each word."""
        return {word: i for i, word in enumerate(self.vocabulary)}

    @cached_property
    def _openings(self) -> set[str]:
        """First words of the vocabulary's phrases."""
        return {phrase.replace("-", " ").partition(" ")[0] for phrase in self.vocabulary if not phrase.isalpha()}

    def begins(self, word: str) -> bool:
        """Whether a phrase of several words may begin with a word, as listed or inflected."""
        return word in self._openings or any(base in self._openings for base, _ in analyses(word))

    def inverse(self, section: str) -> tuple[Ints, Ints, Doubles]:
        """Where each word's originals begin, shape (words + 1,); the originals; P(word | original) once it is
        replaced."""
        if section not in self._inverse:
            r = self.sections[section]
            order = np.argsort(r.members, kind="stable")
            first = np.searchsorted(r.members[order], np.arange(len(self.vocabulary) + 1))
            self._inverse[section] = first, np.repeat(r.heads, r.sizes)[order], np.repeat(1 / r.totals, r.sizes)[order]
        return self._inverse[section]

    def numbers(self, word: str) -> frozenset[int]:
        """Numbers of a word and of those that it may be a form of."""
        return frozenset(self.number[w] for w in bases(word) if w in self.number)

    def related(self, word: str) -> frozenset[int]:
        """Numbers of the words that any source relates to a word or to what it may be a form of, either way."""
        out: set[int] = set()
        for section in self.sections:
            for number in self.numbers(word):
                out.update(self.kin(section, number))
        return frozenset(out)

    def kin(self, section: str, number: int) -> set[int]:
        """Numbers of the words that a section relates to one, either way."""
        relation, sums = self.sections[section], self._ends(section)
        first, originals, _ = self.inverse(section)
        out = set(originals[first[number] : first[number + 1]].tolist())
        at = int(np.searchsorted(relation.heads, number))
        if at < len(relation.heads) and relation.heads[at] == number:
            out.update(relation.members[sums[at] - relation.sizes[at] : sums[at]].tolist())
        return out

    def _ends(self, section: str) -> Ints:
        if section not in self._sums:
            self._sums[section] = np.cumsum(self.sections[section].sizes)
        return self._sums[section]

    def readings(self, phrase: str, pos: str) -> Iterator[tuple[int, Form | None]]:
        """What a phrase may be a form of: the number of a word of the vocabulary, and the form.

        A verb of several words is inflected in the first, a noun in the last.
        """
        number = self.number.get
        own = number(phrase)
        if own is not None:
            yield own, None
        first, space, rest = phrase.partition(" ")
        if own is not None and pos in "v*" and inflect(first, "ed") == first:
            yield own, "ed"  # put, cut, spread
        if pos in "v*":
            for base, form in analyses(first):
                verb = number(f"{base} {rest}" if space else base)
                if verb is not None and (form != "s" or not space or pos == "v"):
                    yield verb, form
        if pos == "n" or (pos == "*" and space):
            head, _, last = phrase.rpartition(" ")
            for base, form in analyses(last):
                noun = number(f"{head} {base}" if space else base)
                if noun is not None and form == "s":
                    yield noun, form


@lru_cache(maxsize=1)
def shared(path: Path) -> Synonyms:
    """A table as `Synonyms.load` reads it, once a process: it has several readers, who must not change it."""
    return Synonyms.load(path)


def inflected(phrase: str, pos: str, form: Form | None) -> str:
    """A word or phrase of some part of speech in a form (the reverse of `Synonyms.readings`)."""
    if form is None:
        return phrase
    if pos == "v" or form != "s":
        first, space, rest = phrase.partition(" ")
        return inflect(first, form) + space + rest
    head, space, last = phrase.rpartition(" ")
    return head + space + inflect(last, form)


def _parts(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


def _pack(numbers: Ints) -> bytes:
    """Numbers as bytes of seven bits, the lowest first; the high bit says that more follow."""
    out = bytearray()
    for n in numbers.tolist():
        while n >= 128:
            out.append(n & 127 | 128)
            n >>= 7
        out.append(n)
    return bytes(out)


def _unpack(data: bytes) -> Ints:
    raw = np.frombuffer(data, np.uint8)
    if not len(raw):
        return np.empty(0, np.int64)
    last = np.flatnonzero(raw < 128)
    first = np.concatenate([[0], last[:-1] + 1])
    place = np.arange(last[-1] + 1) - np.repeat(first, last - first + 1)
    low = (raw[: last[-1] + 1] & 127).astype(np.int64)
    return np.asarray(np.add.reduceat(low << (7 * place), first), np.int64)


def save_screen(table: Table, path: Path) -> None:
    """Write screening weights."""
    save(path, SCREEN, (table,))


def load_screen(path: Path) -> Table:
    """Map screening weights, a plane for each of `SCREENED`. Raises OSError or ModelError as `Synonyms.load`."""
    (table,), _ = load(path, SCREEN)
    return table
