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
from typing import Any, Final, NamedTuple

import numpy as np

import restore
from benchmarks.detection import area, windows
from restore.learning.phrases import MARK, as_found, open_text

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
        import lemminflect  # an extra, "bench"

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


class Figures(NamedTuple):
    """Of one spinner: area under the curve over windows, precision, recall and F0.5 of restoration, share of
    documents judged spun, spans that were replaced; of the clean texts: edits and words."""

    auc: float
    precision: float
    recall: float
    f: float
    convicted: float
    spans: int
    clean_edits: int
    clean_words: int


def measure(clean: Path, synonyms: Synonyms, share: float, words: int, documents: int | None, seed: int) -> Figures:
    """Spin the documents of a file (one a line, .xz too), detect and restore them.

    An edit is right where it leaves what the author wrote; a span is restored where a right edit covers it.
    """
    with open_text(clean) as file:
        texts = [line.rstrip("\n") for line in file][:documents]
    spinner = ThesaurusSpinner(synonyms, share, seed)
    marked = [spinner.spin(text) for text in texts]
    engine = restore.Restorer()
    spun = windows([as_found(m) for m in marked], words)
    scores = [np.array([engine.detect(w).probability for w in side]) for side in (spun, windows(texts, words))]
    spans = edits = right = restored = convicted = 0
    for m in marked:
        text, gold = _gold(m)
        result = engine.restore(text)
        convicted += result.verdict.family == "thesaurus"
        spans += len(gold)
        edits += len(result.edits)
        for edit in result.edits:
            held = [g for g in gold if edit.start <= g[0] and g[1] <= edit.end]
            wanted = restore.restoration.splice(
                edit.found, [(a - edit.start, b - edit.start, original) for a, b, original in held]
            )
            if held and edit.replacement.lower() == wanted.lower():
                right += 1
                restored += len(held)
    precision, recall = right / max(1, edits), restored / max(1, spans)
    f = 1.25 * precision * recall / max(1e-9, 0.25 * precision + recall)
    clean_edits = sum(len(engine.restore(text).edits) for text in texts)
    return Figures(
        area(*scores),
        precision,
        recall,
        f,
        convicted / len(texts),
        spans,
        clean_edits,
        sum(len(t.split()) for t in texts),
    )


def _gold(marked: str) -> tuple[str, list[tuple[int, int, str]]]:
    """Marked text as it was found, and its replacements: start, end, original."""
    parts: list[str] = []
    gold: list[tuple[int, int, str]] = []
    at = size = 0
    for m in MARK.finditer(marked):
        parts += [marked[at : m.start()], m.group(1)]
        size += m.start() - at
        gold.append((size, size + len(m.group(1)), m.group(3)))
        size += len(m.group(1))
        at = m.end()
    return "".join(parts) + marked[at:], gold
