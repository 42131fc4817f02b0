"""How much a text reads like a scientific paper: by words of papers, less those of news."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

AGAINST: Final = "!"  # begins a line of words that speak against a paper
OUTWEIGHED: Final = 2  # words of a paper's that each of these outweighs


class Likeness(NamedTuple):
    """words: distinct words of a paper's that a text has. share: of these among all, less what speaks against."""

    words: int
    share: float

    def reaches(self, least: Likeness) -> bool:
        """Whether a text is as much like a paper."""
        return self.words >= least.words and self.share >= least.share


class Register:
    """Words by which papers are known. Of an empty one no text is."""

    def __init__(self, papers: Sequence[str] = (), against: Sequence[str] = ()):
        self._weight = {**dict.fromkeys(papers, 1), **dict.fromkeys(against, -OUTWEIGHED)}

    @classmethod
    def load(cls, path: Path) -> Self:
        """Words separated by blanks; lines that begin with `!` are of those against, with `#` remarks. Raises
        OSError."""
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        papers = [word for line in lines if not line.startswith(AGAINST) for word in line.split()]
        against = [word for line in lines if line.startswith(AGAINST) for word in line.removeprefix(AGAINST).split()]
        return cls(papers, against)

    def likeness(self, words: Sequence[str]) -> Likeness:
        """Of a text, given its folded words."""
        held = [word for word in words if word in self._weight]
        weight = self._weight
        papers = {word for word in held if weight[word] > 0}
        return Likeness(len(papers), sum(weight[word] for word in held) / max(1, len(words)))
