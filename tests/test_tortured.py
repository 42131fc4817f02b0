"""Tortured phrases: restored in papers, composed where no list has them, and clean science left alone."""

from __future__ import annotations

from math import isfinite

import pytest
from conftest import ROOT, rows

import restore
from restore.context import ContextModel
from restore.learning import tortured
from restore.learning.gold import read_marked
from restore.lexicon import LexiconError, check, load, read
from restore.screen import Screen
from restore.shipped import root
from restore.sparse.places import Judge, Place, apart, smooth_places
from restore.sparse.tables import singular, term_key
from restore.sparse.terms import Terms
from restore.text import tokenize

PROSE = (
    "Unplanned stops of pumping stations are costly, and operators cannot watch every sensor. "
    "We collected readings from forty stations over two winters. {} "
    "Most warnings came at least a day ahead, and few of them were false.\n"
)


@pytest.fixture(scope="module")
def model() -> ContextModel:
    return ContextModel.load(root() / "context.bin")


@pytest.fixture(scope="module")
def matcher(model) -> Terms:
    return Terms(root() / "tortured", "tortured", model)


@pytest.mark.parametrize(("found", "original"), rows("tortured.tsv"), ids=lambda v: v[:30])
def test_one_sentence_in_clean_prose(engine, found, original):
    result = engine.restore(PROSE.format(found))
    assert result.text == PROSE.format(original)
    assert result.undo() == PROSE.format(found)
    assert result.verdict.family == "tortured"


@pytest.mark.parametrize("sentence", [r[0] for r in rows("science.tsv")], ids=lambda v: v[:30])
def test_science_is_left_alone(engine, sentence):
    result = engine.restore(PROSE.format(sentence))
    assert result.edits == ()
    assert not result.verdict.spun


def test_a_term_that_is_but_written_apart_stays():
    named = restore.Restorer(families=["tortured"])
    for text in ("The bi-linear interpolation is fast.", "We clean up the data base management system."):
        assert named.restore(text).text == text


def test_originals_that_the_list_misspells_are_mended():
    judged = tortured.Judgements(frozenset(), {})
    (phrase,) = tortured.clean([tortured.Row("clamor concealment", "noise supression", 3, "")], judged)
    assert phrase.original == "noise suppression"


def test_names_and_acronyms_get_their_capitals(engine):
    text = engine.restore(PROSE.format("The co2 emanation and a navies Bayes model were compared.")).text
    assert "emission" in text
    assert "Bayes" in text


def test_a_spun_article_stays_the_spinners(engine, spun):
    assert engine.restore(spun).verdict.family == "autoblog"


def test_both_families_in_one_document(spun):
    paper = "We trained an irregular timberland on the readings, and a profound convolutional neural organization."
    engine = restore.Restorer(families=["autoblog", "tortured"])
    families = {e.family for e in engine.restore(spun + "\n\n" + paper).edits}
    assert families == {"autoblog", "tortured"}


def test_families_can_be_chosen():
    found = PROSE.format("The forecasts were obtained with an irregular timberland.")
    assert not restore.Restorer(families=["autoblog"]).restore(found).edits
    assert restore.Restorer(families=["tortured"]).restore(found).edits
    assert restore.Restorer(families=["tortured"]).restore(PROSE.format("Nothing here.")).edits == ()


def test_an_allowed_phrase_stays():
    found = PROSE.format("The forecasts were obtained with an irregular timberland.")
    assert not restore.Restorer(allow=["irregular timberland"]).restore(found).edits


def test_a_users_lexicon_bars_its_own_phrases_alone(tmp_path):
    own = tmp_path / "own.tsv"
    own.write_text("some phrase\tanother\t0.5\n", encoding="utf-8")
    engine = restore.Restorer(lexicons=[own])
    text = PROSE.format("The forecasts were obtained with irregular timberland.")
    assert engine.restore(text).text == restore.restore(text).text


def test_a_users_lexicon_has_precedence(tmp_path):
    own = tmp_path / "own.tsv"
    own.write_text("irregular timberland\tuneven woodland\t0.5\n", encoding="utf-8")
    engine = restore.Restorer(families=["tortured"], lexicons=[own])
    edits = engine.restore(PROSE.format("The forecasts were obtained with irregular timberland.")).edits
    assert all("random forest" not in e.replacement for e in edits)
    assert not any(
        o.source.startswith("listed")
        for p in engine.sparse[0].places(tokenize("irregular timberland"))
        for o in p.options
    )


