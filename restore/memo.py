"""What was worked out before, kept between texts in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memo(dict[K, V]):
    """A dictionary of at most `room` entries: all are forgotten when another comes. Plain look-ups stay as fast."""

    def __init__(self, room: int):
        super().__init__()
        self._room = room

    def __setitem__(self, key: K, value: V) -> None:
        if len(self) >= self._room:
            self.clear()
        super().__setitem__(key, value)

    def missing(self, keys: Iterable[K]) -> list[K]:
        """Those of some keys that are not held, each once, with room made for them: where they do not fit all is
        forgotten first, and all keys are missing. Enter them with `update`."""
        wanted = dict.fromkeys(keys)
        new = [key for key in wanted if key not in self]
        if len(self) + len(new) > self._room:
            self.clear()
            return list(wanted)
        return new
