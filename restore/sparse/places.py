"""Places of sparse families: what a stretch of text weighs by itself, and what all of a text's weigh together.

A composed place is judged by a logistic regression on what is known of it
(`Features`), fitted on phrases held out of the family's list against the places
that clean technical text invites (`restore.learning.places`): a likelihood
ratio alone trusts words to be as independent as its model has them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite, log, log1p
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np

from restore.lexicon import Option
from restore.sparse.tables import COMPOSED_RATE, singular
from restore.vectors import Doubles

RARE_PRIOR: Final = 0.15  # of documents that hold a sparse family's phrases, among those that look like it
RARE_CAP: Final = 7.0  # of what one place of a sparse family adds to the document's evidence
FOUND: Final = 0.6  # share of tortured phrases that are places
DENSITY: Final = 0.006  # tortured phrases a token in a text that has some, on which places are weighed
# Those that a text may have, shape (densities,): a few in a paper, or one in every sentence of an abstract.
DENSITIES: Final = np.array((3e-4, 1e-3, 3e-3, 1e-2, 3e-2))
LIKELY: Final = -22.0  # log probability in its gap above which what was found is the less a spinner's
LEAST_RATIO: Final = 0.5  # log-likelihood ratio below which a composition is no place

T = TypeVar("T")
_SCALE: Final = DENSITIES / DENSITY


class Place(NamedTuple):
    """A stretch of text that may be a sparse family's.

    start, end: tokens, half-open. weight: log-likelihood ratio, the family's against
    the author's own. options: its originals; shares: log share of each. changes:
    which words change into which in the first of them. unknown: how many of these no table has.
    loose: whether the original's words have nothing to do with each other or their neighbours.
    """

    start: int
    end: int
    weight: float
    options: tuple[Option, ...]
    shares: tuple[float, ...]
    changes: frozenset[tuple[str, str]] = frozenset()
    unknown: int = 0
    loose: bool = False


@dataclass(slots=True)
class Draft:
    """A place before its weight: originals with log P(o) P(found | o), and what is known of the found phrase."""

    start: int
    end: int
    options: dict[str, tuple[float, str]]  # original -> log joint, source
    met: float | None  # what a listed phrase's condition adds, nought at best; None for compositions
    unknown: int = 0  # words whose change no table has


class Features(NamedTuple):
    """What a composed place is judged by; logs are natural.

    ratio: log P(found, composed) / P(found). channel: log P(found | original), word by
    word. found, original: log probability of the phrase in plain text. term: that of
    the original among terms. margin: log share of the first original among all.
    changes: words that change. capitals: 1 where the found phrase has one inside.
    unknown: changes that no table has. kin: how a thesaurus
    relates the words of such (`Walks.kinship`). loose: 1 where the original's words do not go with others.
    found_fits, original_fits: log probability of either in the gap by the cloze model; found_likely: of the former, what
    is above `LIKELY`. before, after, topic: how much better the original's words go with those around than the found ones
    (`surroundings.TRAITS`); topical: how far from nought the last is.
    """

    ratio: float
    channel: float
    found: float
    original: float
    term: float
    margin: float
    changes: float
    capitals: float
    known: float
    unknown: float
    kin: float
    loose: float
    found_fits: float
    found_likely: float
    original_fits: float
    before: float
    after: float
    topic: float
    topical: float


class Choice(NamedTuple):
    """Coefficients of a conditional logit over the originals of a place: log P(o) P(found | o), words changed, and
    whether the original has more or fewer words than were found."""

    joint: float = 1.0
    changes: float = 0.0
    length: float = 0.0


class ListedWeight(NamedTuple):
    """What a listed phrase weighs: a constant, and so much for each nat of its log probability in clean text."""

    constant: float
    usual: float

    def weight(self, usual: float, met: float) -> float:
        """Log odds of a place. usual: log probability of the found phrase in clean text. met: what its condition
        adds."""
        return self.constant + self.usual * usual + met


@dataclass(frozen=True, slots=True)
class Judge:
    """How places are judged: listed ones; composed ones by coefficients of features and a constant; and how an original of
    the latter is chosen.

    Fitted so that weight nought means even odds in a text with DENSITY tortured phrases a token.
    """

    constant: float
    weights: Features
    choice: Choice
    listed: ListedWeight

    @classmethod
    def load(cls, path: Path) -> Judge:
        """Read what `save` wrote; where nothing was fitted, the ratio alone. Raises ValueError with file and remedy."""
        if not path.exists():
            return UNFITTED
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                float(data["constant"]),
                _floats(Features, data["weights"]),
                _floats(Choice, data["choice"]),
                _floats(ListedWeight, data["listed"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path}: no weights of places ({error}); fit them by 'python -m restore.learning places'"
            ) from None

    def save(self, path: Path) -> None:
        """Write as JSON, four digits each."""
        data = {
            "constant": round(self.constant, 4),
            "weights": {k: round(v, 4) for k, v in self.weights._asdict().items()},
            "choice": {k: round(v, 4) for k, v in self.choice._asdict().items()},
            "listed": {k: round(v, 4) for k, v in self.listed._asdict().items()},
        }
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")

    def weight(self, features: Features) -> float:
        """Log odds of a place, the family's against the author's own."""
        return self.constant + sum(w * x for w, x in zip(self.weights, features, strict=True))

    def chosen(self, place: Place, found: Sequence[str]) -> Place:
        """A composed place with its originals weighed against each other, the likeliest first. found: its words."""
        traits = [choice_traits(share, found, o) for share, o in zip(place.shares, place.options, strict=True)]
        scores = [sum(w * x for w, x in zip(self.choice, own, strict=True)) for own in traits]
        top = max(scores)
        total = top + log(sum(exp(s - top) for s in scores))
        ranked = sorted(zip(scores, place.options, strict=True), key=lambda so: -so[0])
        return place._replace(
            options=tuple(option._replace(rate=exp(s - top) * COMPOSED_RATE) for s, option in ranked),
            shares=tuple(s - total for s, _ in ranked),
            changes=frozenset(changed_words(found, ranked[0][1].words)),
        )


UNFITTED: Final = Judge(-1.5, Features(1.0, *[0.0] * (len(Features._fields) - 1)), Choice(), ListedWeight(-7.0, -0.7))


def choice_traits(share: float, found: Sequence[str], option: Option) -> Choice:
    """What an original of a place is chosen by. share: its log share of P(o) P(found | o)."""
    return Choice(share, len(changed_words(found, option.words)), float(len(found) != len(option.words)))


def _floats(kind: type[T], data: dict[str, Any]) -> T:
    values = {k: float(v) for k, v in data.items()}
    if missing := set(kind.__annotations__) - set(values):
        raise KeyError(f"no {', '.join(sorted(missing))}")
    if not all(map(isfinite, values.values())):
        raise ValueError("not all are finite")
    return kind(**values)


def changed_words(found: Sequence[str], original: Sequence[str]) -> list[tuple[str, str]]:
    """Which words change into which, in the singular; the whole phrases where their lengths differ."""
    if len(found) != len(original):
        return [(" ".join(found), " ".join(original))]
    both = ((singular(x) or x, singular(y) or y) for x, y in zip(found, original, strict=True))
    return [(x, y) for x, y in both if x != y]


def apart(places: Sequence[Place]) -> list[Place]:
    """The weightiest places that do not overlap."""
    taken: list[Place] = []
    for p in sorted(places, key=lambda p: -p.weight):
        if all(p.end <= t.start or p.start >= t.end for t in taken):
            taken.append(p)
    return taken


def smooth_places(
    places: Sequence[Place], length: int, prior: float = RARE_PRIOR, some: bool = False
) -> tuple[list[float], float]:
    """Log odds of each place to be a sparse family's, and the probability that the family is at work in a text.

    length: of the text, in tokens, at least 1. prior: probability that the family is at work. some: it is known to be.
    The family's places are a Poisson process of unknown density d (`DENSITIES`, each as likely), so that with weights
    w, fitted at DENSITY, the log-likelihood ratio of a text is

        -FOUND d length + sum over its places of log [1 + d / DENSITY e^w].

    The odds of a place add to its weight what the other places, those that do not overlap it, say: whether the family
    is at work, and how densely. some: it is known to be; a place is then weighed against the family being at work
    elsewhere only. A change that occurs twice counts once.
    """
    counted: list[tuple[Place, Doubles]] = []
    known: set[tuple[str, str]] = set()
    for p in apart(places):
        if p.weight > 0 and not (p.changes and p.changes <= known):
            counted.append((p, np.log1p(_SCALE * exp(min(p.weight, RARE_CAP)))))
            known |= p.changes
    everything = np.sum([g for _, g in counted], axis=0) - FOUND * length * DENSITIES
    present, absent = log(prior), log1p(-prior) + log(len(DENSITIES))
    odds = []
    for p in places:
        own = [g for q, g in counted if (q.start < p.end and p.start < q.end) or q.changes & p.changes]
        rest = everything - np.sum(own, axis=0)
        here = _log_sum(rest + np.log(_SCALE))
        if some:  # less the chance of none at all, e^(-d length)
            elsewhere = _log_sum(rest + np.log(-np.expm1(-length * DENSITIES - rest)))
        else:
            elsewhere = float(np.logaddexp(present + _log_sum(rest), absent)) - present
        odds.append(p.weight + here - elsewhere)
    spun = present + _log_sum(everything)
    return odds, exp(spun - float(np.logaddexp(spun, absent)))


def _log_sum(x: Doubles) -> float:
    """log of the sum of e^x."""
    top = float(x.max())
    return top + log(float(np.exp(x - top).sum()))
