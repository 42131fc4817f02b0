"""How the corpus's texts were spun that no person spun: a table applied without regard to sense.

The longest listed phrase at each place is replaced nine times in ten, each
phrase by mostly one replacement throughout a document, in the case of what it
replaces. Tables: a lexicon run forwards, or lines `original<TAB>replacement`,
with the share of its places that an original is replaced at if not all.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from restore.lexicon import LONGEST, load, phrase_key
from restore.surface import match_case
from restore.text import JOINED, PROTECTED_WORD, Tokens, tokenize

TAKEN: Final = 0.93  # of the places that a table knows
FAITHFUL: Final = 0.9  # repetitions that become the same

Table = dict[str, tuple[list[str], list[float]]]  # original -> replacements, their weights


def forwards(family: str = "autoblog") -> Table:
    """A shipped lexicon as the spinner has it: what an original becomes, by the shares of its replacements."""
    table: Table = {}
    lexicon = load([family])
    for found, options in lexicon.options.items():
        for option in options:
            replacements, weights = table.setdefault(option.original, ([], []))
            replacements.append(found)
            weights.append(option.rate)
    return table


def listed(path: Path) -> Table:
    """A table of lines `original<TAB>replacement[<TAB>share]`; those that begin with # are comments. Raises ValueError
    with the line."""
    table: Table = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line and line[0] != "#":
            original, _, rest = line.partition("\t")
            made, _, share = rest.partition("\t")
            try:
                table[phrase_key(original)] = [made], [float(share or 1)]
            except ValueError:
                raise ValueError(
                    f"{path}:{number}: '{share}' is no share; write a number above 0 and up to 1"
                ) from None
            if not made:
                raise ValueError(f"{path}:{number}: no tab; write 'original<TAB>replacement[<TAB>share]'")
    return table


def spin(text: str, table: Table, seed: int) -> str:
    """The text with its replacements marked. An original of small total weight is replaced less often."""
    random = Random(seed)
    tokens = tokenize(text)
    habit: dict[str, str] = {}
    parts: list[str] = []
    at = i = 0
    while i < len(tokens):
        for end, phrase in reversed(list(_phrases(tokens, i))):
            replacements, weights = table.get(phrase, ((), ()))
            if replacements and random.random() < min(TAKEN, sum(weights)):
                if phrase not in habit or random.random() > FAITHFUL:
                    habit[phrase] = random.choices(replacements, weights)[0]
                start, stop = tokens.start[i], tokens.end[end - 1]
                found = match_case(habit[phrase], text[start:stop])
                if found.casefold() != text[start:stop].casefold():
                    parts += [text[at:start], f"⟦{found}→{text[start:stop]}⟧"]
                    at = stop
                i = end
                break
        else:
            i += 1
    return "".join(parts) + text[at:]


def _phrases(tokens: Tokens, i: int) -> Iterator[tuple[int, str]]:
    """Runs of words that start at a token and no mark divides: end, key."""
    phrase = ""
    for end in range(i, min(len(tokens), i + LONGEST)):
        if tokens.key[end] == PROTECTED_WORD or (end > i and tokens.gap[end] not in JOINED):
            return
        phrase += (tokens.gap[end] if end > i else "") + tokens.key[end]
        yield end + 1, phrase
