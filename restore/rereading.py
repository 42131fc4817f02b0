"""A second reading: each doubtful edit is judged once more, in the text as restored around it.

The lattice weighs all readings of a sentence at once, so that a wrong word may
lean on a wrong neighbour. Once most neighbours are settled (the text before and
after a place restored where that is likelier than not), the candidates of the
place are compared again, the word found among them, by a conditional logit over

    log P(candidate | lattice), the bonus of the word found, the candidate's kinship with it,
    its association with the words just before, just after, and with the passage,
    log P of its words in the gap by the cloze model, and how many these are,
    how often its words are said elsewhere in the text (a cache model, Kuhn and De Mori 1990).

Given the neighbours this is a pseudo-likelihood (Besag 1975); its coefficients
are fitted by likelihood on held-out pairs (`python -m restore.learning
rereading`), so that the result is a probability again. All places of a text are
read in a few array operations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p
from typing import Final

import numpy as np
from numpy.typing import NDArray

from restore.context import sequence
from restore.inflection import bases
from restore.kinship import Kinship
from restore.restoration import Edit, rejudged, splice
from restore.shipped import KINSHIP, root
from restore.surroundings import TRAITS, Surroundings, shared, words_read
from restore.text import tokenize
from restore.vectors import Doubles, Ints

FEATURES: Final = ("lattice", "found", "kinship", *TRAITS, "length", "elsewhere")
LEAST: Final = 0.1  # confidence from which on an edit is read again (by a language model too)
SURE: Final = 0.995  # confidence up to which one is
SURE_LISTED: Final = 0.95  # the same where the spinner's table is known: above, nothing changes but the time
_FLOOR: Final = 1e-6
_COMPANY: Final = FEATURES.index(TRAITS[0])  # the first feature that is of the words around

Coefficients = tuple[float, ...]  # in the order of `FEATURES`


@dataclass(frozen=True, slots=True)
class DoubtfulEdits:
    """Candidates of the edits that are read again, place after place.

    edit: number of each place's edit, shape (places,). first: its first candidate, shape (places,). text: the
    candidates. prior: their probabilities in a spun passage. found: whether each is the text as it stands.
    """

    edit: list[int]
    first: Ints
    text: list[str]
    prior: Doubles
    found: NDArray[np.bool_]

    @property
    def place(self) -> Ints:
        """The place of each candidate, shape (candidates,)."""
        return np.repeat(np.arange(len(self.first)), np.diff([*self.first, len(self.text)]))


class Rereader:
    """Judges edits anew in the restored text."""

    def __init__(self, coefficients: Mapping[str, Coefficients], surroundings: Surroundings, kinship: Kinship):
        self._coefficients = {spinner: np.array(c) for spinner, c in coefficients.items()}
        self._surroundings = surroundings
        self._kinship = kinship

    @classmethod
    def load(cls, coefficients: Mapping[str, Coefficients]) -> Rereader:
        """With the shipped models; coefficients by spinner, "" for any other. Raises OSError where a file is not there,
        ModelError where it is damaged."""
        return cls(coefficients, shared(), Kinship.load(root() / KINSHIP))

    def judge(self, text: str, edits: Sequence[Edit], families: frozenset[str], spinner: str = "") -> list[Edit]:
        """Edits of a text in order; doubtful ones of these families with other probabilities, and another replacement
        where one is likelier."""
        own = self._coefficients.get(spinner) if spinner else None
        coefficients = self._coefficients[""] if own is None else own
        places = doubtful(edits, families, SURE_LISTED if own is None else SURE)
        out = list(edits)
        if not places.edit:
            return out
        x = self.evidence(text, edits, places)
        company = (x[:, _COMPANY:] @ coefficients[_COMPANY:]).tolist()
        p, found, first = softmax(x @ coefficients, places).tolist(), places.found.tolist(), places.first.tolist()
        for number, a, b in zip(places.edit, first, [*first[1:], len(p)], strict=True):
            edit, spun = edits[number], edits[number].evidence["passage"]
            final = [spun * q + (1 - spun if stays else 0.0) for q, stays in zip(p[a:b], found[a:b], strict=True)]
            out[number] = rejudged(edit, places.text[a:b], final, "company", company[a:b])
        return out

    def evidence(self, text: str, edits: Sequence[Edit], places: DoubtfulEdits) -> Doubles:
        """What speaks for each candidate, shape (candidates, features), in nats."""
        words, begin, end = _restored(text, edits, places)
        said, place = [words_read(candidate) for candidate in places.text], places.place
        return np.column_stack(
            [
                np.log(np.maximum(places.prior, _FLOOR)),
                places.found,
                self._kin(edits, places, said),
                self._surroundings.traits(words, begin, end, said, place),
                np.fromiter(map(len, said), float, len(said)),
                _elsewhere(words, begin.tolist(), end.tolist(), said, place.tolist()),
            ]
        )

    def _kin(self, edits: Sequence[Edit], places: DoubtfulEdits, said: Sequence[Sequence[str]]) -> Doubles:
        """Kinship of each candidate with the text as found, nought of that itself; shape (candidates,)."""
        found = self._kinship.of([words_read(edits[number].found) for number in places.edit])
        kin = np.einsum("ij,ij->i", found[places.place], self._kinship.of(said))
        return np.where(places.found, 0.0, kin)


def doubtful(edits: Sequence[Edit], families: frozenset[str], sure: float = SURE) -> DoubtfulEdits:
    """The edits of some families that are worth another look, up to a confidence of `sure`, with their candidates."""
    numbers: list[int] = []
    first: list[int] = []
    texts: list[str] = []
    prior: list[float] = []
    found: list[bool] = []
    for number, edit in enumerate(edits):
        spun = edit.evidence["passage"]
        listed = edit.family in families and "channel" in edit.evidence and edit.replacement != edit.found
        if not listed or not LEAST <= edit.confidence / spun <= sure:
            continue
        numbers.append(number)
        first.append(len(texts))
        for text, p in ((edit.replacement, edit.confidence), *edit.alternatives):
            stays = text == edit.found
            texts.append(text)
            prior.append((p - (1 - spun) if stays else p) / spun)
            found.append(stays)
    return DoubtfulEdits(numbers, np.array(first, np.int64), texts, np.array(prior), np.array(found, bool))


def softmax(score: Doubles, places: DoubtfulEdits) -> Doubles:
    """Probabilities of the candidates of each place: a softmax of their scores, scaled so that each place keeps
    its total prior probability."""
    place = places.place
    p = np.exp(score - np.maximum.reduceat(score, places.first)[place])
    share = np.maximum(np.add.reduceat(places.prior, places.first), _FLOOR)
    return np.asarray(p * (share / np.add.reduceat(p, places.first))[place])


def _restored(text: str, edits: Sequence[Edit], places: DoubtfulEdits) -> tuple[list[str], Ints, Ints]:
    """The words of the text as restored so far, and where among them each place begins and ends."""
    firm = [e.confidence >= 0.5 for e in edits]
    restored = splice(text, [(e.start, e.end, e.replacement) for e, f in zip(edits, firm, strict=True) if f])
    shift, bounds = 0, []
    for edit, chosen in zip(edits, firm, strict=True):
        size = len(edit.replacement if chosen else edit.found)
        bounds.append((edit.start + shift, edit.start + shift + size))
        shift += size - (edit.end - edit.start)
    words, starts = sequence(tokenize(restored))
    here = np.array([bounds[n] for n in places.edit], np.int64).reshape(-1, 2)
    begin = np.searchsorted(starts, here[:, 0])
    return words, begin, np.maximum(begin, np.searchsorted(starts, here[:, 1]))


def _elsewhere(
    words: list[str], begin: list[int], end: list[int], said: Sequence[Sequence[str]], place: list[int]
) -> list[float]:
    """log (1 + n) of each candidate, n being how often the rarest of its words stands in the text outside its place, in
    any form."""
    every: Counter[str] = Counter()
    for word, n in Counter(words).items():
        for base in bases(word):
            every[base] += n
    often = {word: max([every[base] for base in bases(word)]) for candidate in said for word in candidate}
    here = [frozenset[str]().union(*map(bases, words[b:e])) for b, e in zip(begin, end, strict=True)]

    def elsewhere(word: str, n: int) -> int:
        if here[n].isdisjoint(bases(word)):
            return often[word]
        own = Counter(base for standing in words[begin[n] : end[n]] for base in bases(standing))
        return max([every[base] - own[base] for base in bases(word)])

    return [
        log1p(min([elsewhere(word, n) for word in candidate], default=0))
        for candidate, n in zip(said, place, strict=True)
    ]
