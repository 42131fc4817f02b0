"""Open vocabulary: originals from a thesaurus, for spinners whose table nobody has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import log
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from restore.candidates import IDENTITY, INFLECTED, LISTED, Lattice
from restore.context import COMMA, SENTENCE, UNSEEN, ContextModel, hashes
from restore.inflection import Form, analyses, inflect
from restore.lexicon import Option
from restore.text import PROTECTED_WORD, Tokens, shape

FAMILY: Final = "thesaurus"
RATE: Final = 0.15
LONGEST: Final = 3
MAX_OPTIONS: Final = 12
_FORMS: Final[dict[str, tuple[Form, ...]]] = {"n": ("s",), "v": ("s", "ed", "en", "ing"), "a": (), "r": ()}
_JOINERS: Final = frozenset((" ", "-"))


class Synonyms:
    """Synonyms by part of speech, as `python -m restore.learning thesaurus` writes them."""

    def __init__(self, lines: Iterable[str]):
        self._sets: list[str] = []
        self._of: dict[str, dict[str, list[int]]] = {pos: {} for pos in _FORMS}
        for line in lines:
            if line[:1] == "#":
                continue
            pos, _, lemmas = line.rstrip("\n").partition("\t")
            number = len(self._sets)
            self._sets.append(lemmas)
            own = self._of[pos]
            for lemma in lemmas.split("|"):
                if lemma in own:
                    own[lemma].append(number)
                else:
                    own[lemma] = [number]
        self._synonyms: dict[tuple[str, str], list[str]] = {}

    @classmethod
    def load(cls, path: Path) -> Synonyms:
        with open(path, encoding="utf-8") as file:
            return cls(file)

    def lemmas(self, pos: str) -> list[str]:
        return list(self._of[pos])

    def of(self, pos: str, lemma: str) -> list[str]:
        """Synonyms of all senses of a lemma."""
        cached = self._synonyms.get((pos, lemma))
        if cached is None:
            sets = self._of[pos].get(lemma, ())
            cached = list(dict.fromkeys(w for n in sets for w in self._sets[n].split("|") if w != lemma))
            self._synonyms[pos, lemma] = cached
        return cached

    def readings(self, phrase: str) -> Iterator[tuple[str, str, Form | None]]:
        """What a phrase may be: part of speech, lemma, form."""
        first, space, rest = phrase.partition(" ")
        head, _, last = phrase.rpartition(" ")
        for pos, forms in _FORMS.items():
            own = self._of[pos]
            if phrase in own:
                yield pos, phrase, None
            if not forms:
                continue
            for base, form in analyses(first if pos == "v" else last):
                lemma = base if not space else (f"{base} {rest}" if pos == "v" else f"{head} {base}")
                if form in forms and lemma in own:
                    yield pos, lemma, form

    def originals(self, phrase: str) -> dict[str, tuple[float, bool]]:
        """Single words that a phrase may stand for: share of the word's synonyms that this phrase is, and whether inflected."""
        found: dict[str, tuple[float, bool]] = {}
        for pos, lemma, form in self.readings(phrase):
            for original in self.of(pos, lemma):
                if " " in original:
                    continue
                share = 1 / len(self.of(pos, original))
                word = inflect(original, form) if form else original
                if word != phrase:
                    found[word] = (max(share, found.get(word, (0.0, False))[0]), form is not None)
        return found

    def replaceable(self, word: str) -> bool:
        return next(self.readings(word), None) is not None


@dataclass(slots=True)
class Candidate:
    start: int
    end: int
    option: Option
    gain: float
    kind: str


