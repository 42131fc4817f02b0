"""From a decoded lattice to edits of the text.

Arcs that make the same change are one *reading*, whose posterior is calibrated
(`calibration.py`). Of the readings of a sentence the likeliest that do not overlap
are chosen, and written as the text around them is: capitals, articles, hyphens,
quotation marks (`surface.py`). An edit's confidence is its reading's probability
times that of its sentence to have been spun; its alternatives share the rest.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from math import log
from typing import Final, NamedTuple

import numpy as np
from rapidfuzz.fuzz import ratio

from restore.calibration import Calibration, Record
from restore.candidates import TERM, Lattice
from restore.context import ContextModel
from restore.decoder import Decoded
from restore.evidence import Block
from restore.fitted import Fitted
from restore.lexicon import Option
from restore.restoration import Edit, splice
from restore.surface import fix_article, match_case, quotes_like, stray_braces, stretch, with_capitals
from restore.text import Tokens, shape

DOUBT: Final = 1.0  # off the log odds of an edit where the spinner's table is known in part (articles spun by hand)
DOUBTFUL: Final = 0.6  # probability of a term's reading below which what it says may be said of a part of it
MENTION: Final = 0.01  # least probability of an alternative that is reported

_Change = tuple[int, int, tuple[str, ...]]  # start and end token, half-open, and the words that come there


class _Reading(NamedTuple):
    """A possible change: tokens start to end (half-open) become `words`.

    arc: its likeliest arc in the lattice, which stands for `option`. posterior: the decoder's, of all arcs that make
    this change. probability: the same, calibrated. record: added to the log odds by the entry's record.
    """

    start: int
    end: int
    words: tuple[str, ...]
    arc: int
    option: Option
    posterior: float
    probability: float
    record: float


class _Choice(NamedTuple):
    """A reading chosen for an edit.

    rivals: the other readings of the same tokens. spun: probability that a spinner was at work there. article_free:
    whether an article before it may change (it is in no other edit and not on the allow-list).
    """

    reading: _Reading
    rivals: list[_Reading]
    spun: float
    article_free: bool


class _Spelling(NamedTuple):
    """How an original is written: with its hyphens and capitals, and the words of its family that have capitals."""

    original: str
    capitals: Mapping[str, str]


class Editor:
    """Writes edits. capitals: how words of terms that no list holds are written. least: probability of an edit below
    which none is proposed."""

    def __init__(self, model: ContextModel, fitted: Fitted, capitals: Mapping[str, str], least: float):
        self._model = model
        self._fitted = fitted
        self._capitals = capitals
        self._least = least

    def edits(
        self, block: Block, spun: Sequence[float], tokens: Tokens, fixed: frozenset[int], known: bool
    ) -> Iterator[Edit]:
        """Edits of some decoded sentences.

        spun: probability of each sentence of the text to have been spun. fixed: tokens of the allow-list. known: whether
        the spinner's table is the listed one, not one that has but a part of it: then records say nothing, and `DOUBT` is
        taken off the log odds.
        """
        lattice, decoded = block.lattice, block.decoded
        choices = [
            choice
            for sentence, readings in _readings(lattice, decoded, tokens, _calibrator(self._fitted, known))
            for choice in self._chosen(readings, spun[block.numbers[sentence]], lattice, fixed)
        ]
        yield from self._written(choices, tokens, lattice, decoded)

    def _chosen(
        self, readings: list[_Reading], spun: float, lattice: Lattice, fixed: frozenset[int]
    ) -> Iterator[_Choice]:
        """The most probable readings of a sentence that do not overlap, in order."""

        def at_work(reading: _Reading) -> float:
            """Probability that the reading's family is (a sparse family's odds are in the reading already)."""
            return 1.0 if lattice.kind[reading.arc] == TERM else spun

        readings = _with_agreement(readings, lattice)
        likely = [(-p, r.start, k) for k, r in enumerate(readings) if (p := r.probability * at_work(r)) >= self._least]
        taken: list[_Reading] = []
        changed: set[int] = set()
        for _, _, k in sorted(likely):
            reading = readings[k]
            if changed.isdisjoint(range(reading.start, reading.end)):
                taken.append(reading)
                changed.update(range(reading.start, reading.end))
        if not taken:
            return
        over: dict[tuple[int, int], list[_Reading]] = {}
        for reading in readings:
            over.setdefault((reading.start, reading.end), []).append(reading)
        for reading in sorted(taken, key=lambda r: r.start):
            rivals = [r for r in over[reading.start, reading.end] if r is not reading]
            before = reading.start - 1
            yield _Choice(reading, rivals, at_work(reading), before not in changed and before not in fixed)

    def _written(self, choices: list[_Choice], tokens: Tokens, lattice: Lattice, decoded: Decoded) -> Iterator[Edit]:
        """Choices as edits of the text, with their evidence."""
        found = [[shape(k) for k in tokens.key[c.reading.start : c.reading.end]] for c in choices]
        usual = self._model.phrases([list(c.reading.words) for c in choices] + found)
        for n, choice in enumerate(choices):
            reading, spun = choice.reading, choice.spun
            start, end, replacement = _placed(choice, tokens, self._spelling(lattice, reading))
            standing = tokens.text[start:end]
            confidence = reading.probability * spun
            left = spun * (1 - reading.probability) / max(1e-9, 1 - reading.posterior)
            kept = max(0.0, 1 - confidence - sum([r.posterior * left for r in choice.rivals]))
            others = [
                (_replacement(choice, r, start, end, tokens, self._spelling(lattice, r)), p)
                for r in choice.rivals
                if (p := r.posterior * left) >= MENTION
            ]
            if kept >= MENTION:
                others.append((standing, kept))
            others.sort(key=lambda a: -a[1])
            evidence = {
                "channel": log(reading.option.rate),
                "context": float(decoded.context[reading.arc]),
                "frequency": float(usual[n] - usual[len(choices) + n]),
                "similarity": ratio(" ".join(found[n]), " ".join(reading.words)) / 100,
                "passage": spun,
            }
            if reading.record:
                evidence["record"] = reading.record
            yield Edit(start, end, standing, replacement, confidence, reading.option.family, tuple(others), evidence)

    def _spelling(self, lattice: Lattice, reading: _Reading) -> _Spelling:
        """A reading's spelling; only sparse families compose originals, whose words have capitals of their own."""
        if lattice.kind[reading.arc] == TERM:
            return _Spelling(reading.option.original, self._capitals)
        return _Spelling(reading.option.written, {})


