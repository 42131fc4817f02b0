"""Figures of a system's outputs, with their uncertainty.

- Spans: precision, recall, F0.5 (van Rijsbergen 1979), which weighs precision twice; detection (a span was changed,
  whatever to) and choice (share of changed spans that are right) apart.
- Sentences: share of garbled sentences that are exactly as an accepted original.
- Words: word error rate against the original (Levenshtein distance of the words over the original's number of words)
  and chrF (Popović 2015, by sacrebleu), before and after; the share of the damage undone is 1 - after / before.
- Clean words: edits per 100,000 (runs of changed words outside spans).
- Calibration: expected calibration error over 15 bins of equal width (Naeini et al. 2015).
- Uncertainty: percentile bootstrap over documents (Efron 1979); differences between systems by approximate
  randomization over documents (Noreen 1989), two-sided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from benchmarks.alignment import Unit, align, pieces, units
from benchmarks.corpus import Document

RESAMPLES: Final = 2000

Table = NDArray[np.float64]  # documents x counts


@dataclass(slots=True)
class Counts:
    """Of one document. must: spans that should change; optional_*: of spans that may; false: runs of changed words
    outside spans; errors: word edits to the original, before and after; outside: words outside spans."""

    must: int = 0
    restored: int = 0
    wrong: int = 0
    optional_right: int = 0
    optional_wrong: int = 0
    false: int = 0
    sentences: int = 0
    exact: int = 0
    reference: int = 0
    errors_before: int = 0
    errors_after: int = 0
    outside: int = 0


NAMES: Final = tuple(field.name for field in fields(Counts))


def count(document: Document, output: str) -> Counts:
    """Counts of one document."""
    found = units(document.marked)
    became = align(found, pieces(output))
    c = Counts(outside=sum(unit.accepted is None and unit.pieces[0][0].isalnum() for unit in found))
    garbled = damaged = in_false = False
    for unit, new in zip(found, became, strict=True):
        right = new in unit.accepted if unit.accepted is not None else new == unit.pieces
        if unit.accepted is None:
            c.false += not right and not in_false
            in_false = not right
        else:
            in_false = False
            right = _span(c, unit, new)
            garbled |= not unit.optional
        damaged |= not right
        if _ends_sentence(document.text, unit):
            c.sentences += garbled
            c.exact += garbled and not damaged
            garbled = damaged = False
    c.sentences += garbled
    c.exact += garbled and not damaged
    original = [p for unit in found for p in _original(document, unit)]
    c.reference = len(original)
    c.errors_before = Levenshtein.distance([p for unit in found for p in unit.pieces], original)
    c.errors_after = Levenshtein.distance([p for new in became for p in new], original)
    return c


def _span(c: Counts, unit: Unit, new: tuple[str, ...]) -> bool:
    """Count one span; whether it is well now."""
    assert unit.accepted is not None
    kept, right = new == unit.pieces, new in unit.accepted
    if unit.optional:
        c.optional_right += right and not kept
        c.optional_wrong += not right and not kept
        return right or kept
    c.must += 1
    c.restored += right
    c.wrong += not right and not kept
    return right


def _ends_sentence(text: str, unit: Unit) -> bool:
    after = text[unit.end : unit.end + 1]
    return (unit.pieces[-1] in (".", "!", "?") and (not after or after.isspace())) or after == "\n"


def _original(document: Document, unit: Unit) -> tuple[str, ...]:
    for span in document.marked.spans:
        if (span.start, span.end) == (unit.start, unit.end):
            return pieces(span.originals[0])
    return unit.pieces


def table(counts: Sequence[Counts]) -> Table:
    """Counts as rows."""
    return np.array([astuple(c) for c in counts], np.float64).reshape(len(counts), len(NAMES))


def _sum(t: Table, name: str) -> NDArray[np.float64]:
    return np.asarray(t[..., NAMES.index(name)])


def _ratio(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(a, b, out=np.zeros_like(a, np.float64), where=b > 0)


def precision(t: Table) -> NDArray[np.float64]:
    good = _sum(t, "restored") + _sum(t, "optional_right")
    return _ratio(good, good + _sum(t, "wrong") + _sum(t, "optional_wrong") + _sum(t, "false"))


def recall(t: Table) -> NDArray[np.float64]:
    return _ratio(_sum(t, "restored"), _sum(t, "must"))


def f_half(t: Table) -> NDArray[np.float64]:
    p, r = precision(t), recall(t)
    return _ratio(1.25 * p * r, 0.25 * p + r)


def detected(t: Table) -> NDArray[np.float64]:
    """Share of the spans that were changed, to whatever."""
    return _ratio(_sum(t, "restored") + _sum(t, "wrong"), _sum(t, "must"))


def chosen(t: Table) -> NDArray[np.float64]:
    """Share of the changed spans that are right."""
    return _ratio(_sum(t, "restored"), _sum(t, "restored") + _sum(t, "wrong"))


def exact(t: Table) -> NDArray[np.float64]:
    return _ratio(_sum(t, "exact"), _sum(t, "sentences"))


def undone(t: Table) -> NDArray[np.float64]:
    """Share of the word errors that are gone."""
    return _ratio(_sum(t, "errors_before") - _sum(t, "errors_after"), _sum(t, "errors_before"))


def word_errors(t: Table) -> NDArray[np.float64]:
    return _ratio(_sum(t, "errors_after"), _sum(t, "reference"))


def stray(t: Table) -> NDArray[np.float64]:
    """False edits per 100,000 words outside spans."""
    return 1e5 * _ratio(_sum(t, "false"), _sum(t, "outside"))


Figure = Callable[[Table], NDArray[np.float64]]


def value(t: Table, figure: Figure) -> float:
    """A figure over all documents."""
    return float(figure(t.sum(axis=0)))


def interval(t: Table, figure: Figure, seed: int = 0, resamples: int = RESAMPLES) -> tuple[float, float]:
    """95% of a figure over resampled documents."""
    drawn = np.random.default_rng(seed).integers(0, len(t), (resamples, len(t)))
    low, high = np.percentile(figure(t[drawn].sum(axis=1)), [2.5, 97.5])
    return float(low), float(high)


def difference(a: Table, b: Table, figure: Figure, seed: int = 0, resamples: int = RESAMPLES) -> float:
    """P value of the difference of two systems on the same documents: how often documents swapped at random between
    them differ as much."""
    observed = abs(value(a, figure) - value(b, figure))
    swap = np.random.default_rng(seed).random((resamples, len(a), 1)) < 0.5
    one, other = np.where(swap, b, a).sum(axis=1), np.where(swap, a, b).sum(axis=1)
    extreme = int((np.abs(figure(one) - figure(other)) >= observed - 1e-12).sum())
    return (extreme + 1) / (resamples + 1)


def chrf(outputs: Sequence[str], documents: Sequence[Document]) -> float:
    """chrF of outputs against the originals, 0 to 100."""
    from sacrebleu.metrics.chrf import CHRF  # an extra, "bench"

    return float(CHRF().corpus_score(list(outputs), [[original(d) for d in documents]]).score)


def original(document: Document) -> str:
    """What stood there before, as far as known: the first accepted original of every span."""
    from restore.restoration import splice

    return splice(document.text, [(s.start, s.end, s.originals[0]) for s in document.marked.spans])
