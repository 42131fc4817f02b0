"""A thesaurus spinner, independent of what `restore` ships, and what `restore` makes of its work.

The spinner replaces a share of the content words of a text by random synonyms of
any sense, inflected by LemmInflect. It reads a thesaurus itself: WordNet's
database, or any list of lines "headword,synonym,synonym,..." (Moby's format).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_PARTS: Final = {"noun": "NOUN", "verb": "VERB", "adj": "ADJ", "adv": "ADV"}
_TAGS: Final = {"NOUN": ("NN", "NNS"), "VERB": ("VB", "VBD", "VBG", "VBN", "VBZ"), "ADJ": ("JJ",), "ADV": ("RB",)}
_STOP: Final = frozenset(
    """a an the and but or nor for so yet if then else as at by in into of off on onto out over to up with from about
    after again against all almost also although always am among any are away be because been before being below
    between both can cannot could did do does doing done down during each either enough even ever every few further
    had has have having he her here hers herself him himself his how however i in is it its itself just less let like
    made make many may me might mine more most much must my myself neither never no none not now once one only other
    our ours ourselves own per rather same shall she should since some still such than that the their theirs them
    themselves there these they this those though through thus till too two three four five six seven eight nine ten
    under until upon us very was we well were what when where whether which while who whom whose why will with within
    without would you your yours yourself""".split()
)

Synonyms = dict[str, dict[str, list[str]]]  # part of speech -> lemma -> synonyms; "" where the thesaurus has none


def wordnet(folder: Path) -> Synonyms:
    """Synonyms by part of speech: all other lemmas of all synsets of a lemma."""
    table: Synonyms = {}
    for name, part in _PARTS.items():
        own = table.setdefault(part, {})
        for line in (folder / f"data.{name}").read_text(encoding="utf-8").splitlines():
            if line.startswith("  "):
                continue
            fields = line.split()
            lemmas = [re.sub(r"\(.*", "", fields[4 + 2 * k]).replace("_", " ") for k in range(int(fields[3], 16))]
            for lemma in lemmas:
                own.setdefault(lemma.lower(), []).extend(w for w in lemmas if w != lemma)
    return {part: {k: sorted(set(v)) for k, v in own.items() if v} for part, own in table.items()}


def word_list(path: Path) -> Synonyms:
    """Synonyms from lines "headword,synonym,...", without parts of speech."""
    rows = (line.split(",") for line in path.read_text(encoding="utf-8").splitlines())
    return {"": {row[0].lower(): row[1:] for row in rows if len(row) > 1}}


@dataclass
class ThesaurusSpinner:
    """Replaces `share` of the content words, each time by another random synonym; one seed, one result."""

    synonyms: Synonyms
    share: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        import lemminflect

        self._inflect: Any = lemminflect
        self._random = Random(self.seed)
        self._known: dict[str, list[tuple[str, str, list[str]]]] = {}

    def spin(self, text: str) -> str:
        """The text with its replacements marked: ⟦found→original⟧."""
        return _WORD.sub(lambda m: self._word(m.group(), text, m.start()), text)

    def _word(self, word: str, text: str, start: int) -> str:
        capital = word[0].isupper()
        if capital and (word[1:] != word[1:].lower() or text[max(0, start - 2) : start] not in (". ", "! ", "? ", "")):
            return word  # a name or an abbreviation
        choices = self._choices(word.lower())
        if not choices or self._random.random() >= self.share:
            return word
        part, tag, synonyms = self._random.choice(choices)
        found = self._inflected(self._random.choice(synonyms), part, tag)
        if found.lower() == word.lower() or "⟦" in found:
            return word
        return f"⟦{found[0].upper() + found[1:] if capital else found}→{word}⟧"

    def _choices(self, word: str) -> list[tuple[str, str, list[str]]]:
        """Readings of a word: part of speech, Penn tag, synonyms of its lemma."""
        if word not in self._known:
            self._known[word] = [] if word in _STOP or len(word) < 3 else list(self._readings(word))
        return self._known[word]

    def _readings(self, word: str) -> Iterator[tuple[str, str, list[str]]]:
        for part, tags in _TAGS.items():
            table = self.synonyms.get(part) or self.synonyms.get("", {})
            for lemma in self._inflect.getAllLemmas(word, upos=part).get(part, ()):
                if lemma in table and lemma not in _STOP:
                    tag = next((t for t in tags if word in self._inflect.getInflection(lemma, t)), tags[0])
                    yield part, tag, table[lemma]

    def _inflected(self, synonym: str, part: str, tag: str) -> str:
        """A synonym in the form of the word that it replaces: the first word of a verb, the last of a noun."""
        words = synonym.split(" ")
        place = 0 if part == "VERB" else -1
        if part in ("NOUN", "VERB"):
            words[place] = (self._inflect.getInflection(words[place], tag) or (words[place],))[0]
        return " ".join(words)
