"""Look-alikes: sentences in which the lexicon's words are their author's own."""

from __future__ import annotations

from conftest import rows

SENTENCES = rows("lookalikes.tsv")


def test_there_are_enough():
    assert len(SENTENCES) >= 300
    assert len({phrase for phrase, _ in SENTENCES}) >= 200


def test_alone_none_is_changed(engine):
    assert [s for _, s in SENTENCES if engine.restore(s).edits] == []


def test_inside_a_spun_article_most_are_left_alone(engine, spun):
    before, after = spun.split("\n\n")[1:3]
    kept = 0
    for phrase, sentence in SENTENCES:
        page = f"{before}\n\n{sentence}\n\n{after}"
        begin = len(before) + 2
        inside = [e for e in engine.restore(page).edits if e.end > begin and e.start < begin + len(sentence)]
        kept += not any(phrase in e.found.lower() or e.found.lower() in phrase for e in inside)
    share = kept / len(SENTENCES)
    assert share >= 0.85, f"{share:.3f} left alone"
