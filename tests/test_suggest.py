"""Suggestions from spun documents alone: hidden phrases come back, topics and boilerplate do not."""

from __future__ import annotations

import os
import random
import threading

import pytest

import restore
from restore import lexicon
from restore.learning.suggest import lines, suggest

KNOWN = """\
additional\textra\t0.3
additionally\talso\t0.8
extra\tadditional\t0.4
extra\tmore\t0.8
however\tbut\t0.8
nation\tcountry\t0.5
research\tstudy\t0.3
stated\tsaid\t0.7
outlined\tdefined\t0.3
study\texamine\t0.4
study\tresearch\t0.3
within the\tin the\t0.8
yr\tyear\t0.9
"""
# sentences as a spinner leaves them: "examine" for "study", "local weather" for "climate", "seventy five" for "75"
SPUN = [
    "The {w} {v} stated that the examine was {a}, however extra money is needed this yr.",
    "Within the {w}, a brand new examine confirmed that local weather change is {a}.",
    "He stated the local weather of the {w} was {a} final yr, however the nation additionally {v}.",
    "A {v} examine within the nation checked out the {w} of extra {a} individuals.",
    "The seventy five flats within the {w} are {a}, they additionally stated, however {v} for yrs.",
    "Extra blocks, seventy five of them, went up within the {v} {w} this yr than in {a} ones.",
]
WORDS = "river table window garden letter doctor bridge music village teacher winter summer market".split()
BOILER = "Sign up for our weekly newsletter and never miss a story."


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    path = tmp_path_factory.mktemp("known") / "known.tsv"
    path.write_text(KNOWN, encoding="utf-8")
    return restore.Restorer(families=[], lexicons=[path], assume_spun=True)


def documents(count, seed=1):
    draw = random.Random(seed)
    for n in range(count):
        body = [
            s.format(w=draw.choice(WORDS), v=draw.choice(WORDS), a=draw.choice(WORDS)) for s in draw.sample(SPUN, 4)
        ]
        yield " ".join([*body, "The zorbling of zorbles zorbled." if n == 3 else "", BOILER])


@pytest.fixture(scope="module")
def suggestions(engine):
    return suggest(documents(12), engine)


def test_hidden_phrases_are_suspected_with_their_originals(suggestions):
    made = {s.found: [p.original for p in s.proposals] for s in suggestions}
    assert "study" in made["examine"]
    assert made["seventy five"][0] == "75"
    assert "local weather" in made


def test_what_is_known_or_of_one_text_or_boilerplate_is_not(suggestions, engine):
    for s in suggestions:
        assert s.found not in engine.lexicon.options
        assert "zorbl" not in s.found
        assert s.texts >= 2
        assert "newsletter" not in s.found
        assert s.found not in ("country", "year", "said", "more")  # put there by restoring
        assert s.found in s.snippet.lower()


def test_lines_are_a_lexicon_once_reviewed(suggestions, tmp_path):
    text = "".join(lines(suggestions))
    path = tmp_path / "new.tsv"
    path.write_text(text, encoding="utf-8")
    entries = list(lexicon.read(path, "new"))
    assert {e.found for e in entries} == {s.found for s in suggestions if s.proposals}
    assert all(0 < e.rate <= 0.9 for e in entries)
    assert all(line.startswith("# ") or line.count("\t") == 2 for line in text.splitlines())


def test_clean_documents_give_nothing(clean):
    assert suggest([clean] * 3, restore.Restorer()) == []


def test_the_command(run, tmp_path):
    (tmp_path / "known.tsv").write_text(KNOWN, encoding="utf-8")
    (tmp_path / "pages" / "deep").mkdir(parents=True)
    for n, text in enumerate(documents(12)):
        (tmp_path / "pages" / ("deep" if n % 2 else ".") / f"{n:02}.txt").write_text(text, encoding="utf-8")
    options = ["--lexicon", "known.tsv", "--assume-spun"]
    done = run("lexicon", "suggest", "pages", "gone.txt", "-o", "new.tsv", *options)
    assert done.returncode == 2
    assert b"gone.txt: no such file" in done.stderr
    text = (tmp_path / "new.tsv").read_text(encoding="utf-8")
    assert text.startswith("# Suggestions for review")
    assert " texts, " in text


def test_a_document_is_not_overwritten(run, tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.txt").write_text("A fine day.\n", encoding="utf-8")
    done = run("lexicon", "suggest", "pages", "-o", "pages/../pages/a.txt")
    assert done.returncode == 2
    assert b"a.txt: the output would replace a document" in done.stderr
    assert (tmp_path / "pages" / "a.txt").read_text(encoding="utf-8") == "A fine day.\n"


def test_no_suggestion_makes_no_file(run, tmp_path):
    (tmp_path / "a.txt").write_text("A fine day.\n", encoding="utf-8")
    for output in (["-o", "new.tsv"], []):
        done = run("lexicon", "suggest", "a.txt", *output)
        assert (done.returncode, done.stdout) == (0, b"")
        assert b"nothing to suggest" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_suggestions_go_through_a_pipe(run, tmp_path):
    (tmp_path / "known.tsv").write_text(KNOWN, encoding="utf-8")
    (tmp_path / "pages").mkdir()
    for n, text in enumerate(documents(6)):
        (tmp_path / "pages" / f"{n}.txt").write_text(text, encoding="utf-8")
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")), daemon=True)
    reader.start()
    assert run("lexicon", "suggest", "pages", "-o", "pipe", "--lexicon", "known.tsv", "--assume-spun").returncode == 0
    assert pipe.is_fifo()
    reader.join(10)
    assert read[0].startswith("# Suggestions for review")