class Thesaurus:
    def __init__(self, synonyms: Synonyms, model: ContextModel):
        self.synonyms = synonyms
        self._model = model
        self._options: dict[str, list[tuple[Option, str]]] = {}

    def options(self, phrase: str) -> list[tuple[Option, str]]:
        cached = self._options.get(phrase)
        if cached is None:
            found = self.synonyms.originals(phrase)
            known = self._model.unigram(hashes(found)) > UNSEEN if found else ()
            cached = self._options[phrase] = [
                (Option(w, tuple(w.replace("-", " ").split()), RATE * share, FAMILY, "wordnet"), INFLECTED if inf else LISTED)
                for (w, (share, inf)), k in zip(found.items(), known, strict=True)
                if k
            ]
        return cached

    def spans(self, tokens: Tokens, begin: int, end: int, fixed: frozenset[int]) -> Iterator[tuple[int, int, str]]:
        keys, gaps, text = tokens.key, tokens.gap, tokens.text
        for i in range(begin, end):
            key = keys[i]
            if i in fixed or not key.isalpha() or key == PROTECTED_WORD:
                continue
            if i > begin and text[tokens.start[i]].isupper():
                continue
            phrase = key
            if len(key) > 2:
                yield i, i + 1, phrase
            for j in range(i + 1, min(end, i + LONGEST)):
                if gaps[j] not in _JOINERS or j in fixed:
                    break
                phrase += gaps[j] + keys[j]
                yield i, j + 1, phrase

    def candidates(self, tokens: Tokens, sentences: list[tuple[int, int]], fixed: frozenset[int] = frozenset()) -> list[Candidate]:
        """Originals with the gain in local context log probability."""
        out: list[Candidate] = []
        seqs: list[list[str]] = []
        ident: dict[tuple[int, int], int] = {}
        own: list[int] = []
        for b, e in sentences:
            stream: list[str] = [SENTENCE, SENTENCE]
            place: list[int] = []
            for i in range(b, e):
                if tokens.gap[i] == "," and i > b:
                    stream.append(COMMA)
                place.append(len(stream))
                stream.append(shape(tokens.key[i]))
            stream += [SENTENCE]
            for i, j, phrase in self.spans(tokens, b, e, fixed):
                options = self.options(phrase)
                if not options:
                    continue
                p, q = place[i - b], place[j - 1 - b] + 1
                left, right = stream[p - 2 : p], stream[q : q + 2]
                ident[i, j] = len(seqs)
                seqs.append(left + stream[p:q] + right)
                for option, kind in options:
                    own.append(len(seqs))
                    seqs.append(left + list(option.words) + right)
                    out.append(Candidate(i, j, option, 0.0, kind))
        if out:
            score = self._sequences(seqs)
            for c, k in zip(out, own, strict=True):
                c.gain = float(score[k] - score[ident[c.start, c.end]])
        return out

    def _sequences(self, seqs: list[list[str]]) -> NDArray[np.float64]:
        """Log probability of each sequence after its first two words."""
        model = self._model
        size = np.fromiter(map(len, seqs), np.int64, len(seqs))
        w = hashes(x for s in seqs for x in s)
        row = np.repeat(np.arange(len(seqs)), size)
        within = np.arange(len(w)) - np.repeat(np.cumsum(size) - size, size)
        alone = model.unigram(w)
        pair_p, pair_b = model.bigram(w[:-1], w[1:], alone[1:])
        at = np.flatnonzero(within >= 2)
        p = model.trigram(w[at - 2], w[at - 1], w[at], pair_p[at - 1] + pair_b[at - 2])
        return np.bincount(row[at], weights=p, minlength=len(seqs))

    def lattice(self, tokens: Tokens, sentences: list[tuple[int, int]], fixed: frozenset[int] = frozenset(), cands: list[Candidate] | None = None) -> Lattice:
        lattice = Lattice(list(sentences))
        at: dict[int, list[Candidate]] = {}
        for c in cands if cands is not None else self.candidates(tokens, sentences, fixed):
            at.setdefault(c.start, []).append(c)
        for b, e in sentences:
            for i in range(b, e):
                mark = (",",) if tokens.gap[i] == "," else ()
                key = tokens.key[i]
                free = key.isalpha() and i not in fixed and self.synonyms.replaceable(key)
                lattice.add(i, i + 1, (*mark, shape(key)), log(1 - RATE) if free else 0.0, None, IDENTITY)
                best = sorted(at.get(i, ()), key=lambda c: -(c.gain + log(c.option.rate)))[:MAX_OPTIONS]
                for c in best:
                    lattice.add(i, c.end, mark + c.option.words, log(c.option.rate), c.option, c.kind)
        return lattice