@pytest.mark.parametrize(
    ("text", "original"),
    [
        ("irregular timberland", "random forest"),
        ("irregular timberlands", "random forests"),
        ("sulfurous corrosive", None),
        ("deep neural network", None),
        ("butyric corrosive", "butyric acid"),
        ("irregular-timberland-based", "random forest"),
    ],
)
def test_places(matcher, text, original):
    places = [p for p in matcher.places(tokenize(text)) if p.weight > 3]
    if original is None:
        assert places == []
    else:
        tokens = tokenize(text)
        best = max(places, key=lambda p: p.weight)
        words = [*tokens.key[: best.start], *best.options[0].words, *tokens.key[best.end :]]
        assert " ".join(words).startswith(original)


def test_conditions_weigh(matcher):
    def weight(text: str) -> float:
        return max(p.weight for p in matcher.places(tokenize(text)) if p.options[0].original == "training data")

    assert weight("Education data is training data.") > weight("Education data is scarce.") + 2


def place(weight: float, start: int = 0) -> Place:
    from restore.lexicon import Option

    return Place(
        start, start + 2, weight, (Option(f"term {start}", ("term", str(start)), 0.3, "tortured", "x"),), (0.0,)
    )


def test_one_strong_place_suffices_and_weak_ones_need_each_other():
    (odds,), probability = smooth_places([place(9.0)], 100)
    assert odds > 0
    assert probability > 0.5
    (odds,), probability = smooth_places([place(1.0)], 100)
    assert odds < 0
    assert probability < 0.5
    alone = smooth_places([place(4.0)], 100)[0][0]
    beside = smooth_places([place(4.0), place(9.0, 10)], 100)[0][0]
    assert beside > alone


def test_long_texts_need_more():
    few = [place(6.0)]
    assert smooth_places(few, 100)[1] > smooth_places(few, 10_000)[1]
    assert smooth_places(few, 100, some=True)[0] > smooth_places(few, 10_000, some=True)[0]


def test_a_place_among_many_is_likelier_than_among_few():
    """As many in a hundred times as long a text may be chance, even where the text is known to have some."""
    others = [place(3.0, 10 * k) for k in range(1, 6)]
    for some in (False, True):
        crowded = smooth_places([place(1.0), *others], 100, some=some)[0][0]
        assert crowded > smooth_places([place(1.0), *others], 10_000, some=some)[0][0] + 2
        assert some or crowded > smooth_places([place(1.0)], 100, some=some)[0][0]


def test_a_place_that_must_be_is_the_only_one_there_is():
    """Whoever knows that there is one takes the only place for it."""
    assert smooth_places([place(0.0)], 100, some=True)[0][0] > 1
    assert smooth_places([place(0.0)], 100)[0][0] < -2


@pytest.mark.parametrize("length", [1, 10, 10_000_000])
def test_odds_are_finite(length):
    for some in (False, True):
        odds, probability = smooth_places([place(-50.0), place(700.0, 10), place(3.0, 20)], length, some=some)
        assert all(map(isfinite, odds))
        assert 0 <= probability <= 1


def test_apart_takes_the_weightiest():
    assert [p.weight for p in apart([place(3.0), place(5.0, 1), place(1.0, 8)])] == [5.0, 1.0]


def test_singular():
    assert singular("forests") == "forest"
    assert singular("analyses") == "analysis"
    assert singular("analysis") is None
    assert singular("series") is None
    assert term_key("Feed-forward  Network's") == "feed forward network 's"


# learning


def raw(*lines: str) -> str:
    return "found\toriginal\tpapers\tcontext\n" + "\n".join(lines) + "\n"


LIST = raw(
    "irregular timberland\trandom forest\t300\t",
    "arbitrary timberland\tRandom forest\t100\t",
    "synthetic intelligence (ai)\tartificial intelligence\t500\t",
    'bogus positive\tfalse positive\t300\tAND "false positive"',
    "slope drop\tgradient descent\t700\tNOT specular",
    "gaussian clamor\tGaussian noise\t30\t",
    "co2 effusion\tCO2 emission\t20\t",
    "co2 emission\tCO2 release\t1\t",
    "mind malignancies\tbrain cancer / brain tumors\t3\t",
    "irregular clamor\trandom noise\t10\t",
    "final destiny AND ultimate\tprocedure\t1\t",
    "thing\tobject\t1\t",
    "same words\tsame-words\t1\t",
)


