"""The first reading: what decoding says of a sentence, and what follows for the verdict."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import restore
from restore.candidates import IDENTITY, INFLECTED, LISTED, Lattice, joined
from restore.decoder import Weights, as_found, expand, posteriors
from restore.evidence import Block, expected_changes
from restore.fitted import load_fitted
from restore.lexicon import Option
from restore.reading import blocked, decoded_twice
from restore.shipped import root
from restore.text import tokenize

HEADLINE = "The faculty bus leaves the practice station at midday"
BETWEEN = "Sir Isaac wrote of it, and his letters, which she had kept, were read aloud at the meeting."
GLOSSARY = (
    """accidental
appoggiatura
cadenza
crotchet
glissando
hemiola
leger line
mordent
ostinato
quaver
sforzando
stave
tessitura
tremolo
"""
    * 6
)


def option(original: str) -> Option:
    return Option(original, tuple(original.split()), 0.2, "autoblog", "test")


def lattice(*arcs: tuple[int, int, str, float, Option | None], tokens: int = 2) -> Lattice:
    made = Lattice([(0, tokens)])
    for start, end, words, weight, listed in arcs:
        made.add(start, end, tuple(words.split()), weight, listed, LISTED if listed else IDENTITY)
    return made


def test_words_as_they_stand_have_the_probability_of_the_only_path(engine):
    tokens = tokenize(f"{BETWEEN} {BETWEEN} “It rained,” she said.")
    found = engine.reader._finder.lattice(tokens, tokens.sentences())
    own = found.taken([k for k, kind in enumerate(found.kind) if kind == IDENTITY])
    own.weight = [0.0] * len(own)
    weights, nothing = Weights(context=1.0), np.zeros(len(own))
    decoded = posteriors(expand(own, nothing, engine.model, weights), nothing, weights)
    assert as_found(found, engine.model) == pytest.approx(decoded.evidence, abs=1e-3)


def test_wrong_words_speak_for_a_spinner_and_the_same_in_their_place_against_it(engine):
    """“Local weather” where climate is meant, and where it is not; words alone would have it the other way round."""
    wrong = "Ministers disagreed about local weather change at the summit."
    right = "Check your local weather before you set out."
    (wrong_alone, wrong_read), (right_alone, right_read) = (engine.sentence_evidence(t)[0] for t in (wrong, right))
    assert wrong_alone < right_alone
    assert wrong_read > 2 > 0 > right_read


def test_sentences_of_a_spun_article_and_of_a_clean_one(engine, spun, clean):
    ratios = [[lattice for _, lattice in engine.sentence_evidence(text)] for text in (spun, clean)]
    assert np.median(ratios[0]) > 2
    assert max(ratios[1]) < np.median(ratios[0])


def test_a_headline_is_found_out_by_what_it_would_be(engine):
    alone = restore.Restorer(fitted=dataclasses.replace(load_fitted(root() / "fitted.json"), passage=()))
    assert not alone.detect(HEADLINE).spun
    assert engine.detect(HEADLINE).spun
    assert engine.restore(HEADLINE).text.startswith("The school bus leaves the train station")


@pytest.mark.parametrize("text", [HEADLINE, BETWEEN, GLOSSARY, "Local weather report for tomorrow", "", "Yes."])
def test_detecting_and_restoring_agree(engine, text):
    assert engine.detect(text) == engine.restore(text).verdict


def test_no_single_place_convicts_a_sentence(engine):
    """However much likelier the sentence is without it."""
    verdict = engine.detect("The panel on local weather change met in Geneva.")
    assert not verdict.spun
    assert verdict.probability > engine.detect("The panel on climate change met in Geneva.").probability


def test_a_glossary_is_no_text_of_a_thesaurus(engine):
    assert engine.restore(GLOSSARY).edits == ()
    assert not engine.detect(GLOSSARY).spun


def test_sentences_are_judged_by_one_weight_of_the_two_sided_model_and_read_by_another(engine):
    tokens = tokenize("local weather")
    arcs = (0, 1, "local", 0.0, None), (1, 2, "weather", 0.0, None), (0, 2, "climate", -2.0, option("climate"))
    two_sided = np.array([0.0, 0.0, -3.0])  # speaks against the change

    def decoded(judging: float, reading: float):
        weights = Weights(context=1.0, channel=1.0, judging=judging, two_sided=reading)
        return decoded_twice(lattice(*arcs), tokens, two_sided, engine.model, weights)

    both, judged, read = decoded(0.1, 0.1), decoded(0.9, 0.1), decoded(0.1, 0.9)
    assert judged.evidence < both.evidence == read.evidence
    assert judged.suspected[2] < both.suspected[2] == read.suspected[2]
    assert read.posterior[2] < both.posterior[2] == pytest.approx(judged.posterior[2], rel=0.01)


def test_changes_are_counted_by_sentence():
    found = lattice((0, 1, "local", 0.0, None), (0, 2, "climate", 0.0, option("climate")), (1, 2, "weather", 0.0, None))
    block = Block([4], found, dataclasses.replace(_decoded(found), suspected=np.array([0.2, 0.8, 0.2])))
    assert expected_changes(block).tolist() == [0.8]


def _decoded(found: Lattice):
    from restore.decoder import Decoded

    return Decoded(np.zeros(len(found)), np.zeros(len(found)), np.zeros(1), np.zeros(len(found)))


def test_sentences_are_decoded_in_blocks():
    sentences = [(0, 2000), (2000, 2900), (2900, 4100), (4100, 4101)]
    assert list(blocked([0, 1, 2, 3], sentences)) == [[0, 1, 2], [3]]
    assert list(blocked([1, 3], sentences)) == [[1, 3]]
    assert list(blocked([], sentences)) == []


def test_two_lattices_joined():
    one = lattice((0, 1, "a", -0.1, None), (0, 1, "b", -2.0, option("b")), (1, 2, "c", 0.0, None))
    other = lattice(
        (0, 1, "a", -0.2, None),
        (0, 1, "b", -1.0, option("b")),
        (1, 2, "c", -0.3, None),
        (1, 2, "d", -3.0, option("d")),
    )
    both = joined(one, other)
    assert list(zip(both.start, both.words, both.weight, strict=True)) == [
        (0, ("a",), pytest.approx(-0.3)),
        (0, ("b",), -2.0),  # the first lattice knows it already
        (1, ("c",), pytest.approx(-0.3)),
        (1, ("d",), -3.0),
    ]
    assert INFLECTED not in both.kind


def test_a_lattice_joined_for_its_candidates_alone():
    one = lattice((0, 1, "a", -0.1, None))
    other = lattice((0, 1, "a", -0.2, None), (0, 1, "b", -1.0, option("b")))
    both = joined(one, other, left=False)
    assert list(zip(both.words, both.weight, strict=True)) == [(("a",), -0.1), (("b",), -1.0)]


def test_a_word_left_alone_speaks_against_a_partial_table_once(engine):
    """All its places together no more than log(1 - share): its spinner does not have it."""
    tokens = tokenize("A study of a study of a study of a study, and one more study.")
    finder = engine.reader._finder
    whole = finder.lattice(tokens, tokens.sentences())
    part = finder.lattice(tokens, tokens.sentences(), table=0.3)

    def stays(found: Lattice) -> list[float]:
        at = zip(found.start, found.option, found.weight, strict=True)
        return [w for start, o, w in at if o is None and tokens.key[start] == "study"]

    assert len(set(stays(whole))) == 1  # a table that is known counts every place
    assert stays(whole)[0] < -1
    assert stays(part) == sorted(stays(part))
    assert sum(stays(part)) == pytest.approx(np.log(0.7 + 0.3 * np.exp(sum(stays(whole)))))


def test_a_change_that_recurs_counts_once(engine):
    """A page of mathematics says "module" a hundred times; that is no hundred times as suspicious."""
    sentence = "The officers of the firm purchased a vehicle for the undertaking. "
    once, often = (
        engine.reader.weigher("thesaurus").of_text(t, engine.reader.by_own_table(t, None, frozenset(), known=True))
        for t in (tokenize(sentence), tokenize(sentence * 20))
    )
    assert often.changes > 15 * once.changes > 15
    assert often.distinct < 5 * once.distinct
    assert often.ratio < 5 * max(1.0, once.ratio)
    assert often.free == pytest.approx(20 * once.free)
