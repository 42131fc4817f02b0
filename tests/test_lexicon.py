"""Lexicon data and its reader."""

from __future__ import annotations

import pytest
from conftest import rows  # noqa: F401  (puts the tests' folder on the path)

from restore import Restorer, lexicon
from restore.shipped import root


def write(tmp_path, text, name="mine.tsv"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_shipped_lexicons_are_sound():
    for name in lexicon.available():
        assert lexicon.check(root() / name) == []


def test_manifests_name_source_and_licence():
    for name in lexicon.available():
        about = lexicon.manifest(root() / name)
        assert about["name"] == name
        assert about["licence"]
        assert about["source"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("b\tx\na\tx\n", "out of order"),
        ("a\tx\na\tx\n", "already; remove one"),
        ("a\ta\n", "maps to itself"),
        ("a  b\tx\n", "is looked up as 'a b'"),
        ("a\n", "1 column(s)"),
        ("a\tx\t7\n", "weight '7'"),
        ("\tx\n", "an empty phrase"),
        ("chook\t-\n", "an empty phrase"),
        ("one two three four five six seven eight\tx\n", "can never match"),
    ],
)
def test_check_finds(tmp_path, text, problem):
    assert any(problem in line for line in lexicon.check(write(tmp_path, text)))


def test_check_goes_on_after_a_bad_line(tmp_path):
    path = write(tmp_path, "only\nb\tx\t7\na\ta\n")
    assert [line.partition(": ")[2][:12] for line in lexicon.check(path)] == [
        "1 column(s) ",
        "weight '7'; ",
        "'a' maps to ",
    ]
    (tmp_path / "none").mkdir()
    assert "no .tsv file" in lexicon.check(tmp_path / "none")[0]


def test_a_users_lexicon_is_never_taken_for_a_sparse_family(tmp_path, spun):
    """Whatever its file is called: families are weighed by name."""
    entries = "chook\tbird\t0.5\nlocal weather\tclimate\t0.5\n"
    results = []
    for name in ("mine", "tortured", "thesaurus"):
        (tmp_path / f"{name}.tsv").write_text(entries, encoding="utf-8")
        results.append(Restorer(lexicons=[tmp_path / f"{name}.tsv"]).restore(spun))
    assert len({r.text for r in results}) == 1
    assert {e.family for r in results for e in r.edits if e.found == "chook"} == {
        "mine",
        "own tortured",
        "own thesaurus",
    }


def test_curated_entries_need_both_examples(tmp_path):
    folder = tmp_path / "mine"
    write(folder, "bank\tshore\t0.2\n", "curated/a.tsv")
    assert len(lexicon.check(folder)) == 2
    write(folder, "bank\tshore\t0.2\tWe sat on the bank.\tThe vault was empty.\n", "curated/a.tsv")
    assert lexicon.check(folder) == ["a.tsv:1: the example that must not change does not hold 'bank'"]
    write(folder, "bank\tshore\t0.2\tWe sat on the bank.\tThe bank was robbed.\n", "curated/a.tsv")
    assert lexicon.check(folder) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a\tb\nlocal weather -> climate\n", r"mine.tsv:2: 1 column\(s\) in 'local weather -> climate'; put a tab"),
        (b"a\tb\tc\td\te\tf\n", r"mine.tsv:1: 6 column\(s\); an entry is"),
        (b"a\tb\t0.5\twihout:c\n", r"mine.tsv:1: 4 column\(s\); an entry is"),
        (b"a\tb\t0/5\n", r"mine.tsv:1: weight '0/5'; write a share"),
        (b"a\tb\t5/4\n", r"mine.tsv:1: weight '5/4'; write a share"),
        (b"a\tb\t0,3\n", r"mine.tsv:1: weight '0,3'"),
        (b"a\tb\t0\n", r"mine.tsv:1: weight '0'; write a share above 0"),
        (b"a\tb\n\n caf\xe9\tc\n", r"mine.tsv:3: not UTF-8 \(byte"),
        (b"a\t \n", r"mine.tsv:1: an empty phrase"),
    ],
)
def test_errors_name_the_line(tmp_path, data, message):
    (tmp_path / "mine.tsv").write_bytes(data)
    with pytest.raises(lexicon.LexiconError, match=message):
        lexicon.load(paths=[tmp_path / "mine.tsv"])


def test_line_ends_and_stray_spaces_do_not_matter(tmp_path):
    (tmp_path / "mine.tsv").write_bytes(b"\xef\xbb\xbfLocal Weather \t climate\t 0.5\r\n\r\nchook\tbird\r\n")
    entries = list(lexicon.read(tmp_path / "mine.tsv", "mine"))
    assert [(e.found, e.original, e.rate, e.source) for e in entries] == [
        ("local weather", "climate", 0.5, "mine.tsv:1"),
        ("chook", "bird", 0.3, "mine.tsv:3"),
    ]


def test_counts_and_shares(tmp_path):
    entries = list(lexicon.read(write(tmp_path, "# comment\n\na\tx\t9/10\nb\tx\t0.25\nc\tx\n"), "mine"))
    assert [round(e.rate, 2) for e in entries] == [0.79, 0.25, 0.3]


def test_an_original_is_never_always_replaced(tmp_path):
    lex = lexicon.load(paths=[write(tmp_path, "a\tx\t0.8\nb\tx\t0.8\n")])
    assert lex.stay["x"] == pytest.approx(0.05)
    assert sum(o.rate for options in lex.options.values() for o in options) == pytest.approx(0.95)


def test_phrases_are_looked_up_as_written():
    assert lexicon.phrase_key("Know-How") == "know-how"
    assert lexicon.phrase_key("What’s") == "what's"
    assert lexicon.contains("Her know-how is rare.", "know-how")
    assert not lexicon.contains("Now, however, it rains.", "now however")


def test_curated_examples(engine, sure_engine):
    """Of the sentences that must change most do once a page is known to be spun; those that must not never do alone."""
    entries = [e for e in lexicon.read(root() / "autoblog", "autoblog") if e.changes]
    assert len(entries) > 1000
    changed = sum(e.original in sure_engine.restore(e.changes).text.lower() for e in entries)
    kept = sum(not engine.restore(e.keeps).edits for e in entries)
    assert changed / len(entries) >= 0.68
    assert kept / len(entries) >= 0.99