_Calibrator = Callable[[Option, str, float, _Change, Tokens], tuple[float, float]]


def _calibrator(fitted: Fitted, known: bool) -> _Calibrator:
    """What tells the probability that a change with a posterior is right, and what its entry's record added."""
    by_family: dict[str, tuple[Calibration, Record]] = {}

    def calibrated(option: Option, kind: str, posterior: float, change: _Change, tokens: Tokens) -> tuple[float, float]:
        family, sure = option.family, known or kind == TERM  # a term's odds do not lean on that spinner's table
        told = by_family.get(family)
        if told is None:
            told = fitted.calibration(family if sure else ""), fitted.records.get(family, {}) if sure else {}
            by_family[family] = told
        calibration, records = told
        start, end, words = change
        record = records.get((" ".join(tokens.key[start:end]), " ".join(words)), 0.0) if records else 0.0
        return calibration.probability(posterior, option.rate, record - (0.0 if sure else DOUBT)), record

    return calibrated


def _readings(
    lattice: Lattice, decoded: Decoded, tokens: Tokens, calibrated: _Calibrator
) -> Iterator[tuple[int, list[_Reading]]]:
    """The readings of each sentence that has any, with its number in the lattice."""
    posterior = decoded.posterior.tolist()
    arcs = [k for k, (p, option) in enumerate(zip(posterior, lattice.option, strict=True)) if p >= MENTION and option]
    sentence = lattice.sentence_of(np.array(lattice.start, np.int64)[arcs]).tolist()
    for number, group in groupby(zip(sentence, arcs, strict=True), key=lambda pair: pair[0]):
        merged = _merged([arc for _, arc in group], posterior, lattice, tokens)
        yield number, [_reading(change, *m, lattice, tokens, calibrated) for change, m in merged.items()]


def _merged(
    arcs: Sequence[int], posterior: Sequence[float], lattice: Lattice, tokens: Tokens
) -> dict[_Change, tuple[int, float]]:
    """Changes that arcs make: the likeliest arc of each, and the sum of their posteriors."""
    merged: dict[_Change, tuple[int, float]] = {}
    for arc in arcs:
        option = lattice.option[arc]
        change = trimmed(lattice.start[arc], lattice.end[arc], option.words if option else (), tokens.key)
        p = posterior[arc]
        best, total = merged.get(change, (arc, 0.0))
        merged[change] = best if posterior[best] >= p else arc, min(1.0, total + p)
    return merged


def _reading(
    change: _Change, arc: int, posterior: float, lattice: Lattice, tokens: Tokens, calibrated: _Calibrator
) -> _Reading:
    option = lattice.option[arc]
    assert option is not None  # identity arcs make no reading
    probability, record = calibrated(option, lattice.kind[arc], posterior, change, tokens)
    return _Reading(*change, arc, option, posterior, probability, record)


