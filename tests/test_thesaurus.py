"""Open vocabulary: the table of synonyms, the judge, and the engine on text spun from a thesaurus."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from conftest import CASES, ROOT
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Indel

import restore
from restore.evidence import Evidence
from restore.inflection import analyses
from restore.judgement import Judgement, by_synonyms, features
from restore.learning.gold import judged, read_marked
from restore.learning.regression import logistic
from restore.learning.thesaurus import (
    SynonymSpinner,
    drawn_table,
    moby,
    own_table_weights,
    relations,
    wordnet,
)
from restore.lexicon import load
from restore.restoration import splice
from restore.shipped import root
from restore.synonyms import SCREENED, SECTIONS, SOURCES, Relation, Synonyms, inflected, load_screen
from restore.text import tokenize
from restore.thesaurus import FAMILY, Thesaurus

# A WordNet database in small: offset, lexicographer file, part of speech, lemmas, pointers, gloss.
NOUNS = """\
  1 This software and database is being provided to you, the LICENSEE
00000010 04 n 02 car 0 automobile 0 001 @ 00000020 n 0000 | a vehicle
00000020 04 n 01 vehicle 0 000 | a conveyance
00000030 04 n 02 Paris 0 City_of_Light 0 000 | a city
"""
VERBS = "00000010 30 v 02 delay 0 put_off 0 000 01 + 08 00 | postpone\n"
ADJECTIVES = "00000010 00 a 02 galore(ip) 0 abundant 0 000 | in quantity\n"
ADVERBS = "00000010 02 r 02 quickly 0 speedily 0 000 | with speed\n"


@pytest.fixture(scope="module")
def small(tmp_path_factory, engine):
    folder = tmp_path_factory.mktemp("wordnet")
    for name, text in {"noun": NOUNS, "verb": VERBS, "adj": ADJECTIVES, "adv": ADVERBS}.items():
        (folder / f"data.{name}").write_text(text, encoding="utf-8")
    (folder / "words.txt").write_text("car,auto,vehicle,sardine tin\n", encoding="utf-8")
    return relations(wordnet(folder) | moby(folder / "words.txt"), engine.model)


@pytest.fixture(scope="module")
def thesaurus(engine):
    return Thesaurus(root() / FAMILY, engine.model)


@pytest.fixture(scope="module")
def long_text(clean):
    """The two clean texts of the examples: long enough to be judged."""
    return (ROOT / "examples" / "original.txt").read_text(encoding="utf-8") + "\n" + clean


@pytest.fixture(scope="module")
def drawn(long_text, thesaurus):
    return SynonymSpinner(thesaurus.synonyms, "wordnet", 3).spin(long_text, 0.3)


def pairs(table: Synonyms, section: str) -> set[tuple[str, str, float]]:
    first, originals, shares = table.inverse(section)
    v = table.vocabulary
    return {
        (v[x], v[originals[k]], round(float(shares[k]), 3))
        for x in range(len(v))
        for k in range(first[x], first[x + 1])
    }


def test_relations_of_wordnet_and_moby(small):
    assert pairs(small, "wordnet.n") == {("automobile", "car", 1.0), ("car", "automobile", 1.0)}
    assert ("vehicle", "car", 0.5) in pairs(small, "near.n")  # the hypernym, one of two near words
    assert pairs(small, "wordnet.v") == {("put off", "delay", 1.0)}  # an original is a single word
    assert ("abundant", "galore", 1.0) in pairs(small, "wordnet.a")  # where it may stand is dropped
    assert ("sardine tin", "car", 0.333) in pairs(small, "moby.*")
    assert not any(word[0].isupper() or "paris" in word for word in small.vocabulary)


def test_what_is_related_either_way(small):
    """Heads, members, and what a word may be a form of."""

    def related(word: str) -> set[str]:
        return {small.vocabulary[n] for n in small.related(word)}

    assert {"automobile", "vehicle", "sardine tin"} <= related("car")
    assert "car" in related("vehicle")
    assert related("cars") >= related("car")
    assert "delay" in related("put off")
    assert related("unheard") == set()
    assert {small.vocabulary[n] for n in small.numbers("cars")} == {"car"}


def test_missing_database_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no data\.noun there; give the folder"):
        wordnet(tmp_path)


def test_table_survives_the_disk(small, tmp_path):
    small.save(tmp_path / "synonyms.bin")
    again = Synonyms.load(tmp_path / "synonyms.bin")
    assert again.vocabulary == small.vocabulary
    for section in SECTIONS:
        assert pairs(again, section) == pairs(small, section)


@given(st.lists(st.sets(st.integers(0, 999), min_size=1), min_size=1, max_size=20))
def test_any_relation_survives_packing(tmp_path_factory, members):
    path = tmp_path_factory.mktemp("packed") / "synonyms.bin"
    empty = Relation(*(np.empty(0, np.int64) for _ in range(4)))
    relation = Relation(
        np.arange(len(members)) * 40,
        np.array([len(m) for m in members]),
        np.array([len(m) + 200 for m in members]),
        np.array([n for m in members for n in sorted(m)]),
    )
    table = Synonyms([str(i) for i in range(1000)], dict.fromkeys(SECTIONS, empty) | {"near.v": relation})
    table.save(path)
    read = Synonyms.load(path).sections["near.v"]
    for name in ("heads", "sizes", "totals", "members"):
        assert getattr(read, name).tolist() == getattr(relation, name).tolist()


@pytest.mark.parametrize("content", [b"something else", b"RESTORE-THESAURUS-1\n\x09\x00\x00\x00abc"])
def test_a_file_that_is_no_table_is_named(tmp_path, content):
    (tmp_path / "t.bin").write_bytes(content)
    with pytest.raises(ValueError, match=r"t\.bin"):
        Synonyms.load(tmp_path / "t.bin")
    with pytest.raises(ValueError, match="screening weights"):
        load_screen(tmp_path / "t.bin")


@pytest.mark.parametrize(
    ("phrase", "pos", "form", "result"),
    [
        ("put off", "v", "ed", "put off"),
        ("carry out", "v", "ing", "carrying out"),
        ("motor car", "n", "s", "motor cars"),
        ("quickly", "r", None, "quickly"),
    ],
)
def test_phrases_are_inflected_in_their_head(phrase, pos, form, result):
    assert inflected(phrase, pos, form) == result


def test_inflection_is_carried_over(thesaurus):
    source = thesaurus.source("wordnet")

    def originals(phrase: str) -> set[str]:
        tokens = tokenize(f"They say the {phrase} here.")
        found = source.lattice(tokens, tokens.sentences(), frozenset())
        assert all(o is None or o.family == FAMILY for o in found.option)
        stretch = " ".join(tokens.key[3:-1])
        return {
            " ".join(words)
            for start, end, words, o in zip(found.start, found.end, found.words, found.option, strict=True)
            if o is not None and " ".join(tokens.key[start:end]) == stretch
        }

    assert "cars" in originals("automobiles")
    assert "automobiles" not in originals("automobiles")
    assert "deferred" in originals("postponed")
    assert originals("put off") & {"postpone", "postponed", "delayed", "deferred"}
    assert originals("zzyzx") == set()


def test_clean_text_is_untouched(engine, thesaurus, clean):
    assert thesaurus.judge(tokenize(clean)).log_odds < -2
    assert engine.restore(clean).edits == ()


def test_old_books_keep_their_words(engine):
    lines = (CASES / "elevated.txt").read_text(encoding="utf-8").split("\n")
    text = "\n".join(line for line in lines if not line.startswith("#")).strip()
    chapters = [" ".join(chapter.split("\n")) for chapter in text.split("\n\n")]
    assert len(chapters) == 4
    for chapter in chapters:
        assert not engine.detect(chapter).spun
        assert engine.restore(chapter).text == chapter


def test_length_alone_is_no_evidence():
    """An index has no sentence to speak of; a library says no more than its first thousand words about what it is."""
    alone = Judgement(-5.0, 0.0, 0.0, "wordnet")
    assert by_synonyms(alone, 50_000, Evidence()).log_odds < 0
    assert features(alone, Evidence(words=10)) == features(alone, Evidence(words=1000))


def test_archaic_words_are_given_by_no_source_but_one(thesaurus):
    originals = (thesaurus.source(name) for name in SOURCES)
    archaic = sorted(thesaurus._archaic)
    given = {word for source in originals for word in archaic if source.lattice(tokenize(word), [(0, 1)]).option[1:]}
    assert given == {"upon"}


def test_spun_from_a_thesaurus(engine, long_text, drawn):
    result = engine.restore(drawn)
    assert result.verdict.spun
    assert result.verdict.family == FAMILY
    assert 0.03 < result.verdict.rate < 0.3
    assert engine.detect(drawn) == result.verdict
    assert result.undo() == drawn
    assert {e.family for e in result.edits} == {FAMILY}
    before, after = (Indel.normalized_similarity(t.split(), long_text.split()) for t in (drawn, result.text))
    assert after > before + 0.02


@pytest.mark.parametrize("source", list(SOURCES))
def test_each_source_is_found_out(engine, thesaurus, long_text, source):
    text = SynonymSpinner(thesaurus.synonyms, source, 5).spin(long_text, 0.35)
    assert thesaurus.judge(tokenize(text)).alone > thesaurus.judge(tokenize(long_text)).alone + 10
    assert engine.detect(text).family == FAMILY
    assert engine.detect(long_text).family is None


def test_a_listed_spinner_keeps_its_family(engine, spun):
    assert engine.restore(spun).verdict.family == "autoblog"
    assert engine.restore(spun) == restore.Restorer(families=["autoblog"]).restore(spun)


def test_the_family_can_be_left_out_or_taken_alone(drawn, spun):
    assert not restore.Restorer(families=["autoblog"]).detect(drawn).spun
    alone = restore.Restorer(families=[FAMILY])
    assert alone.detect(drawn).family == FAMILY
    assert alone.restore("").edits == ()
    sure = restore.Restorer(families=[FAMILY], assume_spun=True).restore(drawn)
    assert sure.verdict.probability == 1.0
    assert sure.edits


def test_allowed_words_stay(drawn, engine):
    first = engine.restore(drawn).edits[0]
    kept = restore.Restorer(allow=[first.found]).restore(drawn)
    assert all(e.found.lower() != first.found.lower() for e in kept.edits)


def test_little_memory_changes_nothing(thesaurus, engine, drawn, monkeypatch):
    judged = thesaurus.judge(tokenize(drawn))
    monkeypatch.setattr("restore.thesaurus.REMEMBERED", 5)
    forgetful = Thesaurus(root() / FAMILY, engine.model)
    for text in (drawn, drawn[::-1], drawn):
        again = forgetful.judge(tokenize(text))
    assert again == judged


def test_words_alone_convict_nobody(thesaurus, monkeypatch):
    """Literary prose is rich in rare words; without a look at their context that is no proof."""
    monkeypatch.setattr(thesaurus, "words_alone", lambda _: np.full(len(SCREENED), 100.0))
    assert thesaurus.judge(tokenize("the abashed " * 3)).log_odds < 0


def test_names_are_left(thesaurus):
    tokens = tokenize("The firm said that Automobile Ventures made automobiles.")
    source = thesaurus.source("wordnet")
    lattice = source.lattice(tokens, tokens.sentences())
    changed = {tokens.key[lattice.start[i]] for i in range(len(lattice)) if lattice.option[i] is not None}
    assert "automobiles" in changed
    assert "automobile" not in changed
    assert "ventures" not in changed


def test_gain_is_that_of_the_context_model(thesaurus, engine):
    """A candidate's gain against the plain sum of trigram log probabilities over the whole sentence."""
    source = thesaurus.source("wordnet")
    words = "the senator will clench the nomination today".split()
    tokens = tokenize(" ".join(words))
    found = source.candidates(tokens, tokens.sentences())
    at = {
        (s, source._option(o, k)[0].original): found.gain[i]
        for i, (s, o, k) in enumerate((s, o, k) for s, _, o in found.spans for k in range(len(o.word)))
    }

    def total(sentence: list[str]) -> float:
        from restore.buckets import hashes

        h = hashes(["<s>", "<s>", *sentence, "<s>", "<s>"])
        alone = engine.model.unigram(h)
        p, b = engine.model.bigram(h[:-1], h[1:], alone[1:])
        return float(engine.model.trigram(h[:-2], h[1:-1], h[2:], p[1:] + b[:-1]).sum())

    changed = [*words[:3], "clinch", *words[4:]]
    assert at[3, "clinch"] == pytest.approx(total(changed) - total(words), abs=1e-3)


