"""Weights of the evidence, calibration and record, fitted on real pairs.

Each tenth pair is kept for this (`restore.learning.gold.HELD_OUT`); the lexicon's counts are taken from
the others. Weights minimise the mean negative log posterior of the gold arcs
(coordinate search); the calibration is a logistic regression on the edits that
the engine makes with them.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import cycle, islice
from math import exp, log
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from restore.calibration import NONE, Calibration, Record, features
from restore.candidates import Finder, Lattice
from restore.context import ContextModel
from restore.decoder import Weights
from restore.edits import trimmed
from restore.fitted import Fitted, load_fitted
from restore.learning.gold import Marked, judged, read_marked, split
from restore.learning.phrases import as_found, as_written, from_marked, learn, read_pairs, write_learned
from restore.learning.regression import Rivals, conditional_logit, logistic
from restore.learning.thesaurus import SynonymSpinner
from restore.lexicon import load, phrase_key, read, words_of
from restore.neural import LEAST as ASKED
from restore.neural import Model, Opinion, SecondOpinion, candidates_of
from restore.reading import decoded_twice
from restore.rereading import LEAST as REREAD_LEAST
from restore.rereading import Coefficients, Rereader, doubtful
from restore.restoration import Edit
from restore.restorer import Restorer
from restore.shipped import FITTED, SYNONYMS, root
from restore.synonyms import SOURCES, Synonyms
from restore.text import Tokens, tokenize
from restore.thesaurus import FAMILY as THESAURUS
from restore.thesaurus import RATE

LEAST: Final = 0.05  # confidence of the edits that calibration and record are fitted on
PARTS: Final = 4  # of the pairs, for the record
PENALTY: Final = 2.0  # of the squares of its log odds; by likelihood on a quarter of the pairs, 1 and 4 do as well
HEARD: Final = 0.5  # of the odds, that are written down: another spinner of the family errs elsewhere
LEAST_ODDS: Final = 0.05  # that are written down
STEPS: Final = 25


@dataclass(frozen=True, slots=True)
class _Labelled:
    """A document's lattice with the two-sided model's scores, and which arcs are gold where there is a choice."""

    tokens: Tokens
    lattice: Lattice
    two_sided: NDArray[np.float64]
    gold: NDArray[np.int64]
    model: ContextModel


def lexicon_without(marked: Sequence[str], family: str, folder: Path) -> Path:
    """A copy of a built-in family in `folder`, its counts taken from these documents alone."""
    copy = folder / family
    shutil.copytree(root() / family, copy)
    write_learned(learn(map(from_marked, marked)), copy / "learned.tsv")
    return copy


def fit_all(pairs: Path, family: str, old: Fitted, keep: bool, report: Callable[[str], object]) -> Fitted:
    """Weights (or the old ones, if kept), then the calibration of a family, with its entries' record and the evidence
    of passages as they were."""
    learned, kept = split(pairs)
    record = old.records.get(family, {})
    documents = [read_marked(m) for m in kept]
    with tempfile.TemporaryDirectory() as folder:
        path = lexicon_without(learned, family, Path(folder))
        weights = old.weights_of("") if keep else _search(list(_labelled(documents[::3], path)), old, report)
        known = Fitted({"": weights}, {"": NONE}, {family: record}, passage=old.passage)
        rows = list(_rows(documents, path, known))
    calibration = calibrated(rows)
    report(f"calibration on {len(rows):,} edits: {calibration.coefficients}")
    return Fitted({"": weights}, {family: calibration})


def calibrated(rows: Sequence[tuple[tuple[float, ...], float, bool]]) -> Calibration:
    """The calibration by logistic regression, drawn towards the posterior as it is.

    rows: features of an edit, its entry's record, whether it is right.
    """
    x, given, right = (
        np.array([r[0] for r in rows]),
        np.array([r[1] for r in rows]),
        np.array([r[2] for r in rows], int),
    )
    weights = logistic(x, right, towards=NONE.coefficients, given=given)
    return Calibration(tuple(round(float(w), 4) for w in weights))


def fit_opinion(model: Model, pairs: Path, family: str, documents: int, report: Callable[[str], object]) -> Opinion:
    """Weights of a language model on close calls, fitted by the likelihood of the right candidates on held-out
    pairs."""
    learned, kept = split(pairs)
    read = [read_marked(m) for m in kept[:: max(1, len(kept) // documents)][:documents]]
    with tempfile.TemporaryDirectory() as folder:
        path = lexicon_without(learned, family, Path(folder))
        engine = Restorer(families=[], lexicons=[path], threshold=REREAD_LEAST)
        return _opinion(model, read, engine, report)


def fit_opinion_unlisted(model: Model, documents: Sequence[Marked], report: Callable[[str], object]) -> Opinion:
    """The same for spinners that no family lists, on documents that were spun by such."""
    return _opinion(model, documents, Restorer(threshold=ASKED), report)


def _opinion(model: Model, documents: Sequence[Marked], engine: Restorer, report: Callable[[str], object]) -> Opinion:
    """Fitted on the edits of an engine with at least its threshold of confidence."""
    least = engine.threshold
    listener = SecondOpinion(model, {"": Opinion(1.0, 0.0, 0.0, least)})
    places = list(_close_places(documents, engine, listener, report))
    report(f"{len(places):,} close calls")
    of_engine, of_model, identity = conditional_logit(places)
    return Opinion(of_engine, of_model, identity, least)


def fit_rereading(pairs: Path, family: str, report: Callable[[str], object]) -> Coefficients:
    """Coefficients of the second reading, by likelihood of the right candidates on held-out pairs."""
    learned, kept = split(pairs)
    fitted = load_fitted(root() / FITTED)
    with tempfile.TemporaryDirectory() as folder:
        path = lexicon_without(learned, family, Path(folder))
        engine = Restorer(families=[], lexicons=[path], threshold=REREAD_LEAST, fitted=replace(fitted, rereading={}))
        reader = Rereader.load({})
        choices = [c for m in map(read_marked, kept) for c in _reread(m, engine, reader, frozenset([family]))]
    report(f"{len(choices):,} places read again")
    return conditional_logit(choices)


def fit_rereading_unlisted(documents: Iterable[Marked], report: Callable[[str], object]) -> Coefficients:
    """The same for spinners that no family lists, on documents that were spun by such."""
    engine = Restorer(threshold=REREAD_LEAST, fitted=replace(load_fitted(root() / FITTED), rereading={}))
    reader, families = Rereader.load({}), engine.dense_families | {THESAURUS}
    choices = [c for document in documents for c in _reread(document, engine, reader, families)]
    report(f"{len(choices):,} places of unlisted spinners read again")
    return conditional_logit(choices)


def spun_by_thesauri(pairs: Path, documents: int, seed: int = 0) -> Iterator[Marked]:
    """Originals of pairs, each spun by one source of the table of synonyms."""
    synonyms = Synonyms.load(root() / SYNONYMS)
    spinners = cycle(SynonymSpinner(synonyms, source, seed) for source in SOURCES)
    for pair, spinner in zip(islice(read_pairs(pairs), documents), spinners, strict=False):
        yield read_marked(spinner.marked(pair.original, RATE))


def _reread(marked: Marked, engine: Restorer, reader: Rereader, families: frozenset[str]) -> Iterator[Rivals]:
    edits = engine.restore(marked.tokens.text).edits
    places = doubtful(edits, families)
    if not places.edit:
        return
    x = reader.evidence(marked.tokens.text, edits, places)
    for number, a, b in zip(places.edit, places.first, [*places.first[1:], len(x)], strict=True):
        right = right_or_found(marked, edits[number], places.text[a:b])
        if right.any():
            yield x[a:b], right


def right_or_found(marked: Marked, edit: Edit, candidates: Sequence[str]) -> NDArray[np.bool_]:
    """Which candidates of an edit's place are right; where none is, the word found, if it is among them: better that
    the text stays."""
    right = _right(marked, edit, candidates)
    return right if right.any() else np.array([c == edit.found for c in candidates])


def _right(marked: Marked, edit: Edit, candidates: Sequence[str]) -> NDArray[np.bool_]:
    """Which candidates of an edit's place are right; the text as found where no span that must change touches it."""
    untouched = not any(s.start < edit.end and edit.start < s.end and not s.optional for s in marked.spans)
    return np.array(
        [untouched if c == edit.found else next(judged(marked, [replace(edit, replacement=c)])) for c in candidates]
    )


