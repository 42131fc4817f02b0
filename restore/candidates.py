"""Text to lattice: every original that a stretch of text may stand for.

An arc spans one or more tokens and emits the words that its author may have
written there: the tokens themselves (identity), the originals of a listed
phrase, those of a phrase of which this is an inflected form, or those of a
listed phrase that a misspelt word comes near to (RapidFuzz). Those are for
sentences in which a dense family is at work; the places of sparse families
(`sparse/`) bring their own originals and their own odds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import exp, log
from operator import itemgetter
from typing import Final, NamedTuple

import numpy as np

from restore.buckets import hashes
from restore.context import COMMA, UNSEEN, ContextModel, frequency
from restore.inflection import Form, analyses, inflect
from restore.lexicon import LONGEST, Lexicon, Option
from restore.memo import Memo
from restore.sparse.places import Place
from restore.text import JOINED, PROTECTED_WORD, Tokens, shape
from restore.vectors import Ints

PREFERRED: Final = 5.0  # nats that a user's longer phrase has over what others say of its parts
MAX_OPTIONS: Final = 10  # originals tried for one found phrase
REMEMBERED: Final = 30_000  # phrases whose forms are kept between texts
IDENTITY: Final = "identity"
LISTED: Final = "listed"
INFLECTED: Final = "inflected"
FUZZY: Final = "fuzzy"
TERM: Final = "term"  # of a sparse family; scored by its odds alone
_KIND_COST: Final = {IDENTITY: 0.0, LISTED: 0.0, INFLECTED: -1.0, FUZZY: -3.0}  # log prior of the form
_NEAR: Final = 88.0  # RapidFuzz ratio, of 100


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

    start, end: token indices, half-open. words: what the arc emits, after the mark of a comma where one
    stands before it. weight: log
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

    def sentence_of(self, tokens: Ints) -> Ints:
        """The sentence of each token, shape (tokens,)."""
        return np.searchsorted([begin for begin, _ in self.sentences], tokens, side="right") - 1

    def taken(self, order: list[int]) -> Lattice:
        """Some of the arcs, in another order."""
        take = itemgetter(*order) if len(order) > 1 else lambda column: [column[i] for i in order]
        columns = (self.start, self.end, self.words, self.weight, self.option, self.kind, self.odds)
        return Lattice(self.sentences, *(list(take(column)) for column in columns))


def joined(one: Lattice, other: Lattice, left: bool = True) -> Lattice:
    """Union of the arcs of two lattices over the same sentences. left: whether an identity arc carries the weights
    of both lattices (words left alone speak against both tables) or the first's alone."""
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


class _Word(NamedTuple):
    """A token by itself.

    shape: what it emits as it stands. stay: log probability that it was left alone. listed, derived: what it may stand
    for, as a listed phrase or an inflected form of one. heads: base forms that listed phrases begin with. goes_on:
    whether longer phrases may begin with it.
    """

    shape: tuple[str, ...]
    stay: float
    listed: Originals | None
    derived: Originals | None
    heads: tuple[str, ...]
    goes_on: bool


