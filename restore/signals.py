"""Ctrl-C and a polite kill, put off until what is being written is whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType


class Guard:
    """Puts off Ctrl-C while inside, so that only whole records are written; a second one comes through."""

    def __init__(self) -> None:
        self.inside = False
        self.pending = False

    def signalled(self, *_: object) -> None:
        if self.inside and not self.pending:
            self.pending = True
            return
        raise KeyboardInterrupt

    def __enter__(self) -> None:
        self.inside = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.inside = False
        if self.pending and kind is None:
            raise KeyboardInterrupt


@contextmanager
def whole_writes() -> Iterator[Guard]:
    """A guard that takes the signals while inside; does nothing in threads but the main one, which get none."""
    guard = Guard()
    if threading.current_thread() is not threading.main_thread():
        yield guard
        return
    before = {s: signal.signal(s, guard.signalled) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield guard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
