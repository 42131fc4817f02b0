"""Tortured terms: listed phrases, and originals composed word by word.

A paper put through a paraphraser has few wrong phrases among clean prose, but
very wrong ones: "irregular timberland" for random forest. Each stretch of text
that may be one is a `Place`, with its originals and the weight

    weight = log [ sum over originals o of P(o) P(found | o) / P(found) ],

P(found) from the context model. Three sources, in falling order of trust:

- listed phrases of the family;
- compositions: each word stands for itself or for a word that it is known to
  replace, and the whole is a known term (an original of the list, a term of
  `terms*.txt`); P(found | o) is the product of the words' shares;
- around words that are themselves telling ("corrosive", "vitality"):
  compositions that the context model holds for common phrases.

All look-ups are by plain words: hyphens are spaces, the last word may be in the
other number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from math import exp, log
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import regex

from restore.context import UNSEEN, ContextModel, hashes
from restore.inflection import analyses, inflect
from restore.lexicon import LexiconError, Option, read
from restore.text import PROTECTED_WORD, Tokens, shape

RATE: Final = 0.03  # share of the words of a paper that begin a term
LISTED: Final = 9.0  # weight of a listed phrase that clean text has never shown
UNMET: Final = 4.0  # taken off where the condition of an entry is not met
RULED_OUT: Final = 8.0  # taken off where the text holds what an entry must be without
LONGEST_RUN: Final = 5  # tokens of a composition
MAX_COMPOSED: Final = 8  # originals kept for one stretch
KEPT_WORD: Final = 0.6  # P(word left alone) where nothing is known of it
FLOOR: Final = -13.0  # least log probability of one found word: the model's rare words are not that telling
TELLING: Final = 2.0  # log-likelihood ratio from which a word alone is worth a closer look
WORST: Final = -1.0  # places of less weight are not kept

_JOINED: Final = frozenset((" ", "-", ""))
_SMALL: Final = frozenset(
    "a an the and or but of in on at to for by with from as is was are were be been it its this that these we not".split()
)
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


class Place(NamedTuple):
    """A stretch of text that may be a tortured term.

    start, end: tokens, half-open. weight: log-likelihood ratio, tortured against
    the author's own. options: its originals; shares: log share of each.
    """

    start: int
    end: int
    weight: float
    options: tuple[Option, ...]
    shares: tuple[float, ...]


class _Known(NamedTuple):
    """An original of a listed phrase. condition: the lexicon's fourth column."""

    original: str
    rate: float
    condition: str
    source: str


@dataclass(slots=True)
class _Tables:
    """What is read from a family's folder; see `read_tables`."""

    listed: dict[str, list[_Known]] = field(default_factory=dict)
    prefixes: set[str] = field(default_factory=set)  # beginnings of listed phrases, whole words
    words: dict[str, dict[str, float]] = field(default_factory=dict)  # found segment -> original -> share
    long_first: dict[str, int] = field(default_factory=dict)  # first word of longer segments -> words of the longest
    stay: dict[str, float] = field(default_factory=dict)  # original word -> share left alone
    terms: dict[str, Any] = field(default_factory=dict)  # trie of words; the key "" holds a term's log weight
    capitals: dict[str, str] = field(default_factory=dict)


def read_tables(folder: Path, name: str) -> _Tables:
    """Tables of a family: `*.tsv` listed phrases, `words*.txt` substitutions, `terms*.txt` terms.

    Raises LexiconError with file, line and remedy.
    """
    t = _Tables()
    weights: dict[str, float] = {}
    for entry in read(folder, name):
        found = entry.found.replace("-", " ").replace("'s", " 's") if not entry.found.isalpha() else entry.found
        t.listed.setdefault(found, []).append(_Known(entry.original, entry.rate, entry.condition, entry.source))
        if entry.written != entry.original:
            t.capitals.update((w.lower(), w) for w in regex.findall(r"[\p{L}\p{N}]+", entry.written) if w != w.lower())
        at = found.find(" ")
        while at > 0:
            t.prefixes.add(found[:at])
            at = found.find(" ", at + 1)
    for path, columns in _rows(folder, "words*.txt"):
        found, original = columns[0], columns[1]
        seen, _, total = columns[2].partition("/")
        try:
            share = float(seen) / (float(total or 1) + 1)
        except ValueError:
            raise LexiconError(f"{path}: '{columns[2]}' is no share; write counts such as 3/20") from None
        group = t.words.setdefault(found, {})
        group[original] = max(share, group.get(original, 0.0))
        t.stay[original] = t.stay.get(original, 1.0) - share
        if " " in found:
            first, size = found.partition(" ")[0], found.count(" ") + 1
            t.long_first[first] = max(size, t.long_first.get(first, 0))
    for path, columns in _rows(folder, "terms*.txt"):
        try:
            weights[columns[0]] = max(float(columns[1]) if len(columns) > 1 else -9.5, weights.get(columns[0], -99.0))
        except ValueError:
            raise LexiconError(f"{path}: '{columns[1]}' is no log weight") from None
    for term, weight in weights.items():
        node = t.terms
        for word in term.split():
            node = node.setdefault(word, {})
        node[""] = weight
    return t


