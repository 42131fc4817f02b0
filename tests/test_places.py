"""How the places of sparse families are judged, and how that is fitted."""

from __future__ import annotations

import pytest

from restore.context import ContextModel
from restore.learning.places import CARRIERS, family_without, fit_judge, near, parts, right_places
from restore.learning.tortured import Phrase
from restore.lexicon import root
from restore.places import UNFITTED, Features, Judge
from restore.terms import Terms
from restore.text import tokenize

PHRASES = [
    Phrase("irregular timberland", "random forest", 9, ""),
    Phrase("irregular timberlands", "random forests", 4, ""),
    Phrase("irregular number", "random number", 5, ""),
    Phrase("tropical timberland", "tropical forest", 5, ""),
    Phrase("profound learning", "deep learning", 9, ""),
    Phrase("profound neural organization", "deep neural network", 7, ""),
]


def features(ratio: float, channel: float = -3.0) -> Features:
    return Features(ratio, channel, -20.0, -12.0, -9.0, -0.1, 2.0, 0.0)


def test_a_judge_is_written_and_read(tmp_path):
    judge = Judge(-1.25, Features(*map(float, range(8))))
    judge.save(tmp_path / "places.json")
    assert Judge.load(tmp_path / "places.json") == judge


def test_without_a_file_the_ratio_decides(tmp_path):
    assert Judge.load(tmp_path / "places.json") is UNFITTED
    assert UNFITTED.weight(features(3.0)) - UNFITTED.weight(features(1.0)) == pytest.approx(2.0)


@pytest.mark.parametrize("text", ["", "[]", '{"constant": 1}', '{"constant": 1, "ration": 2}'])
def test_a_broken_file_is_named(tmp_path, text):
    (tmp_path / "places.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"places\.json.*fit them"):
        Judge.load(tmp_path / "places.json")


def test_fitting_parts_right_from_wrong():
    right = [features(3.0 + 0.1 * k, -2.0 - k % 3) for k in range(40)]
    wrong = [features(-9.0 + 0.1 * k, -6.0 + k % 3) for k in range(80)]
    judge = fit_judge(right, wrong)
    assert min(map(judge.weight, right)) > max(map(judge.weight, wrong))
    assert judge.weights.ratio > 0
    assert judge.weights.channel > 0


def test_how_many_there_are_of_a_kind_does_not_matter():
    right, wrong = [features(2.0 + 0.1 * k) for k in range(30)], [features(0.1 * k) for k in range(30)]
    once, thrice = fit_judge(right, wrong), fit_judge(right, 3 * wrong)
    assert once.weight(features(3.0)) == pytest.approx(thrice.weight(features(3.0)), abs=0.3)


def test_parts_keep_near_duplicates_together():
    for apart, known in parts(PHRASES, number=3, seed=0):
        assert len(apart) + len(known) == len(PHRASES)
        assert not {near(p.found) for p in apart} & {near(p.found) for p in known}


def test_left_out_phrases_are_composed_and_measured(tmp_path):
    held = Phrase("irregular forest", "random forest", 1, "")
    model = ContextModel.load(root() / "context.bin")
    folder = family_without(root() / "tortured", PHRASES, tmp_path / "tortured")
    found = list(right_places(Terms(folder, "tortured", model), [held] * len(CARRIERS)))
    assert len(found) >= len(CARRIERS) - 1
    assert all(f.changes == 1 and f.channel < 0 for f in found)


def test_a_run_of_links_alone_is_no_place():
    """Once an IndexError: a genitive between two small words."""
    matcher = Terms(root() / "tortured", "tortured", ContextModel.load(root() / "context.bin"))
    for text in ("On the Use of 's in Practice", "of and to in for with", "vitality of", "of vitality"):
        matcher.places(tokenize(text))
