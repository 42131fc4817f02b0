"""From spun documents alone: phrases that no lexicon explains, and what they may stand for.

The documents are restored with what is known. A phrase is then suspected where it
stands in more of them than English has it (log-likelihood ratio of document
frequencies, after Dunning 1993, expected ones by the context model) and where
another would fit its places better. Originals are proposed from the lexicon's own
substitutions: word by word ("excessive-flyer" as "excessive" <- "high"), by inflection,
by spelling, and through synonyms, since what a spinner's table swaps in one
direction it often swaps in others.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from math import log
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from restore.context import COMMA, SENTENCE, ContextModel, frequency, sequence
from restore.inflection import Form, analyses, inflect
from restore.lexicon import Lexicon, Option
from restore.restoration import Restoration
from restore.restorer import Restorer
from restore.text import JOINED, PROTECTED_WORD, Tokens, shape, tokenize

LONGEST_SUSPECT: Final = 4  # words
LEAST_TEXTS: Final = 2  # in which a phrase must stand; one text's phrase may be its topic
LEAST_PLACES: Final = 3
LEAST_EXCESS: Final = 1.0  # log-likelihood ratio of the document frequency
LOWER: Final = 0.5  # share of the places at which a phrase is in lower case; others are names
COMMONEST: Final = -6.5  # log P of a single word; what is commoner is too common to stand out
PLACES: Final = 12  # at which originals are tried
TRIED: Final = 40  # originals of one phrase
SHOWN: Final = 3
LENGTH: Final = 3.0  # nats that a context model gains by each word that is dropped, whatever the words are
DEFICIT: Final = 0.3  # weight of how much rarer the original is than it should be
# Terms of the score of a suspect, log-odds fitted by logistic regression on phrases hidden from the lexicon, those
# of seeds 0 and 1 of `python -m benchmarks suggest`, which hides others by default. WAYS also weighs the originals of one suspect against each other.
WAYS: Final = {
    "swapped": 1.4, "synonym": 1.1, "figures": 1.0, "inflected": 0.8, "spelling": -0.4, "words": -1.1, "shorter": -1.2,
}  # fmt: skip
NONE: Final = -1.0  # no original was found
EXCESS: Final = 0.55  # of the log of the log-likelihood ratio
RATIO: Final = -0.35  # of the log of observed over expected, up to RATIO_LIMIT: what hardly occurs elsewhere is a topic
RATIO_LIMIT: Final = 5.0
FIT: Final = 0.4  # of the context's gain, within FIT_BOUNDS
FIT_BOUNDS: Final = (-4.0, 6.0)
SEVERAL: Final = (0.0, -1.2, -0.3, -0.3)  # by the number of words
CROWDED: Final = -0.5  # of the log of places a text
_NEAR: Final = 88.0  # RapidFuzz ratio, of 100
_PER_WORD: Final = 4  # originals of a word that are combined
_LIGHT: Final = frozenset(("the", "a", "an", "and", "'s", "it", "he", "she", "they", "his", "her", "their", "its"))
_SNIPPET: Final = 5  # words on either side


class Proposal(NamedTuple):
    """An original that a suspected phrase may stand for.

    share: estimate of the part of the original's occurrences that became this
    phrase. gain: mean rise in log P of the places with it, less what a shorter
    phrase gains anyway. way: how it was found.
    """

    original: str
    share: float
    gain: float
    way: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A suspected phrase: places and texts where it stands, how many times as often as in English, and an example."""

    found: str
    places: int
    texts: int
    ratio: float
    score: float
    snippet: str
    proposals: tuple[Proposal, ...]


@dataclass(slots=True)
class _Text:
    """A restored text: its tokens, the words as the context model reads them, where in these each token is, and
    which tokens stand as they were found."""

    tokens: Tokens
    words: list[str]
    at: list[int]
    own: list[bool]


@dataclass(slots=True)
class _Seen:
    """Where a phrase stands: documents, places (text, first token, end), those in lower case."""

    texts: int = 0
    lower: int = 0
    places: list[tuple[int, int, int]] = field(default_factory=list)


def suggest(texts: Iterable[str], restorer: Restorer, limit: int = 200) -> list[Suggestion]:
    """Suspected phrases of the texts that are judged spun, the likeliest first."""
    spun = [_read(r) for r in map(restorer.restore, texts) if restorer.assume_spun or r.verdict.spun]
    if not spun:
        return []
    suspects = _suspects(spun, restorer)
    proposer = _Proposer(restorer.lexicon, restorer.model, spun)
    out = [proposer.suggestion(phrase, *suspect) for phrase, suspect in suspects]
    return _apart(sorted(out, key=lambda s: (-s.score, s.found)))[:limit]


