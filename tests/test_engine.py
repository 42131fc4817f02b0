"""What the engine does to text: restores spun text, leaves the rest, says what it did."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import CASES, rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import restore
from restore import Restorer
from restore.surface import match_case
from restore.text import in_english, tokenize

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def words(text: str) -> list[str]:
    return re.findall(r"[\w’'-]+", text.lower())


def test_a_spun_article_comes_back(engine, spun):
    text = engine.restore(spun).text
    for original in (
        "climate",
        "artificial intelligence",
        "history of the ",
        "bird species",
        "more than $14 million",
    ):
        assert original in text
    for scar in ("local weather", "synthetic", "historical past", "chook", "metropolis", "stated"):
        assert scar not in text.lower()


def test_clean_text_is_left_alone(engine, clean):
    result = engine.restore(clean)
    assert result.text == clean
    assert result.edits == ()
    assert not result.verdict.spun


@pytest.mark.parametrize(("comment", "found", "original"), rows("wild.tsv"), ids=lambda v: v[:30])
def test_in_the_wild(sure_engine, comment, found, original):
    """Nine words in ten of the original, and every scar gone: near-synonyms may differ."""
    restored = words(sure_engine.restore(found).text)
    want = words(original)
    assert sum(w in restored for w in want) >= 0.9 * len(want), " ".join(restored)


@pytest.mark.parametrize(("comment", "found", "original"), rows("known_failures.tsv"), ids=lambda v: v[:30])
@pytest.mark.xfail(strict=True, reason="known failure; move the case to wild.tsv once it passes")
def test_known_failure(sure_engine, comment, found, original):
    assert words(sure_engine.restore(found).text) == words(original)


@pytest.mark.parametrize(("comment", "text"), rows("negative.tsv"), ids=lambda v: v[:20])
def test_protected_spans_inside_a_spun_page(engine, spun, comment, text):
    first, second = spun.split("\n\n")[1:3]
    protected = re.findall("⟦(.*?)⟧", text)
    assert protected
    result = engine.restore(f"{first}\n\n{re.sub('[⟦⟧]', '', text)}\n\n{second}")
    for span in protected:
        assert span in result.text


def test_offsets_point_at_what_was_found(engine, spun):
    text = "😀 " + spun.replace("Saturday", "Sátürday 👩‍🚀")
    result = engine.restore(text)
    assert result.edits
    for edit in result.edits:
        assert text[edit.start : edit.end] == edit.found
        at = result.to_restored(edit.start)
        assert result.text[at : at + len(edit.replacement)] == edit.replacement
        assert result.to_source(at) == edit.start
    assert result.undo() == text


def test_offset_maps_are_monotone_and_exact_outside_edits(engine, spun):
    result = engine.restore(spun)
    mapped = [result.to_restored(i) for i in range(len(spun) + 1)]
    assert mapped == sorted(mapped)
    assert mapped[-1] == len(result.text)
    inside = {i for e in result.edits for i in range(e.start, e.end)}
    for i in range(len(spun)):
        if i not in inside:
            assert result.text[mapped[i]] == spun[i]
    with pytest.raises(ValueError, match="beyond the text"):
        result.to_restored(len(spun) + 1)
    with pytest.raises(ValueError, match="beyond the text"):
        result.to_source(len(result.text) + 1)
    with pytest.raises(ValueError, match="negative"):
        result.to_restored(-1)


@pytest.mark.parametrize("text", [None, b"bytes", 7])
def test_what_is_no_text_is_told(engine, text):
    for call in (engine.restore, engine.detect):
        with pytest.raises(TypeError, match="a text is a str, not"):
            call(text)


def test_edits_are_in_order_and_do_not_overlap(engine, spun):
    edits = engine.restore(spun).edits
    assert all(a.end <= b.start for a, b in pairwise(edits))


def test_probabilities(engine, spun):
    for edit in engine.restore(spun).edits:
        assert engine.threshold <= edit.confidence <= 1
        total = edit.confidence + sum(p for _, p in edit.alternatives)
        assert total == pytest.approx(1, abs=0.1)
        assert set(edit.evidence) >= {"channel", "context", "frequency", "similarity", "passage"}


def test_threshold_only_removes_edits(spun):
    low = {(e.start, e.end) for e in restore.Restorer(threshold=0.3).restore(spun).edits}
    high = restore.Restorer(threshold=0.9).restore(spun).edits
    assert 0 < len(high) < len(low)
    assert all(e.confidence >= 0.9 for e in high)


def test_restoring_twice_changes_little(engine, spun):
    once = engine.restore(spun)
    twice = engine.restore(once.text)
    assert len(twice.edits) <= len(once.edits) // 10


def test_case_is_kept(sure_engine):
    assert "CLIMATE CHANGE" in sure_engine.restore("THE REPORT ON LOCAL WEATHER CHANGE IS OUT.").text
    assert sure_engine.restore("Local weather change is real.").text.startswith("Climate change")
    assert "High-Flyer" in sure_engine.restore("The fund known as Excessive-Flyer trades shares.").text


@pytest.mark.parametrize(
    ("original", "found", "written"),
    [
        ("new york", "the big apple", "new york"),
        ("New York", "the big apple", "New York"),
        ("the United States", "america", "the United States"),
        ("the United States", "America", "The United States"),
        ("United States", "USA", "United States"),
        ("United States", "U.S.A.", "United States"),
        ("value", "WORTH", "VALUE"),
        ("climate change", "LOCAL WEATHER CHANGE", "CLIMATE CHANGE"),
        ("1970s", "Nineteen Seventies", "1970s"),
        ("TV", "Television", "TV"),
    ],
)
def test_capitals(original, found, written):
    assert match_case(original, found) == written


def test_names_get_their_capitals_back(tmp_path):
    (tmp_path / "mine.tsv").write_text("the big apple\tNew York\t0.5\n", encoding="utf-8")
    engine = restore.Restorer(families=["autoblog"], lexicons=[tmp_path], assume_spun=True)
    assert "to New York" in engine.restore("She moved to the big apple to buy extra time.").text


def test_articles_agree(sure_engine):
    text = sure_engine.restore("They built a synthetic intelligence lab, and it was an enormous success.").text
    assert "an artificial intelligence" in text
    assert not re.search(r"\ban [bcdfgjklmnpqrstvwz]|\ba [aeio]", text)


def test_curly_apostrophes_are_kept(engine, spun):
    restored = engine.restore(spun).text
    assert "’" in restored
    assert "'" not in restored


def test_stray_braces_go_and_others_stay(engine, spun):
    braced = spun.replace("on weekends", "on {weekends}")
    assert "{" not in engine.restore(braced).text
    template = spun.replace("on weekends", "on {{ weekends }} {x: 1}")
    assert "{{ weekends }} {x: 1}" in engine.restore(template).text
    for written in ("${weekends}", r"\textbf{weekends}", "if() {weekends}(x)"):
        assert written in engine.restore(spun.replace("on weekends", f"on {written}")).text
    assert "{weekends}" in restore.Restorer(allow=["weekends"]).restore(braced).text
    assert engine.restore("Use {name} here.").text == "Use {name} here."


def test_the_readme_shows_what_it_does(engine):
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    quoted = " ".join(line.removeprefix("> ") for line in readme.splitlines() if line.startswith("> "))
    before, after = quoted.removeprefix("**Before:** ").split(" **After:** ")
    result = engine.restore(before.replace("**", ""))
    assert result.text == after
    bold = re.findall(r"\*\*(.+?)\*\*", before)
    assert " ".join(bold) == " ".join(e.found for e in result.edits)


def test_a_users_longer_phrase_has_precedence_over_its_parts(tmp_path):
    (tmp_path / "mine.tsv").write_text("rubbish collector\tgarbage man\n", encoding="utf-8")
    text = "The rubbish collector was late, and the rubbish stayed."
    assert "garbage collector" in Restorer(assume_spun=True, threshold=0.5).restore(text).text
    mine = Restorer(assume_spun=True, threshold=0.5, lexicons=[tmp_path / "mine.tsv"]).restore(text).text
    assert mine == "The garbage man was late, and the garbage stayed."


def test_a_users_longer_phrase_that_cannot_be_meant_leaves_its_parts_alone(tmp_path, spun):
    (tmp_path / "mine.tsv").write_text("metropolis officers stated\tzebra quartz\t0.001\n", encoding="utf-8")
    assert "city officials said" in Restorer(lexicons=[tmp_path / "mine.tsv"]).restore(spun).text.lower()


def test_allow_list_is_honoured_in_any_case(spun):
    kept = restore.Restorer(allow=["LOCAL weather", "chook"]).restore(spun).text
    assert "local weather" in kept
    assert "chook" in kept
    assert "historical past" not in kept


@pytest.mark.parametrize("allow", ["local", "weathr"])
def test_allow_list_is_honoured_beside_a_misspelt_word(allow):
    text = "Scientists say that global local weathr change is shifting the nesting of chook species."
    assert "climate change" in Restorer(assume_spun=True).restore(text).text
    assert "local weathr" in Restorer(assume_spun=True, allow=[allow]).restore(text).text


def test_other_languages_are_left():
    engine = Restorer(threshold=0)
    lines = (CASES / "foreign.txt").read_text(encoding="utf-8").split("\n")
    texts = "\n".join(line for line in lines if not line.startswith("#")).strip().split("\n\n")
    assert len(texts) == 3
    for text in texts:
        result = engine.restore(3 * (text + "\n\n"))
        assert (result.verdict.probability, result.edits) == (0, ())


def test_figures_and_headlines_have_no_language():
    assert in_english(tokenize("Cricket scores, winter tyres, garden sheds"))
    assert not in_english(tokenize("winter tyres, garden sheds " * 40))
    assert not in_english(
        tokenize("Pour installer le serveur, il faut choisir un emplacement, par exemple un dossier. " * 3)
    )
    assert in_english(tokenize("The rates of the last years were these: " + "4.5 1,200 17 " * 400))


@pytest.mark.parametrize(("allow", "found", "replacement"), [([], "a globe", "an egg"), (["a"], "globe", "egg")])
def test_a_word_chosen_at_second_sight_has_its_article(tmp_path, monkeypatch, allow, found, replacement):
    (tmp_path / "mine.tsv").write_text("globe\tball\t0.9\n", encoding="utf-8")
    engine = Restorer(lexicons=[tmp_path / "mine.tsv"], assume_spun=True, threshold=0.2, allow=allow)
    monkeypatch.setattr(engine, "_judged", lambda _, edits: [replace(e, replacement="egg") for e in edits])
    text = "The cook gave them such a globe."
    result = engine.restore(text)
    assert [(e.found, e.replacement) for e in result.edits] == [(found, replacement)]
    assert result.undo() == text


def test_the_language_model_is_told_what_kind_of_spinner_it_was(spun):
    told: list[str] = []

    class Listener:
        def judge(self, _, edits, spinner):
            told.append(spinner)
            return edits

    engine = Restorer()
    engine.neural, engine._opinion = True, Listener()
    assert engine.restore(spun).edits
    assert told == ["autoblog"]


def test_a_manual_may_repeat_a_word_that_spinners_write(engine):
    """Each "invoice" alone speaks for a spinner (from "bill"); that the page repeats it does not."""
    page = (CASES / "manual.txt").read_text(encoding="utf-8")
    assert page.lower().count("invoice") > 20
    result = engine.restore(page)
    assert result.edits == ()
    assert result.verdict.probability < 0.1


def test_a_long_spun_text_is_judged_all_through(engine, spun):
    """Repeats fade, so that the last copy of an article is restored as the first."""
    copies = 12
    result = engine.restore("\n\n".join([spun.rstrip()] * copies))
    size = len(spun.rstrip()) + 2
    first, last = (sum(k * size <= e.start < (k + 1) * size for e in result.edits) for k in (0, copies - 1))
    assert last > 0.9 * first > 20


def test_a_user_lexicon_adds_and_overrides(tmp_path, spun):
    (tmp_path / "mine.tsv").write_text("undertaking\tscheme\t0.5\n", encoding="utf-8")
    result = restore.Restorer(lexicons=[tmp_path / "mine.tsv"]).restore(spun)
    edit = next(e for e in result.edits if e.found == "undertaking")
    assert edit.replacement == "scheme"
    assert edit.family == "mine"


def test_near_misses_are_found(engine, spun):
    text = engine.restore(spun.replace("historical past", "histoical past")).text
    assert "history of the " in text


def test_a_clean_quotation_inside_a_spun_page_stays(engine, spun, clean):
    page = spun.rstrip() + "\n\n" + clean
    result = engine.restore(page)
    begin = len(spun.rstrip()) + 2
    assert result.edits
    assert [e for e in result.edits if e.start >= begin] == []


def test_one_very_long_line(engine, spun):
    line = spun.replace("\n", " ") * 150
    result = engine.restore(line)
    assert result.undo() == line
    assert "local weather" not in result.text


def test_empty_and_odd_texts(engine):
    for text in ("", " ", "\n\n", "...", "12345", "\u200b", "a" * 5000, "- " * 3000, "{", "�"):
        result = engine.restore(text)
        assert result.text == text
        assert result.undo() == text
        assert not engine.detect(text).spun


def test_detect_and_restore_agree(engine, spun, clean):
    for text in (spun, clean):
        assert engine.detect(text) == engine.restore(text).verdict
    verdict = engine.detect(spun)
    assert verdict.spun
    assert verdict.family == "autoblog"
    assert 0.15 < verdict.rate < 0.5


def test_module_functions(spun):
    assert restore.restore(spun).verdict == restore.detect(spun)


def test_stream_keeps_order_whatever_the_workers(engine, spun, clean):
    paragraphs = (spun + "\n\n" + clean).split("\n\n") * 6
    alone = [r.text for r in engine.stream(iter(paragraphs), workers=1)]
    assert [r.text for r in engine.stream(iter(paragraphs), workers=2)] == alone
    with pytest.raises(ValueError, match="workers"):
        engine.stream([], workers=0)


def test_to_dict_has_the_documented_shape(engine, spun):
    record = engine.restore(spun, source="page.txt").to_dict()
    assert set(record) == {"source", "text", "verdict", "edits"}
    assert set(record["verdict"]) == {"spun", "probability", "rate", "family"}
    for edit in record["edits"]:
        assert set(edit) == {"start", "end", "found", "replacement", "confidence", "family", "alternatives", "evidence"}
        assert all(set(a) == {"text", "probability"} for a in edit["alternatives"])


def test_bad_arguments():
    with pytest.raises(ValueError, match="threshold"):
        restore.Restorer(threshold=1.5)
    with pytest.raises(restore.LexiconError, match="unknown family 'nope'; there are: autoblog"):
        restore.Restorer(families=["nope"])


PIECES = st.lists(
    st.sampled_from(
        ["local weather", "Historical past", "the authorities stated", "within the", "{chook}", "a", "an", "extra", "’s", "'s",
         "-", "\n", "\r\n", "  ", "é", "😀", "“", "”", ".", ",", "U.S.", "http://a.b/c", "12", "put", "up", "greater", "than"]
    ),
    max_size=60,
)  # fmt: skip


@given(PIECES, st.sampled_from([" ", "", "\n"]))
@SLOW
def test_undo_and_offsets_hold_for_anything(sure_engine, pieces, joiner):
    text = joiner.join(pieces)
    result = sure_engine.restore(text)
    assert result.undo() == text
    at, parts = 0, []
    for edit in result.edits:
        assert edit.start >= at
        assert text[edit.start : edit.end] == edit.found
        assert edit.replacement
        parts += (text[at : edit.start], edit.replacement)
        at = edit.end
    assert "".join([*parts, text[at:]]) == result.text


@given(st.text(max_size=300))
@SLOW
def test_any_unicode_survives(engine, text):
    assert engine.restore(text).undo() == text


def test_a_clean_paragraph_in_a_spun_page_stays_and_the_rest_is_restored(engine, spun, clean):
    own, pasted = spun.split("\n\n"), clean.split("\n\n")
    page = "\n\n".join([own[1], pasted[1], own[2]])
    begin = len(own[1]) + 2
    inside = [begin <= e.start < begin + len(pasted[1]) for e in engine.restore(page).edits]
    assert not any(inside)
    assert len(inside) >= 10


def test_a_spun_paragraph_in_a_clean_page_is_restored(engine, spun, clean):
    own, pasted = clean.split("\n\n"), spun.split("\n\n")
    page = "\n\n".join([*own[:2], pasted[1], *own[2:]])
    begin = len("\n\n".join(own[:2])) + 2
    edits = engine.restore(page).edits
    assert len(edits) >= 5
    assert all(begin <= e.start < begin + len(pasted[1]) for e in edits)


def test_a_short_text_is_judged_with_less_certainty(engine):
    """One doubtful phrase convicts no one; many in a headline do."""
    assert not engine.detect("The local weather is fine.").spun
    assert not engine.restore("Local weather report for tomorrow").edits


def test_threads_may_share_an_engine(spun):
    texts = [spun[a:] for a in range(0, 400, 40)]
    alone = [Restorer().restore(t).text for t in texts]
    engine = Restorer()
    with ThreadPoolExecutor(4) as pool:
        assert [r.text for r in pool.map(engine.restore, texts)] == alone
    assert [engine.restore(t).text for t in texts] == alone


def test_an_allowed_article_stays():
    text = "It has a synthetic intelligence, the Chinese language agency stated in the local weather report."
    kept = Restorer(allow=["a", "an"], assume_spun=True).restore(text)
    assert "a artificial intelligence" in kept.text
    assert "an artificial intelligence" in Restorer(assume_spun=True).restore(text).text


@pytest.mark.parametrize("name", ["families", "lexicons", "allow"])
def test_a_string_is_no_list(name):
    """Its letters would be taken for entries."""
    with pytest.raises(TypeError, match=f"{name} is one str; give a list"):
        Restorer(**{name: "autoblog"})
