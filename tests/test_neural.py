"""The second opinion of a language model: what it may change. Runs where the extra is installed."""

from __future__ import annotations

import pytest

from restore import Restorer
from restore.neural import CLOSE, MODELS, Model, NeuralError, Opinion, SecondOpinion, _following, installed
from restore.restoration import Edit


def edit(text: str, found: str, *listed: tuple[str, float]) -> Edit:
    """The first of the listed is what the engine would write; what remains is for what stands there."""
    at = text.index(found)
    left = 1 - sum(p for _, p in listed)
    return Edit(at, at + len(found), found, *listed[0], "autoblog", (*listed[1:], (found, left)), {"passage": 1.0})


TEXT = "She paid the full worth of the ticket, and the local weather of the desert is dry. Nothing else."


def test_what_follows_is_as_restored_and_whole_words(monkeypatch):
    monkeypatch.setattr("restore.neural.AFTER", 60)
    first, second = edit(TEXT, "worth", ("price", 0.6)), edit(TEXT, "local weather", ("climate", 0.9))
    assert _following(TEXT, first.end, [second]) == " of the ticket, and the climate of the desert is dry."
    assert _following("worth\nNext line", 5, []) == ""


def test_a_model_that_is_not_there_is_said_to_be_missing(monkeypatch):
    monkeypatch.setattr("restore.neural.MODELS", [Model("none", "no_such_package")])
    with pytest.raises(NeuralError, match=r"pip install 'restore-text\[neural\]'"):
        installed()
    with pytest.raises(NeuralError):
        installed(())


@pytest.fixture(scope="module", params=[m.name for m in MODELS])
def opinion(request):
    """The model from the user's own cache: to make its eight bits anew takes half a minute."""
    try:
        model = installed([request.param])
    except NeuralError as error:
        pytest.skip(str(error))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RESTORE_CACHE")
        return SecondOpinion(model, {"": Opinion(0.6, 0.5, 0.0, 0.1)}, threads=2)


def test_a_model_needs_a_place(tmp_path, monkeypatch):
    try:
        model = installed(["gemma-3-270m"])
    except NeuralError as error:
        pytest.skip(str(error))
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("RESTORE_CACHE", str(tmp_path / "file"))
    with pytest.raises(NeuralError, match="RESTORE_CACHE"):
        SecondOpinion(model, {"": Opinion(0.6, 0.5, 0.0, 0.1)})


def test_it_chooses_what_fits(opinion):
    (judged,) = opinion.judge(TEXT, [edit(TEXT, "worth", ("value", 0.4), ("price", 0.35))])
    assert judged.replacement == "price"
    assert judged.confidence > 0.6
    assert judged.evidence["language model"] > 0
    probabilities = [judged.confidence, *(p for _, p in judged.alternatives)]
    assert sum(probabilities) == pytest.approx(1)
    assert {t for t, _ in judged.alternatives} == {"value", "worth"}


def test_each_kind_of_spinner_has_an_opinion_of_its_own(opinion, monkeypatch):
    deaf, wary = Opinion(1.0, 0.0, 0.0, 0.1), Opinion(1.0, 0.0, 0.0, 0.5)
    monkeypatch.setattr(opinion, "_opinions", {"": deaf, "own table": wary})
    close = edit(TEXT, "worth", ("value", 0.4), ("price", 0.35))
    assert "language model" in opinion.judge(TEXT, [close])[0].evidence
    assert opinion.judge(TEXT, [close], "thesaurus") == opinion.judge(TEXT, [close])
    assert opinion.judge(TEXT, [close], "own table") == [close]  # less than it asks for


def test_it_is_not_asked_about_what_is_sure(opinion):
    sure = edit(TEXT, "local weather", ("climate", CLOSE + 0.01))
    assert opinion.judge(TEXT, [sure]) == [sure]


def test_a_text_longer_than_its_window(opinion):
    text = "The river was low. " * 900 + TEXT
    (judged,) = opinion.judge(text, [edit(text, "worth", ("banana", 0.5), ("price", 0.3))])
    assert judged.replacement == "price"


def test_the_engine_with_it(opinion, spun, clean):
    engine = Restorer(neural=True)
    result = engine.restore(spun)
    assert result.undo() == spun
    assert all(e.confidence >= engine.threshold and spun[e.start : e.end] == e.found for e in result.edits)
    assert engine.restore(clean).text == clean
    assert Restorer(**engine.options()).restore(spun).text == result.text
