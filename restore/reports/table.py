"""The explanation of a result: its verdict and a table of its edits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from restore.reports.diff import DIM, OFF, printable
from restore.restoration import Restoration

_WIDEST: Final = 44  # characters to which a column is padded


def explanation(result: Restoration, source: str, color: bool = False) -> str:
    """The verdict and a table: line, found, restored, confidence, alternatives, evidence."""
    v = result.verdict
    state = f"spun ({v.family}), about {v.rate:.0%} of the words" if v.spun else "not spun"
    head = f"{state}; probability {v.probability:.3f}; {len(result.edits)} edits"
    if not result.edits:
        return head
    rows = [("line", "found", "restored", "conf.", "alternatives", "evidence"), *_rows(result, source)]
    width = [min(_WIDEST, max(len(row[k]) for row in rows)) for k in range(5)]
    lines = []
    for n, row in enumerate(rows):
        cells = [cell.ljust(width[k]) for k, cell in enumerate(row[:5])] + [row[5]]
        text = "  ".join(cells).rstrip()
        lines.append(f"{DIM}{text}{OFF}" if color and n == 0 else text)
    return head + "\n" + "\n".join(lines)


def _rows(result: Restoration, source: str) -> Iterator[tuple[str, ...]]:
    line, at = 1, 0
    for e in result.edits:
        line += source.count("\n", at, e.start)
        at = e.start
        others = ", ".join(f"{_cell(text)} {p:.2f}" for text, p in e.alternatives)
        numbers = " ".join(f"{name} {value:.2f}" for name, value in e.evidence.items())
        yield str(line), _cell(e.found), _cell(e.replacement), f"{e.confidence:.2f}", others, numbers


def _cell(text: str) -> str:
    """Text of one line; a phrase may run over the end of one."""
    return printable(" ".join(text.splitlines())) if not text.isprintable() else text
