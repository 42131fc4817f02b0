"""Span precision, recall and F0.5 of restorations against marked documents.

A span counts as restored where the text over it, with all edits that touch it,
is one of its accepted originals (letter case aside). Precision counts changed
spans and edits outside any span; recall counts the spans that must change.
F0.5 weighs precision twice (van Rijsbergen 1979; usual in grammatical error correction).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from restore.learning.gold import Marked, judged
from restore.restoration import Edit


@dataclass(frozen=True, slots=True)
class Score:
    """Counts over documents. optional: spans that may change and did so rightly; false: edits outside spans."""

    must: int
    restored: int
    missed: int
    optional: int
    wrong: int
    false: int

    @property
    def precision(self) -> float:
        return (self.restored + self.optional) / max(1, self.restored + self.optional + self.wrong + self.false)

    @property
    def recall(self) -> float:
        return self.restored / max(1, self.must)

    @property
    def f(self) -> float:
        """F0.5."""
        p, r = self.precision, self.recall
        return 1.25 * p * r / max(1e-9, 0.25 * p + r)


def score(documents: Iterable[tuple[Marked, Sequence[Edit]]]) -> Score:
    """Score of edits, document by document."""
    count: Counter[str] = Counter()
    for marked, edits in documents:
        right = list(judged(marked, edits))
        for span in marked.spans:
            touching = [ok for e, ok in zip(edits, right, strict=True) if e.start < span.end and span.start < e.end]
            count["must"] += not span.optional
            if not touching:
                count["missed"] += not span.optional
            elif all(touching):
                count["optional" if span.optional else "restored"] += 1
            else:
                count["wrong"] += 1
        count["false"] += sum(
            not ok and not any(s.start < e.end and e.start < s.end for s in marked.spans)
            for e, ok in zip(edits, right, strict=True)
        )
    return Score(*(count[name] for name in Score.__slots__))
