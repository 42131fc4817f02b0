"""How far a run is: a line on a terminal while it lasts, a summary when it is done."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final

from restore.work import Tally

if TYPE_CHECKING:
    from rich.progress import Progress

_WAIT: Final = 1.0  # seconds that a run must last before a bar is worth drawing
_EVERY: Final = 0.2  # seconds between two drawings


class Bar:
    """A bar on standard error, if that is a terminal: bytes read of those there are, words a second, time left."""

    def __init__(self, total: int | None, shown: bool):
        self.total = total
        self.shown = shown and sys.stderr.isatty()
        self.begun = self.drawn = time.monotonic()
        self.words = 0
        self._bar: Progress | None = None
        self._task: Any = None

    def update(self, done: int, tally: Tally) -> None:
        """So many bytes are done."""
        if not self.shown:
            return
        now = time.monotonic()
        if now - self.drawn < (_EVERY if self._bar else _WAIT):
            return
        self.drawn = now
        if self._bar is None:
            self._bar = self._begin()
        rate = (tally.words - self.words) / max(1e-9, now - self.begun)
        told = f"{tally.documents:,} documents, {tally.spun:,} spun, {rate:,.0f} words/s"
        self._bar.update(self._task, completed=done, told=told)
        self._bar.refresh()

    def skip(self, words: int) -> None:
        """Words that an earlier run did: they do not count for the rate."""
        self.words += words

    def _begin(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        bar = Progress(
            BarColumn(24),
            TextColumn("{task.percentage:>3.0f}%") if self.total else TextColumn(""),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(compact=True) if self.total else TextColumn(""),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
        )
        self._task = bar.add_task("", total=self.total, told="")
        bar.start()
        return bar

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def summary(tally: Tally, seconds: float, words: int, stripped: bool, edited: bool) -> str:
    """The closing line. words: those done in these seconds. edited: whether texts were restored, not judged alone."""
    parts = [
        f"{tally.documents:,} document{'s' * (tally.documents != 1)}",
        f"{tally.spun:,} spun",
        *([f"{tally.edits:,} edit{'s' * (tally.edits != 1)}"] if edited else []),
        f"{words / max(seconds, 1e-9):,.0f} words/s",
        f"{tally.rejected + tally.failed:,} error{'s' * (tally.rejected + tally.failed != 1)}",
    ]
    if tally.hidden:
        parts.append(
            f"{tally.hidden:,} hidden character{'s' * (tally.hidden != 1)} {'removed' if stripped else '(--strip-invisible removes them)'}"
        )
    return ", ".join(parts)
