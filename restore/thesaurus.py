"""Open vocabulary: originals from a thesaurus, for spinners whose table nobody has.

Such a spinner replaces some of a text's content words by related words of any
sense. Two looks decide whether one was at work. The first is a naive Bayes
detector over words alone, one look-up a word:

    weight(x) = log [ stay + RATE * sum over originals o of P(x | o) P(o) / P(x) ],

P(x | o) one over the number of the words related to o. A word counts once a document, and a repeated
one less in favour of spinning: a topic's words recur, a random synonym does not. The source
(`synonyms.SOURCES`) with the most evidence gives the candidates. Documents that the first look does not clear
are decoded with these (`reading.py`) and judged by what that says (`judgement.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import exp, log
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from restore.buckets import Hashes, hashes, ngram_hash, word_hash
from restore.candidates import IDENTITY, INFLECTED, LISTED, Lattice, mark_before
from restore.context import COMMA, SENTENCE, UNSEEN, ContextModel
from restore.inflection import Form
from restore.judgement import ALONE_PRIOR, Judgement, by_words, gate, own_gate
from restore.lexicon import Option
from restore.memo import Memo
from restore.synonyms import (
    SCREENED,
    SOURCES,
    WEIGHT_STEP,
    WEIGHT_ZERO,
    Synonyms,
    inflected,
    load_screen,
    shared,
)
from restore.text import PROTECTED_WORD, Tokens, shape
from restore.vectors import Doubles, Ints

FAMILY: Final = "thesaurus"
RATE: Final = 0.15  # share of the replaceable words that a spinner replaces
LONGEST: Final = 3  # words in a found phrase
MAX_ORIGINALS: Final = 50  # of one word that are tried in context
MAX_OPTIONS: Final = 12  # of these that are decoded
PAIRS: Final = 5.0  # evidence that pairs of words may add; where single words miss the gate by more, none are looked at
OWN_PAIRS: Final = 2.0  # the same, as by a spinner with a table of its own
REMEMBERED: Final = 30_000  # phrases, or words, between texts
CAP: Final = 4.0  # of one word's evidence
_FORMS: Final[tuple[Form | None, ...]] = (None, "s", "ed", "en", "ing")
_JOINERS: Final = frozenset((" ", "-"))


@dataclass(frozen=True, slots=True)
class _Originals:
    """What a phrase may stand for, arrays of one length: number of the original and index of its form (`_FORMS`),
    hash, log P(phrase | original), log P(original)."""

    number: Ints
    form: Ints
    word: Hashes
    log_rate: Doubles
    alone: NDArray[np.float32]


@dataclass(slots=True)
class Candidates:
    """Originals for stretches of a text.

    spans: (start token, end token, originals). span: of each candidate, its stretch, shape (candidates,).
    score: log P(found | original) of each. gain: context log probability, original over found.
    """

    spans: list[tuple[int, int, _Originals]]
    span: Ints
    score: Doubles
    gain: Doubles


class Source:
    """One thesaurus: candidates for the words of a text."""

    def __init__(self, name: str, synonyms: Synonyms, model: ContextModel):
        self.name = name
        self._synonyms = synonyms
        self._model = model
        self._sections = [(section, section[-1]) for section in SOURCES[name]]
        self._log_p = model.unigram(hashes(synonyms.vocabulary)).astype(np.float64)
        self._known = Memo[str, _Originals | None](REMEMBERED)
        self._hash: dict[int, Hashes] = {}  # form -> of each word of the vocabulary; zero: not filled in yet
        self._alone: dict[int, NDArray[np.float32]] = {}
        self._replaceable = Memo[str, bool](REMEMBERED)
        self._heads = {section: set(synonyms.sections[section].heads.tolist()) for section, _ in self._sections}

    def replaceable(self, word: str) -> bool:
        """Whether a spinner finds something to put in place of a word."""
        known = self._replaceable.get(word)
        if known is None:
            known = self._replaceable[word] = any(
                number in self._heads[section]
                for section, pos in self._sections
                for number, _ in self._synonyms.readings(word, pos)
            )
        return known

    def _learn(self, phrases: Iterable[str]) -> None:
        """Remember what phrases may stand for; new words are looked up in the context model together."""
        new = {phrase: list(self._related(phrase)) for phrase in self._known.missing(phrases)}
        for form in range(len(_FORMS)):
            wanted = [numbers for related in new.values() for f, numbers, _ in related if f == form]
            if wanted:
                self._inflect(form, np.unique(np.concatenate(wanted)))
        self._known.update((phrase, self._joined(phrase, r) if r else None) for phrase, r in new.items())

    def _inflect(self, form: int, numbers: Ints) -> None:
        """Fill in hash and frequency of words of the vocabulary in a form."""
        if form not in self._hash:
            size = len(self._synonyms.vocabulary)
            self._hash[form], self._alone[form] = np.zeros(size, np.uint64), np.zeros(size, np.float32)
        missing = numbers[self._hash[form][numbers] == 0]
        if len(missing):
            word = hashes(self._word(n, form) for n in missing.tolist())
            self._hash[form][missing] = word
            self._alone[form][missing] = self._model.unigram(word)

    def _word(self, number: int, form: int) -> str:
        return inflected(self._synonyms.vocabulary[number], "*", _FORMS[form])

    def _joined(self, phrase: str, related: list[tuple[int, Ints, Doubles]]) -> _Originals | None:
        """One list of the words that the readings of a phrase give, each once, with the largest of its shares."""
        number = np.concatenate([numbers for _, numbers, _ in related])
        form = np.concatenate([np.full(len(numbers), f) for f, numbers, _ in related])
        share = np.concatenate([shares for _, _, shares in related])
        word = np.concatenate([self._hash[f][numbers] for f, numbers, _ in related])
        alone = np.concatenate([self._alone[f][numbers] for f, numbers, _ in related])
        known = (alone > UNSEEN) & (word != word_hash(phrase))  # not every word takes every form
        order = np.lexsort((-share, word))
        order = order[known[order]]
        kept = order[np.r_[True, word[order][1:] != word[order][:-1]]] if len(order) else order
        if not len(kept):
            return None
        return _Originals(number[kept], form[kept], word[kept], np.log(RATE * share[kept]), alone[kept])

    def _option(self, originals: _Originals, k: int) -> tuple[Option, str]:
        """The k-th original as an entry of a lexicon, and how it was found."""
        form = int(originals.form[k])
        word = self._word(int(originals.number[k]), form)
        return Option(word, (word,), exp(originals.log_rate[k]), FAMILY, self.name), INFLECTED if form else LISTED

    def _related(self, phrase: str) -> Iterator[tuple[int, Ints, Doubles]]:
        """For each reading of a phrase its form, the numbers of the likeliest originals, P(phrase | original)."""
        for section, pos in self._sections:
            for number, form in self._synonyms.readings(phrase, pos):
                first, originals, shares = self._synonyms.inverse(section)
                here = slice(first[number], first[number + 1])
                own, share = originals[here], shares[here]
                if len(own) > MAX_ORIGINALS:
                    best = np.argpartition(-(np.log(share) + self._log_p[own]), MAX_ORIGINALS)[:MAX_ORIGINALS]
                    own, share = own[best], share[best]
                if len(own):
                    yield _FORMS.index(form), own, share

    def _spans(
        self, tokens: Tokens, sentences: list[tuple[int, int]], fixed: frozenset[int]
    ) -> list[tuple[int, int, _Originals]]:
        """Stretches of sentences that have originals; names and their parts have none."""
        keys, gaps, text = tokens.key, tokens.gap, tokens.text
        places: list[tuple[int, int, str]] = []
        for begin, end in sentences:
            for i in range(begin, end):
                phrase = keys[i]
                if i in fixed or not phrase.isalpha() or (i > begin and text[tokens.start[i]].isupper()):
                    continue
                if len(phrase) > 2:
                    places.append((i, i + 1, phrase))
                if not self._synonyms.begins(phrase):
                    continue
                for j in range(i + 1, min(end, i + LONGEST)):
                    if gaps[j] not in _JOINERS or j in fixed or keys[j] == PROTECTED_WORD:
                        break
                    phrase += gaps[j] + keys[j]
                    places.append((i, j + 1, phrase))
        self._learn({phrase for _, _, phrase in places})
        known = ((i, j, self._known[phrase]) for i, j, phrase in places)
        return [(i, j, originals) for i, j, originals in known if originals is not None]

    def candidates(
        self, tokens: Tokens, sentences: list[tuple[int, int]], fixed: frozenset[int] = frozenset()
    ) -> Candidates:
        """Originals of all stretches of some sentences, each with its gain over what was found."""
        model = self._model
        stream, place = _stream(tokens, sentences)
        word = hashes(stream)
        alone = model.unigram(word)
        pair_p, pair_b = model.bigram(word[:-1], word[1:], alone[1:])
        tri = np.zeros(len(word))
        tri[2:] = model.trigram(word[:-2], word[1:-1], word[2:], pair_p[1:] + pair_b[:-1])
        total = np.concatenate([[0.0], np.cumsum(tri)])
        spans = self._spans(tokens, sentences, fixed)
        size = np.fromiter((len(o.word) for _, _, o in spans), np.int64, len(spans))
        if not size.sum():
            return Candidates([], np.empty(0, np.int64), np.empty(0), np.empty(0))
        span = np.repeat(np.arange(len(spans)), size)
        p = np.fromiter((place[i] for i, _, _ in spans), np.int64, len(spans))
        q = np.fromiter((place[j - 1] + 1 for _, j, _ in spans), np.int64, len(spans))
        own = np.concatenate([o.word for _, _, o in spans])
        own_alone = np.concatenate([o.alone for _, _, o in spans])
        a, b = p[span], q[span]
        first_p, first_b = model.bigram(word[a - 1], own, own_alone)
        next_p, next_b = model.bigram(own, word[b], alone[b])
        score = model.trigram(word[a - 2], word[a - 1], own, first_p + pair_b[a - 2]).astype(np.float64)
        score += model.trigram(word[a - 1], own, word[b], next_p + first_b)
        score += model.trigram(own, word[b], word[b + 1], pair_p[b] + next_b)
        gain = score - (total[q + 2] - total[p])[span]
        return Candidates(spans, span, np.concatenate([o.log_rate for _, _, o in spans]), gain)

    def lattice(self, tokens: Tokens, sentences: list[tuple[int, int]], fixed: frozenset[int] = frozenset()) -> Lattice:
        """Lattice over some sentences; tokens in `fixed` keep their identity."""
        found = self.candidates(tokens, sentences, fixed)
        rank = found.score + found.gain
        at: dict[int, list[tuple[float, int, _Originals, int]]] = {}
        k = 0
        for start, end, originals in found.spans:
            here = rank[k : k + len(originals.word)]
            k += len(here)
            best = np.argsort(-here, kind="stable")[:MAX_OPTIONS].tolist()
            at.setdefault(start, []).extend((-here[n], end, originals, n) for n in best)
        lattice = Lattice(list(sentences))
        stay = log(1 - RATE)
        for begin, end in sentences:
            for i in range(begin, end):
                mark = mark_before(tokens, i)
                key = tokens.key[i]
                free = i not in fixed and key.isalpha() and self.replaceable(key)
                lattice.add(i, i + 1, (*mark, shape(key)), stay if free else 0.0, None, IDENTITY)
                for _, until, originals, n in sorted(at.get(i, ()), key=lambda c: c[0])[:MAX_OPTIONS]:
                    option, kind = self._option(originals, n)
                    lattice.add(i, until, mark + option.words, log(option.rate), option, kind)
        return lattice


class Thesaurus:
    """Judges whether a text was spun from a thesaurus, and offers the originals. Files are read when needed."""

    def __init__(self, folder: Path, model: ContextModel):
        self._folder = folder
        self._model = model
        self._sources: dict[str, Source] = {}
        self._screen = load_screen(folder / "screen.bin")
        self._last: tuple[Tokens, Ints, NDArray[np.bool_]] | None = None
        self._row: dict[str, int] = {}  # word -> its row in the weights
        self._weights = np.empty((1, len(SCREENED)))

    @cached_property
    def synonyms(self) -> Synonyms:
        """The relations, read on first use."""
        return shared(self._folder / "synonyms.bin")

    @cached_property
    def _archaic(self) -> frozenset[str]:
        """Words of older and of formal English."""
        lines = (self._folder / "archaic.txt").read_text(encoding="utf-8").splitlines()
        return frozenset(word for line in lines if not line.startswith("#") for word in line.split())

    def source(self, name: str) -> Source:
        """One thesaurus."""
        if name not in self._sources:
            self._sources[name] = Source(name, self.synonyms, self._model)
        return self._sources[name]

    def words_alone(self, tokens: Tokens) -> Doubles:
        """Log-likelihood ratio by words alone for each of `SCREENED`, shape (sources,). Pairs of words are added
        unless single words already fall too far short of the gates."""
        evidence, size = self._single_words(tokens), len(tokens)
        doubtful = evidence[:-1].max() > gate(size) - PAIRS or evidence[-1] > own_gate(size) - OWN_PAIRS
        return evidence + self._pairs(tokens) if doubtful else evidence

    def _single_words(self, tokens: Tokens) -> Doubles:
        """Evidence of the different words; a name (by its last place) counts nothing."""
        row, common = self._looked_up(tokens)
        _, place, counts = np.unique(row[::-1], return_index=True, return_counts=True)
        order = np.argsort(place)  # as they stand in the text, so that the sum is the same in every process
        place, counts = len(row) - 1 - place[order], counts[order]
        weight = self._weights[row[place]] * common[place, None]
        return np.asarray(np.where(weight > 0, weight / counts[:, None], weight).sum(axis=0))

    def strangest(self, tokens: Tokens, size: int, source: str | None = None) -> tuple[int, int, float]:
        """Begin, end (half-open) and evidence of the `size` tokens that speak most for a source (None: for a
        spinner with a table of its own). Repeated words count each time."""
        row, common = self._looked_up(tokens)
        column = list(SOURCES).index(source) if source else -1
        total = np.concatenate([[0.0], np.cumsum(np.where(common, self._weights[row, column], 0.0))])
        size = min(size, len(tokens))
        said = total[size:] - total[:-size]
        begin = int(np.argmax(said))
        return begin, begin + size, float(said[begin])

    def _looked_up(self, tokens: Tokens) -> tuple[Ints, NDArray[np.bool_]]:
        """Row of each token in the weights, and whether it is no name; one dictionary look-up for each different word.
        Kept until another text is looked at."""
        if self._last and self._last[0] is tokens:
            return self._last[1:]
        text, keys = tokens.text, dict.fromkeys(tokens.key)
        new = [key for key in keys if key not in self._row]
        if new and len(self._row) + len(new) > REMEMBERED:
            self._row.clear()
            new = list(keys)
        if new:
            held, weight = self._find(ngram_hash(hashes(map(shape, new))))
            first = len(self._row)
            self._row.update(zip(new, range(first, first + len(new)), strict=True))
            if len(self._row) > len(self._weights):
                self._weights = np.resize(self._weights, (2 * len(self._row), len(SCREENED)))
            self._weights[first : len(self._row)] = np.where(held[:, None], weight, 0.0)
        row = np.fromiter(map(self._row.__getitem__, tokens.key), np.int64, len(tokens))
        common = [gap == "." or not text[at].isupper() for gap, at in zip(tokens.gap, tokens.start, strict=True)]
        self._last = tokens, row, np.array(common, bool)
        return self._last[1:]

    def _pairs(self, tokens: Tokens) -> Doubles:
        text = tokens.text
        lower = np.array([text[s].islower() for s in tokens.start])
        joined = np.array([g in _JOINERS for g in tokens.gap])
        first = np.flatnonzero(lower[:-1] & lower[1:] & joined[1:])
        word = hashes(tokens.key)
        pair, count = np.unique(ngram_hash(word[first], word[first + 1]), return_counts=True)
        held, weight = self._find(pair)
        return np.asarray((weight[held] / np.where(weight[held] > 0, count[held, None], 1)).sum(axis=0))

    def _find(self, ngrams: Hashes) -> tuple[NDArray[np.bool_], Doubles]:
        """Which n-grams have screening weights, and these, shape (n-grams, `SCREENED`)."""
        held, planes = self._screen.find(ngrams)
        return held, np.minimum((np.stack(planes, axis=1).astype(np.float64) - WEIGHT_ZERO) * WEIGHT_STEP, CAP)

    def judge(self, tokens: Tokens) -> Judgement:
        """Whether a text was spun, by its words alone."""
        if not len(tokens):
            return Judgement(ALONE_PRIOR, -np.inf, -np.inf, next(iter(SOURCES)))
        *alone, strange = self.words_alone(tokens).tolist()
        best = int(np.argmax(alone))
        archaic = min(1.0, 100 / len(tokens) * sum(map(self._archaic.__contains__, tokens.key)))
        return by_words(alone[best], strange, list(SOURCES)[best], archaic, len(tokens))


def _stream(tokens: Tokens, sentences: list[tuple[int, int]]) -> tuple[list[str], dict[int, int]]:
    """The words of some sentences as the context model reads them, and the place of each token among them.

    Two sentence marks stand before, between and after sentences.
    """
    stream = [SENTENCE, SENTENCE]
    place: dict[int, int] = {}
    for begin, end in sentences:
        for i in range(begin, end):
            if tokens.gap[i] == "," and i > begin:
                stream.append(COMMA)
            place[i] = len(stream)
            stream.append(shape(tokens.key[i]))
        stream += [SENTENCE, SENTENCE]
    return stream, place
