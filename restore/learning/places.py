"""How the places of a sparse family are judged: phrases that it has not seen, against what clean text invites.

Parts of the family's list are left out in turn, and the family is learned from
the rest: the left-out phrases, each in a carrier sentence, are what its composed
places are like when they are right. What they are like when wrong is seen in
technical texts that nothing else has learned from. A logistic regression
parts the two (`restore.places.Judge`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from restore.context import ContextModel
from restore.documents import DocumentError
from restore.learning import tortured
from restore.learning.texts import texts_of
from restore.learning.tortured import Phrase
from restore.places import Features, Judge
from restore.terms import Terms
from restore.termtables import singular, term_key
from restore.text import tokenize

CARRIERS: Final = (
    "This paper studies {} in some detail.",
    "The authors compare {} with what was used before.",
    "We then turned to {}, which took two days.",
    "In the second part {} was measured by all groups.",
    "It was not clear whether {} would help here.",
    "Little is known of {}.",
    "After a while {} became the usual choice.",
    "On the Use of {} in Practice",  # a heading
)
GIVEN: Final = ("manifest.toml", "judgements.txt", "*curated*.txt", "ordinary.txt", "register.txt", "places.json")
LENGTH: Final = 30_000  # characters of a clean page that are read
PENALTY: Final = 1.0  # of the squares of the weights, features in standard deviations
STEPS: Final = 30


def near(phrase: str) -> str:
    """A phrase by which near-duplicates are recognised: words apart, in the singular."""
    return " ".join(singular(w) or w for w in term_key(phrase).split())


def parts(phrases: Sequence[Phrase], number: int, seed: int) -> Iterator[tuple[list[Phrase], list[Phrase]]]:
    """Phrases left out and the others, so many times; near-duplicates stay together."""
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


def right_places(matcher: Terms, phrases: Iterable[Phrase]) -> Iterator[Features]:
    """Features of the composed places that restore phrases which the matcher has not seen."""
    for number, phrase in enumerate(phrases):
        carrier = CARRIERS[number % len(CARRIERS)]
        heading = not carrier.endswith(".")
        tokens = tokenize(carrier.format(phrase.found.title() if heading else phrase.found))
        begin = carrier.index("{}")
        for place, features in matcher.composed(tokens):
            bounds = tokens.start[place.start], tokens.end[place.end - 1]
            if bounds == (begin, begin + len(phrase.found)) and near(place.options[0].original) == near(
                phrase.original
            ):
                yield features


def invited_places(matcher: Terms, texts: Iterable[str]) -> Iterator[Features]:
    """Features of the places in clean texts, the same phrase once."""
    seen: set[tuple[str, ...]] = set()
    for text in texts:
        tokens = tokenize(text[:LENGTH])
        for place, features in matcher.composed(tokens):
            phrase = tuple(tokens.key[place.start : place.end])
            if phrase not in seen:
                seen.add(phrase)
                yield features


def pages(folder: Path, most: int, seed: int) -> Iterator[str]:
    """Texts of the files in a folder, so many chosen at random."""
    files = sorted(p for p in folder.rglob("*.htm*") if p.is_file() and not p.is_symlink())
    for path in Random(seed).sample(files, min(most, len(files))):
        with suppress(DocumentError):  # a page in a guessed encoding is no loss
            yield from texts_of(str(path))


def fit_judge(right: Sequence[Features], wrong: Sequence[Features]) -> Judge:
    """Logistic regression by Newton's method; its constant is that of equally many places of each kind."""
    x = np.array([*right, *wrong])
    y = np.r_[np.ones(len(right)), np.zeros(len(wrong))]
    mean, deviation = x.mean(0), x.std(0) + 1e-9
    z = np.c_[(x - mean) / deviation, np.ones(len(x))]
    w: NDArray[np.float64] = np.zeros(z.shape[1])
    penalty = PENALTY * np.r_[np.ones(len(mean)), 0.0]
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(z @ w, -30, 30)))
        hessian = (z * (p * (1 - p))[:, None]).T @ z + np.diag(penalty + 1e-9)
        w = w - np.linalg.solve(hessian, z.T @ (p - y) + penalty * w)
    weights = w[:-1] / deviation
    constant = w[-1] - weights @ mean - np.log(len(right) / len(wrong))
    return Judge(float(constant), Features(*map(float, weights)))


def learn_judge(
    folder: Path, phrases: Sequence[Phrase], clean: Sequence[Path], model: ContextModel, most: int, work: Path
) -> tuple[Judge, int, int]:
    """The judge of a family, and how many right and wrong places it was fitted on. work: an empty folder."""
    right: list[Features] = []
    for k, (apart, known) in enumerate(parts(phrases, number=4, seed=0)):
        matcher = Terms(family_without(folder, known, work / str(k) / folder.name), folder.name, model)
        right += right_places(matcher, apart)
    matcher = Terms(folder, folder.name, model)
    wrong = [f for path in clean for f in invited_places(matcher, pages(path, most, seed=0))]
    return fit_judge(right, wrong), len(right), len(wrong)
