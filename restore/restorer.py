"""The engine, in the order that the data flows: screen, candidates, context, decode, surface."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import log
from pathlib import Path
from threading import RLock
from typing import Any, Final, NamedTuple

from rapidfuzz.fuzz import ratio

from restore.batch import ordered_map
from restore.cache import kept
from restore.calibration import Calibration, Record
from restore.candidates import TERM, Lattice
from restore.channel import STRANGER, Passages, Screen, phrase_weights
from restore.context import ContextModel
from restore.decoder import Decoded
from restore.fitted import Fitted, load_fitted
from restore.lexicon import Lexicon, LexiconError, family_of, load, phrases, source_files, split_families
from restore.neural import LEAST as ASKED
from restore.neural import SecondOpinion, installed, load_opinions
from restore.reading import Block, Reader
from restore.rereading import LEAST, Rereader
from restore.restoration import Edit, Restoration, Verdict, splice, with_article
from restore.shipped import CONTEXT, FITTED, OPINIONS, root
from restore.surface import fix_article, match_case, quotes_like, stray_braces, stretch, with_capitals
from restore.synonyms import OWN_TABLE
from restore.terms import Terms
from restore.text import Tokens, chunks, in_english, shape, tokenize
from restore.thesaurus import FAMILY as THESAURUS
from restore.thesaurus import Judgement, Thesaurus
from restore.twosided import TwoSided
from restore.unlisted import Unlisted

DEFAULT_FAMILIES: Final = ("autoblog", "tortured", "thesaurus")
THRESHOLD: Final = 0.6  # of calibrated probabilities, F0.5 is best above it, recall below (docs/evaluation.md)
DOUBT: Final = 1.0  # off the log odds of an edit where the spinner's table is known in part (articles spun by hand)
DOUBTFUL: Final = 0.6  # probability of a term's reading below which what it says may be said of a part of it
MENTION: Final = 0.01  # least probability of an alternative that is reported


class _Reading(NamedTuple):
    """One way to change a stretch of tokens: the words in it that differ, and how probable they are.

    posterior: by the decoder. probability: calibrated. record: what the entry's record adds to its log odds.
    """

    start: int
    end: int
    words: tuple[str, ...]
    arc: int
    posterior: float
    probability: float
    record: float


class _Choice(NamedTuple):
    """A reading that will be made, its rivals over the same tokens, the chance that its sentence was spun,
    and whether the word before it is free to change (no edit has it, nor the allow-list)."""

    reading: _Reading
    rivals: list[_Reading]
    spun: float
    article_free: bool


class _Chunk(NamedTuple):
    """A stretch of a text that is judged by itself, `offset` code points into it; blocks: what was decoded of it
    while it was screened, None where it was not read."""

    tokens: Tokens
    offset: int
    passages: Passages
    blocks: list[Block] | None


class _Spelling(NamedTuple):
    """How an original is written: with its hyphens and capitals, and the words of its family that have capitals."""

    original: str
    capitals: Mapping[str, str]


class Restorer:
    """Finds substituted phrases and puts the likely originals back.

    families: names of built-in lexicons. lexicons: files or folders of one's own,
    which take precedence. threshold: least confidence of an edit, 0 to 1. allow:
    words and phrases to leave alone, in any case. assume_spun: skip the
    detector and treat every passage as spun. neural: hear a pretrained language model
    on close calls (an extra; some hundred times slower). fitted: weights of the sources of evidence
    and the calibration, for experiments.

    Lexicons are read at construction, models when a text first needs them (a quarter of a second in all); use one object
    for many texts. Threads may share it, and
    take turns; for speed use `stream`, which has processes. Raises LexiconError (a ValueError) for unknown families and
    broken lexicons, ValueError for a threshold out of range, TypeError for a string where a list is meant, NeuralError
    (an ImportError) where the extra is missing.
    """

    def __init__(
        self,
        families: Sequence[str] | None = None,
        lexicons: Iterable[str | Path] = (),
        threshold: float = THRESHOLD,
        allow: Iterable[str] = (),
        assume_spun: bool = False,
        neural: bool = False,
        fitted: Fitted | None = None,
    ):
        for name, given in (("families", families), ("lexicons", lexicons), ("allow", allow)):
            if isinstance(given, str | Path):
                raise TypeError(f"{name} is one {type(given).__name__}; give a list of them")
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold {threshold} is not between 0 and 1")
        self.families = tuple(DEFAULT_FAMILIES if families is None else families)
        self._families_unsaid = families is None
        self.lexicon_paths = tuple(Path(p) for p in lexicons)
        for path in self.lexicon_paths:  # which are read again, here and by other processes
            if path.exists() and not (path.is_file() or path.is_dir()):
                raise LexiconError(f"{path}: a pipe or device can be read but once; give a file or a folder")
        self.threshold = threshold
        self.allow = tuple(allow)
        self.assume_spun = assume_spun
        self.neural = neural
        if neural:
            installed()  # whether the extra is there
        self._fitted = fitted or load_fitted(root() / FITTED)
        looked_at = ASKED if neural else LEAST if self._fitted.rereading else threshold
        self._least = min(threshold, looked_at)
        self._least_spun = max(MENTION, self._least if neural else threshold)  # of a sentence that is decoded
        self._dense, self._sparse_families = split_families(f for f in self.families if f != THESAURUS)
        self._lexicon = load(self._dense, self.lexicon_paths)
        self.dense_families = frozenset((*self._dense, *map(family_of, self.lexicon_paths)))
        self._allowed = phrases(self.allow)
        self._turn = RLock()

    def options(self) -> dict[str, Any]:
        """Arguments that make an equal restorer (in another process)."""
        return {
            "families": None if self._families_unsaid else self.families,
            "lexicons": self.lexicon_paths,
            "threshold": self.threshold,
            "allow": self.allow,
            "assume_spun": self.assume_spun,
            "neural": self.neural,
            "fitted": self._fitted,
        }

    @property
    def lexicon(self) -> Lexicon:
        """The lexicons at work, as one."""
        return self._lexicon

    @cached_property
    def model(self) -> ContextModel:
        """The context model, mapped on first use."""
        return ContextModel.load(root() / CONTEXT)

    @property
    def twosided(self) -> TwoSided:
        """The two-sided model, read on first use."""
        return self.reader.twosided

    @cached_property
    def _rereader(self) -> Rereader:
        """The second reading, its models read on first use."""
        return Rereader.load(self._fitted.rereading)

    @cached_property
    def _opinion(self) -> SecondOpinion:
        """The language model, read on first use."""
        opinions = load_opinions(root() / OPINIONS)
        model = installed(opinions)
        return SecondOpinion(model, opinions[model.name])

    @cached_property
    def _screen(self) -> Screen:
        dense, own = self._dense, self.lexicon_paths
        what = f"screen {' '.join(dense)}{' and own' if own else ''}"
        try:  # of the files as they are now, whatever was read at construction: a cache must hold what its name says
            made_of = [*source_files(dense, own), root() / CONTEXT]
            weights = kept(what, made_of, lambda: phrase_weights(load(dense, own), self.model))
        except LexiconError:  # they are gone, or broken now
            weights = phrase_weights(self._lexicon, self.model)
        return Screen(self._lexicon, weights, self.sparse)

    @cached_property
    def sparse(self) -> list[Terms]:
        """Matchers of the sparse families."""
        own = frozenset(self._lexicon.options) if self.lexicon_paths else frozenset()
        wary = self._families_unsaid  # who names a family means it
        return [Terms(root() / name, name, self.model, own, wary) for name in self._sparse_families]

    @cached_property
    def _capitals(self) -> dict[str, str]:
        return {word: written for family in self.sparse for word, written in family.capitals.items()}

    @cached_property
    def _unlisted(self) -> Unlisted | None:
        """Spinners that no listed family explains, None where their family is not asked for."""
        if THESAURUS not in self.families:
            return None
        return Unlisted(Thesaurus(root() / THESAURUS, self.model), self.reader)

    @cached_property
    def reader(self) -> Reader:
        """What decodes sentences."""
        return Reader(self._lexicon, self._screen, self.model, self._fitted, THESAURUS in self.families)

    def detect(self, text: str) -> Verdict:
        """Whether, how surely and how heavily a text was spun; only doubtful ones are read."""
        with self._turn:
            return _merge([(s.passages, len(s.tokens)) for s in self._screened(text)])

    def evidence(self, text: str) -> float:
        """Log-likelihood ratio of a text, spun throughout against untouched, in nats (for benchmarks)."""
        with self._turn:
            return sum(sum(s.passages.evidence) for s in self._screened(text))

    def sentence_evidence(self, text: str) -> list[tuple[float, float]]:
        """Log-likelihood ratios of each sentence to have been spun by a dense family, in nats: by the words alone, and
        by what decoding finds (for fitting how both are heard)."""
        tokens = tokenize(text)
        with self._turn:
            passages = self._screen.dense(tokens)
            numbers = range(len(passages.sentences))
            blocks = self.reader.decoded(tokens, passages, numbers, frozenset())
            ratios = [r for block in blocks for r in self.reader.ratios(block, "").tolist()]
        return list(zip(passages.evidence, ratios, strict=True))

    def restore(self, text: str, source: str | None = None) -> Restoration:
        """`text` with its likely originals. `source` names the document in the result."""
        edits: list[Edit] = []
        screened: list[tuple[Passages, int]] = []
        with self._turn:
            for chunk in self._screened(text):
                screened.append((chunk.passages, len(chunk.tokens)))
                proposed = self._edits(chunk)
                made = [e for e in self._judged(chunk, proposed) if e.confidence >= self.threshold]
                edits += [_moved(e, chunk.offset) for e in self._with_articles(made, proposed, chunk.tokens)]
        restored = splice(text, [(e.start, e.end, e.replacement) for e in edits])
        return Restoration(restored, tuple(edits), _merge(screened), source)

    def _judged(self, chunk: _Chunk, edits: list[Edit]) -> list[Edit]:
        """Edits judged once more in the text that they make, and by the language model."""
        text, passages = chunk.tokens.text, chunk.passages
        spinner = OWN_TABLE if passages.table < 1 else passages.family or ""
        if edits and self._fitted.rereading:
            edits = self._rereader.judge(text, edits, self.dense_families | {THESAURUS}, spinner)
        return self._opinion.judge(text, edits, spinner) if edits and self.neural else edits

    def _with_articles(self, made: list[Edit], proposed: list[Edit], tokens: Tokens) -> Iterator[Edit]:
        """Edits, those that were judged to be others than proposed with the article before them in the form that they
        need, unless it is another edit's or on the allow-list."""
        first = {edit.start: edit.replacement for edit in proposed}
        fixed = self._fixed(tokens) if made else frozenset()
        free = 0
        for edit in made:
            another = edit.replacement != first[edit.start]
            if another and bisect_left(tokens.start, edit.start) - 1 not in fixed:
                edit = with_article(edit, tokens.text, free)
            free = edit.end
            yield edit

    def pieces(self, text: str) -> Iterator[Restoration]:
        """A long text's stretches, restored one at a time so that memory stays bounded; joined they are the whole."""
        for _, chunk in chunks(text):
            yield self.restore(chunk)

    def stream(self, texts: Iterable[str], workers: int = 1) -> Iterator[Restoration]:
        """Restorations of many texts, in order, over `workers` processes; memory stays bounded. Raises ValueError for
        less than one."""
        if workers < 1:
            raise ValueError(f"workers is {workers}; at least one is needed")
        return map(self.restore, texts) if workers == 1 else ordered_map(_restoring, (self.options(),), texts, workers)

    def _screened(self, text: str) -> Iterator[_Chunk]:
        """Chunks of a text with their screening."""
        if not isinstance(text, str):
            raise TypeError(f"a text is a str, not {type(text).__name__}; decode bytes first")
        for offset, chunk in chunks(text):
            tokens = tokenize(chunk)
            passages, blocks = self._passages(tokens)
            yield _Chunk(tokens, offset, passages, blocks)

    def _passages(self, tokens: Tokens) -> tuple[Passages, list[Block] | None]:
        """Screening by the listed families, doubtful texts being read (what was decoded is given too), and by the
        thesaurus where these explain a text badly. Other languages than English are left."""
        if not self.assume_spun and not in_english(tokens):
            return Passages.none(tokens.sentences()), None
        dense, blocks = self._screen.dense(tokens, self.assume_spun), None
        if not self.assume_spun and self.reader.doubts(dense):
            dense, blocks = self.reader.read(tokens, dense, self._fixed(tokens), self._least_spun)
        listed = self._screen.with_sparse(tokens, dense, self.assume_spun)
        explained = sum(listed.evidence) > 0 if self.assume_spun else listed.dense >= 0.5
        if self._unlisted is None or explained or not listed.sentences:
            return listed, blocks
        alone = self.assume_spun and self.families == (THESAURUS,)
        judged, read = self._unlisted.judge(tokens, self._fixed(tokens), alone, listed.places)
        if listed.probability >= 0.5 and not judged.own_table and not self.assume_spun:
            return listed, blocks  # a paper, whose terms no synonyms explain
        weighed = _weighed(listed, judged, self.assume_spun, alone)
        return weighed, read if weighed.family == THESAURUS else blocks

    def _edits(self, chunk: _Chunk) -> list[Edit]:
        """Edits of the sentences that may have been spun, or that a sparse family claims."""
        tokens, passages = chunk.tokens, chunk.passages
        claimed = _claimed(passages)
        if not claimed and max(passages.spun, default=0.0) < self._least_spun:
            return []
        fixed = self._fixed(tokens)
        if passages.family == THESAURUS and chunk.blocks is not None:
            spun, blocks = passages.spun, chunk.blocks
        else:
            spun, blocks = self._by_lexicon(chunk, claimed, fixed)
        doubt = DOUBT if passages.table < 1 else 0.0
        edits: list[Edit] = []
        for block in blocks:
            choices = [
                choice
                for sentence, readings in _readings(block.lattice, block.decoded, tokens, self._fitted, doubt)
                for choice in self._choose(readings, spun[block.numbers[sentence]], block.lattice, fixed)
            ]
            edits += self._written(choices, tokens, block.lattice, block.decoded)
        edits.sort(key=lambda e: e.start)
        family = passages.family or min(self.dense_families, default="")
        return _with_braces(edits, tokens, fixed, family, passages.dense, self.threshold)

    def _by_lexicon(
        self, chunk: _Chunk, claimed: frozenset[int], fixed: frozenset[int]
    ) -> tuple[list[float], list[Block]]:
        """Which sentences were spun, and all that may be restored, decoded by the listed families."""
        tokens, passages, blocks = chunk.tokens, chunk.passages, chunk.blocks
        if blocks is None:
            passages, blocks = self.reader.read(tokens, passages, fixed, self._least_spun, self.assume_spun)
        if not claimed:
            return passages.spun, blocks
        at_work = {passages.sentences[i] for i, p in enumerate(passages.spun) if p >= self._least_spun}
        numbers = sorted(claimed | {i for block in blocks for i in block.numbers})
        again = self.reader.decoded(tokens, passages, numbers, fixed, passages.places, at_work.__contains__)
        return passages.spun, list(again)

    def _spelling(self, lattice: Lattice, arc: int) -> _Spelling:
        """An arc's spelling; only sparse families compose originals, whose words have capitals of their own."""
        option = lattice.option[arc]
        if option and lattice.kind[arc] == TERM:
            return _Spelling(option.original, self._capitals)
        return _Spelling(option.written if option else "", {})

    def _fixed(self, tokens: Tokens) -> frozenset[int]:
        """Tokens inside phrases of the allow-list."""
        if not self._allowed.prefixes:
            return frozenset()
        return frozenset(
            j
            for i in range(len(tokens))
            for end, phrase in self._allowed.matches(tokens, i)
            if phrase in self._allowed.stay
            for j in range(i, end)
        )

    def _choose(
        self, readings: list[_Reading], spun: float, lattice: Lattice, fixed: frozenset[int]
    ) -> Iterator[_Choice]:
        """The most probable readings of a sentence that do not overlap, in order."""

        def at_work(reading: _Reading) -> float:
            """Probability that the reading's family is (a sparse family's odds are in the reading already)."""
            return 1.0 if lattice.kind[reading.arc] == TERM else spun

        readings = _with_agreement(readings, lattice)
        likely = [(-p, r.start, k) for k, r in enumerate(readings) if (p := r.probability * at_work(r)) >= self._least]
        taken: list[_Reading] = []
        changed: set[int] = set()
        for _, _, k in sorted(likely):
            reading = readings[k]
            if changed.isdisjoint(range(reading.start, reading.end)):
                taken.append(reading)
                changed.update(range(reading.start, reading.end))
        if not taken:
            return
        over: dict[tuple[int, int], list[_Reading]] = {}
        for reading in readings:
            over.setdefault((reading.start, reading.end), []).append(reading)
        for reading in sorted(taken, key=lambda r: r.start):
            rivals = [r for r in over[reading.start, reading.end] if r is not reading]
            before = reading.start - 1
            yield _Choice(reading, rivals, at_work(reading), before not in changed and before not in fixed)

    def _written(self, choices: list[_Choice], tokens: Tokens, lattice: Lattice, decoded: Decoded) -> Iterator[Edit]:
        """Choices as edits of the text, with their evidence."""
        found = [[shape(k) for k in tokens.key[c.reading.start : c.reading.end]] for c in choices]
        usual = self.model.phrases([list(c.reading.words) for c in choices] + found)
        for n, choice in enumerate(choices):
            reading, spun = choice.reading, choice.spun
            option = lattice.option[reading.arc]
            assert option is not None  # identity arcs make no reading
            start, end, replacement = _placed(choice, tokens, self._spelling(lattice, reading.arc))
            standing = tokens.text[start:end]
            confidence = reading.probability * spun
            left = spun * (1 - reading.probability) / max(1e-9, 1 - reading.posterior)
            kept = max(0.0, 1 - confidence - sum([r.posterior * left for r in choice.rivals]))
            others = [
                (_replacement(choice, r, start, end, tokens, self._spelling(lattice, r.arc)), p)
                for r in choice.rivals
                if (p := r.posterior * left) >= MENTION
            ]
            if kept >= MENTION:
                others.append((standing, kept))
            others.sort(key=lambda a: -a[1])
            evidence = {
                "channel": log(option.rate),
                "context": float(decoded.context[reading.arc]),
                "frequency": float(usual[n] - usual[len(choices) + n]),
                "similarity": ratio(" ".join(found[n]), " ".join(reading.words)) / 100,
                "passage": spun,
            }
            if reading.record:
                evidence["record"] = reading.record
            yield Edit(
                start,
                end,
                standing,
                replacement,
                confidence,
                option.family,
                tuple(others),
                evidence,
            )


