"""Places of sparse families: what a stretch of text weighs by itself, and what all of a text's weigh together.

A composed place is judged by a logistic regression on what is known of it
(`Features`), fitted on phrases held out of the family's list against the places
that clean technical text invites (`restore.learning.places`): a likelihood
ratio alone trusts words to be as independent as its model has them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log, log1p
from pathlib import Path
from typing import Final, NamedTuple

from restore.lexicon import Option
from restore.termtables import singular

RARE_PRIOR: Final = 0.1  # of documents that hold a sparse family's phrases, among those that look like it
RARE_CAP: Final = 7.0  # of what one place of a sparse family adds to the document's evidence
CHANCE: Final = 0.1  # share of the lesser places that count as evidence
LONG_TEXT: Final = 100  # tokens; longer texts have more places by chance
COMPOSED: Final = "composed"  # source of an original that no list has
COMPOSED_RATE: Final = 0.3  # P(found | original) of the likeliest original of a place, as it is reported
LEAST_RATIO: Final = 0.5  # log-likelihood ratio below which a composition is no place


class Place(NamedTuple):
    """A stretch of text that may be a sparse family's.

    start, end: tokens, half-open. weight: log-likelihood ratio, the family's against
    the author's own. options: its originals; shares: log share of each. changes:
    which words change into which in the first of them.
    """

    start: int
    end: int
    weight: float
    options: tuple[Option, ...]
    shares: tuple[float, ...]
    changes: frozenset[tuple[str, str]] = frozenset()


@dataclass(slots=True)
class Draft:
    """A place before its weight: originals with log P(o) P(found | o), and what is known of the found phrase."""

    start: int
    end: int
    options: dict[str, tuple[float, str]]  # original -> log joint, source
    listed: float | None  # weight that being listed gives; None for compositions


class Features(NamedTuple):
    """What a composed place is judged by; logs are natural.

    ratio: log P(found, composed) / P(found). channel: log P(found | original), word by
    word. found, original: log probability of the phrase in plain text. term: that of
    the original among terms. margin: log share of the first original among all.
    changes: words that change. capitals: 1 where the found phrase has one inside.
    """

    ratio: float
    channel: float
    found: float
    original: float
    term: float
    margin: float
    changes: float
    capitals: float


@dataclass(frozen=True, slots=True)
class Judge:
    """Weights of features, and the constant: log odds less those of the places fitted on, a log-likelihood ratio."""

    constant: float
    weights: Features

    @classmethod
    def load(cls, path: Path) -> Judge:
        """Read what `save` wrote; where nothing was fitted, the ratio alone. Raises ValueError with file and remedy."""
        if not path.exists():
            return UNFITTED
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls(float(data.pop("constant")), Features(**{k: float(v) for k, v in data.items()}))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path}: no weights of places ({error}); fit them by 'python -m restore.learning places'"
            ) from None

    def save(self, path: Path) -> None:
        """Write as JSON, four digits each."""
        data = {"constant": self.constant, **self.weights._asdict()}
        path.write_text(json.dumps({k: round(v, 4) for k, v in data.items()}, indent=1) + "\n", encoding="utf-8")

    def weight(self, features: Features) -> float:
        """Log-likelihood ratio of a place, the family's against the author's own."""
        return self.constant + sum(w * x for w, x in zip(self.weights, features, strict=True))


UNFITTED: Final = Judge(-1.5, Features(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))


def changed_words(found: Sequence[str], original: Sequence[str]) -> list[tuple[str, str]]:
    """Which words change into which, in the singular; the whole phrases where their lengths differ."""
    if len(found) != len(original):
        return [(" ".join(found), " ".join(original))]
    return [(singular(x) or x, singular(y) or y) for x, y in zip(found, original, strict=True) if x != y]


def apart(places: Sequence[Place]) -> list[Place]:
    """The weightiest places that do not overlap."""
    taken: list[Place] = []
    for p in sorted(places, key=lambda p: -p.weight):
        if all(p.end <= t.start or p.start >= t.end for t in taken):
            taken.append(p)
    return taken


def smooth_places(places: Sequence[Place], prior: float = RARE_PRIOR, length: int = 0) -> tuple[list[float], float]:
    """Log odds of each place to be a sparse family's, and the probability that any is.

    A place's weight stands against the document's: log P(family at work | all
    places that do not overlap with it). A change that occurs twice counts once; the
    weightiest place counts in full, each other one as far as it may be chance;
    a long text (length in tokens) has more chances.
    """
    alone = log(prior) - log1p(-prior) - log1p(length / LONG_TEXT)
    counted: list[tuple[Place, float]] = []
    known: set[tuple[str, str]] = set()
    for p in apart(places):
        if p.weight > 0 and not (p.changes and p.changes <= known):
            counted.append((p, min(p.weight, RARE_CAP)))
            known |= p.changes
    odds = []
    for p in places:
        others = alone + _together(
            g for q, g in counted if (q.end <= p.start or p.end <= q.start) and not (q.changes & p.changes)
        )
        at_work = 1 / (1 + exp(-max(-50.0, min(50.0, others))))
        odds.append(p.weight + log(at_work))
    total = alone + _together(g for _, g in counted)
    return odds, 1 / (1 + exp(-max(-50.0, min(50.0, total))))


def _together(gains: Iterable[float]) -> float:
    """Evidence of several places: the largest, and of each other one log(1 - CHANCE + CHANCE exp(gain))."""
    ordered = sorted(gains, reverse=True)
    return sum(ordered[:1]) + sum(log(1 - CHANCE + CHANCE * exp(g)) for g in ordered[1:])
