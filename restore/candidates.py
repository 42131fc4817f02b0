"""Text to lattice: every original that a stretch of text may stand for.

An arc spans one or more tokens and emits the words that its author may have
written there: the tokens themselves (identity), the originals of a listed
phrase, those of a phrase of which this is an inflected form, or those of a
listed phrase that a misspelt word comes near to (RapidFuzz). Those are for
sentences in which a dense family is at work; the places of sparse families
(`terms.py`) bring their own originals and their own odds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import exp, log
from typing import Final

from restore.context import UNSEEN, ContextModel, frequency, hashes
from restore.inflection import Form, analyses, inflect
from restore.lexicon import LONGEST, Lexicon, Option
from restore.places import Place
from restore.text import PROTECTED_WORD, Tokens, shape

CONTEXT: Final = 0.4  # weight of the context model in the decoder's score
MAX_OPTIONS: Final = 10  # originals tried for one found phrase
REMEMBERED: Final = 30_000  # phrases whose forms are kept between texts
IDENTITY: Final = "identity"
LISTED: Final = "listed"
INFLECTED: Final = "inflected"
FUZZY: Final = "fuzzy"
TERM: Final = "term"  # of a sparse family; scored by its odds alone
_KIND_COST: Final = {IDENTITY: 0.0, LISTED: 0.0, INFLECTED: -1.0, FUZZY: -3.0}  # log prior of the form
_NEAR: Final = 88.0  # RapidFuzz ratio, of 100
_JOINERS: Final = frozenset((" ", "-", ""))


@dataclass(frozen=True, slots=True)
class Originals:
    """What one phrase may stand for, all found in one way; parallel lists, as in the lattice."""

    words: list[tuple[str, ...]]
    weight: list[float]
    option: list[Option]
    kind: str

    @classmethod
    def of(cls, options: Sequence[Option], kind: str) -> Originals:
        weights = [log(option.rate) + _KIND_COST[kind] for option in options]
        return cls([option.words for option in options], weights, list(options), kind)


_NONE: Final = Originals([], [], [], INFLECTED)


@dataclass(slots=True)
class Lattice:
    """Arcs as parallel lists, in order of their first token.

    start, end: token indices, half-open. words: what the arc emits. weight: log
    P(found | original). option: the lexicon entry behind it, None for identity.
    sentences: token ranges that are decoded on their own. odds: for arcs of
    sparse families the log odds against identity, zero for others.
    """

    sentences: list[tuple[int, int]]
    start: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    words: list[tuple[str, ...]] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    option: list[Option | None] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    odds: list[float] = field(default_factory=list)

    def add(
        self,
        start: int,
        end: int,
        words: tuple[str, ...],
        weight: float,
        option: Option | None,
        kind: str,
        odds: float = 0.0,
    ) -> None:
        self.start.append(start)
        self.end.append(end)
        self.words.append(words)
        self.weight.append(weight)
        self.option.append(option)
        self.kind.append(kind)
        self.odds.append(odds)

    def extend(self, start: int, end: int, mark: tuple[str, ...], found: Originals) -> None:
        """Arcs of one stretch; `mark` stands before the words of each."""
        many = len(found.words)
        self.start += [start] * many
        self.end += [end] * many
        self.words += [mark + words for words in found.words] if mark else found.words
        self.weight += found.weight
        self.option += found.option
        self.kind += [found.kind] * many
        self.odds += [0.0] * many

    def __len__(self) -> int:
        return len(self.start)

    def taken(self, order: list[int]) -> Lattice:
        """Some of the arcs, in another order."""
        lattice = Lattice(self.sentences)
        for i in order:
            lattice.add(
                self.start[i], self.end[i], self.words[i], self.weight[i], self.option[i], self.kind[i], self.odds[i]
            )
        return lattice


def joined(one: Lattice, other: Lattice, left: bool = True) -> Lattice:
    """The arcs of two lattices over the same sentences. left: whether words that
    are left alone speak against both, or against the first alone."""
    known = set(zip(one.start, one.end, one.words, strict=True))
    stays = {
        start: w for start, w, o in zip(other.start, other.weight, other.option, strict=True) if o is None and left
    }
    both = Lattice(one.sentences)
    for k, (start, option) in enumerate(zip(one.start, one.option, strict=True)):
        weight = one.weight[k] + (stays.get(start, 0.0) if option is None else 0.0)
        both.add(start, one.end[k], one.words[k], weight, option, one.kind[k], one.odds[k])
    for k, (start, option) in enumerate(zip(other.start, other.option, strict=True)):
        if option is not None and (start, other.end[k], other.words[k]) not in known:
            both.add(start, other.end[k], other.words[k], other.weight[k], option, other.kind[k], other.odds[k])
    return both.taken(sorted(range(len(both)), key=both.start.__getitem__))


class Finder:
    """Finds candidates by one lexicon; derived forms are remembered between texts."""

    def __init__(self, lexicon: Lexicon, model: ContextModel):
        self.lexicon = lexicon
        self._model = model
        self._log_stay = {phrase: log(stay) for phrase, stay in lexicon.stay.items()}
        self._listed: dict[str, Originals] = {}
        self._inflected: dict[str, Originals] = {}
        self._verbs: dict[str, tuple[str, ...]] = {}
        self._near: dict[str, str | None] = {}

    def lattice(
        self,
        tokens: Tokens,
        sentences: Iterable[tuple[int, int]],
        fixed: frozenset[int] = frozenset(),
        places: Sequence[tuple[Place, float]] = (),
        dense: Callable[[tuple[int, int]], bool] = lambda _: True,
        table: float = 1.0,
    ) -> Lattice:
        """Lattice over some sentences; tokens in `fixed` keep their identity.

        places: what sparse families claim, with log odds. dense: whether a sentence
        may be a dense family's; in others only `places` bring originals. table: share of
        the lexicon that the spinner's table has.
        """
        lattice = Lattice(list(sentences))
        text, first = tokens.text, tokens.start
        spun = [s for s in lattice.sentences if dense(s)]
        self._look_up_unknown(
            {tokens.key[i] for begin, end in spun for i in range(begin, end) if text[first[i] : first[i] + 1].islower()}
        )
        self._add_places(lattice, tokens, fixed, places)
        for begin, end in lattice.sentences:
            if not dense((begin, end)):
                for i in range(begin, end):
                    lattice.add(i, i + 1, _own(tokens, i), 0.0, None, IDENTITY)
                continue
            for i in range(begin, end):
                self._arcs_at(lattice, tokens, i, end, fixed)
            for i, near in self._misspelt(tokens, fixed, begin, end):
                self._near_arcs(lattice, tokens, i, near, begin, end)
        if table < 1:
            _lessen(lattice, tokens.key, table)
        order = sorted(range(len(lattice)), key=lattice.start.__getitem__)
        return lattice if order == list(range(len(order))) else lattice.taken(order)

    def _add_places(
        self, lattice: Lattice, tokens: Tokens, fixed: frozenset[int], places: Sequence[tuple[Place, float]]
    ) -> None:
        """Arcs of sparse families. The odds weigh the found phrase already; the context model, which will weigh
        both sides once more, is left only what it knows of their surroundings."""
        bounds = list(lattice.sentences)
        claimed = [
            (p, odds)
            for p, odds in places
            if any(b <= p.start and p.end <= e for b, e in bounds)
            and not any(i in fixed for i in range(p.start, p.end))
        ]
        if not claimed:
            return
        found = [[shape(k) for k in tokens.key[p.start : p.end]] for p, _ in claimed]
        usual = self._model.phrases(found + [list(o.words) for p, _ in claimed for o in p.options]).astype(float)
        at = len(claimed)
        for n, (p, odds) in enumerate(claimed):
            mark = (",",) if tokens.gap[p.start] == "," else ()
            for option, share in zip(p.options, p.shares, strict=True):
                known = CONTEXT * float(usual[at] - usual[n])
                lattice.add(p.start, p.end, mark + option.words, 0.0, option, TERM, odds + share - known)
                at += 1

    def _arcs_at(self, lattice: Lattice, tokens: Tokens, i: int, limit: int, fixed: frozenset[int]) -> None:
        key, own = tokens.key[i], _own(tokens, i)
        mark = own[:-1]
        if key == PROTECTED_WORD or i in fixed:
            lattice.add(i, i + 1, own, 0.0, None, IDENTITY)
            return
        stay = 0.0
        found: list[tuple[int, Originals]] = []
        for end, phrase in self.lexicon.matches(tokens, i):
            stay += self._log_stay.get(phrase, 0.0)
            if phrase in self.lexicon.options and not (fixed and any(j in fixed for j in range(i, end))):
                found.append((end, self._options(phrase)))
        found += self._derived(tokens, i, limit, fixed, {end for end, _ in found})
        lattice.add(i, i + 1, own, stay, None, IDENTITY)
        for end, originals in found:
            if end <= limit and (end > i + 1 or not key.isdigit()):  # a bare figure is never touched
                lattice.extend(i, end, mark, originals)

    @cached_property
    def _words_by_initial(self) -> dict[str, list[str]]:
        """Words of five letters and more in listed phrases, by first letter."""
        table: dict[str, list[str]] = {}
        for word in sorted({w for phrase in self.lexicon.options for w in phrase.split() if len(w) > 4}):
            table.setdefault(word[0], []).append(word)
        return table

    def _options(self, phrase: str) -> Originals:
        """The likeliest originals of a listed phrase, by P(found | original) P(original)."""
        known = self._listed.get(phrase)
        if known is None:
            options = self.lexicon.options[phrase]
            if len(options) > MAX_OPTIONS:
                usual = self._model.phrases([list(o.words) for o in options])
                order = sorted(range(len(options)), key=lambda k: -(log(options[k].rate) + float(usual[k])))
                options = [options[k] for k in order[:MAX_OPTIONS]]
            known = self._listed[phrase] = Originals.of(options, LISTED)
        return known

    def _derived(
        self, tokens: Tokens, i: int, limit: int, fixed: frozenset[int], listed_ends: set[int]
    ) -> Iterator[tuple[int, Originals]]:
        """Options for the inflected forms of listed phrases that start at a token."""
        keys, gaps, prefixes, options = tokens.key, tokens.gap, self.lexicon.prefixes, self.lexicon.options
        phrase = keys[i]
        heads = self._verb_heads(phrase)  # the phrase with its first word in the forms that listed phrases begin with
        end = i + 1
        while True:
            if end not in listed_ends and (keys[end - 1][-1] == "s" or any(head in options for head in heads)):
                inflections = self._inflections(phrase)
                if inflections.words:
                    yield end, inflections
            if end >= limit or end - i >= LONGEST or gaps[end] not in _JOINERS or end in fixed:
                return
            if not heads and phrase not in prefixes:
                return
            more = gaps[end] + keys[end]
            heads = (
                [h for h in (head + more for head in heads) if h in prefixes]
                if phrase != keys[i] or more[0] == " "
                else ()
            )
            phrase += more
            end += 1

    def _verb_heads(self, key: str) -> Sequence[str]:
        """Base forms of a word that listed phrases begin with."""
        known = self._verbs.get(key)
        if known is None:
            if len(self._verbs) > REMEMBERED:
                self._verbs.clear()
            known = self._verbs[key] = tuple(base for base, _ in analyses(key) if base in self.lexicon.prefixes)
        return known

    def _inflections(self, phrase: str) -> Originals:
        known = self._inflected.get(phrase)
        if known is None:
            if len(self._inflected) > REMEMBERED:
                self._inflected.clear()
            options = list(self._make_inflections(phrase))[:MAX_OPTIONS]
            known = self._inflected[phrase] = Originals.of(options, INFLECTED) if options else _NONE
        return known

    def _make_inflections(self, phrase: str) -> Iterator[Option]:
        """The last word in the plural, or the first word a verb in another form."""
        options = self.lexicon.options
        first, _, rest = phrase.partition(" ")
        seen: set[str] = set()
        pairs: list[tuple[str, Form, int]]
        if rest:
            head, _, last = phrase.rpartition(" ")
            pairs = [(f"{head} {base}", form, -1) for base, form in analyses(last) if form == "s"]
            pairs += [(f"{base} {rest}", form, 0) for base, form in analyses(first)]
        else:
            pairs = [(base, form, -1) for base, form in analyses(first)]
        for listed, form, place in pairs:
            for option in options.get(listed, ()):
                words = list(option.words)
                words[place] = inflect(words[place], form)
                original = " ".join(words)
                if original != phrase and original not in seen and self._is_word(words[place]):
                    seen.add(original)
                    yield option._replace(original=original, words=tuple(words))

    def _misspelt(self, tokens: Tokens, fixed: frozenset[int], begin: int, end: int) -> Iterator[tuple[int, str]]:
        """Lower-case tokens that are no words, each with the lexicon's word that it comes near to."""
        for i in range(begin, end):
            near = self._near.get(tokens.key[i])
            if near and i not in fixed and tokens.text[tokens.start[i]].islower():
                yield i, near

    def _look_up_unknown(self, keys: Iterable[str]) -> None:
        """Remember for each new key whether it is a word, and if not which word of the lexicon is nearest."""
        if len(self._near) > REMEMBERED:
            self._near.clear()
        new = [k for k in keys if k not in self._near and len(k) > 4 and k.isalpha() and k not in self.lexicon.prefixes]
        for key, log_p in zip(new, self._model.unigram(hashes(new)), strict=True):
            self._near[key] = self._nearest(key) if log_p <= UNSEEN and frequency(key) <= UNSEEN else None

    def _nearest(self, key: str) -> str | None:
        from rapidfuzz import fuzz, process

        match = process.extractOne(key, self._words_by_initial.get(key[0], ()), scorer=fuzz.ratio, score_cutoff=_NEAR)
        return match[0] if match else None

    def _is_word(self, word: str) -> bool:
        """Whether the context model has seen a word: not every word takes every form ("warmthing")."""
        return bool(self._model.unigram(hashes([word]))[0] > UNSEEN)

    def _near_arcs(self, lattice: Lattice, tokens: Tokens, i: int, near: str, begin: int, end: int) -> None:
        """Arcs of listed phrases that hold the misspelt token, read as the word near to it."""
        key, tokens.key[i] = tokens.key[i], near
        try:
            for first in range(max(begin, i - LONGEST + 1), i + 1):
                mark = (",",) if tokens.gap[first] == "," else ()
                for last, phrase in self.lexicon.matches(tokens, first):
                    if last <= i or last > end:
                        continue
                    if phrase in self.lexicon.options:
                        options = self._options(phrase).option
                        lattice.extend(first, last, mark, Originals.of(options, FUZZY))
        finally:
            tokens.key[i] = key


def _lessen(lattice: Lattice, keys: Sequence[str], table: float) -> None:
    """Weights for a spinner that has a listed phrase in its table with probability `table`.

    A word that it left alone before is not in its table: the k-th place of one, left alone by who has it with
    probability s, weighs log [(1 - table + table s^k) / (1 - table + table s^(k-1))].
    """
    before: dict[tuple[str, float], float] = {}
    for k, (weight, option, kind) in enumerate(zip(lattice.weight, lattice.option, lattice.kind, strict=True)):
        if option is None and weight:
            word = keys[lattice.start[k]], weight
            left = before.get(word, 1.0)
            more = before[word] = left * exp(weight)
            lattice.weight[k] = log((1 - table + table * more) / (1 - table + table * left))
        elif option is not None and kind != TERM:
            lattice.weight[k] = weight + log(table)


def _own(tokens: Tokens, i: int) -> tuple[str, ...]:
    """What a token emits as it stands: its word, after a comma where one stands before it."""
    word = shape(tokens.key[i])
    return (",", word) if tokens.gap[i] == "," else (word,)