def _restoring(options: dict[str, Any]) -> Callable[[str], Restoration]:
    """What restores texts in another process, from the options of this one's restorer."""
    return Restorer(**options).restore


def _readings(
    lattice: Lattice, decoded: Decoded, tokens: Tokens, fitted: Fitted, doubt: float
) -> Iterator[tuple[int, list[_Reading]]]:
    """By sentence: what the arcs change, arcs that change the same taken together.

    doubt: of a spinner that shares only part of the table; records say nothing of it, and this is taken off instead.
    """
    posterior = decoded.posterior.tolist()
    arcs = [k for k, (p, option) in enumerate(zip(posterior, lattice.option, strict=True)) if p >= MENTION and option]
    judge = _judge(lattice, tokens, fitted, doubt)
    merged: dict[tuple[int, int, tuple[str, ...]], tuple[int, float]] = {}
    sentence = 0
    for arc in arcs:
        option = lattice.option[arc]
        assert option is not None  # identity arcs make no reading
        while lattice.start[arc] >= lattice.sentences[sentence][1]:
            if merged:
                yield sentence, [judge(change, *m) for change, m in merged.items()]
                merged = {}
            sentence += 1
        change = trimmed(lattice.start[arc], lattice.end[arc], option.words, tokens.key)
        p = posterior[arc]
        best, total = merged.get(change, (arc, 0.0))
        merged[change] = best if posterior[best] >= p else arc, min(1.0, total + p)
    if merged:
        yield sentence, [judge(change, *m) for change, m in merged.items()]


