"""The cache may save time and nothing else: what comes out is what would be made anew."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from threading import Thread

import pytest
from wordfreq import iter_wordlist, zipf_frequency

import restore
from restore import Restorer, cache
from restore.cache import folder, kept
from restore.context import UNSEEN, frequency
from restore.lexicon import LexiconError, load


@pytest.fixture
def own(tmp_path, monkeypatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("RESTORE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Maker:
    """Counts how often it was asked."""

    def __init__(self):
        self.times = 0

    def __call__(self) -> int:
        self.times += 1
        return self.times


def test_what_is_kept_is_not_made_again_until_its_files_change(own, tmp_path):
    source, make = tmp_path / "source.txt", Maker()
    source.write_text("one", encoding="utf-8")
    assert [kept("thing", [source], make) for _ in range(3)] == [1, 1, 1]
    when = source.stat().st_mtime_ns
    source.write_text("two", encoding="utf-8")
    os.utime(source, ns=(when, when))  # same size, same time
    assert kept("thing", [source], make) == 2
    assert kept("thing", [source, source], make) == 3
    assert len(list(own.iterdir())) == 1, "it does not grow"
    assert kept("thing two", [source], make) == 4


@pytest.mark.parametrize("damage", [b"", b"no pickle", None], ids=["empty", "other", "cut"])
def test_a_damaged_cache_is_made_anew(own, tmp_path, damage):
    source, make = tmp_path / "source.txt", Maker()
    source.write_text("one", encoding="utf-8")
    kept("thing", [source], make)
    (file,) = own.iterdir()
    file.write_bytes(file.read_bytes()[:-3] if damage is None else damage)
    assert kept("thing", [source], make) == 2
    assert kept("thing", [source], make) == 2


def test_it_knows_the_code_of_every_module_that_keeps_something():
    package = Path(restore.__file__).parent
    keeping = [path for path in package.rglob("*.py") if "import kept" in path.read_text(encoding="utf-8")]
    assert len(keeping) > 2
    known = cache._code().decode()
    assert all(repr(str(path)) in known for path in keeping)


def test_no_cache_is_no_trouble(tmp_path, monkeypatch):
    make = Maker()
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    for where in (str(tmp_path / "file"), str(tmp_path / "file" / "below"), ""):
        monkeypatch.setenv("RESTORE_CACHE", where)
        kept("thing", [tmp_path / "file"], make)
        kept("thing", [tmp_path / "file"], make)
    assert make.times == 6


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_can_be_read_but_once_is_not_read_twice(own, tmp_path):
    pipe, lines = tmp_path / "pipe.tsv", "whimsy\tclimate\t0.5\n"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_text, args=(lines,))
    writer.start()
    assert list(load([], [pipe]).options) == ["whimsy"]
    writer.join()


def test_a_screen_is_of_the_files_that_its_mark_names(own, tmp_path):
    """Not of what they held when the engine was made."""
    mine = tmp_path / "mine.tsv"
    mine.write_text("chook\tbird\t0.5\n", encoding="utf-8")
    early = Restorer(families=[], lexicons=[mine])
    mine.write_text("fowlish\tbird\t0.5\n", encoding="utf-8")
    early.detect("A chook is no bird.")
    late = Restorer(families=[], lexicons=[mine])
    assert set(late._screen._weights) == {"fowlish", "bird"}


@pytest.mark.parametrize("left", [None, "torn"])
def test_a_lexicon_that_is_gone_or_broken_since_it_was_read(own, tmp_path, left):
    mine = tmp_path / "mine.tsv"
    mine.write_text("chook\tbird\t0.5\n", encoding="utf-8")
    engine = Restorer(families=[], lexicons=[mine], assume_spun=True, threshold=0)
    mine.unlink()
    if left:
        mine.write_text(left, encoding="utf-8")
    assert engine.restore("A chook sang.").text == "A bird sang."


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_name_that_is_no_text(own, tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/m\xff.tsv"))
    path.write_text("whimsy\tclimate\t0.5\n", encoding="utf-8")
    assert list(load([], [path]).options) == ["whimsy"]


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("RESTORE_CACHE", str(tmp_path))
    assert folder() == tmp_path
    monkeypatch.delenv("RESTORE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folder() == tmp_path / "restore"


def test_a_users_lexicon_is_read_again_when_it_changes(own, tmp_path):
    mine = tmp_path / "mine.tsv"
    mine.write_text("whimsy\tclimate\t0.5\n", encoding="utf-8")
    assert load(["autoblog"], [mine]).options["whimsy"][0].original == "climate"
    mine.write_text("whimsy\thistory\t0.5\n", encoding="utf-8")
    assert load(["autoblog"], [mine]).options["whimsy"][0].original == "history"
    assert "whimsy" not in load(["autoblog"]).options
    mine.write_text("whimsy climate\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(LexiconError, match=r"mine\.tsv:1"):
            load(["autoblog"], [mine])
    mine.unlink()
    with pytest.raises(LexiconError, match="no such lexicon"):
        load(["autoblog"], [mine])


def test_an_engine_from_the_cache_restores_alike(own, spun, monkeypatch):
    paper = "We train a profound neural organization with irregular timberland on the datasets of the experiments. "
    first, second = Restorer(), Restorer()  # the second reads what the first one wrote
    monkeypatch.setenv("RESTORE_CACHE", "")
    for text in (spun, paper * 3):
        made = Restorer().restore(text)
        assert made.edits
        assert first.restore(text) == second.restore(text) == made
    assert list(own.iterdir())


def test_frequencies_are_those_of_wordfreq():
    words = [*list(iter_wordlist("en", wordlist="small"))[::7], "zzqx", "café", "naïve", "4chan", "co-op"]
    for word in words:
        zipf = zipf_frequency(word, "en", wordlist="small")
        expected = max(UNSEEN, min(-13.0, (zipf - 9) * 2.302585093)) if zipf else UNSEEN
        assert frequency(word) == pytest.approx(expected), word
