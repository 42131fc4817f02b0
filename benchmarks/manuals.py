"""Edits on clean pages of other kinds, HTML or plain text: documentation of packages, books; nothing was learned from them.

A page's text is what `restore clean` reads of it. Each folder is a source of its
own, say one Debian package unpacked (`dpkg-deb -x`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from restore import Restorer
from restore.learning.places import PAGES, pages


def manuals(folders: list[Path], most: int) -> Iterator[tuple[str, int, Counter[str]]]:
    """Of each folder its name, the words read and the edits by family; so many pages, each text once."""
    engine = Restorer()
    for folder in folders:
        words, edits = 0, Counter[str]()
        for text in dict.fromkeys(pages(folder, most, 1, (*PAGES, ".txt"))):
            words += len(text.split())
            edits.update(e.family for e in engine.restore(text).edits)
        yield folder.name, words, edits


def lines(rows: Iterator[tuple[str, int, Counter[str]]]) -> Iterator[str]:
    """The rows for printing, and their sum."""
    words, edits = 0, Counter[str]()
    for name, n, found in rows:
        words, edits = words + n, edits + found
        yield f"{name:28} {n:10,} words {found.total():5} edits"
    by = ", ".join(f"{family} {n}" for family, n in edits.most_common())
    yield f"{'all':28} {words:10,} words {edits.total():5} edits ({by}), {edits.total() / max(1, words) * 1e5:.1f} per 100,000"