def test_spinner_of_the_table_keeps_form_and_case(thesaurus):
    text = "Automobiles were delayed. The senator spoke quickly."
    spun = SynonymSpinner(thesaurus.synonyms, "wordnet", 1).spin(text, 1.0)
    assert spun != text
    assert spun[0].isupper()
    assert SynonymSpinner(thesaurus.synonyms, "wordnet", 1).spin(text, 1.0) == spun
    assert SynonymSpinner(thesaurus.synonyms, "wordnet", 1).spin(text, 0.0) == text
    marked = read_marked(SynonymSpinner(thesaurus.synonyms, "wordnet", 1).marked(text, 1.0))
    assert marked.tokens.text == spun
    assert splice(spun, [(s.start, s.end, s.originals[0]) for s in marked.spans]) == text
    assert any(form == "s" for _, form in analyses(spun.split()[0].lower()))


def test_logistic_regression_recovers_its_weights():
    random = np.random.default_rng(1)
    rows = np.column_stack([np.ones(20_000), random.normal(size=(20_000, 2))])
    labels = (random.random(20_000) < 1 / (1 + np.exp(-(rows @ [0.5, 2.0, -1.0])))).astype(np.int64)
    assert logistic(rows, labels) == pytest.approx([0.5, 2.0, -1.0], abs=0.1)


