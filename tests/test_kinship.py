"""Kinship of words: what is related is near, phrases, files."""

from __future__ import annotations

import numpy as np
import pytest

from restore import vectors
from restore.kinship import Kinship
from restore.shipped import root


@pytest.fixture(scope="module")
def shipped() -> Kinship:
    return Kinship.load(root() / "kinship.npz")


def cosine(kinship: Kinship, one: str, other: str) -> float:
    a, b = kinship.of([one.split(), other.split()])
    return float(a @ b)


@pytest.mark.parametrize(
    ("found", "original", "stranger"),
    [
        ("timberland", "forest", "invoice"),
        ("excessive", "high", "legal"),
        ("physician", "doctor", "weather"),
        ("purchasing", "buying", "raining"),
        ("local weather", "climate", "guitar"),
        ("worth", "price", "kitchen"),
    ],
)
def test_what_may_stand_for_a_word_is_nearer_than_a_stranger(shipped, found, original, stranger):
    assert cosine(shipped, found, original) > cosine(shipped, found, stranger) + 0.2


def test_vectors_have_unit_length_or_none(shipped):
    """Whatever the number of words; unknown ones are passed over."""
    phrases = [["price"], ["local", "weather"], ["xqzt", "price"], ["xqzt"], []]
    unit = shipped.of(phrases)
    assert np.linalg.norm(unit, axis=1) == pytest.approx([1, 1, 1, 0, 0], abs=1e-5)
    assert unit[2] == pytest.approx(unit[0])
    assert shipped.of([]).shape == (0, unit.shape[1])


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "k.npz"
    vectors.save(path, ["a", "b"], {"J": np.ones((2, 3), np.float32)}, {})
    with pytest.raises(ValueError, match="not vectors of kinship") as error:
        Kinship.load(path)
    assert str(path) in str(error.value)


def test_what_is_related_comes_near_in_training(monkeypatch):
    """Also pairs that were not learned from: their vectors have some of many directions in common."""
    pytest.importorskip("torch")
    from restore.learning import kinship as training

    monkeypatch.setattr(training, "STEPS", 150)
    draw = np.random.default_rng(3)
    common, own = draw.normal(size=(300, 12)), draw.normal(size=(600, 36))
    known = np.concatenate([np.repeat(common, 2, axis=0), own], axis=1).astype(np.float32)
    pairs = np.arange(600).reshape(300, 2)
    unit = training.train(known, pairs[:200], pairs[200:250], 0, lambda _: None)
    before, after = (
        np.einsum("ij,ij->i", rows[500::2], rows[501::2]).mean()
        for rows in (known / np.linalg.norm(known, axis=1, keepdims=True), unit)
    )
    assert after > before + 0.2


def test_pairs_are_those_of_thesaurus_and_lexicon(tmp_path):
    pytest.importorskip("torch")
    from restore.learning.kinship import listed_pairs, related_pairs, vocabulary
    from restore.lexicon import load
    from restore.sparse.tables import Tables
    from restore.synonyms import Synonyms

    (tmp_path / "mine.tsv").write_text("plank\tboard\t0.5\nlocal weather\tclimate\t0.5\n", encoding="utf-8")
    lexicon = load([], [tmp_path / "mine.tsv"])
    tables = Tables(words={"timberland": {"forest": 0.2}})
    frequent = ["the", "board", "forests", "Plank", "planks", "42", "timberland", "climate", "kitchen"]
    words = vocabulary(frequent, lexicon, tables)
    assert words == ["board", "forests", "planks", "timberland", "climate"]
    words = ["plank", "board", "forest", "woods", "kitchen"]
    assert listed_pairs(words, lexicon).tolist() == [[0, 1]]
    related = related_pairs(words, Synonyms.load(root() / "thesaurus" / "synonyms.bin")).tolist()
    assert [2, 3] in related
    assert not any(4 in pair for pair in related)


def test_vectors_of_a_language_model(monkeypatch):
    """A word has those of its tokens, with and without a capital; one of several tokens has their mean."""
    pytest.importorskip("torch")
    from restore.learning import embeddings

    names = ["Ġthe", "ĠThe", "Ġtim", "ber", "b", "er", "Ġa"]
    table = np.arange(14, dtype=np.float32).reshape(7, 2) ** 2
    monkeypatch.setattr(embeddings, "token_vectors", lambda: ({t: n for n, t in enumerate(names)}, table))
    got = embeddings.word_vectors(["<s>", "the", "timber", "a"])
    mean = (table[:2].mean(0) + table[6]) / 2  # of the words that are tokens
    assert got == pytest.approx(
        np.stack([[0, 0], table[:2].mean(0) - mean, table[2:4].mean(0) - mean, table[6] - mean])
    )
    rows = embeddings.principal(got, 1)
    assert np.abs(rows[1:]) == pytest.approx(1)
    assert rows[0] == 0
