"""Results: what was restored, where, how surely, and the way back."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from restore.surface import fix_article

_OF_REPLACEMENT: Final = (
    "channel",
    "context",
    "frequency",
    "similarity",
    "record",
    "company",
)  # evidence for one alone
_ARTICLE: Final = re.compile(r"\b(an?) $", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Edit:
    """One restored phrase.

    start, end: code points in the source, half-open. found: the source there.
    replacement: what stands there in the restored text. confidence: probability
    that the replacement is right. alternatives: other readings with their
    probabilities, the text as found among them, best first. evidence: named numbers.
    """

    start: int
    end: int
    found: str
    replacement: str
    confidence: float
    family: str
    alternatives: tuple[tuple[str, float], ...] = ()
    evidence: Mapping[str, float] = field(default_factory=dict, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "start": self.start,
            "end": self.end,
            "found": self.found,
            "replacement": self.replacement,
            "confidence": round(self.confidence, 4),
            "family": self.family,
            "alternatives": [{"text": text, "probability": round(p, 4)} for text, p in self.alternatives],
            "evidence": {name: round(value, 3) for name, value in self.evidence.items()},
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a text was spun.

    spun: probability at least one half. probability: that any of it was spun.
    rate: share of its words that lie in spun passages' substituted phrases (an
    estimate). family: the lexicon at work, None where not spun.
    """

    spun: bool
    probability: float
    rate: float
    family: str | None


@dataclass(frozen=True)
class Restoration:
    """A restored text. `source` names the document (a path, an identifier) where there is one."""

    text: str
    edits: tuple[Edit, ...]
    verdict: Verdict
    source: str | None = None

    def undo(self) -> str:
        """The text as it was found, byte for byte."""
        return splice(
            self.text, [(lo, lo + len(e.replacement), e.found) for lo, e in zip(self._lo, self.edits, strict=True)]
        )

    def to_restored(self, offset: int) -> int:
        """Offset in the restored text of a source offset; inside an edit, that of the edit's start. Raises ValueError
        for one outside the text."""
        return _within(_map(offset, self._source_bounds, self._restored_bounds), self.text, offset)

    def to_source(self, offset: int) -> int:
        """Offset in the source of an offset in the restored text; inside an edit, that of the edit's start. Raises
        ValueError for one outside the text."""
        _within(offset, self.text, offset)
        return _map(offset, self._restored_bounds, self._source_bounds)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, by the schema in docs/library.md."""
        v = self.verdict
        return {
            "source": self.source,
            "text": self.text,
            "verdict": {
                "spun": v.spun,
                "probability": round(v.probability, 4),
                "rate": round(v.rate, 4),
                "family": v.family,
            },
            "edits": [edit.to_dict() for edit in self.edits],
        }

    @cached_property
    def _lo(self) -> list[int]:
        """Start of each edit in the restored text."""
        shift, starts = 0, []
        for e in self.edits:
            starts.append(e.start + shift)
            shift += len(e.replacement) - (e.end - e.start)
        return starts

    @cached_property
    def _source_bounds(self) -> list[tuple[int, int]]:
        return [(e.start, e.end) for e in self.edits]

    @cached_property
    def _restored_bounds(self) -> list[tuple[int, int]]:
        return [(lo, lo + len(e.replacement)) for lo, e in zip(self._lo, self.edits, strict=True)]


def _within(place: int, text: str, offset: int) -> int:
    """A place in a text (its end is one). Raises ValueError where it is none."""
    if 0 <= place <= len(text):
        return place
    raise ValueError(f"offset {offset} is {'negative' if offset < 0 else 'beyond the text'}")


def _map(offset: int, here: Sequence[tuple[int, int]], there: Sequence[tuple[int, int]]) -> int:
    i = bisect_right(here, offset, key=lambda bounds: bounds[0]) - 1
    if i < 0:
        return offset
    if offset < here[i][1]:
        return there[i][0]
    return there[i][1] + offset - here[i][1]


def splice(text: str, changes: Iterable[tuple[int, int, str]]) -> str:
    """`text` with stretches (start, end, new) replaced; in order, not overlapping."""
    parts: list[str] = []
    at = 0
    for start, end, new in changes:
        parts += (text[at:start], new)
        at = end
    parts.append(text[at:])
    return "".join(parts)


def rejudged(
    edit: Edit, texts: Sequence[str], probabilities: Sequence[float], name: str, scores: Sequence[float]
) -> Edit:
    """An edit whose candidates (`texts`, that found among them) have other probabilities: the likeliest one that changes
    something is its replacement. Evidence `name`: how much more its score is than that of the text as found."""
    order = sorted(range(len(texts)), key=lambda k: -probabilities[k])
    best = next((k for k in order if texts[k] != edit.found), None)
    if best is None:
        return edit
    stays = texts[best] == edit.replacement
    evidence = {kind: value for kind, value in edit.evidence.items() if stays or kind not in _OF_REPLACEMENT}
    standing = [score for text, score in zip(texts, scores, strict=True) if text == edit.found]
    if standing:
        evidence[name] = scores[best] - max(standing)
    others = tuple((texts[k], probabilities[k]) for k in order if k != best)
    return replace(
        edit, replacement=texts[best], confidence=probabilities[best], alternatives=others, evidence=evidence
    )


def with_article(edit: Edit, text: str, free: int) -> Edit:
    """An edit, with the article before it where its replacement needs the other form. free: where the edit before
    ends."""
    before = _ARTICLE.search(text, max(free, edit.start - 3), edit.start)
    if before is None:
        return edit
    article, standing = before[1], before[0]
    right = fix_article(article, edit.replacement, edit.replacement)
    if right == article:
        return edit
    alternatives = tuple(
        (f"{article if other == edit.found else fix_article(article, other, other)} {other}", p)
        for other, p in edit.alternatives
    )
    return replace(
        edit,
        start=before.start(),
        found=standing + edit.found,
        replacement=f"{right} {edit.replacement}",
        alternatives=alternatives,
    )