def _close_places(
    documents: Sequence[Marked], engine: Restorer, listener: SecondOpinion, report: Callable[[str], object]
) -> Iterator[Rivals]:
    """Close calls; features: log probability, the model's, whether the word stays."""
    for number, marked in enumerate(documents, 1):
        text = marked.tokens.text
        for edit, heard in listener.heard(text, engine.restore(text).edits, engine.threshold):
            if heard is None:
                continue
            candidates, probability = candidates_of(edit)
            own = np.array([c == edit.found for c in candidates])
            right = right_or_found(marked, edit, candidates)
            if right.any():
                yield np.stack([np.log(np.maximum(probability, 1e-6)), heard - heard.max(), own], axis=1), right
        report(f"{number} of {len(documents)} documents")


def _labelled(documents: Sequence[Marked], path: Path) -> Iterator[_Labelled]:
    engine = Restorer(families=[], lexicons=[path])
    model, two_sided = engine.model, engine.twosided
    finder = Finder(load(paths=[path]), model)
    for marked in documents:
        tokens = marked.tokens
        lattice = finder.lattice(tokens, tokens.sentences())
        scores = two_sided.score(tokens, lattice, model)
        yield _Labelled(tokens, lattice, scores, gold_arcs(marked, lattice), model)


def gold_arcs(marked: Marked, lattice: Lattice) -> NDArray[np.int64]:
    """Arcs that the author wrote, at tokens where there is a choice."""
    spans = [(s.tokens, frozenset(phrase_key(o) for o in s.originals)) for s in marked.spans if s.tokens]
    gold = {a: (b, originals) for (a, b), originals in spans}
    inner = {k for (a, b), _ in spans for k in range(a + 1, b)}
    count = np.bincount(np.asarray(lattice.start), minlength=len(marked.tokens))
    right = []
    for arc, option in enumerate(lattice.option):
        at = lattice.start[arc]
        if count[at] == 1 or at in inner:
            continue
        end, originals = gold.get(at, (0, frozenset()))
        if (option is None and at not in gold) or (
            option is not None and end == lattice.end[arc] and option.original in originals
        ):
            right.append(arc)
    return np.array(right, np.int64)