OWN = sorted((ROOT / "benchmarks" / "corpus" / "dev" / "autoblog").glob("*-second.txt"))


@pytest.mark.parametrize("path", OWN, ids=lambda p: p.stem)
def test_a_table_of_the_spinners_own(engine, path):
    """Articles by a table written without sight of ours: found out, and undone in part; their originals stay."""
    marked = read_marked(path.read_text(encoding="utf-8"))
    result = engine.restore(marked.tokens.text)
    assert result.undo() == marked.tokens.text
    assert result.verdict.spun
    right = sum(judged(marked, result.edits))
    assert right > 0.6 * len(result.edits) > 5
    original = splice(marked.tokens.text, [(s.start, s.end, s.originals[0]) for s in marked.spans])
    assert engine.restore(original).edits == ()


def test_without_the_family_no_table_is_guessed(engine):
    text = read_marked(OWN[0].read_text(encoding="utf-8")).tokens.text
    assert engine.restore(text).edits
    assert not restore.Restorer(families=["autoblog"]).restore(text).edits


def test_what_tables_have_in_common_is_a_lexicon():
    common = load([FAMILY])
    assert {"before", "in front of"} & {o.original for o in common.options["prior to"]}
    assert all(option.family == FAMILY for options in common.options.values() for option in options)


def test_weights_of_ones_own_table_are_those_of_both_lexicons(engine):
    own = own_table_weights(engine.model)
    assert own["prior to"] > 0  # what a table makes
    assert own["before"] < 0  # what it replaces
    assert "pterodactyl" not in own


def test_a_drawn_table_has_a_part_of_each():
    first, again, other = (drawn_table(Random(seed)) for seed in (1, 1, 2))
    assert first.options.keys() == again.options.keys() != other.options.keys()
    listed, common = load(["autoblog"]), load([FAMILY])
    share = len(first.options.keys() & (listed.options.keys() - common.options.keys())) / len(listed.options)
    assert 0.1 < share < 0.5
    assert first.options.keys() - listed.options.keys()
