"""How the places of a sparse family are judged: phrases of its list, against what clean text invites.

Parts of the family's list are left out in turn, and the family is learned from
the rest: the left-out phrases, each set into a clean technical text where its
original stands (or, if that is nowhere said, another term), are what its composed
places are like when they are right. What they are like when wrong is seen in the
same texts, which nothing else has learned from. A logistic regression
parts the two (`restore.sparse.places.Judge`). Another parts listed phrases, set into texts in the
same way, from those that clean texts of all kinds hold by themselves.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from restore.context import ContextModel
from restore.documents import DocumentError
from restore.learning import tortured
from restore.learning.corpora import corpus_files, read_lines
from restore.learning.regression import Rivals, conditional_logit, logistic
from restore.learning.texts import texts_of
from restore.learning.tortured import Phrase
from restore.sparse.places import DENSITY, UNFITTED, Choice, Features, Judge, ListedWeight, Place, choice_traits
from restore.sparse.tables import singular, term_key
from restore.sparse.terms import Terms
from restore.text import Tokens, tokenize

GIVEN: Final = ("manifest.toml", "judgements.txt", "*curated*.txt", "ordinary.txt", "register.txt", "places.json")
PAGES: Final = (".html", ".htm")
FREE: Final = 100.0  # the constant's feature: so large that the penalty does not hold it
LENGTH: Final = 30_000  # characters of a clean page that are read
BEFORE: Final = 400  # of these, kept before a slot,
AFTER: Final = 250  # and after it
SLOTS: Final = 12  # of a term
HEADING: Final = 8  # one phrase in so many is in title case
PENALTY: Final = 1.0  # of the squares of the weights, features in standard deviations
LISTED_SHARE: Final = 0.5  # of the tortured phrases of a text, those that the list has


def near(phrase: str) -> str:
    """A phrase by which near-duplicates are recognised: words apart, in the singular."""
    return " ".join(singular(w) or w for w in term_key(phrase).split())


def parts(phrases: Sequence[Phrase], number: int, seed: int) -> Iterator[tuple[list[Phrase], list[Phrase]]]:
    """`number` disjoint splits into held-out and remaining phrases; near-duplicates fall on the same side."""
    forms = sorted({near(p.found) for p in phrases})
    Random(seed).shuffle(forms)
    for k in range(number):
        apart = set(forms[k::number])
        yield [p for p in phrases if near(p.found) in apart], [p for p in phrases if near(p.found) not in apart]


def family_without(folder: Path, known: Sequence[Phrase], copy: Path) -> Path:
    """A family's folder anew in `copy`, learned from some phrases of its list alone."""
    copy.mkdir(parents=True)
    for pattern in GIVEN:
        for path in folder.glob(pattern):
            shutil.copy(path, copy / path.name)
    tortured.write_family(list(known), copy)
    return copy


class Slots:
    """Where terms stand in clean texts."""

    def __init__(self, terms: Iterable[str], texts: Iterable[str]):
        """Of these terms, of two words at least."""
        self._places: dict[str, list[tuple[str, str, bool]]] = {}
        starts: dict[str, list[list[str]]] = {}
        for words in (term.split() for term in sorted(set(map(near, terms)))):
            if len(words) > 1:
                starts.setdefault(words[0], []).append(words)
        for text in texts:
            tokens = tokenize(text[:LENGTH])
            keys = [singular(key) or key for key in tokens.key]
            for i in [i for i, key in enumerate(keys) if key in starts]:
                for words in starts[keys[i]]:
                    if keys[i : i + len(words)] == words:
                        self._add(" ".join(words), tokens.text, tokens.start[i], tokens.end[i + len(words) - 1])
        self._all = [slot for slots in self._places.values() for slot in slots]

    def __len__(self) -> int:
        return len(self._all)

    def _add(self, term: str, text: str, start: int, end: int) -> None:
        slots = self._places.setdefault(term, [])
        if len(slots) < SLOTS:
            slots.append((text[max(0, start - BEFORE) : start], text[end : end + AFTER], text[start].isupper()))

    def filled(self, phrase: Phrase, draw: Random) -> tuple[str, str, str]:
        """A text in which a phrase stands where its original did, or another term: what comes before, the phrase, what
        follows. Raises IndexError where there are no slots."""
        before, after, capital = draw.choice(self._places.get(near(phrase.original)) or self._all)
        found = phrase.found.title() if draw.random() < 1 / HEADING else phrase.found
        if capital:
            found = found[:1].upper() + found[1:]
        return before, found, after