def _judge(
    lattice: Lattice, tokens: Tokens, fitted: Fitted, doubt: float
) -> Callable[[tuple[int, int, tuple[str, ...]], int, float], _Reading]:
    """What makes a reading of a change, its likeliest arc and its posterior."""
    keys, options = tokens.key, lattice.option
    by_family: dict[str, tuple[Calibration, Record]] = {}

    def reading(change: tuple[int, int, tuple[str, ...]], arc: int, posterior: float) -> _Reading:
        option = options[arc]
        assert option is not None
        family = option.family
        known = by_family.get(family)
        if known is None:
            told = (
                (fitted.calibration(""), {}) if doubt else (fitted.calibration(family), fitted.records.get(family, {}))
            )
            known = by_family[family] = told
        calibration, records = known
        start, end, words = change
        record = records.get((" ".join(keys[start:end]), " ".join(words)), 0.0) if records else 0.0
        probability = calibration.probability(posterior, option.rate, record - doubt)
        return _Reading(start, end, words, arc, posterior, probability, record)

    return reading


def _with_agreement(readings: list[_Reading], lattice: Lattice) -> list[_Reading]:
    """Readings of a sentence; those of sparse families, whose terms lie one within another, also have the probability
    of longer ones that are doubtful and say the same of their words, unless one between them has it."""
    terms = [r for r in readings if lattice.kind[r.arc] == TERM and r.end - r.start == len(r.words)]
    doubtful = [r for r in terms if r.probability < DOUBTFUL and len(r.words) > 1]
    raised: dict[int, _Reading] = {}
    settled: list[_Reading] = []
    for r in sorted(terms, key=lambda r: -len(r.words)) if doubtful else ():
        agreeing = [s for s in doubtful if _says(s, r)]
        if agreeing and not any(_says(s, r) for s in settled):
            new = raised[id(r)] = r._replace(
                posterior=min(1.0, r.posterior + sum(s.posterior for s in agreeing)),
                probability=min(1.0, r.probability + sum(s.probability for s in agreeing)),
            )
            if new.probability >= DOUBTFUL:
                settled.append(r)
    return [raised.get(id(r), r) for r in readings]


