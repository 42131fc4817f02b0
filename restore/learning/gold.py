"""Marked documents: what was found, what should stand there, and whether edits are right.

`⟦found→original|other⟧` must be restored, to any of these; `⟦found~other⟧` may be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Final

from restore.learning.phrases import MARK, open_text
from restore.restoration import Edit, splice
from restore.text import Tokens, tokenize

HELD_OUT: Final = 10  # each so many-th real pair is kept for fitting weights
_MOST: Final = 64  # combinations of accepted originals that are tried


@dataclass(frozen=True, slots=True)
class Span:
    """A substituted stretch of the text found: code points, token range (None where it cuts a word), accepted
    originals."""

    start: int
    end: int
    tokens: tuple[int, int] | None
    originals: tuple[str, ...]
    optional: bool


@dataclass(frozen=True, slots=True)
class Marked:
    """A document as found, with its gold."""

    tokens: Tokens
    spans: list[Span]


def read_marked(marked: str) -> Marked:
    """A document from marked text."""
    text, bounds, at = "", [], 0
    for mark in MARK.finditer(marked):
        text += marked[at : mark.start()]
        bounds.append((len(text), len(text) + len(mark[1]), tuple(mark[3].split("|")), mark[2] == "~"))
        text += mark[1]
        at = mark.end()
    tokens = tokenize(text + marked[at:])
    first = {s: i for i, s in enumerate(tokens.start)}
    last = {e: i + 1 for i, e in enumerate(tokens.end)}
    return Marked(
        tokens,
        [
            Span(a, b, (first[a], last[b]) if a in first and b in last else None, originals, optional)
            for a, b, originals, optional in bounds
        ],
    )


def marked_lines(pairs: Path) -> list[str]:
    """The marked documents of JSON lines."""
    with open_text(pairs) as file:
        return [json.loads(line)["marked"] for line in file]


def split(pairs: Path) -> tuple[list[str], list[str]]:
    """Marked documents of JSON lines: those that models and counts may learn from, those that weights are fitted on."""
    marked = marked_lines(pairs)
    return [m for i, m in enumerate(marked) if i % HELD_OUT], marked[::HELD_OUT]


def judged(marked: Marked, edits: Sequence[Edit]) -> Iterator[bool]:
    """For each edit, whether the stretch of all spans and edits that it overlaps, directly or through one another,
    reads as an accepted original once all are applied."""
    for edit in edits:
        start, end = edit.start, edit.end
        while True:
            spans = [s for s in marked.spans if s.start < end and start < s.end]
            inside = [e for e in edits if e.start < end and start < e.end]
            bounds = [(start, end), *((s.start, s.end) for s in spans), *((e.start, e.end) for e in inside)]
            wider = min(a for a, _ in bounds), max(b for _, b in bounds)
            if wider == (start, end):
                break
            start, end = wider
        text = marked.tokens.text
        restored = splice(text[start:end], [(e.start - start, e.end - start, e.replacement) for e in inside])
        accepted = [(*s.originals, *([text[s.start : s.end]] if s.optional else [])) for s in spans]
        yield bool(spans) and any(
            _same(restored, splice(text[start:end], _changes(spans, choice, start)))
            for choice in islice(product(*accepted), _MOST)
        )


def _changes(spans: Sequence[Span], choice: Sequence[str], offset: int) -> list[tuple[int, int, str]]:
    return [(s.start - offset, s.end - offset, original) for s, original in zip(spans, choice, strict=True)]


def _same(a: str, b: str) -> bool:
    return a.casefold().split() == b.casefold().split()
