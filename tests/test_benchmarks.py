"""The benchmark: alignment, counting, the corpus and its checksums, runs that go on."""

from __future__ import annotations

import json
import shutil

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import corpus, metrics, running, spinning
from benchmarks.alignment import align, pieces, units
from benchmarks.corpus import Document
from benchmarks.systems import SYSTEMS

MARKED = (
    "The ⟦local weather→climate⟧ of ⟦the nation→the country|the land⟧ is ⟦shifting~changing⟧. “No one’s to blame,” she "
    "⟦acknowledged→said⟧.\nMulti-⟦nationwide→national⟧ ⟦companies→firms⟧ ⟦stated→said⟧ nothing."
)


def doc(marked: str = MARKED, track: str = "autoblog") -> Document:
    return Document("a-hand", track, "dev", marked)


def counted(output: str, marked: str = MARKED) -> metrics.Counts:
    return metrics.count(doc(marked), output)


def test_the_original_is_all_right():
    c = counted(metrics.original(doc()))
    assert (c.must, c.restored, c.wrong, c.optional_right, c.false) == (6, 6, 0, 1, 0)
    assert (c.sentences, c.exact, c.errors_after) == (3, 3, 0)


def test_doing_nothing_is_all_missed():
    c = counted(doc().text)
    assert (c.must, c.restored, c.wrong, c.false, c.exact) == (6, 0, 0, 0, 0)
    assert c.errors_before == c.errors_after > 0


@pytest.mark.parametrize(
    ("old", "new", "restored", "wrong", "false"),
    [
        ("local weather", "CLIMATE", 1, 0, 0),  # case does not count
        ("local weather", "weather", 0, 1, 0),
        ("the nation", "the land", 1, 0, 0),  # another accepted original
        ("blame", "shame", 0, 0, 1),
        ("blame", "shame and pity", 0, 0, 1),  # a run of words is one edit
        ("nationwide companies stated", "national companies said", 2, 0, 0),  # spans next to each other
        ("No one’s", "Nobody’s", 0, 0, 1),
        ("nothing.", "nothing at all.", 0, 0, 1),
        ("Multi-nationwide", "Multi-national", 1, 0, 0),
    ],
)
def test_what_an_output_counts_as(old, new, restored, wrong, false):
    assert old in doc().text
    c = counted(doc().text.replace(old, new))
    assert (c.restored, c.wrong, c.false) == (restored, wrong, false)


WORDS = st.lists(st.sampled_from("the climate local weather said stated of , . a firm country’s".split()), max_size=30)


@given(WORDS, WORDS, st.data())
def test_an_alignment_holds_the_whole_output(source, output, data):
    at = data.draw(st.integers(0, max(0, len(source) - 1)))
    marked = " ".join([*source[:at], "⟦local weather→climate|weather⟧", *source[at:]])
    found, made = units(doc(marked).marked), pieces(" ".join(output))
    became = align(found, made)
    assert len(became) == len(found)
    assert tuple(p for new in became for p in new) == made


@given(WORDS)
def test_untouched_words_count_for_nothing(source):
    c = counted(" ".join(source), " ".join(source))
    assert (c.false, c.must, c.errors_after) == (0, 0, 0)


def test_figures_of_a_table():
    right, nothing = (metrics.table([counted(text)] * 8) for text in (metrics.original(doc()), doc().text))
    assert metrics.value(right, metrics.f_half) == 1.0
    assert metrics.value(right, metrics.undone) == 1.0
    assert metrics.value(nothing, metrics.f_half) == metrics.value(nothing, metrics.undone) == 0.0
    assert metrics.interval(right, metrics.f_half) == (1.0, 1.0)
    assert metrics.difference(right, nothing, metrics.f_half) < 0.02
    assert metrics.difference(right, right, metrics.f_half) == 1.0


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(corpus.ROOT, tmp_path / "corpus")
    return tmp_path / "corpus"


def test_checksums_hold(copy):
    corpus.verify(copy)
    page = next((copy / "dev" / "clean").glob("*.txt"))
    page.write_bytes(page.read_bytes().replace(b"\n", b"\r\n"))  # as some checkouts have it
    corpus.verify(copy)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda path: path.write_text("x"), "changed"),
        (lambda path: path.unlink(), "missing"),
        (lambda path: (path.parent / "new.txt").write_text("x"), "not listed"),
    ],
)
def test_a_harmed_corpus_is_refused(copy, harm, told):
    harm(next((copy / "dev" / "clean").glob("*.txt")))
    with pytest.raises(corpus.CorpusError, match=told):
        corpus.load("dev", ["clean"], copy)