def _says(longer: _Reading, r: _Reading) -> bool:
    """Whether another reading holds one and says the same of its words."""
    at = r.start - longer.start
    return longer is not r and at >= 0 and r.end <= longer.end and longer.words[at : at + len(r.words)] == r.words


def trimmed(start: int, end: int, words: tuple[str, ...], keys: list[str]) -> tuple[int, int, tuple[str, ...]]:
    """A change without the words that both sides begin or end with; one word is left on each."""
    while end - start > 1 and len(words) > 1 and keys[start] == words[0]:
        start, words = start + 1, words[1:]
    while end - start > 1 and len(words) > 1 and keys[end - 1] == words[-1]:
        end, words = end - 1, words[:-1]
    return start, end, words


def _placed(choice: _Choice, tokens: Tokens, spelling: _Spelling) -> tuple[int, int, str]:
    """Where a choice stands in the text and what will stand there: an article before it follows its first sound."""
    first = choice.reading.start
    start, end = tokens.start[first], tokens.end[choice.reading.end - 1]
    if choice.article_free and first and tokens.key[first - 1] in ("a", "an") and tokens.gap[first] == " ":
        before = tokens.start[first - 1]
        replacement = _replacement(choice, choice.reading, before, end, tokens, spelling)
        if not replacement.startswith(tokens.text[before : tokens.end[first - 1]] + " "):
            return before, end, replacement
    return start, end, _replacement(choice, choice.reading, start, end, tokens, spelling)


