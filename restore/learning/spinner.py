"""The channel run forwards: clean text in, spun text out, with what was done to it.

Substitutions are drawn as real spinners of a family make them: blind to sense,
at the rates of the lexicon, each original keeping one replacement within a
document nine times in ten.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import Final

from restore.lexicon import Lexicon
from restore.text import Tokens, tokenize

CONSISTENCY: Final = 0.9  # independent spins of one article, and repeated words within one, agree so often


@dataclass(frozen=True, slots=True)
class Spun:
    """Tokens after spinning; `text` and offsets are those of the words joined by spaces.

    substitutions: (start token, end token, original).
    """

    tokens: Tokens
    substitutions: list[tuple[int, int, str]]


class Spinner:
    """Spins documents by one lexicon, reproducibly for a given seed."""

    def __init__(self, lexicon: Lexicon, seed: int = 0):
        self._lexicon = lexicon
        self._random = Random(seed)
        self._choices: dict[str, tuple[list[str], list[float]]] = {}
        for found, options in lexicon.options.items():
            for option in options:
                founds, rates = self._choices.setdefault(option.original, ([], []))
                founds.append(found)
                rates.append(option.rate)

    def spin(self, tokens: Tokens) -> Spun:
        """One document, spun."""
        keys: list[str] = []
        gaps: list[str] = []
        words: list[str] = []
        made: list[tuple[int, int, str]] = []
        habit: dict[str, str] = {}
        i = 0
        while i < len(tokens):
            gap = tokens.gap[i]
            end, found = self._draw(tokens, i, habit)
            if found is None:
                keys.append(tokens.key[i])
                words.append(tokens.text[tokens.start[i] : tokens.end[i]])
                gaps.append(gap)
                i += 1
                continue
            found_keys, found_gaps = _split(found)
            made.append((len(keys), len(keys) + len(found_keys), _joined(tokens, i, end)))
            keys += found_keys
            words += found_keys
            gaps += [gap, *found_gaps[1:]]
            i = end
        after = list(accumulate(len(w) + 1 for w in words))
        start = [e - len(w) - 1 for e, w in zip(after, words, strict=True)]
        return Spun(Tokens(" ".join(words), start, [e - 1 for e in after], keys, gaps), made)

    def _draw(self, tokens: Tokens, i: int, habit: dict[str, str]) -> tuple[int, str | None]:
        """The longest original at a token that the spinner takes, and what it makes of it."""
        for end, phrase in reversed(list(self._lexicon.matches(tokens, i))):
            if phrase not in self._choices:
                continue
            if self._random.random() >= 1 - self._lexicon.stay[phrase]:
                continue
            if phrase not in habit or self._random.random() > CONSISTENCY:
                founds, rates = self._choices[phrase]
                drawn = self._random.choices(founds, rates)[0]
                habit.setdefault(phrase, drawn)
                return end, drawn
            return end, habit[phrase]
        return i + 1, None


def _joined(tokens: Tokens, start: int, end: int) -> str:
    return tokens.key[start] + "".join(tokens.gap[k] + tokens.key[k] for k in range(start + 1, end))


@lru_cache(maxsize=100_000)
def _split(phrase: str) -> tuple[list[str], list[str]]:
    tokens = tokenize(phrase)
    return tokens.key, tokens.gap
