"""The benchmark's systems: what each must keep to. Peers that are not installed are skipped."""

from __future__ import annotations

import re

import pytest

from benchmarks.systems import _WORDS, KENLM, SYSTEMS, UnavailableError, restorer
from restore.restoration import splice

SLOW = ("smollm2", "gemma3", "restore-neural")  # language models; minutes
# A model in small, to the base 10: "climate change" is likely, "weather" after "local" is not, "good" is.
ARPA = """\\data\\
ngram 1=9
ngram 2=4

\\1-grams:
-4\t<unk>\t0
-99\t<s>\t-0.3
-1.5\t</s>\t0
-1.5\tthe\t-0.3
-2\tclimate\t-0.3
-2\tlocal\t-0.3
-2\tweather\t-0.3
-2\tchange\t-0.3
-2\tgood\t-0.3

\\2-grams:
-0.5\t<s> the
-0.5\tthe climate
-0.3\tclimate change
-0.3\tgood weather

\\end\\
"""
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
    for system in SYSTEMS.values():
        assert system.made_for.endswith(".")


def test_kenlm_takes_the_likelier_sentence(tmp_path, monkeypatch):
    pytest.importorskip("kenlm")
    (tmp_path / "small.arpa").write_text(ARPA, encoding="utf-8")
    monkeypatch.setenv(KENLM, str(tmp_path / "small.arpa"))
    system = SYSTEMS["kenlm"]
    run = system.load()
    assert "small.arpa" in system.version()
    assert run("The local weather change. The good weather").text == "The climate change. The good weather"
    assert run("").text == ""


def test_kenlm_names_the_variable_of_its_model(monkeypatch):
    monkeypatch.delenv(KENLM, raising=False)
    for call in (SYSTEMS["kenlm"].version, SYSTEMS["kenlm"].load):
        with pytest.raises(UnavailableError, match=f"{KENLM}|pip install kenlm"):
            call()


def test_symspell_is_given_whole_words_and_no_possessives():
    runs = [m.group() for m in _WORDS.finditer("The youngsters’s wing, isn't it? Two-yr plans don’t 40,000 o’clock")]
    assert runs == ["The youngsters", "wing", "isn't it", "Two", "yr plans don’t 40", "000 o’clock"]
