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

Listed phrases keep a weight by what lists are worth; what is composed is
weighed by a judge (`restore.places`) that this ratio is part of.

All look-ups are by plain words: hyphens are spaces, the last word may be in the
other number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import exp, log
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import regex

from restore.cache import kept
from restore.context import SENTENCE, ContextModel, hashes
from restore.inflection import analyses, inflect
from restore.lexicon import Option, source_files
from restore.places import Features, Judge, Place
from restore.termmodel import FLOOR, RARE_SHARE, SMALL, TERM_SHARE, TermModel, counted
from restore.termtables import (
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
from restore.text import PROTECTED_WORD, Tokens, shape

RATE: Final = 0.03  # share of the words of a paper that begin a term
LISTED: Final = 9.0  # weight of a listed phrase that clean text has never shown
UNMET: Final = 3.0  # taken off where the text has nothing that speaks for an entry (`with`)
RULED_OUT: Final = 8.0  # taken off where it lacks what an entry needs (`only`) or has what it must be without
LONGEST_RUN: Final = 5  # tokens of a composition
MAX_COMPOSED: Final = 8  # originals kept for one stretch
KEPT_WORD: Final = 0.6  # P(word left alone) where nothing is known of it
TELLING: Final = 3.0  # log-likelihood ratio from which a word alone is worth a closer look
HINT: Final = -0.5  # of a word, from which on its pairs with its neighbours are looked at
GAIN: Final = 5.0  # log-likelihood ratio of a pair that makes it worth a closer look
APART: Final = 1.0  # association below which neighbouring changes are two
BOUND: Final = 2.5  # least association (nats) of an original's words with each other or with their neighbours
NEVER: Final = exp(-5.0)  # share of a change that no table has
UNKNOWN_TERM: Final = -16.0  # log probability of an original that is no known term, among terms
REGISTER: Final = "register.txt"
PLACES: Final = "places.json"
CUES: Final = 2  # distinct words of a paper's that a text must have to be taken for one
CUE_SHARE: Final = 0.03  # of its words that must be such; one news page in twenty has so many
COMPOSED: Final = "composed"  # source of an original that no list has
WORST: Final = -1.0  # places of less weight are not kept
LEAST_RATIO: Final = 0.5  # log-likelihood ratio below which a composition is no place
SURE: Final = 4.0  # the same from which on its neighbours are looked at
REACH: Final = 3  # neighbours of a trigger that are looked at on either side
MAX_WORDS: Final = 12  # originals tried for one segment
PATHS: Final = 4  # readings kept for each last word

_JOINED: Final = frozenset((" ", "-", ""))
_LINKS: Final = frozenset("of and to in for with".split())
_SUFFIXES: Final = frozenset(
    "based driven aware free like type level assisted enabled oriented related specific induced dependent".split()
)
_PREFIXES: Final = frozenset(
    "non pre post multi semi anti self co sub inter intra micro nano bio hyper super ultra quasi pseudo low high".split()
)


@dataclass(slots=True)
class _Draft:
    """A place before its weight: originals with log P(o) P(found | o), and what is known of the found phrase."""

    start: int
    end: int
    options: dict[str, tuple[float, str]]  # original -> log joint, source
    listed: float | None  # weight that being listed gives; None for compositions


class _Reading(NamedTuple):
    """What a segment may stand for: words, log share, whether in the plural, whether it says anything else."""

    words: tuple[str, ...]
    share: float
    plural: bool
    changed: bool


class Terms:
    """The matcher of one family: `places` of a text."""

    def __init__(
        self,
        folder: Path,
        name: str,
        model: ContextModel,
        barred: frozenset[str] = frozenset(),
        scholarly_only: bool = False,
    ):
        """`barred`: found phrases that another lexicon has precedence for. `scholarly_only`: look only at texts that
        read like a paper."""
        register = (folder / REGISTER).read_text(encoding="utf-8").splitlines() if scholarly_only else []
        self._register = frozenset(w for line in register if not line.startswith("#") for w in line.split())
        self.name = name
        self.named = not scholarly_only
        self._folder, self._barred = folder, barred
        self._model = model
        self._log_rate = log(RATE)
        self._segments: dict[str, tuple[tuple[str, float], ...]] = {}
        self._follow: dict[str, frozenset[str]] = {}
        self._readings: dict[str, dict[str, list[_Reading]]] = {}
        self._usual: dict[str, float] = {}
        self._strength: dict[str, float] = {}
        self._gains: dict[tuple[str, str], float] = {}

    # tables are read when the first text is looked at, which for most pages is never

    @cached_property
    def _list(self) -> Listed:
        files = source_files([], [self._folder])
        listed = kept(f"listed {self.name}", files, lambda: read_listed(self._folder, self.name))
        for phrase in self._barred:
            listed.phrases.pop(term_key(phrase), None)
        return listed

    @cached_property
    def _t(self) -> Tables:
        return kept(f"terms {self.name}", table_files(self._folder), lambda: read_tables(self._folder))

    @cached_property
    def _terms(self) -> TermModel:
        counts = kept(f"pairs {self.name}", table_files(self._folder), lambda: counted(self._t.terms))
        return TermModel(counts, self._model)

    @cached_property
    def _judge(self) -> Judge:
        return Judge.load(self._folder / PLACES)

    @property
    def capitals(self) -> dict[str, str]:
        """Words of originals that are written with capitals: folded word -> as written."""
        return self._list.capitals

    def _scholarly(self, tokens: Tokens) -> bool:
        """Whether a text has the words of a paper: several, and many for its length."""
        held = [key for key in tokens.key if key in self._register]
        return len(held) >= CUE_SHARE * len(tokens) and len(set(held)) >= CUES

    def places(self, tokens: Tokens, spun: bool = False) -> list[Place]:
        """Stretches that may be tortured terms, by their first token; they may overlap.

        Where only papers are looked for, other texts have the listed phrases alone, and those that another
        family has `spun` not even these.
        """
        if self._register and not self._scholarly(tokens):
            if spun:
                return []
            drafts = self._listed_drafts(tokens)
            sure = [p for p in self._weighed(tokens, drafts) if p.weight >= LISTED] if drafts else []
            return _one_each([p for p in sure if _whole(p, tokens)])
        drafts = self._listed_drafts(tokens)
        doubtful = [(d.start, d.end) for d in drafts if d.listed is not None and d.listed <= LISTED - RULED_OUT]
        places, composed = self._unjudged(tokens, drafts)
        for p, features in composed:
            weight = self._judge.weight(features)
            if any(start <= p.start and p.end <= end for start, end in doubtful):
                weight -= RULED_OUT
            if weight > WORST:
                places.append(p._replace(weight=weight))
        return _one_each(places)

    def composed(self, tokens: Tokens) -> list[tuple[Place, Features]]:
        """Composed places with what they are judged by; their weight here is the log-likelihood ratio."""
        return self._unjudged(tokens, self._listed_drafts(tokens))[1]

    def _unjudged(self, tokens: Tokens, drafts: list[_Draft]) -> tuple[list[Place], list[tuple[Place, Features]]]:
        """Listed places, and composed ones with their features."""
        swapped = self._t.openings
        starts = [i for i, key in enumerate(tokens.key) if key in swapped]
        if not starts and not drafts:
            return [], []
        places = self._weighed(tokens, [*drafts, *self._composed(tokens)])
        triggers = {i for p in places if p.weight > SURE for i in range(p.start, p.end)}
        triggers |= self._telling(tokens, starts)
        known = [p for p in places if p.options[0].source == COMPOSED]
        for begin, end in self._runs(tokens, triggers):
            places += (_no_more(p, known) for p in self._decoded(tokens, begin, end, drafts))
        places = [p for p in places if _whole(p, tokens)]
        composed = [p for p in places if p.options[0].source == COMPOSED]
        return [p for p in places if p.options[0].source != COMPOSED], self._with_features(composed, tokens)

    def _listed_drafts(self, tokens: Tokens) -> list[_Draft]:
        seconds, keys = self._list.seconds, tokens.key
        drafts: list[_Draft] = []
        for i in [i for i, key in enumerate(keys) if key in seconds]:
            second = seconds[keys[i]]
            if (i + 1 < len(keys) and keys[i + 1] in second) or "" in second:
                drafts += self._listed(tokens, i)
        return drafts

    def _with_features(self, places: list[Place], tokens: Tokens) -> list[tuple[Place, Features]]:
        keys = tokens.key
        found = self._model.phrases([[shape(k) for k in keys[p.start : p.end]] for p in places]).tolist()
        original = self._model.phrases([list(p.options[0].words) for p in places]).tolist()
        return [(p, self._features(p, tokens, x, y)) for p, x, y in zip(places, found, original, strict=True)]

    def _features(self, p: Place, tokens: Tokens, found: float, original: float) -> Features:
        """What a composed place is judged by; log probabilities of the found phrase and the original as such are given."""
        words = self._t.words
        shares = (words.get(x, {}).get(y, NEVER) for x, y in p.changes)
        written = tokens.text[tokens.start[p.start] + 1 : tokens.end[p.end - 1]]
        return Features(
            ratio=p.weight,
            channel=sum(map(log, shares)),
            found=found,
            original=original,
            term=max(self._term_weight(p.options[0].original) - self._log_rate, UNKNOWN_TERM),
            margin=p.shares[0],
            changes=float(len(p.changes)),
            capitals=float(any(c.isupper() for c in written)),
        )

    # listed phrases

    def _listed(self, tokens: Tokens, i: int) -> Iterator[_Draft]:
        keys, gaps, prefixes = tokens.key, tokens.gap, self._list.prefixes
        phrase, end = keys[i], i + 1
        while True:
            known, form = self._entry(phrase, keys[end - 1])
            if known:
                options: dict[str, tuple[float, str]] = {}
                best = -99.0
                for e in known:
                    original = in_number(e.original, form)
                    met = self._met(e.condition, tokens)
                    joint = log(e.rate) + met + self._term_weight(original)
                    options[original] = (max(joint, options.get(original, (-99.0, ""))[0]), e.source)
                    best = max(best, met)
                yield _Draft(i, end, options, LISTED + best)
            if end >= len(keys) or gaps[end] not in _JOINED or phrase not in prefixes:
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

    # compositions that are known terms

    def _segment(self, key: str) -> tuple[tuple[str, float], ...]:
        """Originals of a found segment with their log shares; the word itself first, where it is one word."""
        known = self._segments.get(key)
        if known is None:
            known = self._segments[key] = tuple(self._make_segment(key))
            if len(self._segments) > 100_000:
                self._segments.clear()
        return known

    def _make_segment(self, key: str) -> Iterator[tuple[str, float]]:
        """A plural ("woodlands") has the plurals of its singular's originals, marked `+s` on the singular."""
        words = self._t.words
        seen: set[str] = set()
        if " " not in key:
            seen.add(key)
            yield key, log(max(0.2, min(KEPT_WORD, self._t.stay.get(key, KEPT_WORD))))
        for original, share in words.get(key, {}).items():
            seen.add(original)
            yield original, log(share)
        head, _, last = key.rpartition(" ")
        head += " " if head else ""
        one = singular(last)
        if one:
            if not head and one not in seen:
                yield one + "+s", log(max(0.2, min(KEPT_WORD, self._t.stay.get(one, KEPT_WORD))))
            for original, share in words.get(head + one, {}).items():
                yield original + "+s", log(share)
        elif not head:
            for base, form in analyses(last):
                if form in ("ed", "ing"):
                    for original, share in words.get(base, {}).items():
                        other = inflect(original, form)
                        if " " not in original and other not in seen:
                            yield other, log(share) - 1.0

    @cached_property
    def _edges(self) -> tuple[set[str], set[str]]:
        """Words with which a run that stands for a term may begin, and with which it may go on."""
        first = set(self._t.terms)
        inner = {word for before, group in self._terms.pairs.items() if before for word in group}
        begin, further = set(first), set(inner)
        for found, originals in self._t.words.items():
            head, _, rest = found.partition(" ")
            starts = {original.partition(" ")[0] for original in originals}
            if not first.isdisjoint(starts):
                begin.add(head)
                further.add(rest.partition(" ")[0])
            if not inner.isdisjoint(starts):
                further.add(head)
        return begin | {w + "s" for w in begin}, (further | {w + "s" for w in further}) - {""}

    def _composed(self, tokens: Tokens) -> Iterator[_Draft]:
        """Known terms that runs of words may stand for, at least one of the words replaced."""
        keys, gaps = tokens.key, tokens.gap
        terms, follow, readings, longer = self._t.terms, self._follow, self._readings, self._t.longer
        last = len(keys) - 1
        begin, further = self._edges
        # only where a term may begin with a reading of one word and go on with a reading of the next
        for i in [i for i, (x, y) in enumerate(pairwise(keys)) if x in begin and y in further]:
            key, after = keys[i], keys[i + 1]
            if key in SMALL or gaps[i + 1] not in _JOINED:
                continue
            ahead = follow.get(key)
            if ahead is None:
                ahead = self._ahead(key)
            here = readings.get(after)
            if here is None:
                here = self._reading(after)
            if (
                ahead.isdisjoint(here)
                and not (key in longer and after in longer[key])
                and not (after in longer and i + 2 <= last and keys[i + 2] in longer[after])
            ):
                continue
            found: dict[int, dict[str, tuple[float, str]]] = {}
            self._walk(keys, gaps, i, i, terms, (), 0.0, False, found)
            for end, options in found.items():
                yield _Draft(i, end, options, None)

    def _reading(self, segment: str) -> dict[str, list[_Reading]]:
        """What a segment may stand for, by the first word."""
        known = self._readings.get(segment)
        if known is None:
            if len(self._readings) > 100_000:
                self._readings.clear()
                self._follow.clear()
            known = self._readings[segment] = {}
            for original, share in self._segment(segment):
                plural = original.endswith("+s")
                base = original[:-2] if plural else original
                changed = base != segment and not (plural and inflect(base, "s") == segment)
                words = tuple(base.split())
                known.setdefault(words[0], []).append(_Reading(words, share, plural, changed))
        return known

    def _ahead(self, key: str) -> frozenset[str]:
        """The words by which terms go on that begin with a reading of a word."""
        ahead: set[str] = set()
        for group in self._reading(key).values():
            for reading in group:
                node: Any = self._t.terms
                for word in reading.words:
                    node = node.get(word, {})
                ahead.update(node)
        known = self._follow[key] = frozenset(ahead - {""})
        return known

    def _walk(
        self,
        keys: Sequence[str],
        gaps: Sequence[str],
        first: int,
        at: int,
        node: dict[str, Any],
        words: tuple[str, ...],
        score: float,
        swapped: bool,
        found: dict[int, dict[str, tuple[float, str]]],
    ) -> None:
        """Depth-first over segments and the trie of terms; `found` collects end -> original -> joint."""
        if at >= len(keys) or at - first >= LONGEST_RUN or (at > first and gaps[at] not in _JOINED):
            return
        segment = keys[at]
        longest = self._t.long_first.get(segment, 1)
        for end in range(at + 1, min(len(keys), at + longest, first + LONGEST_RUN) + 1):
            if end > at + 1:
                if gaps[end - 1] not in _JOINED:
                    return
                segment += " " + keys[end - 1]
            readings = self._readings.get(segment)
            if readings is None:
                readings = self._reading(segment)
            for word in sorted(node.keys() & readings.keys()):  # sorted: the same in every process
                for reading in readings[word]:
                    below = node[word]
                    for further in reading.words[1:]:
                        below = below.get(further)
                        if below is None:
                            break
                    if below is None:
                        continue
                    changed = swapped or reading.changed
                    joint = score + reading.share
                    own = (*words, *reading.words)
                    if changed and "" in below and len(own) > 1 and end > first + 1:
                        text = " ".join(own)
                        text = in_number(text, "s") if reading.plural else text
                        group = found.setdefault(end, {})
                        value = joint + float(below[""]) + self._log_rate
                        if value > group.get(text, (-99.0, ""))[0]:
                            group[text] = (value, COMPOSED)
                    if len(below) > ("" in below):
                        self._walk(keys, gaps, first, end, below, own, joint, changed, found)

    # compositions around what is sure or telling

    def _telling(self, tokens: Tokens, starts: list[int]) -> set[int]:
        """Tokens that are far likelier in a tortured paper than in clean text, alone or with the next one."""
        keys, gaps, known = tokens.key, tokens.gap, self._strength
        new = sorted({keys[i] for i in starts if keys[i] not in known})
        if new:
            known.update(zip(new, self._strengths(new), strict=True))
        telling = {i for i in starts if known[keys[i]] >= TELLING}
        at: dict[tuple[str, str], list[int]] = {}
        for i in starts:
            own = known[keys[i]]
            if own < HINT:
                continue
            for j in (i - 1, i):
                if 0 <= j < len(keys) - 1 and gaps[j + 1] in _JOINED:
                    x, y = keys[j], keys[j + 1]
                    if x not in SMALL and y not in SMALL:
                        at.setdefault((x, y), []).append(j)
        fresh = [pair for pair in at if pair not in self._gains]
        if fresh:
            if len(self._gains) > 200_000:
                self._gains.clear()
                fresh = list(at)
            self._gains.update(zip(fresh, self._pair_gains(fresh), strict=True))
        telling.update(
            i for pair, places in at.items() if self._gains[pair] >= GAIN for j in places for i in (j, j + 1)
        )
        return telling

    def _pair_gains(self, pairs: list[tuple[str, str]]) -> list[float]:
        """Log-likelihood ratio of the best reading of two neighbouring words; only for pairs that the model lacks."""
        first, second = hashes(shape(x) for x, _ in pairs), hashes(shape(y) for _, y in pairs)
        held, usual = self._model.seen(first, second)
        gains = [-99.0] * len(pairs)
        asked: list[tuple[int, str, str, float]] = []
        for k, (x, y) in enumerate(pairs):
            if held[k]:
                continue
            for o, s in self._segment(x)[: MAX_WORDS // 2 + 2]:
                for q, t in self._segment(y)[: MAX_WORDS // 2 + 2]:
                    v, w = _surface(o), _surface(q)
                    if (v, w) != (x, y):
                        asked.append((k, v.rpartition(" ")[2], w.partition(" ")[0], s + t))
        if not asked:
            return gains
        one, other = hashes(q[1] for q in asked), hashes(q[2] for q in asked)
        alone = np.maximum(self._model.unigram(one), FLOOR)
        after, _ = self._model.bigram(one, other, self._model.unigram(other))
        for (k, x, y, share), p, q in zip(asked, alone.tolist(), np.maximum(after, FLOOR).tolist(), strict=True):
            score = share + self._terms.mixed(SENTENCE, x, p) + self._terms.mixed(x, y, q)
            gains[k] = max(gains[k], score - max(float(usual[k]), 2 * FLOOR))
        return gains

    def _strengths(self, words: list[str]) -> Iterator[float]:
        """Log-likelihood ratio of each word, tortured against clean."""
        made = [[(_surface(o), s) for o, s in self._segment(w)[1:] if " " not in o] for w in words]
        index = {w: k for k, w in enumerate(dict.fromkeys([*words, *(o for m in made for o, _ in m)]))}
        usual = self._model.unigram(hashes(map(shape, index))).astype(float)
        for word, options in zip(words, made, strict=True):
            own = max(float(usual[index[word]]), FLOOR)
            total = sum(
                exp(s) * (exp(max(usual[index[o]], FLOOR)) + TERM_SHARE * self._terms.words.get(o, 0.0))
                for o, s in options
            )
            yield log(total) - own if total else -99.0

    def _runs(self, tokens: Tokens, triggers: set[int]) -> Iterator[tuple[int, int]]:
        """Stretches of neighbouring words that hold a trigger; small words only inside them."""
        keys, gaps, after = tokens.key, tokens.gap, 0

        def joins(i: int) -> bool:
            """Whether a run may go on with a token."""
            if keys[i] == PROTECTED_WORD or keys[i].isdigit():
                return False
            return keys[i] not in SMALL or keys[i] in _LINKS or self._in_segment(keys, i)

        for i in sorted(triggers):
            if i < after or keys[i] == PROTECTED_WORD:
                continue
            begin = i
            while begin > after and i - begin < REACH and gaps[begin] in _JOINED and joins(begin - 1):
                begin -= 1
            end, last = i + 1, i
            while end < len(keys) and gaps[end] in _JOINED and end - last <= REACH and joins(end):
                last = end if end in triggers and end - begin < 3 * REACH else last
                end += 1
            while begin < end and keys[begin] in _LINKS and not self._in_segment(keys, begin):
                begin += 1
            while begin < end and keys[end - 1] in _LINKS and not self._in_segment(keys, end - 1):
                end -= 1
            after = max(end, i + 1)
            if begin < end:
                yield begin, end

    def _in_segment(self, keys: Sequence[str], i: int) -> bool:
        """Whether a small word lies in a known segment of several words ("getting to know")."""
        for begin in range(max(0, i - 3), i + 1):
            for end in range(max(i, begin + 1) + 1, min(len(keys), begin + self._t.long_first.get(keys[begin], 1)) + 1):
                if " ".join(keys[begin:end]) in self._t.words:
                    return True
        return False

    def _decoded(self, tokens: Tokens, begin: int, end: int, drafts: list[_Draft]) -> Iterator[Place]:
        """The likeliest reading of a run, and for each stretch that it changes the rivals and the weight."""
        keys = tokens.key
        arcs = self._arcs(keys, begin, end, drafts)
        left = keys[begin - 1] if begin and tokens.gap[begin] in _JOINED else SENTENCE
        right = keys[end] if end < len(keys) and tokens.gap[end] in _JOINED else SENTENCE
        pairs = self._pair_table(arcs, begin, end, left, right)
        paths = _best_paths(arcs, begin, end, left, right, pairs)
        if not paths:
            return
        score, path = paths[0]
        joints = [(a.words[-1], b.words[0]) for a, b in pairwise(path)]
        alone = self._model.unigram(hashes(y for _, y in joints)).tolist() if joints else []
        bound = [pairs[p] - max(a, FLOOR) >= APART for p, a in zip(joints, alone, strict=True)]
        for lo, hi in _changed(path, bound):
            first, last = path[lo].start, path[hi - 1].end
            own = [a for i in range(first, last) for a in arcs[i] if a.kept and a.start == i]
            reverted = _path_score([*path[:lo], *own, *path[hi:]], left, right, pairs)
            options: dict[tuple[str, ...], float] = {}
            around = ([a.words for a in path[:lo]], [a.words for a in path[hi:]])
            for other_score, other in paths:
                inner = [a for a in other if first <= a.start < last]
                if inner and inner[0].start == first and inner[-1].end == last and any(not a.kept for a in inner):
                    outer = ([a.words for a in other if a.end <= first], [a.words for a in other if a.start >= last])
                    words = tuple(w for a in inner for w in a.words)
                    if outer == around and words not in options:
                        options[words] = other_score
            top = log(sum(exp(v - score) for v in options.values()))
            weight = score + top - reverted
            if not self._bound(path, lo, hi, left, right, pairs):
                continue  # words that have nothing to do with each other
            if last - first == 1 and tokens.text[tokens.start[first] : tokens.end[first]].isupper():
                continue  # an acronym, not a paraphrase
            if weight > LEAST_RATIO and " ".join(keys[first:last]) not in self._t.ordinary:
                yield Place(
                    first,
                    last,
                    weight,
                    tuple(
                        Option(
                            self._spelt(w, tokens, first, last), w, exp(min(0.0, v - score)) * 0.3, self.name, COMPOSED
                        )
                        for w, v in options.items()
                    ),
                    tuple(v - score - top for v in options.values()),
                    frozenset(changed_words(keys[first:last], next(iter(options)))),
                )

    def _bound(
        self, path: list[_Arc], lo: int, hi: int, left: str, right: str, pairs: dict[tuple[str, str], float]
    ) -> bool:
        """Whether a composition's words go with each other or with their neighbours."""
        inner = [w for a in path[lo:hi] for w in a.words]
        before = path[lo - 1].words[-1] if lo else left
        after = path[hi].words[0] if hi < len(path) else right
        words = [before, *inner, after]
        known = [p for p in pairwise(words) if p[0] not in SMALL and p[1] not in SMALL and SENTENCE not in p]
        alone = self._model.unigram(hashes(y for _, y in known)).tolist() if known else []
        technical = any(y in self._terms.heads and self._terms.technical(x) >= RARE_SHARE / 2 for x, y in known)
        return technical or any(pairs.get(p, FLOOR) - max(a, FLOOR) >= BOUND for p, a in zip(known, alone, strict=True))

    def _spelt(self, words: Sequence[str], tokens: Tokens, begin: int, end: int) -> str:
        """A composed original: hyphens where the found phrase has them, or the list's originals mostly do."""
        gaps = tokens.gap[begin + 1 : end] if len(words) == end - begin else ()
        text = words[0]
        for k, (a, b) in enumerate(pairwise(words)):
            hyphen = gaps[k] == "-" if gaps else False
            text += ("-" if hyphen or self._list.hyphens.get((a, b), 0) > 0 else " ") + b
        return text.replace(" 's", "'s")

    def _arcs(self, keys: Sequence[str], begin: int, end: int, drafts: list[_Draft]) -> dict[int, list[_Arc]]:
        arcs: dict[int, list[_Arc]] = {}
        for i in range(begin, end):
            here = arcs[i] = [_Arc(i, i + 1, (shape(keys[i]),), self._kept(keys[i]), True)]
            segment = keys[i]
            for j in range(i + 1, min(end, i + self._t.long_first.get(keys[i], 1)) + 1):
                segment += "" if j == i + 1 else " " + keys[j - 1]
                made = [(_surface(o), s) for o, s in self._segment(segment)]
                made = [(o, s) for o, s in made if o != segment]
                made.sort(key=lambda o: -o[1] - log(self._terms.words.get(o[0].rpartition(" ")[2], 0.0) + 1e-5))
                here += [_Arc(i, j, tuple(o.split()), s, False) for o, s in made[:MAX_WORDS]]
        for d in drafts:
            if begin <= d.start and d.end <= end and d.end > d.start + 1 and d.listed is not None:
                for original, (joint, _) in d.options.items():
                    share = joint - self._term_weight(original) + 1.0
                    arcs[d.start].append(_Arc(d.start, d.end, tuple(term_key(original).split()), share, False, True))
        return arcs

    def _kept(self, key: str) -> float:
        own = self._segment(key)[0]
        return own[1] if own[0] == key else log(KEPT_WORD)

    def _pair_table(
        self, arcs: dict[int, list[_Arc]], begin: int, end: int, left: str, right: str
    ) -> dict[tuple[str, str], float]:
        """Log P(second | first) of all neighbouring words that arcs may give: context model and terms, mixed."""
        wanted: dict[tuple[str, str], None] = {}
        ending: dict[int, set[str]] = {begin: {left}}
        for i in range(begin, end):
            for a in arcs[i]:
                for before in ending.get(i, ()):
                    wanted[before, a.words[0]] = None
                wanted.update(((x, y), None) for x, y in pairwise(a.words))
                ending.setdefault(a.end, set()).add(a.words[-1])
        wanted.update(((before, right), None) for before in ending.get(end, ()))
        return self._terms.logs(list(wanted))

    # weights

    def _term_weight(self, original: str) -> float:
        """Log probability that a term begins at a word of a paper."""
        node: Any = self._t.terms
        words = term_key(original).split()
        words[-1] = singular(words[-1]) or words[-1]
        for word in words:
            node = node.get(word)
            if node is None:
                return self._log_rate - 10.0
        return self._log_rate + float(node.get("", -10.0))

    def _weighed(self, tokens: Tokens, drafts: list[_Draft]) -> list[Place]:
        phrases = [[shape(k) for k in tokens.key[d.start : d.end]] for d in drafts]
        new = {" ".join(p): p for p in phrases if " ".join(p) not in self._usual}
        if len(self._usual) > 100_000:
            self._usual.clear()
            new = {" ".join(p): p for p in phrases}
        self._usual.update(zip(new, self._probability(list(new.values())), strict=True))
        out: list[Place] = []
        for d, phrase in zip(drafts, phrases, strict=True):
            usual = self._usual[" ".join(phrase)]
            best = sorted(d.options.items(), key=lambda kv: -kv[1][0])[:MAX_COMPOSED]
            top = best[0][1][0]
            total = top + log(sum(exp(v - top) for _, (v, _) in best))
            weight = total - usual
            if d.listed is None:
                if weight < LEAST_RATIO or d.end - d.start == 1 or " ".join(phrase) in self._t.ordinary:
                    continue
            elif (weight := _listed_weight(d.listed, weight)) < WORST:
                continue
            options = tuple(
                Option(
                    o if source != COMPOSED else self._spelt(o.split(), tokens, d.start, d.end),
                    tuple(term_key(o).split()),
                    exp(min(0.0, v - top)) * 0.3,
                    self.name,
                    source,
                )
                for o, (v, source) in best
            )
            changes = frozenset(changed_words(tokens.key[d.start : d.end], options[0].words))
            out.append(Place(d.start, d.end, weight, options, tuple(v - total for _, (v, _) in best), changes))
        return out

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


def _listed_weight(listed: float, ratio: float) -> float:
    """Weight of a listed phrase: what being listed gives it, and its log-likelihood ratio."""
    if listed < LISTED:  # its condition is not met: a rare phrase is no reason to go further
        return min(listed, listed + 0.7 * ratio)
    return max(listed, ratio) if ratio > 0 else listed + 0.7 * ratio


def _no_more(p: Place, known: list[Place]) -> Place:
    """A place with no more weight than the known term has of which it is part: that weighs the whole phrase."""
    weight = p.weight
    for term in known:
        if term.start <= p.start and p.end <= term.end:
            words = term.options[0].words
            at = p.start - term.start
            if len(words) == term.end - term.start and words[at : at + p.end - p.start] == p.options[0].words:
                weight = min(weight, term.weight)
    return p if weight == p.weight else p._replace(weight=weight)


def _whole(p: Place, tokens: Tokens) -> bool:
    """Whether a stretch is no part of a hyphenated word ("set" of "set-up"; but "forest-based" has its own suffix)."""
    keys, gaps = tokens.key, tokens.gap
    if p.end < len(keys) and gaps[p.end] == "-" and keys[p.end] not in _SUFFIXES:
        return False
    return not (p.start and gaps[p.start] == "-") or keys[p.start - 1] in _PREFIXES


def changed_words(found: Sequence[str], original: Sequence[str]) -> list[tuple[str, str]]:
    """Which words change into which, in the singular; the whole phrases where their lengths differ."""
    if len(found) != len(original):
        return [(" ".join(found), " ".join(original))]
    return [(singular(x) or x, singular(y) or y) for x, y in zip(found, original, strict=True) if x != y]


def _one_each(places: list[Place]) -> list[Place]:
    """One place for each stretch: the listed one where it holds, else the weightiest."""
    best: dict[tuple[int, int], Place] = {}
    for p in places:
        known = best.get((p.start, p.end))
        if known is None or _rank(p) > _rank(known):
            best[p.start, p.end] = p if known is None else p._replace(weight=max(p.weight, known.weight))
    return [best[k] for k in sorted(best)]


def _rank(p: Place) -> tuple[bool, float]:
    return p.options[0].source != COMPOSED and p.weight >= LISTED - 1, p.weight


class _Arc(NamedTuple):
    """A reading of some tokens. score: log share; kept: the tokens as they stand."""

    start: int
    end: int
    words: tuple[str, ...]
    score: float
    kept: bool
    listed: bool = False


def _surface(original: str) -> str:
    """A segment's original as it will stand: `forest+s` is forests."""
    return in_number(original[:-2], "s") if original.endswith("+s") else original


def _best_paths(
    arcs: dict[int, list[_Arc]], begin: int, end: int, left: str, right: str, pairs: dict[tuple[str, str], float]
) -> list[tuple[float, list[_Arc]]]:
    """The likeliest readings of a run, best first (Viterbi with several paths a state)."""
    states: dict[int, dict[str, list[tuple[float, list[_Arc]]]]] = {begin: {left: [(0.0, [])]}}
    for i in range(begin, end):
        for word, paths in states.pop(i, {}).items():
            for a in arcs[i]:
                step = a.score + pairs[word, a.words[0]] + sum(pairs[x, y] for x, y in pairwise(a.words))
                group = states.setdefault(a.end, {}).setdefault(a.words[-1], [])
                group += [(score + step, [*path, a]) for score, path in paths]
                if len(group) > 3 * PATHS:
                    group.sort(key=lambda g: -g[0])
                    del group[PATHS:]
    final = [(score + pairs[word, right], path) for word, paths in states.get(end, {}).items() for score, path in paths]
    return sorted(final, key=lambda p: -p[0])[: 2 * PATHS]


def _path_score(path: list[_Arc], left: str, right: str, pairs: dict[tuple[str, str], float]) -> float:
    words = [left, *(w for a in path for w in a.words), right]
    return sum(a.score for a in path) + sum(pairs.get(p, FLOOR) for p in pairwise(words))


def _changed(path: list[_Arc], bound: list[bool]) -> Iterator[tuple[int, int]]:
    """Stretches of arcs that change something and belong together; `bound`: whether an arc and the next one do."""
    lo = -1
    for k, a in enumerate(path):
        if a.kept:
            lo = -1
            continue
        lo = k if lo < 0 else lo
        if k + 1 == len(path) or path[k + 1].kept or not bound[k]:
            yield lo, k + 1
            lo = -1


def stretch(original: str, words: Sequence[str]) -> str:
    """The part of an original that has these words, as it is spelt there ("cross-entropy", "New York"); else the words joined."""
    if "-" in original or not original.islower():
        pattern = r"(?<!\w)" + r"[\s-]*".join(map(regex.escape, words)) + r"(?!\w)"
        if match := regex.search(pattern, original, regex.IGNORECASE):
            return str(match.group())
    return " ".join(words).replace(" 's", "'s")
