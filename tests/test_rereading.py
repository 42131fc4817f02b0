"""The second reading: associations as kept and found again, and what they may change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from restore.associations import KIND, STEP, Associations, pair_hash, steps
from restore.buckets import hashes
from restore.cloze import Cloze
from restore.kinship import Kinship
from restore.learning.smoothing import pack
from restore.rereading import FEATURES, SURE, Rereader, doubtful
from restore.restoration import Edit, with_article
from restore.shipped import root
from restore.surroundings import Surroundings

TEXT = "The worth of it rose, said the traders who sell crude oil by the barrel. Nobody knew its worth to the heart."
ONLY_LATTICE = (1.0, *(0.0,) * (len(FEATURES) - 1))
FAMILIES = frozenset(["autoblog"])


def table(*rows: tuple[str, str, str, float]) -> Associations:
    kind, word, company, value = zip(*rows, strict=True)
    keys = np.concatenate([pair_hash(k, hashes([w]), hashes([c])) for k, w, c in zip(kind, word, company, strict=True)])
    return Associations(pack(keys, [steps(np.array(value))], np.ones(len(keys), np.int64), 0.1))


def edit(text: str, found: str, *listed: tuple[str, float], spun: float = 1.0, at: int = 0) -> Edit:
    at = text.index(found, at)
    left = 1 - sum(p for _, p in listed)
    evidence = {"passage": spun, "channel": -1.0}
    return Edit(at, at + len(found), found, *listed[0], "autoblog", (*listed[1:], (found, left)), evidence)


def reader(associations: Associations, **weight: float) -> Rereader:
    coefficients = tuple(weight.get(name, one) for name, one in zip(FEATURES, ONLY_LATTICE, strict=True))
    cloze, kinship = Cloze.load(root() / "cloze.npz"), Kinship.load(root() / "kinship.npz")
    return Rereader({"": coefficients}, Surroundings(associations, cloze), kinship)


BARREL = table(("topic", "price", "barrel", 2.0), ("topic", "value", "barrel", -1.0))


def test_a_table_is_found_again_in_its_file(tmp_path):
    kept = table(("before", "price", "full", 1.5), ("after", "price", "full", -0.5))
    kept.save(tmp_path / "a.bin")
    again = Associations.load(tmp_path / "a.bin")
    words, company = hashes(["full", "price"]), hashes(["price", "full"])
    for kind, value in (("before", 1.5), ("after", -0.5)):
        which, values = again.kept(kind, words, company)
        assert which.tolist() == [1]
        assert values[0] == pytest.approx(value, abs=STEP)
    assert not len(again.kept("topic", words, company)[0])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda _: b"nothing", "not a table"),
        (lambda data: data[:-1], "cut short"),
        (lambda data: data.replace(b'"buckets"', b'"baskets"'), "damaged"),
        (lambda data: data[: len(KIND.magic) + 9], "damaged"),
    ],
)
def test_a_broken_table_is_named(tmp_path, damage, message):
    path = tmp_path / "a.bin"
    BARREL.save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=message) as error:
        Associations.load(path)
    assert str(path) in str(error.value)


def test_a_word_of_the_passage_decides():
    listed = edit(TEXT, "worth", ("value", 0.5), ("price", 0.4))
    (judged,) = reader(BARREL, topic=1.0).judge(TEXT, [listed], FAMILIES)
    assert judged.replacement == "price"
    assert judged.confidence == pytest.approx(0.4 * np.e**2 / (0.4 * np.e**2 + 0.5 / np.e + 0.1), abs=0.01)
    assert judged.confidence + sum(p for _, p in judged.alternatives) == pytest.approx(1)
    assert judged.evidence["company"] == pytest.approx(2, abs=STEP)
    assert "channel" not in judged.evidence  # that was of the other replacement


def test_a_word_said_twice_counts_once():
    twice = TEXT.replace("the barrel", "the barrel, barrel by barrel")
    once, again = (
        reader(BARREL, topic=1.0).judge(t, [edit(t, "worth", ("value", 0.5), ("price", 0.4))], FAMILIES)[0].confidence
        for t in (TEXT, twice)
    )
    assert once == pytest.approx(again)


def test_what_is_said_elsewhere_counts_in_any_form():
    """Twice for price, not for worth itself; a phrase as its rarest word."""
    text = "The worth of it rose. Prices of oil and the price of corn rose too."
    listed = edit(text, "worth", ("value", 0.5), ("price", 0.3), ("price tag", 0.1))
    (judged,) = reader(BARREL, elsewhere=1.0).judge(text, [listed], FAMILIES)
    assert judged.replacement == "price"
    assert judged.confidence == pytest.approx(0.3 * 3 / (0.3 * 3 + 0.5 + 0.1 + 0.1))


def test_a_relative_of_the_word_found_is_likelier():
    """But neither than the word found itself: its own kinship is nought, lest it always win."""
    listed = edit(TEXT, "worth", ("barrel", 0.5), ("value", 0.3))
    (judged,) = reader(BARREL, kinship=3.0).judge(TEXT, [listed], FAMILIES)
    assert judged.replacement == "value"
    assert dict(judged.alternatives)["worth"] < 0.2


def test_an_article_follows_the_word_that_wins():
    """What was judged likelier in the lattice had the article that stands there; what is in the end needs the other."""
    text = "He set a worth by the barrel."
    won = edit(text, "worth", ("amount", 0.5), ("value", 0.3), ("estimate", 0.1))
    judged = with_article(won, text, free=0)
    assert (judged.found, judged.replacement) == ("a worth", "an amount")
    assert text[judged.start : judged.end] == judged.found
    assert {other for other, _ in judged.alternatives} == {"a value", "an estimate", "a worth"}
    assert with_article(won, text, free=won.start - 1) == won  # the article is another edit's


def test_each_spinner_has_its_coefficients():
    """Those of the family count where a spinner has none of its own."""
    listed = edit(TEXT, "worth", ("value", 0.5), ("price", 0.4))
    of_words = dict(zip(FEATURES, ONLY_LATTICE, strict=True)) | {"topic": 1.0}
    both = reader(BARREL)
    two = {"": ONLY_LATTICE, "own table": tuple(of_words.values())}
    judge = Rereader(two, both._surroundings, both._kinship).judge
    chosen = {s: judge(TEXT, [listed], FAMILIES, s)[0].replacement for s in ("", "own table", "thesaurus")}
    assert chosen == {"": "value", "own table": "price", "thesaurus": "value"}


def test_neighbours_are_read_as_restored():
    """What stands beside a place counts as restored where that is likely, as found where it is not."""
    text = "They sell crude oil by the cask at its worth."
    oil = reader(table(("topic", "price", "barrel", 2.0)), topic=1.0)
    price = edit(text, "worth", ("value", 0.5), ("price", 0.4))
    likely, unlikely = edit(text, "cask", ("barrel", 0.8)), edit(text, "cask", ("barrel", 0.3))
    assert oil.judge(text, [likely, price], FAMILIES)[1].replacement == "price"
    assert oil.judge(text, [unlikely, price], FAMILIES)[1].replacement == "value"


def test_a_doubtful_passage_stays_doubtful():
    """An edit is never surer than that its passage was spun."""
    listed = edit(TEXT, "worth", ("price", 0.3), spun=0.4)
    (judged,) = reader(BARREL, topic=9.0).judge(TEXT, [listed], FAMILIES)
    assert 0.3 < judged.confidence <= 0.4
    assert judged.confidence + sum(p for _, p in judged.alternatives) == pytest.approx(1)


def test_what_is_sure_or_of_other_families_is_left():
    sure = edit(TEXT, "worth", ("price", (1 + SURE) / 2))
    other = replace(edit(TEXT, "worth", ("price", 0.5), at=30), family="tortured")
    assert reader(BARREL, topic=1.0).judge(TEXT, [sure, other], FAMILIES) == [sure, other]
    assert doubtful([sure, other], FAMILIES).edit == []


def test_the_lattice_alone_changes_nothing():
    listed = edit(TEXT, "worth", ("value", 0.5), ("price", 0.3))
    (judged,) = reader(BARREL).judge(TEXT, [listed], FAMILIES)
    assert judged.replacement == "value"
    assert judged.confidence == pytest.approx(0.5)
    assert dict(judged.alternatives) == pytest.approx(dict(listed.alternatives))
