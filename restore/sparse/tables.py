"""What a sparse family's folder holds: listed phrases, substitutions of words, terms, phrases of clean text.

All look-ups are by plain words: hyphens are spaces, the last word may be in the
other number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any, Final, NamedTuple

import regex

from restore.inflection import analyses, inflect
from restore.lexicon import Option, read

WORDS: Final = "words*.txt"
TERMS: Final = "terms*.txt"
ORDINARY: Final = "ordinary*.txt"
LOG_RATE: Final = log(0.03)  # of the share of a paper's words that begin a term
COMPOSED: Final = "composed"  # source of an original that no list has
COMPOSED_RATE: Final = 0.3  # P(found | original) of the likeliest original of a place, as it is reported
UNLISTED: Final = -10.0  # log weight, among terms, of an original that is none of them
UNWEIGHTED: Final = -9.5  # of a term that is listed without a weight

_NOT_PLURAL: Final = frozenset(
    """news lens series species gas bias bayes alias atlas means always perhaps besides across dies yes navies gauss
    reynolds towards stokes gibbs lies pros cons as has does thus plus versus waals""".split()
)


def term_key(phrase: str) -> str:
    """A phrase as it is looked up here: lower case, words apart by spaces, hyphens too."""
    return " ".join(phrase.lower().replace("’", "'").replace("-", " ").replace("'s", " 's").split())


@lru_cache(maxsize=16384)
def singular(word: str) -> str | None:
    """The singular of a word that looks like a regular plural; None for others."""
    if not word.endswith("s"):
        return next((base for base, form in analyses(word) if form == "s"), None)
    if word in _NOT_PLURAL or word.endswith(("ss", "us", "ics", "'s")):
        return None
    if word.endswith("is") and word not in ("skis", "taxis"):
        return None
    return next((base for base, form in analyses(word) if form == "s"), None)


class Known(NamedTuple):
    """An original of a listed phrase. condition: the lexicon's fourth column."""

    original: str
    rate: float
    condition: str
    source: str


@dataclass(slots=True)
class Listed:
    """The listed phrases of a family; see `read_listed`."""

    phrases: dict[str, list[Known]] = field(default_factory=dict)
    prefixes: set[str] = field(default_factory=set)  # beginnings of listed phrases, whole words
    capitals: dict[str, str] = field(default_factory=dict)
    hyphens: dict[tuple[str, str], int] = field(default_factory=dict)  # neighbours: times hyphenated less times not
    seconds: dict[str, set[str]] = field(default_factory=dict)  # `second_words` of the phrases

    def option(self, original: str, gaps: Sequence[str], likely: float, family: str, source: str = COMPOSED) -> Option:
        """An original as an entry of a lexicon. gaps: those inside the found phrase. likely: its probability, that of
        the likeliest being one."""
        written = self._spelt(original.split(), gaps) if source == COMPOSED else original
        return Option(written, tuple(term_key(original).split()), likely * COMPOSED_RATE, family, source)

    def _spelt(self, words: Sequence[str], gaps: Sequence[str]) -> str:
        """Hyphens where the found phrase has them between as many words, or the list's originals mostly do."""
        text = words[0]
        for k, (a, b) in enumerate(pairwise(words)):
            hyphen = len(gaps) == len(words) - 1 and gaps[k] == "-"
            text += ("-" if hyphen or self.hyphens.get((a, b), 0) > 0 else " ") + b
        return text.replace(" 's", "'s")


@dataclass(slots=True)
class Tables:
    """What compositions need of a family's folder; see `read_tables`."""

    words: dict[str, dict[str, float]] = field(default_factory=dict)  # found segment -> original -> share
    long_first: dict[str, int] = field(default_factory=dict)  # first word of longer segments -> words of the longest
    stay: dict[str, float] = field(default_factory=dict)  # original word -> share left alone
    terms: dict[str, Any] = field(default_factory=dict)  # trie of words; the key "" holds a term's log weight
    ordinary: set[str] = field(default_factory=set)  # phrases that clean text has: never composed away
    longer: dict[str, set[str]] = field(default_factory=dict)  # `second_words` of the longer segments
    openings: set[str] = field(default_factory=set)  # words that a segment may begin with, in either number

    def term_weight(self, original: str) -> float:
        """Log probability that a term begins at a word of a paper."""
        own = self._own_weight(term_key(original).split())
        return LOG_RATE + (UNLISTED if own is None else own)

    def is_term(self, words: Sequence[str]) -> bool:
        """Whether some words are a known term."""
        return self._own_weight([part for word in words for part in term_key(word).split()]) is not None

    def _own_weight(self, words: list[str]) -> float | None:
        node: Any = self.terms
        words[-1] = singular(words[-1]) or words[-1]
        for word in words:
            node = node.get(word)
            if node is None:
                return None
        weight = node.get("")
        return None if weight is None else float(weight)