def _loss(labelled: Sequence[_Labelled], weights: Weights) -> float:
    """Mean negative log posterior of gold arcs, in nats."""
    total = count = 0.0
    for d in labelled:
        posterior = decoded_twice(d.lattice, d.tokens, d.two_sided, d.model, weights).posterior[d.gold]
        total -= float(np.log(np.maximum(posterior, 1e-4)).sum())
        count += len(d.gold)
    return total / count


def _search(labelled: Sequence[_Labelled], old: Fitted, report: Callable[[str], object]) -> Weights:
    """Coordinate search: each weight up or down by a step, the step halved when nothing helps.

    `judging` decides which sentences were spun, not what they said, so it is left as it is.
    """
    best = Weights(judging=old.weights_of("").judging) if "" in old.weights else Weights()
    least = _loss(labelled, best)
    report(f"{least:.4f} nats with {best}")
    step = 0.1
    while step > 0.02:
        before = least
        for name in (f.name for f in fields(Weights) if f.name != "judging"):
            for sign in (1, -1):
                tried = replace(best, **{name: round(getattr(best, name) + sign * step, 3)})
                loss = _loss(labelled, tried)
                if loss < least - 1e-5:
                    best, least = tried, loss
                    report(f"{least:.4f} nats with {best}")
                    break
        if before - least < 1e-4:
            step /= 2
    return best


def _rows(documents: Sequence[Marked], path: Path, fitted: Fitted) -> Iterator[tuple[tuple[float, ...], float, bool]]:
    """Features of the edits that the engine would make, their entries' records, and whether each is right."""
    engine = Restorer(families=[], lexicons=[path], threshold=LEAST, fitted=fitted)
    for marked in documents:
        edits = engine.restore(marked.tokens.text).edits
        for edit, right in zip(edits, judged(marked, edits), strict=True):
            record = edit.evidence.get("record", 0.0)
            posterior = 1 / (1 + exp(record) * (edit.evidence["passage"] / edit.confidence - 1))
            yield features(posterior, exp(edit.evidence["channel"])), record, right


