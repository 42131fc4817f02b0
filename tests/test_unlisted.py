"""Spinners with a table of their own: a page that they spun in part."""

from __future__ import annotations

from math import exp, log
from pathlib import Path

import pytest

from restore.learning.gold import read_marked
from restore.text import tokenize
from restore.unlisted import TURNS, _division

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def pasted() -> list[str]:
    """Paragraphs of a clean article."""
    return (BENCHMARKS / "corpus" / "dev" / "clean" / "news-1.txt").read_text(encoding="utf-8").strip().split("\n\n")


@pytest.fixture(scope="module")
def spun() -> list[str]:
    """Those of one by a spinner whose table no listed family has."""
    marked = (BENCHMARKS / "paraphrased" / "14-cars.marked.txt").read_text(encoding="utf-8")
    return read_marked(marked).tokens.text.strip().split("\n\n")


def test_paragraphs_between_spun_ones_stay(engine, spun, pasted):
    """Every other paragraph was pasted from a clean article."""
    page = "\n\n".join(p for pair in zip(spun, pasted, strict=False) for p in pair)
    result = engine.restore(page)
    assert result.verdict.family == "thesaurus"
    bounds = [(page.index(p), page.index(p) + len(p)) for p in pasted[: len(spun)]]
    strays = sum(begin <= e.start < end for e in result.edits for begin, end in bounds)
    assert len(result.edits) > 10 * max(1, strays)
    assert engine.restore("\n\n".join(pasted)).edits == ()


def test_where_a_spun_part_ends(engine, spun, pasted):
    """A clean article stands below the spun one: most of it is held for clean, most of the other for spun."""
    tokens = tokenize("\n\n".join([*spun, *pasted[:4]]))
    judgement, _ = engine._unlisted.judge(tokens, frozenset())
    clean: list[float] = []
    made: list[float] = []
    for p, (begin, end) in zip(judgement.spun, tokens.sentences(), strict=True):
        sentence = tokens.text[tokens.start[begin] : tokens.end[end - 1]]
        (clean if any(sentence in one for one in pasted) else made).append(p)
    assert sum(p < 0.5 for p in clean) > 0.7 * len(clean)
    assert sum(p > 0.5 for p in made) > 0.7 * len(made)


def test_a_page_that_was_spun_throughout_is_one_part(engine, spun):
    text = "\n\n".join(spun)
    tokens = tokenize(text)
    judgement, blocks = engine._unlisted.judge(tokens, frozenset())
    assert judgement.own_table
    assert blocks
    assert len(judgement.spun) == len(tokens.sentences())
    long = [p for p, (a, b) in zip(judgement.spun, tokens.sentences(), strict=True) if b - a >= 10]
    assert sum(p > 0.8 for p in long) > 0.7 * len(long)


def test_what_sentences_say_adds_up(engine, spun):
    tokens = tokenize("\n\n".join(spun))
    blocks = engine.reader.by_own_table(tokens, None, frozenset(), known=False)
    apiece = engine.reader.weigher("thesaurus").of_sentences(blocks, len(tokens.sentences()))
    whole = engine.reader.weigher("thesaurus").of_text(tokens, blocks)
    assert sum(s.changes for s in apiece) == pytest.approx(whole.changes)
    assert sum(s.free for s in apiece) == pytest.approx(whole.free)
    assert whole.distinct <= whole.changes
    half = frozenset(range(len(apiece) // 2))
    assert engine.reader.weigher("thesaurus").of_text(tokens, blocks, half).changes == pytest.approx(
        sum(s.changes for s in apiece[: len(half)])
    )


def test_all_divisions_of_a_text_have_probability_one():
    turns = [TURNS, (0.003, 0.02), TURNS]
    parts = [frozenset(i for i in range(4) if mask >> i & 1) for mask in range(16)]
    assert sum(exp(_division(part, turns)) for part in parts) == pytest.approx(1)
    assert _division(frozenset(range(4)), turns) == pytest.approx(2 * log(0.98) + log(0.997) + log(0.98))