class Finder:
    """Finds candidates by one lexicon; derived forms are remembered between texts."""

    def __init__(self, lexicon: Lexicon, model: ContextModel):
        self.lexicon = lexicon
        self._model = model
        self._log_stay = {phrase: log(stay) for phrase, stay in lexicon.stay.items()}
        self._listed: dict[str, Originals] = {}
        self._inflected = Memo[str, Originals](REMEMBERED)
        self._words = Memo[str, _Word](REMEMBERED)
        self._near = Memo[str, str | None](REMEMBERED)

    def lattice(
        self,
        tokens: Tokens,
        sentences: Iterable[tuple[int, int]],
        fixed: frozenset[int] = frozenset(),
        places: Sequence[tuple[Place, float]] = (),
        dense: Callable[[tuple[int, int]], bool] = lambda _: True,
        table: float = 1.0,
        context: float = 0.0,
    ) -> Lattice:
        """Lattice over some sentences; tokens in `fixed` keep their identity.

        places: what sparse families claim, with log odds. dense: whether a sentence
        may be a dense family's; in others only `places` bring originals. table: share of
        the lexicon that the spinner's table has. context: weight of the context model in the
        score that the arcs of `places` will have.
        """
        lattice = Lattice(list(sentences))
        text, first = tokens.text, tokens.start
        spun = [s for s in lattice.sentences if dense(s)]
        self._look_up_unknown(
            {tokens.key[i] for begin, end in spun for i in range(begin, end) if text[first[i] : first[i] + 1].islower()}
        )
        self._add_places(lattice, tokens, fixed, places, context)
        for begin, end in lattice.sentences:
            if not dense((begin, end)):
                for i in range(begin, end):
                    word = (*mark_before(tokens, i), shape(tokens.key[i]))
                    lattice.add(i, i + 1, word, 0.0, None, IDENTITY)
                continue
            for i in range(begin, end):
                self._arcs_at(lattice, tokens, i, end, fixed)
            for i, near in self._misspelt(tokens, fixed, begin, end):
                self._near_arcs(lattice, tokens, i, near, begin, end, fixed)
        if self.lexicon.own:
            _prefer(lattice, self.lexicon.own)
        if table < 1:
            _lessen(lattice, tokens.key, table)
        order = sorted(range(len(lattice)), key=lattice.start.__getitem__)
        return lattice if order == list(range(len(order))) else lattice.taken(order)

    def _add_places(
        self,
        lattice: Lattice,
        tokens: Tokens,
        fixed: frozenset[int],
        places: Sequence[tuple[Place, float]],
        context: float,
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
            mark = mark_before(tokens, p.start)
            for option, share in zip(p.options, p.shares, strict=True):
                known = context * float(usual[at] - usual[n])
                lattice.add(p.start, p.end, mark + option.words, 0.0, option, TERM, odds + share - known)
                at += 1

    def _arcs_at(self, lattice: Lattice, tokens: Tokens, i: int, limit: int, fixed: frozenset[int]) -> None:
        """Arcs that start at a token: as it stands, what it may stand for by itself, and what longer phrases may."""
        key = tokens.key[i]
        mark = mark_before(tokens, i)
        word = self._words.get(key) or self._word(key)
        own = mark + word.shape if mark else word.shape
        if key == PROTECTED_WORD or i in fixed:
            lattice.add(i, i + 1, own, 0.0, None, IDENTITY)
            return
        end = i + 1
        if word.goes_on and end < len(tokens.gap) and tokens.gap[end] in JOINED:
            stay, listed, derived = self._longer(tokens, i, limit, fixed, word.heads)
        else:
            stay, listed, derived = 0.0, [], []
        lattice.add(i, end, own, word.stay + stay, None, IDENTITY)
        if word.listed:
            lattice.extend(i, end, mark, word.listed)
        for until, originals in listed:
            lattice.extend(i, until, mark, originals)
        if word.derived:
            lattice.extend(i, end, mark, word.derived)
        for until, originals in derived:
            lattice.extend(i, until, mark, originals)

    def _word(self, key: str) -> _Word:
        """What is known of a token by itself, remembered."""
        options, prefixes = self.lexicon.options, self.lexicon.prefixes
        heads = tuple(base for base, _ in analyses(key) if base in prefixes)
        listed = self._options(key) if key in options else None
        derived = None
        if not listed and (key[-1] == "s" or any(head in options for head in heads)):
            derived = self._inflections(key)
        if key.isdigit():  # a bare figure is never touched
            listed = derived = None
        goes_on = bool(heads) or key in prefixes
        if derived and not derived.words:
            derived = None
        known = self._words[key] = _Word((shape(key),), self._log_stay.get(key, 0.0), listed, derived, heads, goes_on)
        return known

    def _longer(
        self, tokens: Tokens, i: int, limit: int, fixed: frozenset[int], heads: Sequence[str]
    ) -> tuple[float, list[tuple[int, Originals]], list[tuple[int, Originals]]]:
        """Of phrases of several words that start at a token: log probability that those which are originals were left
        alone, and what the listed ones and the inflected forms of listed ones may stand for."""
        keys, gaps, prefixes, options = tokens.key, tokens.gap, self.lexicon.prefixes, self.lexicon.options
        stay = 0.0
        listed: list[tuple[int, Originals]] = []
        derived: list[tuple[int, Originals]] = []
        phrase = keys[i]
        end, last = i + 1, min(len(keys), i + LONGEST)
        matching, inflecting = phrase in prefixes, True
        while end < last and (gap := gaps[end]) in JOINED:
            word = keys[end]
            inflecting = inflecting and end < limit and end not in fixed
            if heads:
                heads = (
                    [h for head in heads if (h := head + gap + word) in prefixes] if end > i + 1 or gap == " " else ()
                )
            phrase += gap + word
            end += 1
            inside = phrase in prefixes
            matching = matching and inside
            if matching:
                stay += self._log_stay.get(phrase, 0.0)
            if matching and phrase in options:
                if end <= limit and not (fixed and any(j in fixed for j in range(i, end))):
                    listed.append((end, self._options(phrase)))
            elif inflecting and (word[-1] == "s" or (heads and any(head in options for head in heads))):
                inflections = self._inflections(phrase)
                if inflections.words:
                    derived.append((end, inflections))
            inflecting = inflecting and (inside or bool(heads))
            if not (matching or inflecting):
                break
        return stay, listed, derived

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

    def _inflections(self, phrase: str) -> Originals:
        known = self._inflected.get(phrase)
        if known is None:
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
        prefixes = self.lexicon.prefixes
        new = self._near.missing(k for k in keys if len(k) > 4 and k.isalpha() and k not in prefixes)
        new = [k for k in new if not any(base in prefixes for base, _ in analyses(k))]  # forms of its words are none
        for key, log_p in zip(new, self._model.unigram(hashes(new)), strict=True):
            self._near[key] = self._nearest(key) if log_p <= UNSEEN and frequency(key) <= UNSEEN else None

    def _nearest(self, key: str) -> str | None:
        from rapidfuzz import fuzz, process

        match = process.extractOne(key, self._words_by_initial.get(key[0], ()), scorer=fuzz.ratio, score_cutoff=_NEAR)
        return match[0] if match else None

    def _is_word(self, word: str) -> bool:
        """Whether the context model has seen a word: not every word takes every form ("warmthing")."""
        return bool(self._model.unigram(hashes([word]))[0] > UNSEEN)

    def _near_arcs(
        self, lattice: Lattice, tokens: Tokens, i: int, near: str, begin: int, end: int, fixed: frozenset[int]
    ) -> None:
        """Arcs of listed phrases that hold a misspelt token, read as the word near to it."""
        read = replace(tokens, key=[*tokens.key[:i], near, *tokens.key[i + 1 :]])
        for first in range(max(begin, i - LONGEST + 1), i + 1):
            for last, phrase in self.lexicon.matches(read, first):
                if i < last <= end and phrase in self.lexicon.options and fixed.isdisjoint(range(first, last)):
                    originals = Originals.of(self._options(phrase).option, FUZZY)
                    lattice.extend(first, last, mark_before(tokens, first), originals)


def _prefer(lattice: Lattice, own: frozenset[str]) -> None:
    """What other families say of the words inside a longer phrase that a user's lexicon lists is less likely."""
    arcs = list(zip(lattice.start, lattice.end, lattice.option, strict=True))
    longer = {(a, b) for a, b, option in arcs if option is not None and option.family in own and b - a > 1}
    for k, (start, end, option) in enumerate(arcs) if longer else ():
        others = option is not None and option.family not in own
        if others and any(a <= start and end <= b for a, b in longer):
            lattice.weight[k] -= PREFERRED


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


def mark_before(tokens: Tokens, i: int) -> tuple[str, ...]:
    """What an arc from a token on emits before its words: the mark of a comma, where one stands there."""
    return (COMMA,) if tokens.gap[i] == "," else ()
