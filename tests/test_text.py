"""Tokens: offsets, gaps, sentences, protected spans."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restore.text import PROTECTED_WORD, chunks, fold, hidden, tokenize


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


@pytest.mark.parametrize(
    "code",
    [
        '[caption title="local weather" cost="brand new"]',
        "[gallery ids=1,2 of='brand new' /]",
        '{% include "local weather" %}',
        "<% local weather %>",
        "${local weather}",
        "{{ local\nweather }}",
    ],
)
def test_templates_and_shortcodes_are_left(code):
    tokens = tokenize(f"Before {code} after [local weather].")
    assert tokens.key == ["before", PROTECTED_WORD, "after", "local", "weather"]


def test_long_runs_of_letters_are_read_once():
    """A page without blanks (Chinese) must not cost the square of its length: four times as long, within ten times."""
    seconds = []
    for size in (100_000, 400_000):
        begin = time.process_time()
        tokens = tokenize("\u306b" * size)
        seconds.append(time.process_time() - begin)
        assert len(tokens) == 1
    assert seconds[1] < 10 * seconds[0] + 1


def test_long_sentences_are_cut():
    assert max(e - b for b, e in tokenize("word " * 1000).sentences()) <= 81


def test_letters_of_other_scripts_inside_latin_words():
    assert tokenize("we\u0430ther C\u043eunty K\u0410TE caf\u0065\u0301").key == [
        "weather",
        "county",
        "kate",
        "caf\u00e9",
    ]
    for own in ("\u043f\u0440\u0438\u0432\u0435\u0442", "\u00b5m", "\u0394t", "\u03c3\u03bf\u03c6\u03af\u03b1"):
        assert tokenize(own).key == [own.lower()]


def test_invisible_characters_between_words():
    assert tokenize("local\u200b \u200bweather").gap == [".", " "]
    assert tokenize("local \u202aweather\u202c").gap == [".", " "]


def test_hidden_characters_are_those_that_hide_words():
    text = "lo\u00adcal we\u0430ther \u200b\u0421\u043eunty \u200dend"
    kept = text
    for start, end, new in reversed(hidden(text)):
        kept = kept[:start] + new + kept[end:]
    assert kept == "local weather County end"
    emoji, persian, russian = (
        "\U0001f468\u200d\U0001f469",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0441\u043f\u043e\u00ad\u0440\u0442",
    )
    for own in (f"{emoji} a", persian, russian, "\ufeffabc", "plain"):
        assert hidden(own) == []


@given(st.text(alphabet="aB\u0430\u0415\u00ad\u200b\u0301 \u03b1\u0416'\u2019", max_size=20))
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)
    spans = hidden(text)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))


def test_long_words_without_blanks_are_read():
    """In time that grows with their length: by its square these would take minutes."""
    for piece in ("Ab9_-", "a1-", "a1.", "a@", "a_", "aB3+/", "-/", "9f", "{{", "``", "a{{b"):
        assert tokenize(piece * 60_000).text == piece * 60_000