def _with_agreement(readings: list[_Reading], lattice: Lattice) -> list[_Reading]:
    """Readings of a sentence. Terms nest: a doubtful longer term that restores the same words supports a shorter one,
    and its probability is added to that, unless a term between them already received it."""
    terms = [r for r in readings if lattice.kind[r.arc] == TERM and r.end - r.start == len(r.words)]
    doubtful = [r for r in terms if r.probability < DOUBTFUL and len(r.words) > 1]
    raised: dict[int, _Reading] = {}
    settled: list[_Reading] = []
    for r in sorted(terms, key=lambda r: -len(r.words)) if doubtful else ():
        agreeing = [s for s in doubtful if _says(s, r)]
        if agreeing and not any(_says(s, r) for s in settled):
            new = raised[id(r)] = r._replace(
                posterior=min(1.0, r.posterior + sum(s.posterior for s in agreeing)),
                probability=min(1.0, r.probability + sum(s.probability for s in agreeing)),
            )
            if new.probability >= DOUBTFUL:
                settled.append(r)
    return [raised.get(id(r), r) for r in readings]


def _says(longer: _Reading, r: _Reading) -> bool:
    """Whether `longer` contains `r` and restores the same words there."""
    at = r.start - longer.start
    return longer is not r and at >= 0 and r.end <= longer.end and longer.words[at : at + len(r.words)] == r.words


def trimmed(start: int, end: int, words: tuple[str, ...], keys: list[str]) -> _Change:
    """A change without the words that both sides begin or end with; one word is left on each."""
    while end - start > 1 and len(words) > 1 and keys[start] == words[0]:
        start, words = start + 1, words[1:]
    while end - start > 1 and len(words) > 1 and keys[end - 1] == words[-1]:
        end, words = end - 1, words[:-1]
    return start, end, words


def _placed(choice: _Choice, tokens: Tokens, spelling: _Spelling) -> tuple[int, int, str]:
    """Where a choice stands in the text and what will stand there: an article before it follows its first sound."""
    first = choice.reading.start
    start, end = tokens.start[first], tokens.end[choice.reading.end - 1]
    if choice.article_free and first and tokens.key[first - 1] in ("a", "an") and tokens.gap[first] == " ":
        before = tokens.start[first - 1]
        replacement = _replacement(choice, choice.reading, before, end, tokens, spelling)
        if not replacement.startswith(tokens.text[before : tokens.end[first - 1]] + " "):
            return before, end, replacement
    return start, end, _replacement(choice, choice.reading, start, end, tokens, spelling)


def _replacement(choice: _Choice, reading: _Reading, start: int, end: int, tokens: Tokens, spelling: _Spelling) -> str:
    """What a reading over a choice's tokens puts between `start` and `end`, with the article where that is among it."""
    text, first = tokens.text, tokens.start[choice.reading.start]
    words = _surface(reading.words, text[first:end], text, spelling)
    if start == first:
        return words
    article = text[start : tokens.end[choice.reading.start - 1]]
    sound = with_capitals(stretch(spelling.original, reading.words), spelling.capitals)
    return fix_article(article, sound, words) + text[start + len(article) : first] + words


def _surface(words: tuple[str, ...], found: str, text: str, spelling: _Spelling) -> str:
    joined = match_case(stretch(spelling.original, words), found)
    return quotes_like(with_capitals(joined, spelling.capitals), text)


def with_braces(
    edits: list[Edit], tokens: Tokens, fixed: frozenset[int], family: str, spun: float, threshold: float
) -> list[Edit]:
    """Edits that also remove the stray braces a spinner left: the edit inside is widened over them, or an edit of
    their own is added. Braces around words of the allow-list stay."""
    chunk = tokens.text
    if "{" not in chunk or spun < threshold:
        return edits
    out = list(edits)
    for lo, hi, held in stray_braces(chunk):
        if not fixed.isdisjoint(range(bisect_left(tokens.start, lo), bisect_left(tokens.start, hi))):
            continue
        within = [e for e in out if e.start < hi and lo < e.end]
        inside = [e for e in within if e.confidence >= threshold]
        if any(e.start <= lo or e.end >= hi for e in inside):
            continue
        new = splice(held, [(e.start - lo - 1, e.end - lo - 1, e.replacement) for e in inside])
        out = [e for e in out if e not in within]
        best = max(inside, key=lambda e: e.confidence, default=None)
        confidence = best.confidence if best else spun
        evidence = best.evidence if best else {"passage": spun}
        others = ((chunk[lo:hi], 1 - confidence),)
        out.append(Edit(lo, hi, chunk[lo:hi], new, confidence, best.family if best else family, others, evidence))
    return sorted(out, key=lambda e: e.start)
