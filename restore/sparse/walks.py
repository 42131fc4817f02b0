"""Compositions that are known terms: walks over runs of words and a trie of terms at once.

Each word or segment stands for itself or for an original that it is known to
replace, and the whole is a known term. One word may be unknown: "principal ingredient
examination" is principal component analysis though no table has component -> ingredient.
Its share is that of the changes that tables lack: by a thesaurus, where this
relates the two, P(found | original) = UNKNOWN / number of words related to found;
else UNKNOWN P(found), in terms of three words and more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from math import log
from typing import Any, Final, NamedTuple

from restore.buckets import hashes
from restore.context import ContextModel
from restore.inflection import inflect
from restore.memo import Memo
from restore.sparse.model import FLOOR, SMALL
from restore.sparse.places import Draft
from restore.sparse.segments import Segments
from restore.sparse.tables import COMPOSED, LOG_RATE, Tables, in_number, singular
from restore.synonyms import Synonyms
from restore.text import JOINED, PROTECTED_WORD, Tokens, shape

LONGEST_RUN: Final = 5  # tokens of a composition
UNKNOWN: Final = log(0.2)  # of a paraphraser's changes of a word, those that tables lack
LEAST_UNRELATED: Final = 3  # words of a term of which one may be unknown that no thesaurus relates to what was found
REMEMBERED: Final = 100_000  # segments whose readings are kept between texts
GAP: Final = "*"  # stands for the unknown word in a trie

Trie = dict[str, Any]  # words; the key "" holds a term's log weight


class _Reading(NamedTuple):
    """What a segment may stand for: words, log share, whether in the plural, whether it says anything else."""

    words: tuple[str, ...]
    share: float
    plural: bool
    changed: bool


class _Path(NamedTuple):
    """A walk so far: what the tokens were read as, its log share, whether the last word is in the plural, whether any
    was changed, and the token that stands for the unknown word (-1 if none; GAP is among the words then)."""

    words: tuple[str, ...] = ()
    share: float = 0.0
    plural: bool = False
    changed: bool = False
    gap: int = -1


class _Run(NamedTuple):
    """A walk's tokens from `first` on, those among them that may be the unknown word, and what it found: end ->
    original -> joint log probability and source."""

    tokens: Tokens
    first: int
    unknown: frozenset[int]
    found: dict[int, dict[str, tuple[float, str]]]

    def goes_on(self, at: int) -> bool:
        """Whether a composition may have a token."""
        if at >= len(self.tokens.key) or at - self.first >= LONGEST_RUN:
            return False
        return at == self.first or self.tokens.gap[at] in JOINED


class Gapped(NamedTuple):
    """Terms with one word left out.

    terms: a trie as of terms, the key `GAP` for the word left out; the key "" holds the words that it may be with
    their terms' log weights. forms: these words by the numbers of the thesaurus's words that they may be forms of.
    """

    terms: Trie
    forms: dict[int, list[str]]


class Walks:
    """Finds the compositions of one family that are known terms."""

    def __init__(
        self,
        tables: Tables,
        segments: Segments,
        inner: Iterable[str],
        gapped: Gapped,
        synonyms: Callable[[], Synonyms],
        model: ContextModel,
    ):
        """inner: words that come second or later in terms. synonyms: reads the thesaurus, once it is needed."""
        self._tables, self._segments, self._inner = tables, segments, frozenset(inner)
        self._gapped, self._read, self._model = gapped, synonyms, model
        self._follow = Memo[tuple[str, bool], frozenset[str]](REMEMBERED)
        self._readings = Memo[str, dict[str, list[_Reading]]](REMEMBERED)
        self._usual = Memo[str, float](REMEMBERED)
        self._kin = Memo[str, frozenset[str]](REMEMBERED // 10)

    @cached_property
    def _synonyms(self) -> Synonyms:
        return self._read()

    def drafts(self, tokens: Tokens) -> Iterator[Draft]:
        """Known terms that runs of words may stand for, at least one of the words replaced."""
        return self._drafts(tokens, self._starts(tokens), self._tables.terms, frozenset())

    def drafts_with_gap(self, tokens: Tokens) -> Iterator[Draft]:
        """Drafts of terms in which one word is unknown; that word must stand beside one that the context model has
        never seen it with."""
        odd = self._odd(tokens)
        beside = (i for i, key in enumerate(tokens.key) if (odd[i] or odd[i - 1]) and _may_be_unknown(key))
        return self._drafts(tokens, self._gapped_starts(tokens, odd), self._gapped.terms, frozenset(beside))

    def _drafts(self, tokens: Tokens, starts: Iterable[int], terms: Trie, unknown: frozenset[int]) -> Iterator[Draft]:
        for i in starts:
            run = _Run(tokens, i, unknown, {})
            self._walk(run, i, terms, _Path())
            for end, options in run.found.items():
                yield Draft(i, end, options, None, unknown=int(bool(unknown)))

    @cached_property
    def _edges(self) -> tuple[set[str], set[str]]:
        """Words with which a run that stands for a term may begin, and with which it may go on."""
        first, inner = set(self._tables.terms), self._inner
        begin, further = set(first), set(inner)
        for found, originals in self._tables.words.items():
            head, _, rest = found.partition(" ")
            starts = {original.partition(" ")[0] for original in originals}
            if not first.isdisjoint(starts):
                begin.add(head)
                further.add(rest.partition(" ")[0])
            if not inner.isdisjoint(starts):
                further.add(head)
        return begin | {w + "s" for w in begin}, (further | {w + "s" for w in further}) - {""}

    def _starts(self, tokens: Tokens) -> Iterator[int]:
        """Tokens where a term may begin with a reading of the token and go on with a reading of the next."""
        keys, gaps, longer = tokens.key, tokens.gap, self._tables.longer
        last = len(keys) - 1
        begin, further = self._edges
        for i in [i for i, (x, y) in enumerate(pairwise(keys)) if x in begin and y in further]:
            key, after = keys[i], keys[i + 1]
            if key in SMALL or gaps[i + 1] not in JOINED:
                continue
            if (
                not self._ahead(key, gapped=False).isdisjoint(self._reading(after))
                or (key in longer and after in longer[key])
                or (after in longer and i + 2 <= last and keys[i + 2] in longer[after])
            ):
                yield i

    def _gapped_starts(self, tokens: Tokens, odd: Sequence[bool]) -> Iterator[int]:
        """Tokens where a term with an unknown word may begin: it and the next have readings that go on so, and there
        are neighbours there that the context model has never seen together."""
        keys, gaps = tokens.key, tokens.gap
        begin, further = self._edges
        fits = [x in begin or x in further for x in keys]
        for i in range(len(keys) - 1):
            if not (odd[i] or odd[i + 1]) or not (fits[i] or fits[i + 1]):
                continue
            if keys[i] in SMALL or gaps[i + 1] not in JOINED:
                continue
            ahead, second = self._ahead(keys[i], gapped=True), self._reading(keys[i + 1])
            if (
                not ahead.isdisjoint(second)
                or (GAP in ahead and _may_be_unknown(keys[i + 1]))
                or (_may_be_unknown(keys[i]) and not self._gapped.terms[GAP].keys().isdisjoint(second))
            ):
                yield i

    def _odd(self, tokens: Tokens) -> list[bool]:
        """For each token, whether a term may go on to the next one and the context model has never seen that pair."""
        key = hashes(map(shape, tokens.key))
        seen, _ = self._model.seen(key[:-1], key[1:])
        return [not s and gap in JOINED for s, gap in zip(seen.tolist(), tokens.gap[1:], strict=True)] + [False]

    def _reading(self, segment: str) -> dict[str, list[_Reading]]:
        """What a segment may stand for, by the first word."""
        known = self._readings.get(segment)
        if known is None:
            known = self._readings[segment] = {}
            for original, share in self._segments.of(segment):
                plural = original.endswith("+s")
                base = original[:-2] if plural else original
                changed = base != segment and not (plural and inflect(base, "s") == segment)
                words = tuple(base.split())
                known.setdefault(words[0], []).append(_Reading(words, share, plural, changed))
        return known

    def _ahead(self, key: str, gapped: bool) -> frozenset[str]:
        """The words that may come next in a term that begins with some reading of `key`. gapped: of terms with a
        word left out; `GAP` is among them where the next word may be the unknown one."""
        known = self._follow.get((key, gapped))
        if known is None:
            trie = self._gapped.terms if gapped else self._tables.terms
            readings = [reading for group in self._reading(key).values() for reading in group]
            ahead = {word for reading in readings for word in _below(trie, reading.words) or ()}
            known = self._follow[key, gapped] = frozenset(ahead - {""})
        return known

    def _walk(self, run: _Run, at: int, node: Trie, path: _Path) -> None:
        """Depth-first over segments and a trie of terms. path: what the tokens of the run up to `at` were read as."""
        if path.gap < 0 and GAP in node and at in run.unknown and run.goes_on(at):
            gapped = path._replace(words=(*path.words, GAP), plural=False, changed=True, gap=at)
            self._step(run, at + 1, node[GAP], gapped)
        for end, segment in self._segments_at(run, at):
            readings = self._reading(segment)
            for word in sorted(node.keys() & readings.keys()):  # sorted: the same in every process
                for reading in readings[word]:
                    below = _below(node, reading.words)
                    if below is not None:
                        words, share = (*path.words, *reading.words), path.share + reading.share
                        changed = path.changed or reading.changed
                        self._step(run, end, below, _Path(words, share, reading.plural, changed, path.gap))

    def _step(self, run: _Run, end: int, below: Trie, path: _Path) -> None:
        """Take up what ends here, and go on."""
        leaf = below.get("")
        if leaf is not None and path.changed and len(path.words) > 1 and end > run.first + 1:
            of = self._filled(run.tokens, end, leaf, path) if path.gap >= 0 else _whole_term(leaf, path)
            for original, value in of:
                group = run.found.setdefault(end, {})
                if original not in group or value > group[original][0]:
                    group[original] = (value, COMPOSED)
        if len(below) > (leaf is not None):
            self._walk(run, end, below, path)

    def _filled(self, tokens: Tokens, end: int, leaf: dict[str, float], path: _Path) -> list[tuple[str, float]]:
        """Terms with an unknown word that a path has come to, in the number found, with log P(o) P(found | o)."""
        key = tokens.key[path.gap]
        near = self._related(key)
        if len(path.words) < LEAST_UNRELATED and near.isdisjoint(leaf):
            return []
        fitting = leaf.keys() if len(path.words) >= LEAST_UNRELATED else leaf.keys() & near
        number = "s" if (singular(key) if path.gap == end - 1 else path.plural) else ""
        before, _, after = " ".join(path.words).partition(GAP)
        share = path.share + UNKNOWN + LOG_RATE
        related = -log(len(near)) if near else 0.0
        return [
            (
                in_number(before + word + after, number),
                share + leaf[word] + (related if word in near else self._frequency(key)),
            )
            for word in sorted(fitting - self._reading(key).keys() - {key})
        ]

    def kinship(self, found: str, original: str) -> float:
        """How a change that no table has is explained: 1 where a thesaurus relates the words, a half where it relates
        what the found word is known to replace to the original, 0 elsewhere."""
        if original in self._related(found):
            return 1.0
        known = (
            r.words[0] for group in self._reading(found).values() for r in group if r.changed and len(r.words) == 1
        )
        return 0.5 if any(original in self._related(o) for o in known) else 0.0

    def _related(self, word: str) -> frozenset[str]:
        """Words of terms that the thesaurus relates to a word."""
        known = self._kin.get(word)
        if known is None:
            forms = self._gapped.forms
            known = frozenset(w for number in self._synonyms.related(word) for w in forms.get(number, ()))
            self._kin[word] = known
        return known

    def _frequency(self, key: str) -> float:
        """Log probability of a word."""
        known = self._usual.get(key)
        if known is None:
            known = self._usual[key] = max(FLOOR, float(self._model.unigram(hashes([shape(key)]))[0]))
        return known

    def _segments_at(self, run: _Run, at: int) -> Iterator[tuple[int, str]]:
        """Ends and words of the segments that may go on a composition at a token."""
        if not run.goes_on(at):
            return
        keys, gaps = run.tokens.key, run.tokens.gap
        segment = keys[at]
        longest = self._tables.long_first.get(segment, 1)
        yield at + 1, segment
        for end in range(at + 2, min(len(keys), at + longest, run.first + LONGEST_RUN) + 1):
            if gaps[end - 1] not in JOINED:
                return
            segment += " " + keys[end - 1]
            yield end, segment


def with_gaps(terms: Trie, synonyms: Synonyms) -> Gapped:
    """The terms of a trie with one word left out."""
    out: Trie = {GAP: {}}
    left_out: set[str] = set()

    def visit(node: Trie, words: tuple[str, ...]) -> None:
        for word, below in node.items():
            if word:
                visit(below, (*words, word))
            elif 2 <= len(words) <= LONGEST_RUN:
                add(words, below)

    def add(words: tuple[str, ...], weight: float) -> None:
        for k, word in enumerate(words):
            others = [w for w in (*words[:k], *words[k + 1 :]) if w not in SMALL and len(w) > 1]
            if len(others) >= min(2, len(words) - 1) and _may_be_unknown(word):
                left_out.add(word)
                node = out
                for w in (*words[:k], GAP, *words[k + 1 :]):
                    node = node.setdefault(w, {})
                node.setdefault("", {})[word] = weight

    visit(terms, ())
    forms: dict[int, list[str]] = {}
    for word in sorted(left_out):
        for number in synonyms.numbers(word):
            forms.setdefault(number, []).append(word)
    return Gapped(out, forms)


def _whole_term(leaf: float, path: _Path) -> list[tuple[str, float]]:
    """The term that a path has come to, in the number found, with log P(o) P(found | o)."""
    text = " ".join(path.words)
    return [(in_number(text, "s") if path.plural else text, path.share + leaf + LOG_RATE)]


def _may_be_unknown(word: str) -> bool:
    """Whether a paraphraser might have changed a word: letters only, three or more, and no function word."""
    return len(word) > 2 and word.isalpha() and word not in SMALL and word != PROTECTED_WORD


def _below(node: Trie, words: Sequence[str]) -> Trie | None:
    """Where some words lead in a trie of terms; None where no term goes on so."""
    below: Trie | None = node
    for word in words:
        if below is None:
            return None
        below = below.get(word)
    return below
