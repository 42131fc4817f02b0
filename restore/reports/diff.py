"""A word diff for terminals and pipes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from restore.restoration import Edit, Restoration

RED: Final = "\033[31m"
GREEN: Final = "\033[32m"
DIM: Final = "\033[2m"
OFF: Final = "\033[0m"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def word_diff(result: Restoration, name: str, color: bool = False) -> str:
    """Changed lines with [-found-]{+restored+} in place; empty where nothing changed.

    color: for a terminal. Control characters of the text, which could move the
    cursor or change the title of the window, are then shown as U+FFFD.
    """
    if not result.edits:
        return ""
    source = result.undo()
    shown = printable(name) if color else name
    head = f"--- {shown}\n+++ {shown} (restored)\n"
    if color:
        head = f"{DIM}{head.rstrip()}{OFF}\n"
    return head + "".join(_hunks(source, result.edits, color))


def printable(text: str) -> str:
    """`text` without control characters other than tabs and line feeds."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def _hunks(source: str, edits: Sequence[Edit], color: bool) -> Iterator[str]:
    """Each run of changed lines under its line number."""
    at, line, first = 0, 1, 0
    while first < len(edits):
        begin = source.rfind("\n", 0, edits[first].start) + 1
        line += source.count("\n", at, begin)
        end, after = _line_end(source, edits[first].end), first + 1
        while after < len(edits) and edits[after].start < end:
            end = max(end, _line_end(source, edits[after].end))
            after += 1
        mark = f"{DIM}@@ line {line} @@{OFF}" if color else f"@@ line {line} @@"
        yield f"{mark}\n{_marked(source, begin, end, edits[first:after], color)}\n"
        at, first = begin, after


def _line_end(source: str, at: int) -> int:
    end = source.find("\n", at)
    return len(source) if end < 0 else end


def _marked(source: str, begin: int, end: int, edits: Sequence[Edit], color: bool) -> str:
    """A stretch of the source with its edits; the brackets stay beside the colours, for those who see none."""
    clean = printable if color else str
    parts = []
    at = begin
    for e in edits:
        parts.append(clean(source[at : e.start]))
        minus, plus = f"[-{clean(e.found)}-]", f"{{+{clean(e.replacement)}+}}"
        parts.append(f"{RED}{minus}{OFF}{GREEN}{plus}{OFF}" if color else minus + plus)
        at = e.end
    parts.append(clean(source[at:end]))
    return "".join(parts)