def carried(matcher: Terms, phrases: Iterable[Phrase], slots: Slots) -> Iterator[tuple[Phrase, Tokens, list[Place]]]:
    """Phrases that the matcher has not seen, each in a text, and the places composed of the whole phrase."""
    draw = Random(0)
    for phrase in phrases:
        before, found, after = slots.filled(phrase, draw)
        tokens = tokenize(before + found + after)
        bounds = len(before), len(before) + len(found)
        yield (
            phrase,
            tokens,
            [p for p in matcher.composed(tokens) if (tokens.start[p.start], tokens.end[p.end - 1]) == bounds],
        )


def right_places(matcher: Terms, phrases: Iterable[Phrase], slots: Slots) -> Iterator[Features]:
    """Features of the composed places that restore phrases which the matcher has not seen."""
    for phrase, tokens, places in carried(matcher, phrases, slots):
        right = [p for p in places if near(p.options[0].original) == near(phrase.original)]
        yield from matcher.features(tokens, right)


def rivalries(matcher: Terms, phrases: Iterable[Phrase], slots: Slots) -> Iterator[Rivals]:
    """For each place that has both right and wrong originals: the traits of each original (`Choice`), and which are
    right."""
    for phrase, tokens, places in carried(matcher, phrases, slots):
        for p in places:
            right = np.array([near(o.original) == near(phrase.original) for o in p.options])
            if right.any() and not right.all():
                found = tokens.key[p.start : p.end]
                yield np.array([choice_traits(s, found, o) for s, o in zip(p.shares, p.options, strict=True)]), right


def invited_places(matcher: Terms, texts: Iterable[str]) -> tuple[list[Features], int]:
    """Features of the places in clean texts, the same phrase once; and how many tokens were read."""
    seen: set[tuple[str, ...]] = set()
    invited: list[Features] = []
    read = 0
    for text in texts:
        tokens = tokenize(text[:LENGTH])
        read += len(tokens)
        new: list[Place] = []
        for place in matcher.composed(tokens):
            phrase = tuple(tokens.key[place.start : place.end])
            if phrase not in seen:
                seen.add(phrase)
                new.append(place)
        invited += matcher.features(tokens, new)
    return invited, read


def listed_right(matcher: Terms, phrases: Iterable[Phrase], slots: Slots) -> Iterator[tuple[float, float]]:
    """Of listed phrases, each in a text: the log probability of the phrase in clean text, and what its condition adds."""
    draw = Random(0)
    for phrase in phrases:
        before, found, after = slots.filled(phrase, draw)
        tokens = tokenize(before + found + after)
        bounds = len(before), len(before) + len(found)
        for draft, usual in matcher.listed(tokens):
            if (tokens.start[draft.start], tokens.end[draft.end - 1]) == bounds:
                yield usual, draft.met or 0.0


def listed_wrong(matcher: Terms, texts: Iterable[str]) -> tuple[list[tuple[float, float]], int]:
    """The same of listed phrases that clean texts hold which read like papers; and how many tokens were read."""
    out: list[tuple[float, float]] = []
    read = 0
    for text in texts:
        tokens = tokenize(text[:LENGTH])
        if matcher.reads_like_paper(tokens):
            read += len(tokens)
            out += [(usual, draft.met or 0.0) for draft, usual in matcher.listed(tokens)]
    return out, read