def read_listed(folder: Path, name: str) -> Listed:
    """Listed phrases of a family, from its `*.tsv` files. Raises LexiconError with file, line and remedy."""
    t = Listed()
    for entry in read(folder, name):
        found = entry.found if entry.found.isalpha() else _apart(entry.found.replace("-", " ").replace("'s", " 's"))
        t.phrases.setdefault(found, []).append(Known(entry.original, entry.rate, entry.condition, entry.source))
        if "-" in entry.original:
            parts = entry.original.split()
            for a, b in pairwise(entry.original.replace("-", " ").split()):
                joined = any(f"{a}-{b}" in part for part in parts)
                t.hyphens[a, b] = t.hyphens.get((a, b), 0) + (1 if joined else -1)
        if entry.written != entry.original:
            t.capitals.update((w.lower(), w) for w in regex.findall(r"[\p{L}\p{N}]+", entry.written) if w != w.lower())
        at = found.find(" ")
        while at > 0:
            t.prefixes.add(found[:at])
            at = found.find(" ", at + 1)
    t.seconds = second_words(t.phrases)
    return t


def read_tables(folder: Path) -> Tables:
    """Tables of a family: `words*.txt` substitutions, `terms*.txt` terms, `ordinary*.txt` what clean text has.

    Raises ValueError with the file and the remedy.
    """
    t = Tables()
    for path, columns in _rows(folder, WORDS):
        found, original = columns[0], columns[1]
        share = _share(columns[2] if len(columns) > 2 else "", path)
        if len(original) == 1:
            continue
        group = t.words.setdefault(found, {})
        group[original] = max(share, group.get(original, 0.0))
        t.stay[original] = t.stay.get(original, 1.0) - share
        if " " in found:
            first, size = found.partition(" ")[0], found.count(" ") + 1
            t.long_first[first] = max(size, t.long_first.get(first, 0))
    for path, columns in _rows(folder, TERMS):
        try:
            weight = float(columns[1]) if len(columns) > 1 else UNWEIGHTED
        except ValueError:
            raise ValueError(f"{path}: '{columns[1]}' is no log weight") from None
        node = t.terms
        for word in columns[0].split():
            below = node.get(word)
            if below is None:
                below = node[word] = {}
            node = below
        node[""] = max(weight, node.get("", weight))
    t.ordinary.update(columns[0] for _, columns in _rows(folder, ORDINARY))
    t.longer = second_words(found for found in t.words if " " in found)
    words = {found for found in t.words if " " not in found} | set(t.long_first)
    t.openings = words | {word + "s" for word in words}
    return t


@lru_cache(maxsize=4096)
def _share(counts: str, path: Path) -> float:
    seen, _, total = counts.partition("/")
    try:
        return float(seen) / (float(total) + 1)
    except ValueError:
        raise ValueError(f"{path}: '{counts}' is no share; write counts such as 3/20") from None


def _apart(phrase: str) -> str:
    """Letters and the figures after them apart, as tokens are ("co2")."""
    return regex.sub(r"(?<=\p{L})(?=\d)", " ", phrase) if any(c.isdigit() for c in phrase) else phrase


def second_words(phrases: Iterable[str]) -> dict[str, set[str]]:
    """First word of listed phrases -> the words that may come second, in either number; "" where one is all."""
    out: dict[str, set[str]] = {}
    for phrase in phrases:
        first, _, rest = phrase.partition(" ")
        second = rest.partition(" ")[0]
        group = out.setdefault(first, set())
        group.add(second)
        if second and second == rest:
            group.add(second + "s")
            if one := singular(second):
                group.add(one)
    return out


def table_files(folder: Path) -> list[Path]:
    """Files that the tables of a family are made of."""
    return [path for pattern in (WORDS, TERMS, ORDINARY) for path in sorted(folder.glob(pattern))]


def _rows(folder: Path, pattern: str) -> Iterator[tuple[Path, list[str]]]:
    for path in sorted(folder.glob(pattern)):
        for line in path.read_text(encoding="utf-8").split("\n"):
            if line and line[0] != "#":
                yield path, line.split("\t")


def in_number(original: str, form: str) -> str:
    """An original with its last word in the plural ("s"), in the singular ("1") or as it is."""
    head, space, last = original.rpartition(" ")
    if form == "s" and not singular(last) and not last.endswith("s"):
        return head + space + inflect(last, "s")
    if form == "s" and last.endswith(("is", "ss", "us")) and not last.endswith("itis"):
        return head + space + inflect(last, "s")
    if form == "1":
        return head + space + (singular(last) or last)
    return original


@lru_cache(maxsize=4096)
def _pattern(phrase: str) -> regex.Pattern[str]:
    if phrase.isupper():
        return regex.compile(rf"(?<!\w){regex.escape(phrase)}s?(?!\w)")
    stem = phrase.rstrip("*")
    return regex.compile(
        rf"(?<!\w){regex.escape(stem)}" + (r"" if phrase.endswith("*") else r"(?:s|es)?(?!\w)"), regex.I
    )


def holds(text: str, phrase: str) -> bool:
    """Whether a text holds a phrase of a condition: acronyms in capitals, others in any case."""
    return _pattern(phrase).search(text) is not None
