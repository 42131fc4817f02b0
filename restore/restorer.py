"""The engine: screens a text, decodes what may have been spun, and turns the likeliest readings into edits."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any, Final, NamedTuple

from restore.batch import ordered_map
from restore.cache import kept
from restore.context import ContextModel
from restore.edits import MENTION, Editor, with_braces
from restore.evidence import Block
from restore.fitted import Fitted, load_fitted
from restore.judgement import Judgement
from restore.lexicon import Lexicon, LexiconError, family_of, load, phrases, source_files, split_families
from restore.neural import LEAST as ASKED
from restore.neural import SecondOpinion, installed, load_opinions
from restore.passages import STRANGER, Passages
from restore.reading import Reader
from restore.rereading import LEAST, Rereader
from restore.restoration import Edit, Restoration, Verdict, splice, with_article
from restore.screen import Screen, phrase_weights
from restore.shipped import CONTEXT, FITTED, OPINIONS, root
from restore.sparse.terms import Terms
from restore.text import Tokens, chunks, in_english, tokenize
from restore.thesaurus import FAMILY as THESAURUS
from restore.thesaurus import Thesaurus
from restore.twosided import TwoSided
from restore.unlisted import Unlisted

DEFAULT_FAMILIES: Final = ("autoblog", "tortured", "thesaurus")
THRESHOLD: Final = 0.6  # of calibrated probabilities, F0.5 is best above it, recall below (docs/evaluation.md)


class _Chunk(NamedTuple):
    """A stretch of a text that is screened and restored by itself. offset: where it begins, in code points.
    fixed: tokens of the allow-list. blocks: sentences that screening had to decode already; None where it decoded
    none."""

    tokens: Tokens
    offset: int
    fixed: frozenset[int]
    passages: Passages
    blocks: list[Block] | None


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
        self._own_phrases = frozenset(load((), self.lexicon_paths).options) if self.lexicon_paths else frozenset()
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
        named = not self._families_unsaid
        return [Terms(root() / name, name, self.model, self._own_phrases, named) for name in self._sparse_families]

    @cached_property
    def _editor(self) -> Editor:
        capitals = {word: written for family in self.sparse for word, written in family.capitals.items()}
        return Editor(self.model, self._fitted, capitals, self._least)

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
        """Verdict on a text: whether it was spun, how probably, and how much of it. Only doubtful texts are
        decoded."""
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
            ratios = [r for block in blocks for r in self.reader.weigher("").ratios(block).tolist()]
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
                edits += [_moved(e, chunk.offset) for e in _with_articles(made, proposed, chunk)]
        restored = splice(text, [(e.start, e.end, e.replacement) for e in edits])
        return Restoration(restored, tuple(edits), _merge(screened), source)

    def _judged(self, chunk: _Chunk, edits: list[Edit]) -> list[Edit]:
        """Edits rescored by the second reading in the restored text, then by the language model if one is used."""
        text, spinner = chunk.tokens.text, chunk.passages.spinner
        if edits and self._fitted.rereading:
            edits = self._rereader.judge(text, edits, self.dense_families | {THESAURUS}, spinner)
        return self._opinion.judge(text, edits, spinner) if edits and self.neural else edits

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
            fixed = self._fixed(tokens)
            yield _Chunk(tokens, offset, fixed, *self._passages(tokens, fixed))

    def _passages(self, tokens: Tokens, fixed: frozenset[int]) -> tuple[Passages, list[Block] | None]:
        """Screens by the listed families, decoding doubtful texts, and by the thesaurus where no listed family
        explains the text. Returns the passages and the sentences decoded on the way (None if none). Text that is
        not English is taken as untouched."""
        if not self.assume_spun and not in_english(tokens):
            return Passages.none(tokens.sentences()), None
        dense, blocks = self._screen.dense(tokens, self.assume_spun), None
        if not self.assume_spun and self.reader.doubts(dense):
            dense, blocks = self.reader.read(tokens, dense, fixed, self._least_spun)
        listed = self._screen.with_sparse(tokens, dense, self.assume_spun)
        explained = sum(listed.evidence) > 0 if self.assume_spun else listed.dense >= 0.5
        if self._unlisted is None or explained or not listed.sentences:
            return listed, blocks
        alone = self.assume_spun and self.families == (THESAURUS,)
        judged, read = self._unlisted.judge(tokens, fixed, alone, listed.places)
        if listed.probability >= 0.5 and not judged.own_table and not self.assume_spun:
            return listed, blocks  # a paper, whose terms no synonyms explain
        weighed = _weighed(listed, judged, self.assume_spun, alone)
        return weighed, read if weighed.family == THESAURUS else blocks

    def _edits(self, chunk: _Chunk) -> list[Edit]:
        """Edits of the sentences that may have been spun, or that a sparse family claims."""
        tokens, passages, fixed = chunk.tokens, chunk.passages, chunk.fixed
        claimed = _claimed(passages)
        if not claimed and max(passages.spun, default=0.0) < self._least_spun:
            return []
        if passages.family == THESAURUS and chunk.blocks is not None:
            spun, blocks = passages.spun, chunk.blocks
        else:
            spun, blocks = self._by_lexicon(chunk, claimed)
        known = passages.table == 1
        edits = [edit for block in blocks for edit in self._editor.edits(block, spun, tokens, fixed, known)]
        edits.sort(key=lambda e: e.start)
        family = passages.family or min(self.dense_families, default="")
        return with_braces(edits, tokens, fixed, family, passages.dense, self.threshold)

    def _by_lexicon(self, chunk: _Chunk, claimed: frozenset[int]) -> tuple[list[float], list[Block]]:
        """Which sentences were spun, and all that may be restored, decoded by the listed families."""
        tokens, fixed, passages, blocks = chunk.tokens, chunk.fixed, chunk.passages, chunk.blocks
        if blocks is None:
            passages, blocks = self.reader.read(tokens, passages, fixed, self._least_spun, self.assume_spun)
        if not claimed:
            return passages.spun, blocks
        at_work = {passages.sentences[i] for i, p in enumerate(passages.spun) if p >= self._least_spun}
        numbers = sorted(claimed | {i for block in blocks for i in block.numbers})
        again = self.reader.decoded(tokens, passages, numbers, fixed, passages.places, at_work.__contains__)
        return passages.spun, list(again)

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


def _restoring(options: dict[str, Any]) -> Callable[[str], Restoration]:
    """What restores texts in another process, from the options of this one's restorer."""
    return Restorer(**options).restore


def _with_articles(made: list[Edit], proposed: list[Edit], chunk: _Chunk) -> Iterator[Edit]:
    """The edits. Where rescoring chose another replacement, the a/an before it is adapted, unless that belongs
    to another edit or is on the allow-list."""
    first = {edit.start: edit.replacement for edit in proposed}
    free = 0
    for edit in made:
        another = edit.replacement != first[edit.start]
        if another and bisect_left(chunk.tokens.start, edit.start) - 1 not in chunk.fixed:
            edit = with_article(edit, chunk.tokens.text, free)
        free = edit.end
        yield edit


def _moved(edit: Edit, offset: int) -> Edit:
    return replace(edit, start=edit.start + offset, end=edit.end + offset) if offset else edit


def _claimed(passages: Passages) -> frozenset[int]:
    """Numbers of the sentences in which sparse families claim places."""
    first = [begin for begin, _ in passages.sentences]
    return frozenset(bisect_right(first, place.start) - 1 for place, _ in passages.places)


def _weighed(listed: Passages, judged: Judgement, assume_spun: bool, alone: bool) -> Passages:
    """The screening, revised by the thesaurus's judgement: its passages if it was at work, otherwise only the
    larger of the two probabilities."""
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