@pytest.fixture
def cleaned(tmp_path) -> list[tortured.Phrase]:
    path = tmp_path / "list.tsv"
    path.write_text(LIST, encoding="utf-8")
    (tmp_path / "judgements.txt").write_text("drop\tarbitrary timberland\ta test\n", encoding="utf-8")
    judged = tortured.read_judgements(tmp_path / "judgements.txt")
    return tortured.clean(tortured.read_list(path), judged)


def test_cleaning(cleaned):
    pairs = {(p.found, p.original): p.condition for p in cleaned}
    assert pairs[("synthetic intelligence", "artificial intelligence")] == "with:AI"
    assert pairs[("bogus positive", "false positive")] == "with:false positive"
    assert pairs[("slope drop", "gradient descent")] == "without:specular"
    assert ("gaussian clamor", "Gaussian noise") in pairs
    assert ("mind malignancies", "brain cancer") in pairs
    found = {p.found for p in cleaned}
    assert "co2 effusion" in found
    assert not found & {"co2 emission", "arbitrary timberland", "thing", "same words", "final destiny and ultimate"}


def test_substitutions_are_learned_word_by_word(cleaned):
    learned = {(s.found, s.original) for s in tortured.learn_segments(cleaned)}
    assert {("irregular", "random"), ("timberland", "forest"), ("clamor", "noise")} <= learned
    assert ("gaussian", "noise") not in learned


