"""What a system did to a document, seen from its output alone.

All systems are judged by text: its words are aligned with those of the
document, so that a system needs no offsets. A span is one unit that may become
any of its accepted originals; every other word or mark is one unit that should
stay. The cheapest alignment is found by dynamic programming between stretches
that both texts share.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import Indel

from restore.learning.gold import Marked

_PIECE: Final = re.compile(r"['’]s\b|\w+?(?=['’]s\b)|\w+(?:['’]\w+)*|[^\w\s]")
_ANCHOR: Final = 4  # words in a row, none in a span, that are the same in both texts
_MORE: Final = 2  # words beyond its own that a unit may become
_KEPT: Final = 0.4  # cost of a span left as it is, so that a restored one next to it is preferred
_WORD: Final = 0.6  # cost of a word more or less, beside 1 for any other text


@dataclass(frozen=True, slots=True)
class Unit:
    """A span, or a word or mark outside spans: its pieces, what it may become, code points in the document."""

    start: int
    end: int
    pieces: tuple[str, ...]
    accepted: frozenset[tuple[str, ...]] | None  # None outside spans
    optional: bool = False

    @property
    def longest(self) -> int:
        return max(map(len, (self.pieces, *(self.accepted or ())))) + _MORE


def pieces(text: str) -> tuple[str, ...]:
    """Words and marks of a text, in lower case, with straight quotation marks."""
    return tuple(m.group() for m in _PIECE.finditer(_plain(text)))


def _plain(text: str) -> str:
    return text.lower().translate({ord("’"): "'", ord("‘"): "'", ord("“"): '"', ord("”"): '"'})


def units(marked: Marked) -> list[Unit]:
    """A document as units, in order."""
    text = marked.tokens.text
    found: list[Unit] = []
    at = 0
    for span in marked.spans:
        found += _outside(text, at, span.start)
        accepted = frozenset(map(pieces, span.originals))
        found.append(Unit(span.start, span.end, pieces(text[span.start : span.end]), accepted, span.optional))
        at = span.end
    return found + _outside(text, at, len(text))


def _outside(text: str, start: int, end: int) -> list[Unit]:
    return [
        Unit(m.start() + start, m.end() + start, (_plain(m.group()),), None) for m in _PIECE.finditer(text[start:end])
    ]


def align(found: Sequence[Unit], output: Sequence[str]) -> list[tuple[str, ...]]:
    """What each unit became, in order; joined they are the output."""
    became: list[tuple[str, ...]] = []
    at = out = 0
    for unit, place, length in [*_anchors(found, output), (len(found), len(output), 0)]:
        became += _between(found[at:unit], output[out:place])
        became += [unit_.pieces for unit_ in found[unit : unit + length]]
        at, out = unit + length, place + length
    return became


def _anchors(found: Sequence[Unit], output: Sequence[str]) -> list[tuple[int, int, int]]:
    """Runs of units outside spans that the output has too: first unit, place in the output, length."""
    source: list[str] = []
    unit_of: list[int] = []
    for number, unit in enumerate(found):
        source += unit.pieces
        unit_of += [number if unit.accepted is None else -1] * len(unit.pieces)
    runs: list[tuple[int, int, int]] = []
    for block in Indel.opcodes(source, list(output)):
        if block.tag != "equal":
            continue
        begin = block.src_start
        for i in range(block.src_start, block.src_end + 1):
            if i == block.src_end or unit_of[i] < 0:
                if i - begin >= _ANCHOR:
                    runs.append((unit_of[begin], block.dest_start + begin - block.src_start, i - begin))
                begin = i + 1
    return runs


def _between(found: Sequence[Unit], output: Sequence[str]) -> list[tuple[str, ...]]:
    """The cheapest alignment of a stretch; what remains over goes to the last unit."""
    if not found:
        return []
    best: dict[int, float] = {0: 0.0}
    back: list[dict[int, int]] = []
    for number, unit in enumerate(found):
        reached: dict[int, float] = {}
        came: dict[int, int] = {}
        last = number == len(found) - 1
        for j, cost in best.items():
            for stop in [len(output)] if last else range(j, min(len(output), j + unit.longest) + 1):
                total = cost + _cost(unit, tuple(output[j:stop]))
                if total < reached.get(stop, float("inf")):
                    reached[stop], came[stop] = total, j
        best = reached
        back.append(came)
    became: list[tuple[str, ...]] = []
    at = len(output)
    for came in reversed(back):
        became.append(tuple(output[came[at] : at]))
        at = came[at]
    return became[::-1]


def _cost(unit: Unit, became: tuple[str, ...]) -> float:
    if unit.accepted and became in unit.accepted:
        return 0.0
    if became == unit.pieces:
        return _KEPT if unit.accepted is not None and not unit.optional else 0.0
    return 1 + _WORD * abs(len(became) - len(unit.pieces)) + (0.3 if not became else 0.0)
