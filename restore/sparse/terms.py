"""Tortured terms: listed phrases, and originals composed word by word.

A paper put through a paraphraser has few wrong phrases among clean prose, but
very wrong ones: "irregular timberland" for random forest. Each stretch of text
that may be one is a `Place`, with its originals and the weight

    weight = log [ sum over originals o of P(o) P(found | o) / P(found) ],

P(found) from the context model. Three sources, in falling order of trust:

- listed phrases of the family;
- compositions: each word stands for itself or for a word that it is known to
  replace, and the whole is a known term (an original of the list, a term of
  `terms*.txt`); P(found | o) is the product of the words' shares;
- around words that are themselves telling ("corrosive", "vitality"):
  compositions that the context model holds for common phrases.

Both are weighed by a judge (`restore.sparse.places`): listed phrases by how
unlikely they are in clean text, what is composed by much that this ratio is part of.

All look-ups are by plain words: hyphens are spaces, the last word may be in the
other number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from math import exp, inf, log
from pathlib import Path
from typing import Final

import numpy as np

from restore.buckets import hashes
from restore.cache import kept
from restore.context import SENTENCE, ContextModel, sequence
from restore.lexicon import source_files
from restore.memo import Memo
from restore.shipped import SYNONYMS, root
from restore.sparse.model import FLOOR, TermModel, counted
from restore.sparse.places import (
    LEAST_RATIO,
    LIKELY,
    RARE_PRIOR,
    Draft,
    Features,
    Judge,
    Place,
    apart,
    changed_words,
)
from restore.sparse.register import Likeness, Register
from restore.sparse.runs import Runs
from restore.sparse.segments import Segments
from restore.sparse.tables import (
    COMPOSED,
    LOG_RATE,
    Known,
    Listed,
    Tables,
    holds,
    in_number,
    read_listed,
    read_tables,
    singular,
    table_files,
    term_key,
)
from restore.sparse.walks import Walks, with_gaps
from restore.surroundings import shared as shared_surroundings
from restore.synonyms import shared
from restore.text import JOINED, Tokens, shape

SURE: Final = 6.0  # weight of a listed phrase for which any text is looked through
UNMET: Final = 3.0  # taken off where the text has nothing that speaks for an entry (`with`)
RULED_OUT: Final = 8.0  # taken off where it lacks what an entry needs (`only`) or has what it must be without
REMEMBERED: Final = 100_000  # phrases whose probability is kept between texts
MAX_COMPOSED: Final = 8  # originals kept for one stretch
NEVER: Final = exp(-5.0)  # share of a change that no table has
REGISTER: Final = "register.txt"
PLACES: Final = "places.json"
# Distinct words of a paper's in a text that reads like one, and their share of it, less what speaks against: one news page
# in two hundred has so many.
PAPER: Final = Likeness(2, 0.03)
LIKE_PAPER: Final = Likeness(1, 0.015)  # the same of one that reads somewhat like a paper: 2% of news pages
LESS_OFTEN: Final = 0.5  # how much seldomer such a one is a tortured paper
TELLING_PHRASES: Final = 2  # different listed phrases by which a text shows itself a paper as well
WORST: Final = -1.0  # places of less weight are not kept
HINT: Final = 0.5  # weight of a place by the tables above which a paper is looked through for what they lack

_SUFFIXES: Final = frozenset(
    "based driven aware free like type level assisted enabled oriented related specific induced dependent".split()
)
_PREFIXES: Final = frozenset(
    "non pre post multi semi anti self co sub inter intra micro nano bio hyper super ultra quasi pseudo low high".split()
)


class Terms:
    """The matcher of one family: `places` of a text."""

    def __init__(
        self,
        folder: Path,
        name: str,
        model: ContextModel,
        barred: frozenset[str] = frozenset(),
        named: bool = True,
        judge: Judge | None = None,
    ):
        """`barred`: found phrases that another lexicon has precedence for. `named`: the caller named the family and means
        any text; otherwise terms are composed only in texts that read at least somewhat like a paper. `judge`: how composed
        places are judged, instead of as the folder says."""
        self._register = Register() if named else Register.load(folder / REGISTER)
        self.name = name
        self.named = named
        self._folder, self._barred = folder, frozenset(map(term_key, barred))
        self._model = model
        self._usual = Memo[str, float](REMEMBERED)
        self._given = judge

    # tables are read when the first text is looked at, which for most pages is never

    @cached_property
    def _list(self) -> Listed:
        files = source_files([], [self._folder])
        listed = kept(f"listed {self.name}", files, lambda: read_listed(self._folder, self.name))
        for phrase in self._barred:
            listed.phrases.pop(phrase, None)
        return listed

    @cached_property
    def _tables(self) -> Tables:
        return kept(f"terms {self.name}", table_files(self._folder), lambda: read_tables(self._folder))

    @cached_property
    def _terms(self) -> TermModel:
        counts = kept(f"pairs {self.name}", table_files(self._folder), lambda: counted(self._tables.terms))
        return TermModel(counts, self._model)

    @cached_property
    def _segments(self) -> Segments:
        return Segments(self._tables)

    @cached_property
    def _walks(self) -> Walks:
        thesaurus = root() / SYNONYMS
        files = [*table_files(self._folder), thesaurus]
        gapped = kept(f"gapped {self.name}", files, lambda: with_gaps(self._tables.terms, shared(thesaurus)))
        inner = {word for before, group in self._terms.pairs.items() if before for word in group}
        return Walks(self._tables, self._segments, inner, gapped, lambda: shared(thesaurus), self._model)

    @cached_property
    def _runs(self) -> Runs:
        return Runs(self.name, self._list, self._tables, self._segments, self._terms, self._model)

    @cached_property
    def _judge(self) -> Judge:
        return self._given or Judge.load(self._folder / PLACES)

    @property
    def capitals(self) -> dict[str, str]:
        """Words of originals that are written with capitals: folded word -> as written."""
        return self._list.capitals

    def _reads(self, tokens: Tokens, least: Likeness) -> bool:
        """Whether a text has the words of a paper: so many, and of such a share."""
        return self._register.likeness(tokens.key).reaches(least)

    def prior(self, tokens: Tokens, places: Sequence[Place]) -> float:
        """Prior probability that the family is at work: lower where a text is little like a paper, unless it has a
        sure listed phrase."""
        listed = any(p.options[0].source != COMPOSED and p.weight >= SURE for p in places)
        if listed or self.named or self._reads(tokens, PAPER):
            return RARE_PRIOR
        return RARE_PRIOR * LESS_OFTEN

    def places(self, tokens: Tokens, spun: bool = False) -> list[Place]:
        """Stretches that may be tortured terms, ordered by first token; they may overlap. If the family was not
        named: a text that neither reads like a paper nor has two listed phrases is searched for listed phrases only;
        in a paper, changes that no table has are looked for only if the tables found something. spun: a dense family
        explains the text; then papers are searched for listed phrases and other texts not at all.
        """
        paper = self.reads_like_paper(tokens)
        if spun and not paper:
            return []
        drafts = self._listed_drafts(tokens)
        if spun and not self.named:  # other words explain the text: none is put together
            return _one_each(self._listed_places(tokens, drafts))
        if not paper:
            sure = [p for p in self._listed_places(tokens, drafts) if p.weight >= SURE]
            if len({" ".join(tokens.key[p.start : p.end]) for p in apart(sure)}) < TELLING_PHRASES:
                return _one_each(sure)
        return _one_each(self._composed_too(tokens, drafts))

    def _is_barred(self, p: Place, tokens: Tokens) -> bool:
        """Whether another lexicon has precedence for what is found at a place."""
        return bool(self._barred) and term_key(" ".join(tokens.key[p.start : p.end])) in self._barred

    def _listed_places(self, tokens: Tokens, drafts: list[Draft]) -> list[Place]:
        """Places of listed phrases alone."""
        return [p for p in self._weighed(tokens, drafts) if _whole(p, tokens)] if drafts else []

    def _composed_too(self, tokens: Tokens, drafts: list[Draft]) -> list[Place]:
        """Listed and composed places; unless the family was named, changes that no table has are looked for only where
        the tables show something."""
        doubtful = [(d.start, d.end) for d in drafts if d.met is not None and d.met <= -RULED_OUT]
        known = self._by_tables(tokens, drafts)
        places = self._judged(tokens, known, doubtful)
        if not self.named:
            hint = HINT + log(RARE_PRIOR / self.prior(tokens, places))
            if not any(p.weight > hint and not _within(p, doubtful) for p in places):
                return places
        return [*places, *self._judged(tokens, self._beyond(tokens, drafts, known), doubtful)]

    def composed(self, tokens: Tokens) -> list[Place]:
        """Composed places; their weight here is the log-likelihood ratio."""
        drafts = self._listed_drafts(tokens)
        known = self._by_tables(tokens, drafts)
        places = [p for p in [*known, *self._beyond(tokens, drafts, known)] if p.options[0].source == COMPOSED]
        return [self._chosen(p, tokens) for p in places if _whole(p, tokens)]

    def listed(self, tokens: Tokens) -> list[tuple[Draft, float]]:
        """Stretches with listed phrases whose conditions do not rule them out, and the log probability of each in clean
        text."""
        drafts = [d for d in self._listed_drafts(tokens) if d.met is not None and d.met > -RULED_OUT]
        return list(zip(drafts, self._plain([_words(d, tokens) for d in drafts]), strict=True))

    def reads_like_paper(self, tokens: Tokens) -> bool:
        """Whether a text reads at least somewhat like a paper, so that terms are composed in it by default."""
        return self.named or self._reads(tokens, LIKE_PAPER)

    def _by_tables(self, tokens: Tokens, drafts: list[Draft]) -> list[Place]:
        """Listed places, and compositions of changes that tables have."""
        return self._weighed(tokens, [*drafts, *self._walks.drafts(tokens)])

    def _beyond(self, tokens: Tokens, drafts: list[Draft], known: list[Place]) -> list[Place]:
        """Compositions with an unknown word, or of no known term."""
        swapped = self._tables.openings
        starts = [i for i, key in enumerate(tokens.key) if key in swapped]
        gapped = self._weighed(tokens, list(self._walks.drafts_with_gap(tokens)))
        places = [*known, *gapped]
        terms = [p for p in places if p.options[0].source == COMPOSED]
        return [*gapped, *(_no_more(p, terms) for p in self._runs.places(tokens, starts, places, drafts))]

    def _judged(self, tokens: Tokens, places: list[Place], doubtful: Sequence[tuple[int, int]]) -> list[Place]:
        """The places that are kept, composed ones with the weight that the judge gives them. doubtful: stretches of
        listed phrases that their conditions rule out."""
        whole = [p for p in places if _whole(p, tokens) and not self._is_barred(p, tokens)]
        composed = [self._chosen(p, tokens) for p in whole if p.options[0].source == COMPOSED]
        composed = [p for p in composed if not _spelt_otherwise(p, tokens)]
        judged = [p for p in whole if p.options[0].source != COMPOSED]
        for p, features in zip(composed, self.features(tokens, composed), strict=True):
            weight = self._judge.weight(features)
            if _within(p, doubtful):
                weight -= RULED_OUT
            if weight > WORST:
                judged.append(p._replace(weight=weight))
        return judged

    def _chosen(self, p: Place, tokens: Tokens) -> Place:
        """A composed place with its originals weighed."""
        return self._judge.chosen(p, tokens.key[p.start : p.end])

    def _listed_drafts(self, tokens: Tokens) -> list[Draft]:
        seconds, keys = self._list.seconds, tokens.key
        drafts: list[Draft] = []
        for i in [i for i, key in enumerate(keys) if key in seconds]:
            second = seconds[keys[i]]
            if (i + 1 < len(keys) and keys[i + 1] in second) or "" in second:
                drafts += self._listed(tokens, i)
        return drafts

    def features(self, tokens: Tokens, places: list[Place]) -> list[Features]:
        """What composed places of a text are judged by."""
        keys = tokens.key
        found = self._model.phrases([[shape(k) for k in keys[p.start : p.end]] for p in places]).tolist()
        original = self._model.phrases([list(p.options[0].words) for p in places]).tolist()
        around = self._around(tokens, places) if places else []
        return [self._features(p, tokens, x, y, *z) for p, x, y, z in zip(places, found, original, around, strict=True)]

    def _around(self, tokens: Tokens, places: Sequence[Place]) -> list[tuple[list[float], list[float]]]:
        """Traits (`surroundings.TRAITS`) of the found phrase and of the original of each place, in the text as found."""
        words, starts = sequence(tokens)
        number = {start: k for k, start in enumerate(starts)}  # of the word where a mark begins at the same place
        begin = np.array([number[tokens.start[p.start]] for p in places])
        end = np.array([number[tokens.start[p.end - 1]] + 1 for p in places])
        said = [
            phrase for p in places for phrase in (tuple(map(shape, tokens.key[p.start : p.end])), p.options[0].words)
        ]
        traits = shared_surroundings().traits(words, begin, end, said, np.arange(len(said)) // 2).tolist()
        return list(zip(traits[::2], traits[1::2], strict=True))

    def _features(
        self, p: Place, tokens: Tokens, found: float, original: float, found_here: list[float], here: list[float]
    ) -> Features:
        """What a composed place is judged by; log probabilities of the found phrase and the original as such, and
        traits of both where they stand, are given."""
        words = self._tables.words
        shares = (words.get(x, {}).get(y, NEVER) for x, y in p.changes)
        written = tokens.text[tokens.start[p.start] + 1 : tokens.end[p.end - 1]]
        return Features(
            ratio=p.weight,
            channel=sum(map(log, shares)),
            found=found,
            original=original,
            term=self._tables.term_weight(p.options[0].original) - LOG_RATE,
            margin=p.shares[0],
            changes=float(len(p.changes)),
            capitals=float(any(c.isupper() for c in written)),
            known=float(self._tables.is_term(tokens.key[p.start : p.end])),
            unknown=float(p.unknown),
            loose=float(p.loose),
            kin=max((self._walks.kinship(x, y) for x, y in p.changes if y not in words.get(x, {})), default=0.0)
            if p.unknown
            else 0.0,
            found_fits=found_here[-1],
            found_likely=max(found_here[-1] - LIKELY, 0.0),
            original_fits=here[-1],
            before=here[0] - found_here[0],
            after=here[1] - found_here[1],
            topic=here[2] - found_here[2],
            topical=abs(here[2] - found_here[2]),
        )

    # listed phrases

    def _listed(self, tokens: Tokens, i: int) -> Iterator[Draft]:
        keys, gaps, prefixes = tokens.key, tokens.gap, self._list.prefixes
        phrase, end = keys[i], i + 1
        while True:
            known, form = self._entry(phrase, keys[end - 1])
            if known:
                options: dict[str, tuple[float, str]] = {}
                best = -inf
                for e in known:
                    original = in_number(e.original, form)
                    met = self._met(e.condition, tokens)
                    joint = log(e.rate) + met + self._tables.term_weight(original)
                    if original not in options or joint > options[original][0]:
                        options[original] = (joint, e.source)
                    best = max(best, met)
                yield Draft(i, end, options, best)
            if end >= len(keys) or gaps[end] not in JOINED or phrase not in prefixes:
                return
            phrase += " " + keys[end]
            end += 1

    def _entry(self, phrase: str, last: str) -> tuple[list[Known] | None, str]:
        """Entries of a phrase, or of it with the last word in the other number, and the number that it is in here."""
        listed = self._list.phrases
        known = listed.get(phrase)
        if known or " " not in phrase:
            return known, ""
        one = singular(last)
        if one and (known := listed.get(phrase[: -len(last)] + one)):
            return known, "s"
        return (known, "1") if (known := listed.get(phrase + "s")) else (None, "")

    def _met(self, condition: str, tokens: Tokens) -> float:
        """What an entry's condition adds to its weight in this text."""
        total = 0.0
        for part in condition.split("; ") if condition else ():
            kind, _, phrases = part.partition(":")
            held = any(holds(tokens.text, p) for p in phrases.split("|"))
            if kind == "with":
                total -= 0.0 if held else UNMET
            elif held == (kind == "without"):
                total -= RULED_OUT
        return total

    # weights

    def _weighed(self, tokens: Tokens, drafts: list[Draft]) -> list[Place]:
        """Drafts that weigh enough, as places."""
        phrases = [_words(d, tokens) for d in drafts]
        usual = self._plain(phrases)
        places = (self._place(d, " ".join(p), u, tokens) for d, p, u in zip(drafts, phrases, usual, strict=True))
        return [place for place in places if place]

    def _plain(self, phrases: Sequence[Sequence[str]]) -> list[float]:
        """Log probability of each phrase in clean text, remembered."""
        joined = [" ".join(words) for words in phrases]
        new = self._usual.missing(joined)
        self._usual.update(zip(new, self._probability([phrase.split(" ") for phrase in new]), strict=True))
        return [self._usual[phrase] for phrase in joined]

    def _place(self, d: Draft, phrase: str, usual: float, tokens: Tokens) -> Place | None:
        """A draft with its weight and its likeliest originals; None where it weighs too little."""
        best = sorted(d.options.items(), key=lambda kv: -kv[1][0])[:MAX_COMPOSED]
        top = best[0][1][0]
        total = top + log(sum(exp(v - top) for _, (v, _) in best))
        weight = total - usual
        if d.met is None:
            if weight < LEAST_RATIO or d.end - d.start == 1 or phrase in self._tables.ordinary:
                return None
        elif (weight := self._judge.listed.weight(usual, d.met)) < WORST:
            return None
        gaps = tokens.gap[d.start + 1 : d.end]
        options = tuple(self._list.option(o, gaps, exp(v - top), self.name, source) for o, (v, source) in best)
        changes = frozenset(changed_words(tokens.key[d.start : d.end], options[0].words))
        return Place(d.start, d.end, weight, options, tuple(v - total for _, (v, _) in best), changes, d.unknown)

    def _probability(self, phrases: list[list[str]]) -> list[float]:
        """Log probability of phrases as their author's own: by the context model, or as terms that nobody listed."""
        if not phrases:
            return []
        usual = self._model.phrases(phrases).tolist()
        pairs = list({pair for words in phrases for pair in pairwise(words)})
        table = self._terms.logs(pairs)
        first = hashes(words[0] for words in phrases)
        alone = self._model.unigram(first).tolist()
        out = []
        for p, words, own in zip(usual, phrases, alone, strict=True):
            mixed = self._terms.mixed(SENTENCE, words[0], own) + sum(table[pair] for pair in pairwise(words))
            out.append(max(p, mixed, FLOOR * len(words)))
        return out