def test_what_is_written_is_sound_and_deterministic(cleaned, tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    assert tortured.write_family(cleaned, first) == tortured.write_family(cleaned, second)
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()
    assert check(first) == []
    assert {e.written for e in read(first, "x")} >= {"Gaussian noise", "CO2 emission"}


def test_a_phrase_that_no_list_has_is_composed(cleaned, tmp_path, model):
    tortured.write_family(cleaned, tmp_path / "family")
    places = Terms(tmp_path / "family", "own", model).places(tokenize("gaussian noise and purple timberlands"))
    assert not any(p.options[0].original == "random forests" for p in places)
    places = Terms(tmp_path / "family", "own", model).places(tokenize("false clamor of irregular timberlands"))
    assert any(p.options[0].original == "random forests" for p in places)


@pytest.mark.parametrize(
    ("text", "original"),
    [
        ("buttress vector machine", "support vector machine"),  # a thesaurus relates the two words
        ("buttress vector machines", "support vector machines"),
        ("aortal aneurysm", "aortic aneurysm"),  # neither word is in a table: alone it was never looked at
        ("retinal banana epithelium", "retinal pigment epithelium"),  # nothing does, but no other term goes so
    ],
)
def test_one_word_of_a_term_may_be_unknown(matcher, text, original):
    for found in (text, f"They applied {text} to both sets."):
        places = [p for p in matcher.places(tokenize(found)) if p.unknown]
        assert original.lower() in {p.options[0].original.lower() for p in places}


def test_a_word_among_its_usual_neighbours_is_not_the_unknown_one(matcher):
    """Nobody calls a rate so, but "kidney stone formation" is said: "stone" does not stand for another word there."""

    def originals(text: str) -> set[str]:
        return {o for draft in matcher._walks.drafts_with_gap(tokenize(text)) for o in draft.options}

    assert "bone formation" in originals("The gadget stone formation rate fell.")
    assert "bone formation" not in originals("The kidney stone formation rate fell.")


def test_readings_that_agree_on_a_part_make_it():
    """Each of several longer readings alone is too doubtful."""
    text = PROSE.format("They stored it by a facial picture acknowledgment strategy for later use.")
    assert "image recognition" in restore.Restorer(families=["tortured"]).restore(text).text


@pytest.mark.parametrize(
    "text",
    [
        "We propose oration detection implementation based on multiple medication centered for the analysis.",
        PROSE.format("They stored it by a facial picture acknowledgment strategy for later use."),
    ],
)
def test_a_higher_threshold_only_takes_edits_away(text):
    """Whatever is added up of agreeing readings is the same at any threshold."""
    engines = {t: restore.Restorer(families=["tortured"], threshold=t) for t in (0.3, 0.5, 0.6, 0.9)}
    edits = {t: {(e.start, e.end, e.replacement) for e in engine.restore(text).edits} for t, engine in engines.items()}
    assert edits[0.9] <= edits[0.6] <= edits[0.5] <= edits[0.3]


def test_listed_phrases_make_a_paper_as_its_words_do(engine):
    """Without the words of a paper nothing is composed, unless there are several listed phrases."""
    text = "The cart finds its way around the hall. Impact evasion takes over near people. "
    one, two = text + "It runs on fluffy rationale.\n", text + "It runs on fluffy rationale and a kalman channel.\n"
    assert "Impact evasion" in engine.restore(one).text
    assert "Collision avoidance" in engine.restore(two).text


def test_what_the_tables_lack_is_looked_for_where_they_show_something(model):
    wary, named = (Terms(root() / "tortured", "tortured", model, named=n) for n in (False, True))
    alone = "They applied buttress vector machines to both datasets of the experiment."
    beside = f"{alone} It runs on fluffy rationale."

    def unknown(matcher: Terms, text: str) -> bool:
        return any(p.unknown for p in matcher.places(tokenize(text)))

    assert not unknown(wary, alone)
    assert unknown(wary, beside)
    assert unknown(named, alone)


def test_a_paper_is_likelier_tortured_than_what_reads_somewhat_like_one(model):
    """A composed term is as odd in both, a listed phrase says as much."""
    screen = Screen(load([]), {}, [Terms(root() / "tortured", "tortured", model, named=False)])
    rain = " It rained on the village all day and the people stayed at home." * 20
    paper, somewhat, neither = " The proposed algorithm improves accuracy." * 3, " The algorithm works." * 4, ""

    def probability(phrase: str, register: str) -> float:
        tokens = tokenize(f"They tried {phrase} first.{register}{rain}")
        return screen.with_sparse(tokens, screen.dense(tokens)).probability

    def odds(phrase: str, register: str) -> float:
        return probability(phrase, register) / (1 - probability(phrase, register))

    composed, listed = "irregular woods classifier", "fluffy rationale"
    assert odds(composed, neither) < 0.5 * odds(composed, somewhat)
    assert odds(composed, somewhat) < 0.5 * odds(composed, paper)
    assert odds(composed, paper + ' "It works," she told us.' * 3) < 0.5 * odds(composed, paper)
    assert probability(listed, somewhat) == pytest.approx(probability(listed, neither), abs=0.02)


def test_a_known_term_is_not_another_ones_synonym(model):
    judge = Terms(root() / "tortured", "tortured", model)
    tokens = tokenize("We compare one server farm with another.")
    farm = next(p for p in judge.composed(tokens) if tokens.key[p.start : p.end] == ["server", "farm"])
    features = judge.features(tokens, [farm])[0]
    assert features.known
    places = Judge.load(root() / "tortured" / "places.json")
    assert places.weight(features) < places.weight(features._replace(known=0.0)) - 2


@pytest.mark.parametrize(
    "text", ["spoken language processing", "hierarchical dirichlet allocation", "deep vector machine"]
)
def test_a_term_of_its_own_is_no_other_with_a_word_unknown(engine, text):
    result = engine.restore(PROSE.format(f"They applied {text} to both sets."))
    assert result.edits == ()


@pytest.mark.parametrize(("text", "cause"), [("found\toriginal\nx\n", ":2: not"), ("h\nx\ty\tmany\t\n", ":2: not")])
def test_a_broken_list_is_named(tmp_path, text, cause):
    path = tmp_path / "list.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LexiconError, match=cause):
        tortured.read_list(path)


@pytest.mark.parametrize("condition", ["with:", "with:a||b", "with:a; or:b"])
def test_a_broken_condition_is_reported(tmp_path, condition):
    path = tmp_path / "own.tsv"
    path.write_text(f"found phrase\toriginal\t0.3\t{condition}\n", encoding="utf-8")
    assert any("condition" in problem for problem in check(path))


def test_the_families_sources_are_named():
    text = (ROOT / "lexicons" / "tortured" / "manifest.toml").read_text(encoding="utf-8")
    assert "Problematic Paper Screener" in text
    assert "CC-BY-4.0" in text


def test_a_text_that_a_dense_family_explains_altogether():
    """No place is left to the sparse one."""
    marked = (ROOT / "benchmarks" / "corpus" / "dev" / "autoblog" / "business-table.txt").read_text(encoding="utf-8")
    text = read_marked(marked).tokens.text
    assert restore.Restorer(families=["autoblog", "tortured"]).restore(text).verdict.family == "autoblog"


def test_saying_that_a_text_was_spun_hides_no_place():
    """Without a dense family nothing else explains it."""
    text = PROSE.format("We train a profound neural organization with irregular timberland and colossal information.")
    named, assumed = (restore.Restorer(families=["tortured"], assume_spun=a).restore(text) for a in (False, True))
    assert named.edits
    assert [e.replacement for e in assumed.edits] == [e.replacement for e in named.edits]
