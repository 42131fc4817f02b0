"""Tokens: offsets, gaps, sentences, protected spans."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from restore.text import chunks, tokenize


@given(st.text(max_size=200))
def test_offsets_are_in_order_and_inside(text):
    tokens = tokenize(text)
    at = 0
    for start, end in zip(tokens.start, tokens.end, strict=True):
        assert at <= start < end <= len(text)
        at = end


@given(st.text(alphabet="ab \n.", max_size=400), st.integers(4, 40))
def test_chunks_join_to_the_text(text, size):
    parts = list(chunks(text, size))
    assert "".join(part for _, part in parts) == text
    assert all(text[at : at + len(part)] == part for at, part in parts)


def test_gaps_and_clitics():
    tokens = tokenize("Dr. Smith’s know-how isn’t “new”. It works, he said.")
    assert list(zip(tokens.gap, tokens.key, strict=True)) == [
        (".", "dr"), (",", "smith"), ("", "'s"), (" ", "know"), ("-", "how"), (" ", "isn't"), (" ", "new"),
        (".", "it"), (" ", "works"), (",", "he"), (" ", "said"),
    ]  # fmt: skip


def test_invisible_characters_are_matched_through():
    assert tokenize("lo\u00adcal wea\u200bther").key == ["local", "weather"]


def test_latex_quotation_marks_are_not_code():
    assert "within" in tokenize("He called it ``poor work'' within hours. ``Never again,'' he said.").key


def test_long_sentences_are_cut():
    assert max(e - b for b, e in tokenize("word " * 1000).sentences()) <= 81