def _read(result: Restoration) -> _Text:
    tokens = tokenize(result.text)
    words = [*sequence(tokens)[0], SENTENCE]
    at = [i for i, word in enumerate(words[:-1]) if word not in (SENTENCE, COMMA)]
    own = [True] * len(tokens)
    shift = 0
    for e in result.edits:
        begin, end = e.start + shift, e.start + shift + len(e.replacement)
        for i in range(bisect_left(tokens.end, begin + 1), bisect_left(tokens.start, end)):
            own[i] = False
        shift += len(e.replacement) - (e.end - e.start)
    return _Text(tokens, words, at, own)


def _suspects(texts: list[_Text], restorer: Restorer, keep: int = 1500) -> list[tuple[str, tuple[_Seen, float, float]]]:
    """Phrases that stand in more texts than English has them: where, times as often, log-likelihood ratio."""
    known = restorer.lexicon.options
    sizes = np.array([len(t.tokens) for t in texts], np.float64)
    out: list[tuple[str, tuple[_Seen, float, float]]] = []
    shorter: set[str] | None = None
    for n in range(1, LONGEST_SUSPECT + 1):
        seen = _ngrams(texts, n, shorter)
        shorter = set(seen)
        phrases = [p for p, s in seen.items() if p not in known and len(s.places) >= LEAST_PLACES]
        if not phrases:
            continue
        # an author's own word would have been replaced where the lexicon has replacements for it
        stay = np.array([restorer.lexicon.stay.get(p, 1.0) for p in phrases])
        log_p = _log_p(phrases, restorer.model)
        rate = stay * np.exp(log_p)
        expected = -np.expm1(-np.outer(rate, sizes)).sum(axis=1)
        for phrase, e, p in zip(phrases, expected.tolist(), log_p.tolist(), strict=True):
            s = seen[phrase]
            if n == 1 and p > COMMONEST:
                continue
            excess = 2 * (s.texts * log(s.texts / e) - (s.texts - e)) if s.texts > e else 0.0
            if excess >= LEAST_EXCESS and s.lower >= LOWER * len(s.places) and _varied(s, texts):
                out.append((phrase, (s, s.texts / e, excess)))
    return sorted(out, key=lambda item: (-item[1][2], item[0]))[:keep]


def _varied(seen: _Seen, texts: list[_Text]) -> bool:
    """Whether the word before the phrase and the word after it both vary between its places; they do not in
    boilerplate."""
    before, after = set(), set()
    for number, i, end in seen.places:
        text = texts[number]
        before.add(text.words[text.at[i] - 1])
        after.add(text.words[text.at[end - 1] + 1])
    return len(before) > 1 and len(after) > 1


def _log_p(phrases: list[str], model: ContextModel) -> NDArray[np.float64]:
    """Log P of phrases out of context; words that the model lacks are looked up in wordfreq."""
    words = [_words(p) for p in phrases]
    log_p = model.phrases(words).astype(np.float64)
    for n, w in enumerate(words):
        if len(w) == 1:
            log_p[n] = max(log_p[n], frequency(w[0]))
    return log_p


def _words(phrase: str) -> list[str]:
    return [shape(w) for w in phrase.replace("-", " ").replace("'s", " 's").split()]


def _ngrams(texts: list[_Text], n: int, shorter: set[str] | None) -> dict[str, _Seen]:
    """Phrases of n words that stand in enough texts; `shorter`: those of n - 1 words that do (None: all)."""
    seen: dict[str, _Seen] = {}
    for number, text in enumerate(texts):
        keys, gaps, tokens = text.tokens.key, text.tokens.gap, text.tokens
        here: set[str] = set()
        for i in range(len(keys) - n + 1):
            if not text.own[i]:
                continue
            phrase = keys[i]
            for t in range(i + 1, i + n):
                if gaps[t] not in JOINED or not text.own[t]:
                    break
                if t == i + n - 1 and shorter is not None and phrase not in shorter:
                    break
                phrase += gaps[t] + keys[t]
            else:
                if PROTECTED_WORD in phrase or len(phrase) < 3 or phrase[0].isdigit():
                    continue
                if n > 1 and not _LIGHT.isdisjoint((keys[i], keys[i + n - 1])):
                    continue
                s = seen.setdefault(phrase, _Seen())
                s.texts += phrase not in here
                here.add(phrase)
                first = tokens.start[i]
                s.lower += tokens.text[first].islower() or gaps[i] == "."
                s.places.append((number, i, i + n))
    return {p: s for p, s in seen.items() if s.texts >= LEAST_TEXTS}