def _replacement(choice: _Choice, reading: _Reading, start: int, end: int, tokens: Tokens, spelling: _Spelling) -> str:
    """What a reading over a choice's tokens puts between `start` and `end`, with the article where that is among it."""
    text, first = tokens.text, tokens.start[choice.reading.start]
    words = _surface(reading.words, text[first:end], text, spelling)
    if start == first:
        return words
    article = text[start : tokens.end[choice.reading.start - 1]]
    sound = with_capitals(stretch(spelling.original, reading.words), spelling.capitals)
    return fix_article(article, sound, words) + text[start + len(article) : first] + words


def _surface(words: tuple[str, ...], found: str, text: str, spelling: _Spelling) -> str:
    joined = match_case(stretch(spelling.original, words), found)
    return quotes_like(with_capitals(joined, spelling.capitals), text)


def _moved(edit: Edit, offset: int) -> Edit:
    return replace(edit, start=edit.start + offset, end=edit.end + offset) if offset else edit


def _with_braces(
    edits: list[Edit], tokens: Tokens, fixed: frozenset[int], family: str, spun: float, threshold: float
) -> list[Edit]:
    """Edits, with the spinner's stray braces dropped, unless they hold what is on the allow-list: by an edit inside
    them, or by one of their own."""
    chunk = tokens.text
    if "{" not in chunk or spun < threshold:
        return edits
    out = list(edits)
    for lo, hi, held in stray_braces(chunk):
        if not fixed.isdisjoint(range(bisect_left(tokens.start, lo), bisect_left(tokens.start, hi))):
            continue
        within = [e for e in out if e.start < hi and lo < e.end]
        inside = [e for e in within if e.confidence >= threshold]
        if any(e.start <= lo or e.end >= hi for e in inside):
            continue
        new = splice(held, [(e.start - lo - 1, e.end - lo - 1, e.replacement) for e in inside])
        out = [e for e in out if e not in within]
        best = max(inside, key=lambda e: e.confidence, default=None)
        out.append(
            Edit(
                lo,
                hi,
                chunk[lo:hi],
                new,
                best.confidence if best else spun,
                best.family if best else family,
                ((chunk[lo:hi], 1 - (best.confidence if best else spun)),),
                best.evidence if best else {"passage": spun},
            )
        )
    return sorted(out, key=lambda e: e.start)


