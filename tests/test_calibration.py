"""Confidences: calibrated, consistent with their alternatives; gold and how edits are judged."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

import restore
from restore.calibration import NONE, Calibration, features, load_record, record_lines
from restore.decoder import Weights
from restore.fitted import Fitted, load_fitted, save_fitted
from restore.learning.fitting import _terms, calibrated
from restore.learning.gold import judged, read_marked
from restore.restoration import Edit
from restore.shipped import root


def test_fitting_mends_overconfidence():
    """Posteriors that claim 0.9 and are right in six cases of ten are brought down to 0.6."""
    draw = random.Random(1)
    rows = [(features(0.9, 0.3), 0.0, draw.random() < 0.6) for _ in range(3000)]
    rows += [(features(0.5, 0.3), 0.0, draw.random() < 0.3) for _ in range(3000)]
    fitted = calibrated(rows)
    assert fitted.probability(0.9, 0.3) == pytest.approx(0.6, abs=0.03)
    assert fitted.probability(0.5, 0.3) == pytest.approx(0.3, abs=0.03)


def test_without_a_calibration_the_posterior_stands():
    assert NONE.probability(0.73, 0.01) == pytest.approx(0.73)
    assert NONE.probability(1.0, 0.5) == pytest.approx(1.0, abs=1e-3)


def test_what_was_fitted_is_saved_and_read(tmp_path):
    fitted = Fitted({"": Weights(context=0.3)}, {"": NONE, "mine": Calibration((0.1, 0.9, 0.0, 0.2))})
    save_fitted(fitted, tmp_path / "fitted.json")
    assert load_fitted(tmp_path / "fitted.json") == fitted
    assert fitted.calibration("mine").coefficients[0] == 0.1
    assert fitted.calibration("another") is NONE


def test_records_are_saved_and_read(tmp_path):
    record = {("'s", "is"): -7.47, ("four", "4"): 4.25}
    (tmp_path / "record.txt").write_text("".join(record_lines(record)), encoding="utf-8")
    assert load_record(tmp_path / "record.txt") == record


def test_a_record_decides_what_the_posterior_leaves_open():
    """Changes that the engine is as sure of, one of which mostly proved right and one wrong; seldom seen ones stay."""
    wrong, right, seldom = ("worth", "merit"), ("local weather", "climate"), ("chook", "bird")
    places = [(wrong, 1.0, k % 10 == 0) for k in range(200)] + [(right, 1.0, k % 10 > 0) for k in range(200)]
    terms = _terms([*places, (seldom, 1.0, False)])
    assert terms[wrong] < -1.5
    assert terms[right] > 1.5
    assert abs(terms[seldom]) < 0.5
    for change, sign in ((wrong, -1), (right, 1)):
        assert sign * (NONE.probability(0.73, 0.3, terms[change]) - 0.73) > 0.1


def test_a_record_shows_in_the_evidence_and_the_confidence(spun):
    plain = restore.Restorer()
    edit = next(e for e in plain.restore(spun).edits if e.found == "local weather" and e.replacement == "climate")
    records = {"autoblog": {("local weather", "climate"): -2.0}}
    warned = restore.Restorer(threshold=0.05, fitted=replace(load_fitted(root() / "fitted.json"), records=records))
    again = next(e for e in warned.restore(spun).edits if e.start == edit.start)
    assert again.evidence["record"] == -2.0
    assert again.confidence < edit.confidence


def test_alternatives_and_identity_share_out_one(engine, spun):
    edits = engine.restore(spun).edits
    assert len(edits) > 20
    for edit in edits:
        total = edit.confidence + sum(p for _, p in edit.alternatives)
        assert 0.9 <= total <= 1 + 1e-9, edit  # those under one in a hundred are not listed


def test_the_threshold_is_the_least_confidence(spun):
    import restore

    for threshold in (0.3, 0.7, 0.95):
        edits = restore.Restorer(threshold=threshold).restore(spun).edits
        assert edits
        assert min(e.confidence for e in edits) >= threshold


def test_the_command_line_has_the_engine_s_threshold():
    from restore import options, restorer

    assert options.THRESHOLD == restorer.THRESHOLD


MARKED = "The ⟦local weather→climate⟧ is ⟦extra→more⟧ ⟦dry~arid⟧ than before."


def _edit(text: str, found: str, replacement: str) -> Edit:
    start = text.index(found)
    return Edit(start, start + len(found), found, replacement, 0.9, "autoblog", (), {})


@pytest.mark.parametrize(
    ("changes", "right"),
    [
        ([("local weather", "climate")], [True]),
        ([("local weather", "Climate")], [True]),  # letter case is not judged
        ([("local weather", "weather")], [False]),
        ([("local weather is", "climate is")], [True]),  # an edit may reach beyond the span
        ([("local", "the"), ("weather", "climate")], [False, False]),
        ([("local weather is extra", "climate is more")], [True]),
        ([("dry", "arid")], [True]),
        ([("before", "ever")], [False]),
    ],
)
def test_edits_are_judged_by_what_stands_there_afterwards(changes, right):
    marked = read_marked(MARKED)
    edits = [_edit(marked.tokens.text, *c) for c in changes]
    assert list(judged(marked, edits)) == right
