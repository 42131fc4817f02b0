"""Thesauri to what `restore.synonyms` reads: relations between words, and screening weights.

A spinner of a source replaces a word by any of the words that the source relates
to it, each as likely as the others. Sources: the other lemmas of WordNet's
synsets ("wordnet"); these and their hypernyms and similar adjectives, as office
thesauri derived from WordNet list them ("near"); Moby ("moby").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from math import expm1, log
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from restore.buckets import Table, hashes, ngram_hash
from restore.context import UNSEEN, ContextModel
from restore.inflection import Form
from restore.judgement import features, gate, own_gate
from restore.learning.regression import logistic
from restore.learning.smoothing import pack
from restore.learning.spinner import Spinner
from restore.lexicon import Entry, Lexicon, build, load, read
from restore.passages import STRANGER
from restore.restoration import splice
from restore.restorer import Restorer
from restore.screen import phrase_weights
from restore.shipped import root
from restore.surface import match_case
from restore.synonyms import SCREENED, SECTIONS, SOURCES, WEIGHT_STEP, WEIGHT_ZERO, Relation, Synonyms, inflected
from restore.text import tokenize
from restore.thesaurus import FAMILY, RATE, Thesaurus

_FILES: Final = {"n": "data.noun", "v": "data.verb", "a": "data.adj", "r": "data.adv"}
_LEMMA: Final = re.compile(r"[a-z]{3,}(?:[ -][a-z]+){0,2}")
_MARKER: Final = re.compile(r"\([a-z]+\)$")  # where an adjective may stand: galore(ip)
_NEAR: Final = frozenset("@&")  # pointers to a hypernym, to a similar adjective
_FUNCTION: Final = frozenset(
    """the and but for nor not are was were has had have does did can may must shall will would should could might
    ought who whom whose which what when where why how that this these those there here you your yours him his her
    hers she its our ours they them their theirs all any both each few more most other some such one two three four
    five six seven eight nine ten own same than too very just now then once only from with without about above after
    again against before below between down during further into off out over under until while because being been
    also yet per""".split()
)  # thesauri list some of them (will, may, her); spinners leave them, and they would be everybody's original
_FORMS: Final[dict[str, tuple[Form, ...]]] = {
    "n": ("s",),
    "v": ("s", "ed", "en", "ing"),
    "a": (),
    "r": (),
    "*": ("s", "ed", "en", "ing"),
}  # of a part of speech; fmt: skip
MOBY_LEAST: Final = -12.0  # log probability of a headword; rarer ones would double the file
UNTOUCHED: Final = (
    10.0  # windows that each untouched one stands for: few texts are spun, and those that are not must be right
)
OWN_SHARES: Final = {
    "autoblog": 0.15,
    FAMILY: 0.2,
}  # of what is listed, and in common, that a table of one's own is screened by
TABLES: Final = 2  # that each text is spun by
# evidence of words alone in a hundred tokens, from the gate, down to which texts are learned from:
NOT_CLEARED: Final = -0.4
COMMON_SHARES: Final = (0.05, 0.3)  # of what tables have in common that a drawn one has
_FILL: Final = 0.8  # of the hash buckets

Related = dict[str, dict[str, list[str]]]  # section -> word -> related words


def wordnet(folder: Path) -> Related:
    """Sections of the sources "wordnet" and "near" from a WordNet 3 database (format: wndb(5WN)).

    Raises FileNotFoundError where one of its files is missing.
    """
    related: Related = {}
    for pos, name in _FILES.items():
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder}: no {name} there; give the folder of a WordNet 3 database (dict)")
        synsets = dict(_synsets((folder / name).read_text(encoding="utf-8").splitlines()))
        same, near = related.setdefault(f"wordnet.{pos}", {}), related.setdefault(f"near.{pos}", {})
        for lemmas, pointers in synsets.values():
            neighbours = [w for offset in pointers if offset in synsets for w in synsets[offset][0]]
            for lemma in lemmas:
                same.setdefault(lemma, []).extend(lemmas)
                near.setdefault(lemma, []).extend(lemmas + neighbours)
    return related


def _synsets(lines: Iterable[str]) -> Iterator[tuple[str, tuple[list[str], list[str]]]]:
    """Offset, lemmas and offsets of near synsets of each line of a data file."""
    for line in lines:
        if line.startswith("  "):
            continue  # the licence
        fields = line.split(" ")
        end = 4 + 2 * int(fields[3], 16)
        lemmas = [_MARKER.sub("", lemma).replace("_", " ") for lemma in fields[4:end:2]]
        pointers = zip(fields[end + 1 :: 4], fields[end + 2 :: 4], strict=False)
        count = int(fields[end])
        yield fields[0], (lemmas, [to for (kind, to), _ in zip(pointers, range(count), strict=False) if kind in _NEAR])


def moby(path: Path) -> Related:
    """The section of the source "moby" from its lines "headword,word,word,..."."""
    rows = (line.split(",") for line in path.read_text(encoding="utf-8").splitlines())
    return {"moby.*": {row[0]: row[1:] for row in rows}}


def relations(related: Related, model: ContextModel) -> Synonyms:
    """Related words, numbered. Kept: originals that are single known words; phrases of at most three words; no names.

    `totals` counts the excluded words too, because a spinner chooses among all of them.
    """
    kept: dict[str, dict[str, tuple[list[str], int]]] = {}
    for section, words in related.items():
        heads = [w for w in words if w.isalpha() and _LEMMA.fullmatch(w) and w not in _FUNCTION]
        least = MOBY_LEAST if section.startswith("moby") else UNSEEN
        for head, log_p in zip(heads, model.unigram(hashes(heads)), strict=True):
            others = {w for w in words[head] if w != head}
            usable = sorted(w for w in others if _LEMMA.fullmatch(w) and w not in _FUNCTION)
            if log_p > least and usable:
                kept.setdefault(section, {})[head] = (usable, len(others))
    vocabulary = sorted({w for own in kept.values() for head, (others, _) in own.items() for w in (head, *others)})
    number = {w: i for i, w in enumerate(vocabulary)}
    sections = {}
    for section in SECTIONS:
        own = kept.get(section, {})
        heads = sorted(own)
        sections[section] = Relation(
            np.array([number[h] for h in heads], np.int64),
            np.array([len(own[h][0]) for h in heads], np.int64),
            np.array([own[h][1] for h in heads], np.int64),
            np.array([number[w] for h in heads for w in own[h][0]], np.int64),
        )
    return Synonyms(vocabulary, sections)


def screening_weights(synonyms: Synonyms, model: ContextModel) -> Table:
    """Log of how much likelier a word or pair of words is in text spun from each source, by the hash of its n-gram.

    weight(x) = log [ stay(x) + RATE * sum over originals o of P(x | o) P(o) / P(x) ], as in `screen.py`. The last
    plane is that of a spinner with a table of its own: log [ 1 + sum over lexicons of share (exp(weight by the lexicon)
    - 1) ].
    """
    columns: dict[str, NDArray[np.float64]] = {}  # form -> per source: how often the spinner makes it
    stays: set[tuple[str, int]] = set()
    for source, sections in enumerate(SOURCES.values()):
        readings = np.zeros(len(synonyms.vocabulary))
        for section in sections:
            readings[synonyms.sections[section].heads] += 1
        for section in sections:
            relation = synonyms.sections[section]
            pos = section[-1]
            share = np.repeat(1 / (relation.totals * readings[relation.heads]), relation.sizes)
            for form in (None, *_FORMS[pos]):
                originals = [inflected(synonyms.vocabulary[h], pos, form) for h in relation.heads]
                p = np.exp(model.unigram(hashes(originals)).astype(np.float64))
                p[p <= np.exp(UNSEEN) * 1.01] = 0
                stays.update((o, source) for o in originals)
                made = np.bincount(relation.members, share * np.repeat(p, relation.sizes), len(synonyms.vocabulary))
                for i in np.flatnonzero(made):
                    phrase = inflected(synonyms.vocabulary[i], pos, form)
                    columns.setdefault(phrase, np.zeros(len(SOURCES)))[source] += made[i]
    own = own_table_weights(model)
    for phrase in (*(phrase for phrase, _ in stays), *own):
        columns.setdefault(phrase, np.zeros(len(SOURCES)))
    words = {phrase: phrase.replace("-", " ").split() for phrase in sorted(columns)}
    phrases = [phrase for phrase, parts in words.items() if len(parts) <= 2]
    log_p = model.phrases([words[p] for p in phrases]).astype(np.float64)
    made = np.array([columns[p] for p in phrases])
    stay = np.array([[1 - RATE * ((p, s) in stays) for s in range(len(SOURCES))] for p in phrases])
    weight = np.log(stay + RATE * made / np.exp(log_p)[:, None])
    weight = np.column_stack([weight, [own.get(phrase, 0.0) for phrase in phrases]])
    keys = np.array([ngram_hash(*(hashes([w]) for w in words[p]))[0] for p in phrases], np.uint64)
    steps = np.clip(np.round(weight / WEIGHT_STEP) + WEIGHT_ZERO, 0, 255).astype(np.uint8)
    planes = [np.ascontiguousarray(steps[:, s]) for s in range(len(SCREENED))]
    return pack(keys, planes, np.ones(len(keys), np.int64), _FILL)


def own_table_weights(model: ContextModel) -> dict[str, float]:
    """Screening weights for a spinner that has some of what is listed, and of what tables have in common; words and
    pairs."""
    mixed: dict[str, float] = {}
    for family, share in OWN_SHARES.items():
        for phrase, weight in phrase_weights(load([family]), model).items():
            if phrase.count(" ") < 2 and phrase.replace(" ", "").isalpha():
                mixed[phrase] = mixed.get(phrase, 1.0) + share * expm1(weight)
    return {phrase: log(max(value, 0.1)) for phrase, value in mixed.items()}


class SynonymSpinner:
    """Spins plain text by one source of the table, each replaceable word with a chance of `rate`."""

    def __init__(self, synonyms: Synonyms, source: str, seed: int = 0):
        self._synonyms = synonyms
        self._random = Random(seed)
        self._sections = [(section[-1], synonyms.sections[section]) for section in SOURCES[source]]
        self._first = [np.cumsum(r.sizes) - r.sizes for _, r in self._sections]

    def spin(self, text: str, rate: float) -> str:
        """The text with replacements in the form and case of what they replace; names are left."""
        return splice(text, self._replacements(text, rate))

    def marked(self, text: str, rate: float) -> str:
        """The same, each replacement marked with what stood there (`phrases.MARK`)."""
        made = ((start, end, new, text[start:end]) for start, end, new in self._replacements(text, rate))
        return splice(text, [(s, e, f"⟦{new}→{old}⟧") for s, e, new, old in made if new.casefold() != old.casefold()])

    def _replacements(self, text: str, rate: float) -> list[tuple[int, int, str]]:
        tokens = tokenize(text)
        made: list[tuple[int, int, str]] = []
        for i, key in enumerate(tokens.key):
            start, end = tokens.start[i], tokens.end[i]
            if len(key) < 3 or (tokens.gap[i] != "." and text[start].isupper()) or self._random.random() >= rate:
                continue
            choices = list(self._choices(key))
            if choices:
                made.append((start, end, match_case(self._random.choice(choices), text[start:end])))
        return made

    def _choices(self, key: str) -> Iterator[str]:
        for (pos, relation), first in zip(self._sections, self._first, strict=True):
            for number, form in self._synonyms.readings(key, pos):
                k = int(np.searchsorted(relation.heads, number))
                if k < len(relation.heads) and relation.heads[k] == number:
                    for member in relation.members[first[k] : first[k] + relation.sizes[k]]:
                        yield inflected(self._synonyms.vocabulary[member], pos, form)


def fit_judge(spun: list[str], clean: list[str], engine: Restorer, seed: int = 0) -> Fit:
    """Weights of the log odds by logistic regression, on windows of 40 to 1,000 words; those by reading on what words
    alone do not clear.

    spun: clean documents, used as they are and spun; the context model must not have seen them, since it finds seen
    text more coherent. clean: further clean documents rich in rare words.
    """
    random = Random(seed)
    thesaurus = Thesaurus(root() / "thesaurus", engine.model)
    spinners = [SynonymSpinner(thesaurus.synonyms, source, seed) for source in SOURCES]
    alone: list[list[float]] = []
    labels: list[int] = []
    read: list[tuple[float, ...]] = []
    read_labels: list[int] = []
    for n, text in enumerate([*spun, *clean]):
        window = " ".join(text.split(" ")[: random.choice((40, 70, 100, 200, 400, 1000))])
        sides = [(0, window)]
        if n < len(spun):
            sides.append((1, random.choice(spinners).spin(window, random.choice((0.1, 0.15, 0.2, 0.3)))))
        for label, side in sides:
            tokens = tokenize(side)
            if not len(tokens):
                continue
            judged = thesaurus.judge(tokens)
            alone.append([1.0, judged.alone, len(tokens) / 100])
            labels.append(label)
            if judged.alone > gate(len(tokens)):
                blocks = engine.reader.by_synonyms(tokens, thesaurus.source(judged.source), frozenset())
                read.append(features(judged, engine.reader.weigher(FAMILY).of_text(tokens, blocks)))
                read_labels.append(label)
    weights = logistic(np.array(read), np.array(read_labels), untouched=UNTOUCHED)
    weights[0] += log(UNTOUCHED)
    return Fit(logistic(np.array(alone), np.array(labels)), weights)


def fit_own_table(texts: list[str], others: list[str], engine: Restorer, seed: int = 0) -> NDArray[np.float64]:
    """Weights for `judgement.BY_OWN_TABLE`, as `fit_judge` those for `BY_SYNONYMS`; each text is spun by tables of their own.
    Only what words alone do not clear by far is learned from."""
    random = Random(seed)
    thesaurus = Thesaurus(root() / "thesaurus", engine.model)
    rows: list[list[float]] = []
    labels: list[int] = []
    for n, text in enumerate([*texts, *others]):
        window = tokenize(" ".join(text.split(" ")[: random.choice((60, 100, 200, 300, 500))]))
        sides = [(0, window), (0, tokenize(text))]
        if n < len(texts):
            sides += ((1, Spinner(drawn_table(random), n).spin(window).tokens) for _ in range(TABLES))
        for label, tokens in sides:
            strange = thesaurus.judge(tokens).strange
            if strange > own_gate(len(tokens)) + NOT_CLEARED * len(tokens) / 100:
                blocks = engine.reader.by_own_table(tokens, None, frozenset(), known=False)
                rows.append([1.0, *engine.reader.weigher(FAMILY).of_text(tokens, blocks)[:3], strange])
                labels.append(label)
    weights = logistic(np.array(rows), np.array(labels), untouched=UNTOUCHED)
    weights[0] += log(UNTOUCHED)
    return weights


def drawn_table(random: Random) -> Lexicon:
    """A table as someone might have written it: a part of the originals that are listed, as listed; and a part of those
    that tables have in common, each with one replacement."""
    entries: list[Entry] = []
    for group in _by_original("autoblog"):
        if random.random() < STRANGER:
            entries += (entry._replace(measured=False) for entry in group)
    share = random.uniform(*COMMON_SHARES)
    for group in _by_original(FAMILY):
        if random.random() < share:
            entry = random.choices(group, [e.rate for e in group])[0]
            entries.append(entry._replace(rate=random.uniform(0.5, 1.0)))
    return build(entries)


@cache
def _by_original(family: str) -> list[list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in read(root() / family, family):
        groups.setdefault(entry.original, []).append(entry)
    return list(groups.values())


class Fit(NamedTuple):
    """Weights for `judgement.WORDS_ALONE` and `judgement.BY_SYNONYMS`."""

    words_alone: NDArray[np.float64]
    read: NDArray[np.float64]