def _claimed(passages: Passages) -> frozenset[int]:
    """Numbers of the sentences in which sparse families claim places."""
    first = [begin for begin, _ in passages.sentences]
    return frozenset(bisect_right(first, place.start) - 1 for place, _ in passages.places)


def _weighed(listed: Passages, judged: Judgement, assume_spun: bool, alone: bool) -> Passages:
    """Screening with the thesaurus heard: its passages where it was at work, else the better of both probabilities."""
    if judged.log_odds >= 0 or alone:
        p = 1.0 if assume_spun else judged.probability
        return replace(
            listed,
            spun=[p * q for q in judged.spun or [1.0] * len(listed.spun)],
            probability=p,
            rate=judged.rate,
            family=THESAURUS,
            table=STRANGER if judged.own_table else 1.0,
        )
    if assume_spun:
        return listed
    own = listed.probability if any(listed.evidence) else 0.0  # without a lexicon it is but the prior
    return replace(listed, probability=max(own, judged.probability))


def _merge(screened: list[tuple[Passages, int]]) -> Verdict:
    """Verdict over chunks: spun if any is; the rate is their mean by length."""
    best = max((p for p, _ in screened), key=lambda p: p.probability)
    rate = sum(p.rate * n for p, n in screened) / max(1, sum(n for _, n in screened))
    return Verdict(best.probability >= 0.5, best.probability, rate, best.family)
