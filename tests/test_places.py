"""How the places of sparse families are judged, and how that is fitted."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log
from random import Random

import pytest

from restore.context import ContextModel
from restore.learning.places import (
    Slots,
    family_without,
    fit_listed,
    fitted,
    invited_places,
    listed_right,
    listed_wrong,
    near,
    parts,
    right_places,
    rivalries,
)
from restore.learning.tortured import Phrase
from restore.lexicon import Option
from restore.shipped import root
from restore.sparse.places import UNFITTED, Choice, Features, Judge, ListedWeight, Place
from restore.sparse.terms import Terms
from restore.text import tokenize

PHRASES = [
    Phrase("irregular timberland", "random forest", 9, ""),
    Phrase("irregular timberlands", "random forests", 4, ""),
    Phrase("irregular number", "random number", 5, ""),
    Phrase("tropical timberland", "tropical forest", 5, ""),
    Phrase("profound learning", "deep learning", 9, ""),
    Phrase("profound neural organization", "deep neural network", 7, ""),
]


PARTIAL = '{"constant": 1, "choice": {}, "weights": {' + ", ".join(f'"{f}": 0' for f in Features._fields) + "}}"


def features(ratio: float, channel: float = -3.0) -> Features:
    given = {"found": -20.0, "original": -12.0, "term": -9.0, "margin": -0.1, "changes": 2.0}
    given |= {"ratio": ratio, "channel": channel, "found_fits": -20.0, "original_fits": -12.0}
    return Features(**{name: given.get(name, 0.0) for name in Features._fields})


def judge_of(right: list[Features], wrong: list[Features], odds: float) -> Judge:
    constant, weights = fitted(right, wrong, odds)
    return replace(UNFITTED, constant=constant, weights=Features(*weights))


def test_a_judge_is_written_and_read(tmp_path):
    judge = Judge(
        -1.25, Features(*map(float, range(len(Features._fields)))), Choice(0.5, -1.0, -2.0), ListedWeight(-7.0, -0.5)
    )
    judge.save(tmp_path / "places.json")
    assert Judge.load(tmp_path / "places.json") == judge


def test_without_a_file_the_ratio_decides(tmp_path):
    assert Judge.load(tmp_path / "places.json") is UNFITTED
    assert UNFITTED.weight(features(3.0)) - UNFITTED.weight(features(1.0)) == pytest.approx(2.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"constant": 1}',
        '{"constant": 1, "weights": {"ration": 2}, "choice": {}}',
        '{"constant": 1, "weights": 2}',
        PARTIAL,
        PARTIAL.replace("{}", '{"joint": 1, "changes": NaN, "length": 0}'),
    ],
)
def test_a_broken_file_is_named(tmp_path, text):
    (tmp_path / "places.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"places\.json.*fit them"):
        Judge.load(tmp_path / "places.json")


def test_fitting_parts_right_from_wrong():
    right = [features(3.0 + 0.1 * k, -2.0 - k % 3) for k in range(40)]
    wrong = [features(-9.0 + 0.1 * k, -6.0 + k % 3) for k in range(80)]
    judge = judge_of(right, wrong, 1.0)
    assert min(map(judge.weight, right)) > max(map(judge.weight, wrong))
    assert judge.weights.ratio > 0
    assert judge.weights.channel > 0


def test_how_many_there_are_of_a_kind_does_not_matter():
    right, wrong = [features(2.0 + 0.1 * k) for k in range(30)], [features(0.1 * k) for k in range(30)]
    once, thrice = judge_of(right, wrong, 1.0), judge_of(right, 3 * wrong, 1.0)
    assert once.weight(features(3.0)) == pytest.approx(thrice.weight(features(3.0)), abs=0.3)


def test_what_is_expected_of_a_text_moves_all_odds_alike():
    right, wrong = [features(2.0 + 0.1 * k) for k in range(30)], [features(0.1 * k) for k in range(30)]
    even, double = judge_of(right, wrong, 1.0), judge_of(right, wrong, 2.0)
    for ratio in (0.0, 3.0):
        assert double.weight(features(ratio)) - even.weight(features(ratio)) == pytest.approx(log(2))


def test_originals_are_chosen_by_what_they_change():
    """Of two that are as likely, the one with as many words, and of these the one that changes fewer."""
    found = ["speech", "acknowledgment"]
    options = tuple(
        Option(" ".join(words), tuple(words), 0.3, "x", "composed")
        for words in (["voice", "recognition"], ["recognition", "of", "speech"], ["speech", "recognition"])
    )
    place = Place(0, 2, 1.0, options, (log(1 / 3),) * 3)
    chosen = replace(UNFITTED, choice=Choice(1.0, -1.0, -3.0)).chosen(place, found)
    assert [o.original for o in chosen.options] == ["speech recognition", "voice recognition", "recognition of speech"]
    assert sum(map(exp, chosen.shares)) == pytest.approx(1)
    assert chosen.changes == {("acknowledgment", "recognition")}
    assert UNFITTED.chosen(place, found).shares == pytest.approx(place.shares)


def test_parts_keep_near_duplicates_together():
    for apart, known in parts(PHRASES, number=3, seed=0):
        assert len(apart) + len(known) == len(PHRASES)
        assert not {near(p.found) for p in apart} & {near(p.found) for p in known}


CLEAN = (
    "This paper studies a random forest in some detail, with what was used before.",
    "In the second part the Tropical forests of the west were measured by all groups.",
)


def test_phrases_are_set_where_their_originals_stand():
    slots = Slots((p.original for p in PHRASES), CLEAN)
    assert len(slots) == 2
    texts = {"".join(slots.filled(PHRASES[0], Random(seed))) for seed in range(40)}
    assert texts == {CLEAN[0].replace("random forest", t) for t in ("irregular timberland", "Irregular Timberland")}
    for seed in range(9):
        before, found, after = slots.filled(PHRASES[3], Random(seed))
        assert before.endswith("the ")
        assert found in ("Tropical timberland", "Tropical Timberland")
        assert after.startswith(" of the west")


def test_phrases_whose_originals_are_nowhere_said_stand_for_other_terms():
    slots = Slots(["random forest"], CLEAN)
    filled = slots.filled(PHRASES[4], Random(1))
    assert "".join(filled) == CLEAN[0].replace("random forest", "profound learning")
    assert filled[1] == "profound learning"


SLOTS = Slots((p.original for p in PHRASES), CLEAN)


def test_left_out_phrases_are_composed_and_measured(tmp_path):
    held = Phrase("irregular forest", "random forest", 1, "")
    model = ContextModel.load(root() / "context.bin")
    folder = family_without(root() / "tortured", PHRASES, tmp_path / "tortured")
    found = list(right_places(Terms(folder, "tortured", model), [held] * 8, SLOTS))
    assert len(found) >= 7
    assert all(f.changes == 1 and f.channel < 0 and f.original_fits > f.found_fits for f in found)


def test_rivals_are_what_is_chosen_among(tmp_path):
    """Places with the right original and others; choosing by what is fitted on them prefers the right ones."""
    model = ContextModel.load(root() / "context.bin")
    folder = family_without(root() / "tortured", PHRASES, tmp_path / "tortured")
    matcher = Terms(folder, "tortured", model, judge=UNFITTED)
    held = [Phrase("irregular forest", "random forest", 1, ""), Phrase("profound network", "deep network", 1, "")]
    found = list(rivalries(matcher, held * 3, SLOTS))
    assert found
    assert all(x.shape == (len(right), len(Choice._fields)) and 0 < right.sum() < len(right) for x, right in found)


def test_invited_places_count_the_tokens_that_were_read(tmp_path):
    matcher = Terms(root() / "tortured", "tortured", ContextModel.load(root() / "context.bin"))
    text = "We saw irregular timberland there."
    once, read = invited_places(matcher, [text])
    twice, both = invited_places(matcher, [text, text])
    assert once
    assert (len(twice), both) == (len(once), 2 * read)  # the same phrase counts once


def test_a_run_of_links_alone_is_no_place():
    """Once an IndexError: a genitive between two small words."""
    matcher = Terms(root() / "tortured", "tortured", ContextModel.load(root() / "context.bin"))
    for text in ("On the Use of 's in Practice", "of and to in for with", "vitality of", "of vitality"):
        matcher.places(tokenize(text))


def test_a_listed_phrase_weighs_as_much_as_it_is_unlikely():
    """And by its condition as it is given; that clean texts are long makes all weigh more."""
    right, wrong = [(-26.0 - 0.1 * k, -3.0 * (k % 2)) for k in range(60)], [(-15.0 - 0.1 * k, -3.0) for k in range(20)]
    listed = fit_listed(right, wrong, 20_000)
    assert listed.weight(-30.0, 0.0) > listed.weight(-25.0, 0.0) > 0 > listed.weight(-15.0, 0.0)
    assert listed.weight(-30.0, -3.0) == pytest.approx(listed.weight(-30.0, 0.0) - 3)
    assert fit_listed(right, wrong, 40_000).constant == pytest.approx(listed.constant + log(2))


def test_listed_phrases_of_clean_texts_are_counted_in_papers_alone(tmp_path):
    model = ContextModel.load(root() / "context.bin")
    folder = family_without(root() / "tortured", PHRASES, tmp_path / "tortured")
    matcher = Terms(folder, "tortured", model, named=False)
    paper = "The proposed algorithm and its parameters were evaluated: an irregular number."
    tale = "It rained on the village all day, and an irregular number of people stayed at home."
    wrong, read = listed_wrong(matcher, [paper, tale])
    assert len(wrong) == 1
    assert read == len(tokenize(paper))
    assert list(listed_right(matcher, [PHRASES[2]], SLOTS)) == wrong
