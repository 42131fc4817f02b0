"""Learning: phrase tables, the spinner, the context model's estimates and its store."""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
import random
from collections import Counter

import numpy as np
import pytest

from restore import lexicon
from restore.buckets import hashes
from restore.context import ContextModel
from restore.learning import capitals
from restore.learning.phrases import PairsError, from_marked, learn, open_text, phrase_table, read_pairs, write_learned
from restore.learning.smoothing import estimate
from restore.learning.spinner import Spinner
from restore.text import tokenize

MARKED = "The ⟦local weather→climate⟧ is ⟦extra→more⟧ ⟦dry~arid⟧ than the climate of old."


def test_phrase_table_counts_substitutions_and_originals(tmp_path):
    rows = phrase_table([from_marked(MARKED)] * 3)
    assert ("local weather", "climate", 3, 6) in rows
    assert ("extra", "more", 3, 3) in rows
    write_learned(learn([from_marked(MARKED)] * 3), tmp_path / "learned.tsv")
    assert "local weather\tclimate\t3/6\n" in (tmp_path / "learned.tsv").read_text(encoding="utf-8")
    assert lexicon.check(tmp_path / "learned.tsv") == []


def test_capitals_are_learned_from_running_text(tmp_path):
    marked = "Trains from ⟦the big apple→New York⟧ carry ⟦television→TV⟧ crews; ⟦extra→more⟧ people watch the TV."
    headline = "More People Leave New York For The Coast"
    learned = learn([from_marked(marked), from_marked(headline)] * 3)
    assert learned.written == {"new york": "New York", "tv": "TV"}
    write_learned(learned, tmp_path / "learned.tsv")
    assert "the big apple\tNew York\t3/6\n" in (tmp_path / "learned.tsv").read_text(encoding="utf-8")
    assert lexicon.check(tmp_path / "learned.tsv") == []
    (tmp_path / "curated.tsv").write_text("# by hand\nbig apple\tnew york\t0.3\n", encoding="utf-8")
    assert capitals.originals_of(tmp_path / "curated.tsv") == {"new york"}
    assert capitals.rewrite(tmp_path / "curated.tsv", learned.written) == 1
    assert (tmp_path / "curated.tsv").read_text(encoding="utf-8") == "# by hand\nbig apple\tNew York\t0.3\n"


PAIRS = b'{"original": "More rain.", "spun": "Extra rain."}\n'


def zstd(data: bytes) -> bytes:
    return pytest.importorskip("zstandard").ZstdCompressor().compress(data)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd])
def test_pairs_are_read_however_they_are_compressed(tmp_path, pack):
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(pack(PAIRS))
    assert [pair.spun for pair in read_pairs(path)] == ["Extra rain."]
    with open_text(path) as lines:
        assert list(lines) == [PAIRS.decode()]
    assert lines.source.raw.closed


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd])
def test_damaged_pairs_are_told(tmp_path, pack):
    data = pack(PAIRS + random.Random(1).randbytes(4000).hex().encode())
    path, half = tmp_path / "pairs.jsonl", len(data) // 2
    for damaged in (data[:half], data[:half] + bytes(40) + data[half + 40 :]):
        path.write_bytes(damaged)
        with pytest.raises(PairsError, match=r"pairs.jsonl: cannot be decompressed \(.*fetch it again"):
            list(read_pairs(path))


def test_spinner_substitutes_at_the_rates_given(tmp_path):
    (tmp_path / "a.tsv").write_text("local weather\tclimate\t0.6\nweather\tclimate\t0.2\n", encoding="utf-8")
    lex = lexicon.load(paths=[tmp_path / "a.tsv"])
    made: Counter[str] = Counter()
    for seed in range(400):
        spun = Spinner(lex, seed).spin(tokenize("The climate changes."))
        for a, b, original in spun.substitutions:
            assert original == "climate"
            made[" ".join(spun.tokens.key[a:b])] += 1
    assert made["local weather"] / 400 == pytest.approx(0.6, abs=0.08)
    assert made["weather"] / 400 == pytest.approx(0.2, abs=0.07)


def test_spinner_is_reproducible():
    lex = lexicon.load(["autoblog"])
    text = tokenize("The government said the climate report shows more people left the city last year.")
    assert Spinner(lex, 7).spin(text) == Spinner(lex, 7).spin(text)


@pytest.fixture(scope="module")
def tiny():
    """A model of 4,000 random words over a vocabulary of eight; everything is kept."""
    words = ["<s>", ",", "<unk>", *"abcde"]
    draw = np.random.default_rng(3)
    stream = draw.choice(len(words), size=4000, p=[0.1, 0.05, 0.0, 0.3, 0.25, 0.15, 0.1, 0.05]).astype(np.int64)
    stream[0] = stream[-1] = 0
    return words, estimate(stream, hashes(words), 1, 1)