def _rows(folder: Path, pattern: str) -> Iterator[tuple[Path, list[str]]]:
    for path in sorted(folder.glob(pattern)):
        for line in path.read_text(encoding="utf-8").split("\n"):
            if line and line[0] != "#":
                yield path, line.split("\t")


@dataclass(slots=True)
class _Draft:
    """A place before its weight: originals with log P(o) P(found | o), and what is known of the found phrase."""

    start: int
    end: int
    options: dict[str, tuple[float, str]]  # original -> log joint, source
    listed: float | None  # weight that being listed gives; None for compositions


class Terms:
    """The matcher of one family: `places` of a text."""

    def __init__(self, folder: Path, name: str, model: ContextModel):
        self.name = name
        self._model = model
        self._t = read_tables(folder, name)
        self._log_rate = log(RATE)
        firsts = {p for p in self._t.prefixes if " " not in p} | {k for k in self._t.listed if " " not in k}
        self._firsts = firsts
        self._swapped = set(self._t.words) | set(self._t.long_first)
        self._segments: dict[str, tuple[tuple[str, float], ...]] = {}
        self._usual: dict[str, float] = {}

    @property
    def capitals(self) -> dict[str, str]:
        """Words of originals that are written with capitals: folded word -> as written."""
        return self._t.capitals

    def places(self, tokens: Tokens) -> list[Place]:
        """Stretches that may be tortured terms, by their first token; they may overlap."""
        firsts, swapped, keys = self._firsts, self._swapped, tokens.key
        drafts: list[_Draft] = []
        starts: list[int] = []
        for i, key in enumerate(keys):
            if key in firsts:
                drafts += self._listed(tokens, i)
            if key in swapped:
                starts.append(i)
        if starts or (any(k[-1:] == "s" for k in keys)):
            drafts += self._composed(tokens, starts)
        return self._weighed(tokens, drafts) if drafts else []

    # listed phrases

    def _listed(self, tokens: Tokens, i: int) -> Iterator[_Draft]:
        keys, gaps, listed, prefixes = tokens.key, tokens.gap, self._t.listed, self._t.prefixes
        phrase, end = keys[i], i + 1
        while True:
            known, form = self._entry(phrase, keys[end - 1])
            if known:
                options: dict[str, tuple[float, str]] = {}
                best = -99.0
                for e in known:
                    original = _in_number(e.original, form)
                    met = self._met(e.condition, tokens)
                    joint = log(e.rate) + met + self._term_weight(original)
                    options[original] = (max(joint, options.get(original, (-99.0, ""))[0]), e.source)
                    best = max(best, met)
                yield _Draft(i, end, options, LISTED + best)
            if end >= len(keys) or gaps[end] not in _JOINED or phrase not in prefixes:
                return
            phrase += " " + keys[end]
            end += 1

    def _entry(self, phrase: str, last: str) -> tuple[list[_Known] | None, str]:
        """Entries of a phrase, or of it with the last word in the other number, and the number that it is in here."""
        listed = self._t.listed
        known = listed.get(phrase)
        if known or " " not in phrase:
            return known, ""
        one = singular(last)
        if one and (known := listed.get(phrase[: -len(last)] + one)):
            return known, "s"
        return (known, "1") if (known := listed.get(phrase + "s")) else (None, "")

    def _met(self, condition: str, tokens: Tokens) -> float:
        """What an entry's condition adds to its weight in this text."""
        total = 0.0
        for part in condition.split("; ") if condition else ():
            kind, _, phrases = part.partition(":")
            held = any(_holds(tokens.text, p) for p in phrases.split("|"))
            if kind == "with":
                total -= 0.0 if held else UNMET
            elif held:
                total -= RULED_OUT
        return total

    # compositions

    def _segment(self, key: str) -> tuple[tuple[str, float], ...]:
        """Originals of a found segment with their log shares; the word itself first, where it is one word."""
        known = self._segments.get(key)
        if known is None:
            known = self._segments[key] = tuple(self._make_segment(key))
        return known

    def _make_segment(self, key: str) -> Iterator[tuple[str, float]]:
        words = self._t.words
        seen: set[str] = set()
        if " " not in key:
            seen.add(key)
            yield key, log(max(0.05, min(KEPT_WORD, self._t.stay.get(key, KEPT_WORD))))
        for original, share in words.get(key, {}).items():
            seen.add(original)
            yield original, log(share)
        head, _, last = key.rpartition(" ")
        head += " " if head else ""
        one = singular(last)
        if one:
            if not head and one not in seen:
                yield one + "+s", log(KEPT_WORD)
            for original, share in words.get(head + one, {}).items():
                yield original + "+s", log(share)
        elif last.isalpha():
            for base, form in analyses(last):
                if form in ("ed", "ing"):
                    for original, share in words.get(head + base, {}).items():
                        other = inflect(original, form)
                        if " " not in original and other not in seen and other != key:
                            yield other, log(share) - 1.0

    def _composed(self, tokens: Tokens, starts: list[int]) -> Iterator[_Draft]:
        """Known terms that runs of words may stand for, at least one of the words replaced."""
        keys, gaps = tokens.key, tokens.gap
        begin = sorted({j for i in starts for j in (i, i - 1, i - 2) if j >= 0})
        terms = self._t.terms
        for i in begin:
            if keys[i] in _SMALL:
                continue
            found: dict[int, dict[str, tuple[float, str]]] = {}
            self._walk(keys, gaps, i, i, terms, (), 0.0, False, found)
            for end, options in found.items():
                yield _Draft(i, end, options, None)

    def _walk(
        self,
        keys: Sequence[str],
        gaps: Sequence[str],
        first: int,
        at: int,
        node: dict[str, Any],
        words: tuple[str, ...],
        score: float,
        swapped: bool,
        found: dict[int, dict[str, tuple[float, str]]],
    ) -> None:
        """Depth-first over segments and the trie of terms; `found` collects end -> original -> joint."""
        if at >= len(keys) or at - first >= LONGEST_RUN or (at > first and gaps[at] not in _JOINED):
            return
        longest = self._t.long_first.get(keys[at], 1)
        segment = keys[at]
        for end in range(at + 1, min(len(keys), at + longest, first + LONGEST_RUN) + 1):
            if end > at + 1:
                if gaps[end - 1] not in _JOINED:
                    return
                segment += " " + keys[end - 1]
            for original, share in self._segment(segment):
                plural = original.endswith("+s")
                base = original[:-2] if plural else original
                below = node
                for word in base.split():
                    below = below.get(word)
                    if below is None:
                        break
                if below is None:
                    continue
                changed = swapped or (base != segment and not (plural and inflect(base, "s") == segment))
                joint = score + share
                own = (*words, base)
                if changed and "" in below and (words or " " in base) and end > first + 1:
                    text = " ".join(own)
                    text = _in_number(text, "s") if plural else text
                    group = found.setdefault(end, {})
                    value = joint + float(below[""]) + self._log_rate
                    if value > group.get(text, (-99.0, ""))[0]:
                        group[text] = (value, "composed")
                self._walk(keys, gaps, first, end, below, own, joint, changed, found)

    # weights

    def _term_weight(self, original: str) -> float:
        """Log probability that a term begins at a word of a paper."""
        node: Any = self._t.terms
        words = term_key(original).split()
        words[-1] = singular(words[-1]) or words[-1]
        for word in words:
            node = node.get(word)
            if node is None:
                return self._log_rate - 10.0
        return self._log_rate + float(node.get("", -10.0))

    def _weighed(self, tokens: Tokens, drafts: list[_Draft]) -> list[Place]:
        phrases = [[shape(k) for k in tokens.key[d.start : d.end]] for d in drafts]
        new = {" ".join(p): p for p in phrases if " ".join(p) not in self._usual}
        if len(self._usual) > 100_000:
            self._usual.clear()
        self._usual.update(zip(new, self._probability(list(new.values())), strict=True))
        out: list[Place] = []
        for d, phrase in zip(drafts, phrases, strict=True):
            usual = self._usual[" ".join(phrase)]
            best = sorted(d.options.items(), key=lambda kv: -kv[1][0])[:MAX_COMPOSED]
            top = best[0][1][0]
            total = top + log(sum(exp(v - top) for _, (v, _) in best))
            weight = total - usual
            if d.listed is not None:
                weight = d.listed + min(0.0, weight) * 0.7 if weight < 0 else max(d.listed, weight - (LISTED - d.listed))
            if weight < WORST:
                continue
            options = tuple(
                Option(o, tuple(o.replace("-", " ").replace("'s", " 's").split()), exp(min(0.0, v - top)) * 0.3, self.name, s)
                for o, (v, s) in best
            )
            out.append(Place(d.start, d.end, weight, options, tuple(v - total for _, (v, _) in best)))
        return sorted(out, key=lambda p: (p.start, p.end))

    def _probability(self, phrases: list[list[str]]) -> list[float]:
        """Log probability of phrases in clean text, no lower than rare words make it."""
        if not phrases:
            return []
        usual = self._model.phrases(phrases)
        return [max(float(p), FLOOR * len(words)) for p, words in zip(usual, phrases, strict=True)]


def _in_number(original: str, form: str) -> str:
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
        return regex.compile(rf"(?<!\w){regex.escape(phrase)}s?(?!\w)|\({regex.escape(phrase)}s?\)(?i)")
    stem = phrase.rstrip("*")
    return regex.compile(rf"(?<!\w){regex.escape(stem)}" + (r"" if phrase.endswith("*") else r"(?:s|es)?(?!\w)"), regex.I)


def _holds(text: str, phrase: str) -> bool:
    """Whether a text holds a phrase of a condition: acronyms in capitals or in parentheses, others in any case."""
    return _pattern(phrase).search(text) is not None
