"""The benchmark's systems: what each must keep to. Peers that are not installed are skipped."""

from __future__ import annotations

import re

import pytest

from benchmarks.systems import SYSTEMS, UnavailableError, restorer
from restore.restoration import splice

SLOW = ("smollm2", "gemma3", "restore-neural")  # language models; minutes
CAREFUL = ("nothing", "restore", "ngrams", "phrase-list", "codespell", "typos")  # promise to leave good English alone


@pytest.fixture(scope="module", params=[name for name in SYSTEMS if name not in SLOW])
def loaded(request):
    system = SYSTEMS[request.param]
    try:
        assert system.version()
        return system, system.load()
    except UnavailableError as reason:
        if not re.search(r"pip install|download|lmplz|runtime", str(reason)):
            pytest.fail(f"no remedy is told: {reason}")
        pytest.skip(str(reason))


def test_changes_are_what_makes_the_text(loaded, spun):
    _, run = loaded
    output = run(spun)
    if output.changes is None:
        return
    assert output.text == splice(spun, [(c.start, c.end, c.replacement) for c in output.changes])
    assert all(0 <= c.confidence <= 1 for c in output.changes)
    assert bool(output.changes) == (output.text != spun)


def test_the_careful_leave_good_english_alone(loaded, clean):
    system, run = loaded
    if system.name in CAREFUL:
        assert run(clean).text == clean


def test_baselines_change_a_spun_page(spun):
    for name in ("restore", "ngrams", "commonest"):
        assert len(SYSTEMS[name].load()(spun).changes or ()) > 30, name


def test_a_low_threshold_shows_more(spun):
    few, many = restorer(0.9)(spun).changes, restorer(0.1)(spun).changes
    assert few
    assert many
    assert len(few) < len(many)
    assert min(c.confidence for c in few) >= 0.9


def test_every_system_says_what_it_is_made_for():
    for name, system in SYSTEMS.items():
        assert system.name == name
        assert system.made_for.endswith(".")