def test_probabilities_of_a_history_sum_to_one(tiny):
    words, model = tiny
    column = hashes(words)
    alone = model.unigram(column)
    for first in "abc":
        for second in "abcde":
            n = len(words)
            u, v = hashes([first] * n), hashes([second] * n)
            p2, _ = model.bigram(v, column, alone)
            _, back = model.bigram(hashes([first]), hashes([second]), model.unigram(hashes([second])))
            p3 = model.trigram(u, v, column, p2 + back[0])
            seen = np.array([w != "<unk>" for w in words])
            assert np.exp(p3[seen]).sum() == pytest.approx(1, abs=0.12)  # eight-bit steps and a clipped tail
            assert np.exp(p2[seen]).sum() == pytest.approx(1, abs=0.12)


def test_a_saved_model_answers_the_same(tiny, tmp_path):
    _, model = tiny
    model.save(tmp_path / "m.bin")
    again = ContextModel.load(tmp_path / "m.bin")
    phrases = [["a", "b", "c"], ["e"], ["b", "zzz"]]
    assert np.array_equal(model.phrases(phrases), again.phrases(phrases))
    (tmp_path / "cut.bin").write_bytes((tmp_path / "m.bin").read_bytes()[:-50])
    with pytest.raises(ValueError, match="cut short"):
        ContextModel.load(tmp_path / "cut.bin")
    (tmp_path / "no.bin").write_bytes(b"something else")
    with pytest.raises(ValueError, match="not a compiled context model"):
        ContextModel.load(tmp_path / "no.bin")


def test_the_shipped_model_knows_english(engine):
    model = engine.model
    good, bad = model.phrases([["the", "president", "of", "the"], ["president", "the", "the", "of"]])
    assert good > bad + 5
    assert math.isfinite(float(model.phrases([["xyzzyqq"]])[0]))


def test_two_sided_training_and_its_runtime_agree(tmp_path):
    """The exported weights give in numpy what the net gives in PyTorch, up to int8 rounding."""
    torch = pytest.importorskip("torch")
    from restore.learning import twosided as training
    from restore.twosided import TwoSided, log_softmax

    (tmp_path / "a.tsv").write_text("local weather\tclimate\t0.6\nweather\tclimate\t0.2\n", encoding="utf-8")
    lex = lexicon.load(paths=[tmp_path / "a.tsv"])
    from restore.shipped import root

    model = ContextModel.load(root() / "context.bin")
    words = training.vocabulary(["<s>", ",", "<unk>", "the", "climate", "changes", "is", "dry"], lex)
    maker = training.ShardMaker(lex, model, words)
    torch.manual_seed(0)
    net = training.Net(len(words))
    with torch.no_grad():
        net.b.weight[:-1].normal_(0, 0.1)  # words that were never candidates are not exported as such
    training.export(net, words, tmp_path / "net.npz")
    runtime = TwoSided.load(tmp_path / "net.npz")
    spun = Spinner(lex, 1).spin(tokenize("The climate is dry, the climate changes the climate. " * 5))
    shard = maker.make([spun])
    assert shard.gold.sum() == len(np.unique(shard.start)) > 5
    (batch,) = training.batches(shard, len(words), np.random.default_rng(0))
    assert torch.isfinite(training.loss_of(net, batch))
    lattice = maker._finder.lattice(spun.tokens, spun.tokens.sentences())
    got = runtime.score(spun.tokens, lattice, model)[np.isin(lattice.start, shard.start)]
    with torch.no_grad():
        expected = log_softmax(net(batch).double().numpy(), batch["group"].numpy())
    assert np.ptp(expected) > 1
    np.testing.assert_allclose(got, expected, atol=0.05)


def test_real_pairs_are_read_with_their_gold():
    pytest.importorskip("torch")
    from restore.learning.twosided import real_spun

    spun = real_spun(MARKED)
    assert spun.tokens.text == "The local weather is extra dry than the climate of old."
    assert spun.substitutions == [(1, 3, "climate"), (4, 5, "more"), (5, 6, "arid")]


def test_a_stopped_training_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    import lzma

    from restore.learning import twosided as training

    monkeypatch.setattr(training, "SHARD_WORDS", 300)
    with lzma.open(tmp_path / "a.txt.xz", "wt", encoding="utf-8") as file:
        file.write(
            ("The government said the climate report shows more people left the city last year. " * 6 + "\n") * 12
        )
    sources = training.Sources(tmp_path, None, None, 3)
    words = training.vocabulary(["<s>", ",", "<unk>", "the", "government"], lexicon.load(["autoblog"]))

    def stop(_: str) -> None:
        raise KeyboardInterrupt

    whole = training.train("autoblog", words, sources, 1000, tmp_path / "whole", lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        training.train("autoblog", words, sources, 1000, tmp_path / "part", stop)
    assert torch.load(tmp_path / "part")["done"] == 1 < torch.load(tmp_path / "whole")["done"]
    again = training.train("autoblog", words, sources, 1000, tmp_path / "part", lambda _: None)
    for name, tensor in whole.state_dict().items():
        assert torch.allclose(tensor, again.state_dict()[name], atol=1e-5)