@pytest.mark.parametrize("split", corpus.SPLITS)
@pytest.mark.parametrize("track", corpus.TRACKS)
def test_every_track_has_what_it_is_made_of(split, track):
    documents = corpus.load(split, [track])
    spans = [len(d.marked.spans) for d in documents]
    assert len(documents) >= 5
    if track in corpus.UNTOUCHED:
        assert not any(spans)
    elif track == "short":
        assert sum(map(bool, spans)) >= 40
        assert spans.count(0) >= 20
    else:
        assert min(spans) >= 4
    for d in documents:
        assert not set("⟦⟧→") & set(d.text), d.name


def test_unlisted_phrases_are_not_listed():
    """By the families of listed phrases; what any table may have (`thesaurus`) is no spinner's list."""
    from restore.lexicon import load, phrase_key

    options = load(["autoblog", "tortured"]).options
    for split in corpus.SPLITS:
        for d in corpus.load(split, ["unlisted"]):
            for span in d.marked.spans:
                found = phrase_key(d.text[span.start : span.end])
                listed = {o.original for o in options.get(found, ())}
                assert not listed & {phrase_key(o) for o in span.originals}, (d.name, span.originals)


def test_a_set_of_ones_own(tmp_path):
    (tmp_path / "one.marked.txt").write_text(MARKED + "\n", encoding="utf-8")
    (tmp_path / "set.jsonl").write_text(json.dumps({"id": 7, "marked": MARKED}) + "\n", encoding="utf-8")
    (a,), (b,) = corpus.external(tmp_path), corpus.external(tmp_path / "set.jsonl")
    assert a.text == b.text
    assert (a.name, b.name) == ("one", "7")
    with pytest.raises(corpus.CorpusError, match=r"no \*\.marked"):
        corpus.external(tmp_path.parent / tmp_path.name / "..")
    (tmp_path / "bad.jsonl").write_text('{"text": "x"}\n')
    with pytest.raises(corpus.CorpusError, match="'marked'"):
        corpus.external(tmp_path / "bad.jsonl")


def test_a_stopped_run_goes_on(tmp_path):
    notes: list[str] = []
    documents = [doc(), doc("⟦Chinese language→Chinese⟧ food.")]
    first = running.outcome(SYSTEMS["nothing"], documents[:1], tmp_path, notes.append)
    with open(tmp_path / "nothing.jsonl", "a", encoding="utf-8") as file:
        file.write('{"key": "cut o')  # the process died here
    both = running.outcome(SYSTEMS["nothing"], documents, tmp_path, notes.append)
    assert notes == ["nothing: 1 of 1", "nothing: 2 of 2"]  # the first was not done again
    assert [o.text for o in both.outputs] == [d.text for d in documents]
    assert first.outputs == both.outputs[:1]


def test_spinning_by_a_table_is_marked_and_keeps_the_original():
    table = {"climate": (["local weather"], [1.0]), "the country": (["the nation"], [1.0])}
    text = "Climate: the country’s climate, THE COUNTRY, climate-proof; www.climate.com and the, country.\n" * 9
    marked = spinning.spin(text, table, seed=1)
    d = Document("x", "autoblog", "dev", marked)
    assert metrics.original(d) == text
    assert {d.text[s.start : s.end] for s in d.marked.spans} == {
        "Local weather",
        "local weather",
        "the nation",
        "THE NATION",
    }
    assert len(d.marked.spans) < 9 * 5  # some places are left alone
    assert spinning.spin(text, table, seed=1) == marked != spinning.spin(text, table, seed=2)


def test_a_spinner_that_shares_a_part_of_the_table_is_found_out():
    """Articles spun by hand: half of the replacements are listed, and many listed words were left alone."""
    from restore.restorer import Restorer

    engine = Restorer(families=["autoblog"])
    by_hand = [d for d in corpus.load("dev", ["autoblog"]) if d.mechanism == "hand"]
    for d in by_hand:
        assert engine.detect(d.text).spun, d.name
        assert not engine.detect(metrics.original(d)).spun, d.name


def test_tables_that_nobody_knows(engine):
    """Our own two tables are sound, and a text that they spun is counted against its original."""
    from benchmarks import tables
    from benchmarks.spinning import listed

    paths = sorted(tables.FOLDER.glob("*.tsv"))
    assert len(paths) >= 2
    for path in paths:
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
        assert len(listed(path)) == len(rows) > 500
        assert all(0 < float(share) <= 1 and original != made for original, made, share in rows)
    text = (ROOT / "examples" / "original.txt").read_text(encoding="utf-8")
    results = list(tables.run([text], paths, engine))
    for result in results:
        assert 0.05 < result.replaced < 0.3
        assert result.clean == 0
    assert any(result.spun and result.score.recall > 0.5 for result in results)
