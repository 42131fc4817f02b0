"""Look-alikes: sentences in which the lexicon's words are their author's own."""

from __future__ import annotations

from benchmarks.quality import changed_alone, lookalike_rows, lookalikes


def test_there_are_enough():
    rows = lookalike_rows()
    assert len(rows) >= 300
    assert len({phrase for phrase, _ in rows}) >= 200


def test_alone_none_is_changed(engine):
    assert changed_alone(engine) == []


def test_inside_a_spun_article_most_are_left_alone(engine, spun):
    assert lookalikes(engine, spun) >= 0.85
