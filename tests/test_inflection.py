"""Inflection and articles: the words as they will stand."""

from __future__ import annotations

import pytest

import restore
from restore.inflection import analyses, inflect
from restore.surface import article_for


@pytest.mark.parametrize(
    ("word", "form", "inflected"),
    [
        ("offer", "ed", "offered"),
        ("suffer", "ing", "suffering"),
        ("buffer", "ed", "buffered"),
        ("limit", "ed", "limited"),
        ("prefer", "ed", "preferred"),
        ("admit", "ing", "admitting"),
        ("quit", "ing", "quitting"),
        ("equip", "ed", "equipped"),
        ("forget", "ing", "forgetting"),
        ("program", "ing", "programming"),
        ("overlap", "ed", "overlapped"),
        ("embed", "ing", "embedding"),
        ("ballot", "ed", "balloted"),
        ("panic", "ed", "panicked"),
        ("mimic", "ing", "mimicking"),
        ("visit", "ed", "visited"),
        ("target", "ed", "targeted"),
        ("lie", "ing", "lying"),
        ("photo", "s", "photos"),
        ("hero", "s", "heroes"),
        ("quiz", "s", "quizzes"),
        ("hypothesis", "s", "hypotheses"),
    ],
)
def test_a_word_takes_its_form_and_gives_it_back(word, form, inflected):
    assert inflect(word, form) == inflected
    assert (word, form) in analyses(inflected)


@pytest.mark.parametrize(
    "word",
    [
        "unanimous",
        "usage",
        "utopian",
        "uranium",
        "university",
        "one-off",
        "useful",
        "USB port",
        "UN",
        "Ukrainian",
        "onetime",
        "using",
        "ukulele",
        "Ugandan",
        "U-turn",
        "NATO member",
        "ROM-based",
    ],
)
def test_a_before_the_sound_of_a_consonant(word):
    assert article_for(word) == "a"


@pytest.mark.parametrize(
    "word",
    [
        "unidentified",
        "onerous",
        "unimportant",
        "utter",
        "urban",
        "hour",
        "FBI agent",
        "UNDER",
        "UGLY",
        "usher",
        "x-ray",
        "MRI",
    ],
)
def test_an_before_the_sound_of_a_vowel(word):
    assert article_for(word) == "an"


def test_the_article_in_a_heading_of_capitals_goes_with_the_word_not_with_its_first_letter():
    engine = restore.Restorer(families=["autoblog"], assume_spun=True, threshold=0.2)
    text = "A BRAND NEW EXAMINE ON LOCAL WEATHER CHANGE AND AN EXAMINE ON CHOOK NUMBERS"
    restored = engine.restore(text).text
    assert restored.startswith("A NEW STUDY")
    assert "A STUDY ON BIRD" in restored