def pages(folder: Path, most: int, seed: int, endings: Collection[str] = PAGES) -> Iterator[str]:
    """Texts of the files in a folder, so many chosen at random."""
    files = sorted(p for p in folder.rglob("*") if p.suffix in endings and p.is_file() and not p.is_symlink())
    for path in Random(seed).sample(files, min(most, len(files))):
        with suppress(DocumentError):  # a page in a guessed encoding is no loss
            yield from texts_of(str(path))


def fitted(
    right: Sequence[Sequence[float]], wrong: Sequence[Sequence[float]], odds: float, given: Sequence[float] = ()
) -> tuple[float, list[float]]:
    """Constant and weights of a logistic regression, the constant set for prior odds of `odds` right places to each wrong
    one. given: log odds that each place has beside, right ones first."""
    x = np.array([*right, *wrong])
    y = np.r_[np.ones(len(right), int), np.zeros(len(wrong), int)]
    mean, deviation = x.mean(0), x.std(0) + 1e-9
    rows = np.c_[(x - mean) / deviation, np.full(len(x), FREE)]
    w = logistic(rows, y, PENALTY, given=np.array(given) if given else 0.0)
    weights = w[:-1] / deviation
    constant = FREE * w[-1] - weights @ mean - np.log(len(right) / len(wrong)) + np.log(odds)
    return float(constant), [float(weight) for weight in weights]


def fit_listed(right: Sequence[tuple[float, float]], wrong: Sequence[tuple[float, float]], tokens: int) -> ListedWeight:
    """What listed phrases weigh; `listed_right`, `listed_wrong`. What a condition adds is given: phrases were set into texts
    with no regard to it."""
    odds = LISTED_SHARE * DENSITY / (len(wrong) / tokens)
    constant, weights = fitted([p[:1] for p in right], [p[:1] for p in wrong], odds, [m for _, m in (*right, *wrong)])
    return ListedWeight(constant, *weights)


def learn_judge(
    folder: Path,
    phrases: Sequence[Phrase],
    clean: Sequence[Path],
    corpora: Path,
    model: ContextModel,
    most: int,
    work: Path,
) -> tuple[Judge, list[int]]:
    """The judge of a family, and how many places it was fitted on: composed ones, right and wrong, and listed ones. clean:
    folders of pages that nothing else has learned from. work: an empty folder."""
    held: list[tuple[Path, list[Phrase]]] = []
    for k, (apart, known) in enumerate(parts(phrases, number=4, seed=0)):
        held.append((family_without(folder, known, work / str(k) / folder.name), apart))
    texts = [text for path in clean for text in pages(path, most, seed=0)]
    slots = Slots((p.original for p in phrases), texts)
    # how originals are chosen comes first: features are those of the likeliest
    matchers = [(Terms(path, folder.name, model, judge=UNFITTED), apart) for path, apart in held]
    choice = Choice(*conditional_logit([c for m, apart in matchers for c in rivalries(m, apart, slots)]))
    judge = replace(UNFITTED, choice=choice)
    matchers = [(Terms(path, folder.name, model, judge=judge), apart) for path, apart in held]
    right = [f for m, apart in matchers for f in right_places(m, apart, slots)]
    wrong, tokens = invited_places(Terms(folder, folder.name, model, judge=judge), texts)
    odds = DENSITY * len(right) / len(phrases) / (len(wrong) / tokens)
    constant, weights = fitted(right, wrong, odds)
    wary = Terms(folder, folder.name, model, named=False, judge=judge)
    documents = (text for path in corpus_files(corpora) for text in read_lines(path, sys.maxsize))
    listed = list(listed_right(wary, phrases, slots)), *listed_wrong(wary, chain(texts, documents))
    counts = [len(right), len(wrong), len(listed[0]), len(listed[1])]
    return Judge(constant, Features(*weights), choice, fit_listed(*listed)), counts