def fit_passage(pairs: Path, family: str, report: Callable[[str], object]) -> tuple[float, ...]:
    """Constant and weights of the screen's and the lattice's log-likelihood ratios, by logistic regression on
    sentences of held-out pairs: changed ones against originals."""
    learned, kept = split(pairs)
    with tempfile.TemporaryDirectory() as folder:
        engine = Restorer(families=[], lexicons=[lexicon_without(learned, family, Path(folder))])
        sides = [[evidence for m in kept for evidence in _sentences(m, engine, spun)] for spun in (False, True)]
    x = np.array([evidence for side in sides for evidence in side])
    report(f"{len(sides[1]):,} spun sentences, {len(sides[0]):,} untouched ones")
    theta = logistic(x, np.repeat([0, 1], [len(side) for side in sides]), penalty=0.5)
    theta[0] -= log(len(sides[1]) / len(sides[0]))  # a likelihood ratio knows no prior
    return tuple(round(float(v), 4) for v in theta)


def _sentences(marked: str, engine: Restorer, spun: bool) -> Iterator[tuple[float, float, float]]:
    """Constant, screen's and lattice's evidence of each sentence on one side of a pair."""
    untouched = as_written(marked)
    known = set(_texts(untouched)) if spun else set[str]()
    text = as_found(marked) if spun else untouched
    for sentence, (screened, lattice) in zip(_texts(text), engine.sentence_evidence(text), strict=True):
        if sentence not in known:
            yield 1.0, screened, lattice


def _texts(text: str) -> list[str]:
    tokens = tokenize(text)
    return [text[tokens.start[a] : tokens.end[b - 1]] for a, b in tokens.sentences()]


def fit_record(pairs: Path, family: str, report: Callable[[str], object]) -> Record:
    """The record of a family's counted entries, on the pairs that models learn from: part by part, with the lexicon
    that the other parts give.

    Each change has a term of its own in a logistic regression on the log odds that the engine gives it; a Gaussian
    prior keeps seldom ones near zero. Estimated entries are left out: these pairs need not know them.
    """
    marked, _ = split(pairs)
    fitted = replace(load_fitted(root() / FITTED), records={}, rereading={})
    places: list[tuple[tuple[str, str], float, bool]] = []
    for part in range(PARTS):
        with tempfile.TemporaryDirectory() as folder:
            others = [m for i, m in enumerate(marked) if i % PARTS != part]
            path = lexicon_without(others, family, Path(folder))
            places += _places([read_marked(m) for m in marked[part::PARTS]], path, fitted)
        report(f"part {part + 1} of {PARTS}: {len(places):,} edits")
    counted = {_change(e.found, e.original) for e in read(root() / family, family) if e.measured}
    record = {change: HEARD * odds for change, odds in _terms(places).items() if change in counted}
    return {change: odds for change, odds in record.items() if abs(odds) >= LEAST_ODDS}


def _places(documents: Sequence[Marked], path: Path, fitted: Fitted) -> Iterator[tuple[tuple[str, str], float, bool]]:
    """Edits that the engine would make: what they change, log odds without the passage's, whether each is right."""
    engine = Restorer(families=[], lexicons=[path], threshold=LEAST, fitted=fitted)
    for marked in documents:
        edits = engine.restore(marked.tokens.text).edits
        for edit, right in zip(edits, judged(marked, edits), strict=True):
            p = min(max(edit.confidence / edit.evidence["passage"], 1e-3), 1 - 1e-3)
            yield _change(edit.found, edit.replacement), log(p / (1 - p)), right


def _change(found: str, restored: str) -> tuple[str, str]:
    """The words that a change removes and inserts, without those that both sides share at the ends."""
    keys = tokenize(found).key
    start, end, words = trimmed(0, len(keys), words_of(phrase_key(restored)), keys)
    return " ".join(keys[start:end]), " ".join(words)


def _terms(places: Sequence[tuple[tuple[str, str], float, bool]]) -> dict[tuple[str, str], float]:
    """Log odds of each change in a logistic regression with a common slope and constant; common and own terms are
    updated alternately by Newton steps."""
    number: dict[tuple[str, str], int] = {}
    which = np.array([number.setdefault(change, len(number)) for change, _, _ in places])
    x = np.array([[logit, 1.0] for _, logit, _ in places])
    y = np.array([right for _, _, right in places], float)
    common, own = np.array([1.0, 0.0]), np.zeros(len(number))
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-(x @ common + own[which])))
        common += np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(2), x.T @ (y - p))
        p = 1 / (1 + np.exp(-(x @ common + own[which])))
        slope = np.bincount(which, y - p, len(own)) - PENALTY * own
        own += np.clip(slope / (np.bincount(which, p * (1 - p), len(own)) + PENALTY), -1, 1)
    return dict(zip(number, own.tolist(), strict=True))