class _Proposer:
    """Finds originals of suspected phrases and weighs them in their places."""

    def __init__(self, lexicon: Lexicon, model: ContextModel, texts: list[_Text]):
        self._lexicon = lexicon
        self._model = model
        self._texts = texts
        self._size = sum(len(t.tokens) for t in texts)
        self._count = Counter(w for t in texts for w in t.tokens.key)
        self._founds: dict[str, list[tuple[str, float]]] = {}
        for found, options in lexicon.options.items():
            for option in options:
                self._founds.setdefault(option.original, []).append((found, option.rate))
        self._phrases = sorted(p for p in lexicon.options if len(p) > 4)

    def suggestion(self, phrase: str, seen: _Seen, ratio: float, excess: float) -> Suggestion:
        """A suspect with its best originals."""
        ways = self._originals(phrase)
        proposals = self._weighed(phrase, seen, ways)[:SHOWN]
        score = EXCESS * log(excess) + RATIO * min(RATIO_LIMIT, log(ratio)) + SEVERAL[len(_words(phrase)[:4]) - 1]
        score += CROWDED * log(len(seen.places) / seen.texts)
        if proposals:
            score += WAYS[proposals[0].way] + FIT * min(FIT_BOUNDS[1], max(FIT_BOUNDS[0], proposals[0].gain))
        else:
            score += NONE
        return Suggestion(phrase, len(seen.places), seen.texts, ratio, score, self._snippet(seen), tuple(proposals))

    def _originals(self, phrase: str) -> dict[str, str]:
        """Originals to try, each with the first of these ways in which it was found."""
        out: dict[str, str] = {}
        for way, originals in (
            ("inflected", self._inflected(phrase)),
            ("swapped", self._swapped(phrase)),
            ("figures", _figures(phrase)),
            ("shorter", _shorter(phrase)),
            ("words", self._word_by_word(phrase)),
            ("spelling", self._spelt_alike(phrase)),
            ("synonym", self._synonyms(phrase)),
        ):
            for original in originals:
                if original != phrase and len(out) < TRIED:
                    out.setdefault(original, way)
        return out

    def _best(self, found: str) -> list[Option]:
        return sorted(self._lexicon.options.get(found, ()), key=lambda o: -o.rate)[:_PER_WORD]

    def _word_by_word(self, phrase: str) -> Iterator[str]:
        """Each word its own or one that the lexicon has for it."""
        tokens = tokenize(phrase)
        if len(tokens) < 2:
            return
        choices = [[key, *(o.original for o in self._best(key))] for key in tokens.key]
        for words in product(*choices):
            yield words[0] + "".join(g + w for g, w in zip(tokens.gap[1:], words[1:], strict=True))

    def _inflected(self, phrase: str) -> Iterator[str]:
        """Originals of the base form in the same form."""
        head, _, last = phrase.rpartition(" ")
        for base, form in analyses(last):
            for option in self._best(f"{head} {base}".strip()):
                yield _with_last(option.original, form)
        if " " not in phrase:  # the other way about: the inflected form is listed, its base stands here
            forms: tuple[Form, ...] = ("s", "ed", "ing")
            for form in forms:
                for option in self._best(inflect(phrase, form)):
                    for base, other in analyses(option.original):
                        if other == form:
                            yield base

    def _spelt_alike(self, phrase: str) -> Iterator[str]:
        """Originals of listed phrases that are spelt nearly so."""
        from rapidfuzz import fuzz, process

        for near, _, _ in process.extract(phrase, self._phrases, scorer=fuzz.ratio, score_cutoff=_NEAR, limit=2):
            if abs(len(near) - len(phrase)) < 2:
                yield from (o.original for o in self._best(near))

    def _swapped(self, phrase: str) -> list[str]:
        """What becomes of the phrase where it is itself an original: tables work in both directions."""
        return [found for found, _ in sorted(self._founds.get(phrase, ()), key=lambda f: -f[1])][:8]

    def _synonyms(self, phrase: str) -> Iterator[str]:
        """Originals that share a replacement with the phrase, or are replaced by one of its replacements' originals."""
        for found in self._swapped(phrase):
            yield from (o.original for o in self._best(found))
        head, _, last = phrase.rpartition(" ")
        for base, form in analyses(last):
            full = f"{head} {base}".strip()
            for found in self._swapped(full):
                yield _with_last(found, form)
                yield from (_with_last(o.original, form) for o in self._best(found))

    def _weighed(self, phrase: str, seen: _Seen, ways: dict[str, str]) -> list[Proposal]:
        """Originals by how well they fit the places, best first."""
        if not ways:
            return []
        step = max(1, len(seen.places) // PLACES)
        places = seen.places[::step][:PLACES]
        options = [_words(phrase), *map(_words, ways)]
        rows: list[list[str]] = []
        for number, i, end in places:
            text = self._texts[number]
            before = text.words[max(0, text.at[i] - 2) : text.at[i]]
            after = text.words[text.at[end - 1] + 1 : text.at[end - 1] + 3]
            rows += [before + words + after for words in options]
        fit = self._model.phrases(rows).reshape(len(places), len(options)).astype(np.float64)
        size = np.array([len(words) for words in options])
        gain = (fit[:, 1:] - fit[:, :1]).mean(axis=0) - LENGTH * (size[0] - size[1:])
        rate = np.exp(self._model.phrases(options[1:]).astype(np.float64))
        out = []
        for (original, way), g, p in zip(ways.items(), gain.tolist(), rate.tolist(), strict=True):
            expected = p * self._size
            share = min(0.9, max(0.02, len(seen.places) / max(expected, len(seen.places))))
            lack = log((expected + 1) / (self._count[original] + 1)) if " " not in original else 0.0
            out.append((g + WAYS[way] + DEFICIT * min(2.0, max(-2.0, lack)), Proposal(original, share, g, way)))
        return [p for _, p in sorted(out, key=lambda x: (-x[0], x[1].original))]

    def _snippet(self, seen: _Seen) -> str:
        """A place where the phrase stands, with some words on either side."""
        number, i, end = seen.places[0]
        tokens = self._texts[number].tokens
        begin, stop = max(0, i - _SNIPPET), min(len(tokens), end + _SNIPPET)
        return " ".join(tokens.text[tokens.start[begin] : tokens.end[stop - 1]].split())


_UNITS: Final = {w: n for n, w in enumerate("one two three four five six seven eight nine".split(), 1)}
_TENS: Final = {w: 10 * n for n, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}


def _figures(phrase: str) -> Iterator[str]:
    """A number such as "forty three", in figures."""
    tens, _, unit = phrase.replace("-", " ").partition(" ")
    if tens in _TENS and unit in _UNITS:
        yield str(_TENS[tens] + _UNITS[unit])


def _shorter(phrase: str) -> Iterator[str]:
    """The phrase without its first or its last word, since spinners put a compound for its part ("gross sales")."""
    words = phrase.split(" ")
    if len(words) > 1:
        yield from (" ".join(part) for part in (words[1:], words[:-1]) if len(part[0]) > 3)


def _with_last(phrase: str, form: Form) -> str:
    head, _, last = phrase.rpartition(" ")
    return f"{head} {inflect(last, form)}".strip()


def _apart(suggestions: list[Suggestion]) -> list[Suggestion]:
    """Without those that are part of a better one, or hold one, in most of their places."""
    out: list[Suggestion] = []
    for s in suggestions:
        padded = f" {s.found} "
        for better in out:
            nested = padded in f" {better.found} " or f" {better.found} " in padded
            if nested and min(s.places, better.places) >= 0.5 * s.places:
                break
        else:
            out.append(s)
    return out


def lines(suggestions: Iterable[Suggestion]) -> Iterator[str]:
    """Suggestions as lexicon lines for review: the best original of each, others and evidence as comments."""
    yield "# Suggestions for review: keep what is right, delete the rest, then 'restore lexicon check'.\n"
    for s in suggestions:
        yield f"# {s.places} places in {s.texts} texts, {_times(s.ratio)} as often as usual: {s.snippet}\n"
        if not s.proposals:
            yield f"# {s.found}\t?\n"
        for n, p in enumerate(s.proposals):
            yield f"{'# or ' if n else ''}{s.found}\t{p.original}\t{p.share:.2f}\n"


def _times(ratio: float) -> str:
    return f"{ratio:.0f} times" if ratio < 1000 else "over 1000 times"