def _words(d: Draft, tokens: Tokens) -> list[str]:
    """The words found, as the context model reads them."""
    return [shape(k) for k in tokens.key[d.start : d.end]]


def _no_more(p: Place, known: list[Place]) -> Place:
    """A place with its weight capped at that of any known term that contains it and restores the same words; the
    term's weight rests on the whole phrase."""
    weight = p.weight
    for term in known:
        if term.start <= p.start and p.end <= term.end:
            words = term.options[0].words
            at = p.start - term.start
            if len(words) == term.end - term.start and words[at : at + p.end - p.start] == p.options[0].words:
                weight = min(weight, term.weight)
    return p if weight == p.weight else p._replace(weight=weight)


def _within(p: Place, stretches: Sequence[tuple[int, int]]) -> bool:
    """Whether a place lies within one of some stretches."""
    return any(start <= p.start and p.end <= end for start, end in stretches)


def _whole(p: Place, tokens: Tokens) -> bool:
    """Whether a stretch is no part of a hyphenated word ("set" of "set-up"; but "forest-based" has its own suffix)."""
    keys, gaps = tokens.key, tokens.gap
    if p.end < len(keys) and gaps[p.end] == "-" and keys[p.end] not in _SUFFIXES:
        return False
    return not (p.start and gaps[p.start] == "-") or keys[p.start - 1] in _PREFIXES


def _spelt_otherwise(p: Place, tokens: Tokens) -> bool:
    """Whether the original is the found phrase but for blanks ("data base")."""
    return "".join(tokens.key[p.start : p.end]) == "".join(p.options[0].words)


def _one_each(places: list[Place]) -> list[Place]:
    """One place for each stretch: the listed one where it holds, else the weightiest."""
    best: dict[tuple[int, int], Place] = {}
    for p in places:
        known = best.get((p.start, p.end))
        if known is None or _rank(p) > _rank(known):
            best[p.start, p.end] = p if known is None else p._replace(weight=max(p.weight, known.weight))
    return [best[k] for k in sorted(best)]


def _rank(p: Place) -> tuple[bool, float]:
    return p.options[0].source != COMPOSED and p.weight > 0, p.weight
