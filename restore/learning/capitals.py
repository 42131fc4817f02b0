"""How originals are written: the capitals of names and acronyms ("New York", "TV"), counted where they stand in running
text.

Spinners keep the case of a phrase's first letter, so an initial capital ("Center") survives in the text found, while
later capitals are lost. An initial capital that is always written ("Americans") can be learned too, since the
replacement may be in lower case.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from restore.learning.texts import write_lines
from restore.lexicon import Lexicon, add_prefixes, phrase_key
from restore.text import Tokens, fold

LEAST: Final = 3  # places that a form must be seen in,
SHARE: Final = 0.9  # and its share of all places of the phrase
ALWAYS: Final = (20, 0.97)  # the same where the first letter alone is a capital
HEADLINE: Final = 0.5  # share of words with capitals, from which on a sentence says nothing about any


class Writing:
    """Counts the forms of phrases inside sentences; headlines and first words, which show nothing, are passed over."""

    def __init__(self, phrases: Iterable[str]):
        self._phrases = set(phrases)
        self._lexicon = Lexicon()
        for phrase in self._phrases:
            add_prefixes(self._lexicon.prefixes, phrase)
        self._forms: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def read(self, tokens: Tokens) -> None:
        """Count one text."""
        text = tokens.text
        for a, b in tokens.sentences():
            capital = [text[tokens.start[i]].isupper() for i in range(a, b)]
            if sum(capital) > HEADLINE * len(capital):
                continue
            for i in range(a + 1, b):
                for end, phrase in self._lexicon.matches(tokens, i):
                    if end <= b and phrase in self._phrases:
                        self._forms[phrase][text[tokens.start[i] : tokens.end[end - 1]].replace("’", "'")] += 1

    def usual(self, names: bool = False) -> dict[str, str]:
        """Folded phrase -> usual spelling, for phrases with capitals after the first letter; with `names`, also for
        those that always begin with one."""
        out = {}
        for phrase, forms in self._forms.items():
            form, seen = forms.most_common(1)[0]
            inner = form[1:] != phrase[1:]
            least, share = (LEAST, SHARE) if inner else ALWAYS
            if not (inner or (names and form != phrase)) or phrase_key(form) != phrase:
                continue
            if seen >= least and seen >= share * forms.total():
                out[phrase] = form
        return out


def usual_forms(texts: Iterable[Tokens], phrases: Iterable[str]) -> dict[str, str]:
    """Which of these phrases mostly have capitals in these texts, and how they are written."""
    writing = Writing(phrases)
    for tokens in texts:
        writing.read(tokens)
    return writing.usual()


def originals_of(path: Path) -> set[str]:
    """Folded originals of a lexicon file."""
    return {fold(columns[1]) for columns in _rows(path) if len(columns) > 1}


def rewrite(path: Path, written: dict[str, str]) -> int:
    """Write the originals of a lexicon file as given; returns how many lines changed. Raises DocumentError."""
    lines, changed = [], 0
    for columns in _rows(path):
        if len(columns) > 1:
            form = written.get(fold(columns[1]), columns[1])
            changed += form != columns[1]
            columns[1] = form
        lines.append("\t".join(columns) + "\n")
    if changed:
        write_lines(path, lines)
    return changed


def _rows(path: Path) -> list[list[str]]:
    """Each line as a list of columns; a comment or an empty line is a single column."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [[line] if line.startswith("#") else line.split("\t") for line in lines]
