"""The cloze model: what is read beside a gap, how candidates of several words are told, files."""

from __future__ import annotations

import numpy as np
import pytest

from restore import Restorer, vectors
from restore.cloze import NEAR, PASSAGE, Cloze
from restore.context import frequency
from restore.shipped import root

WORDS = ["<s>", ",", "<unk>", *(f"w{k}" for k in range(40))]
TOLD = 30  # of these
D, HIDDEN, QUERY = 6, 8, 5


@pytest.fixture(scope="module")
def random_model(tmp_path_factory) -> Cloze:
    draw = np.random.default_rng(7)

    def some(*shape: int) -> np.ndarray:
        return draw.normal(size=shape).astype(np.float32)

    tables = {
        "E": some(len(WORDS), D), "U": some(TOLD, QUERY), "near": some(2 * NEAR * D, HIDDEN), "topic": some(D, HIDDEN),
        "mix": some(HIDDEN, HIDDEN), "out": some(HIDDEN, QUERY),
    }  # fmt: skip
    rest = {
        "near.bias": some(HIDDEN),
        "mix.bias": some(HIDDEN),
        "out.bias": some(QUERY),
        "bias": some(len(WORDS)),
        "norm": some(HIDDEN),
        "norm.bias": some(1),
    }
    rest["fame"] = np.r_[np.zeros(3), draw.random(len(WORDS) - 3)].astype(np.float32)
    tables["U"][:3] = 0
    path = tmp_path_factory.mktemp("cloze") / "cloze.npz"
    vectors.save(path, WORDS, tables, rest)
    return Cloze.load(path)


def plainly(model: Cloze, words: list[str], begin: int, end: int, candidate: list[str]) -> float:
    """What `Cloze.score` says, word by word."""
    w, number = model.weights, model.vocabulary
    e = w["E"] * w["E.scale"][:, None]
    u = w["U"] * w["U.scale"][:, None]
    around = [number.get(x, 2) for x in [*words[max(0, begin - PASSAGE) : begin], *words[end : end + PASSAGE]]]
    fame = w["fame"][around]
    topic = (e[around] * fame[:, None]).sum(0) / (fame.sum() + 1)
    total = 0.0
    for k, word in enumerate(candidate):
        before = [*["<s>"] * NEAR, *words[:begin], *candidate[:k]][-NEAR:]
        after = [*words[end:], *["<s>"] * NEAR][:NEAR]
        beside = np.concatenate([e[number.get(x, 2)] for x in [*before, *after]])
        hidden = np.maximum(beside @ w["near"] + w["near.bias"] + topic @ w["topic"], 0)
        hidden = hidden + np.maximum(hidden @ w["mix"] + w["mix.bias"], 0)
        query = hidden @ w["out"] + w["out.bias"]
        n = number.get(word, 2)
        if n == 2:
            total += frequency(word)
        elif n < TOLD:
            total += float(query @ u[n] + w["bias"][n] - hidden @ w["norm"] - w["norm.bias"][0])
        else:
            total += float(w["bias"][n])
    return total


def test_candidates_are_scored_as_word_by_word(random_model):
    """In gaps at both ends of a text too, of no word and of several; words that are not known among them."""
    draw = np.random.default_rng(3)
    words = ["<s>", *(f"w{k}" for k in draw.integers(0, 44, 130))]
    gaps = [(0, 1), (1, 1), (5, 8), (60, 61), (129, 131), (131, 131)]
    candidates = [
        [f"w{k}" for k in draw.integers(0, 44, size)] for _ in gaps for size in draw.integers(1, 2 * NEAR, 5).tolist()
    ]
    place = np.repeat(np.arange(len(gaps)), 5)
    begin, end = np.array(gaps).T
    got = random_model.score(words, begin, end, candidates, place)
    expected = [plainly(random_model, words, *gaps[g], c) for g, c in zip(place, candidates, strict=True)]
    assert got == pytest.approx(expected, rel=1e-4, abs=1e-3)


def test_candidates_without_words_count_for_nothing(random_model):
    gap = np.array([1])
    assert random_model.score(["<s>", "w5"], gap, gap, [(), ("w7",)], np.array([0, 0]))[0] == 0
    assert random_model.score(["<s>"], gap, gap, [()], np.array([0])).tolist() == [0]
    assert random_model.score([], gap[:0], gap[:0], [], gap[:0]).tolist() == []


def test_what_is_far_away_counts_for_nothing(random_model):
    words = ["<s>", *(f"w{k % 37}" for k in range(200))]
    gap = np.array([100]), np.array([101])
    before = random_model.score(words, *gap, [["w5"]], np.array([0]))
    far, near = words.copy(), words.copy()
    far[101 + PASSAGE + 1], near[101 + PASSAGE - 1] = "w39", "w39"
    assert random_model.score(far, *gap, [["w5"]], np.array([0])) == pytest.approx(before)
    assert random_model.score(near, *gap, [["w5"]], np.array([0])) != pytest.approx(before)


@pytest.mark.parametrize("content", [b"nothing", b"", b"PK\x03\x04 cut", "array", "two-sided model"])
def test_a_broken_file_is_named(tmp_path, content):
    path = tmp_path / "cloze.npz"
    if content == "array":
        with open(path, "wb") as file:
            np.save(file, np.arange(3))
    else:
        path.write_bytes(content if isinstance(content, bytes) else (root() / "twosided.npz").read_bytes())
    with pytest.raises(ValueError, match="not a cloze model") as error:
        Cloze.load(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("sentence", "right", "wrong"),
    [
        ("she has a seat on the advisory ___ of the company", "board", "plank"),
        ("the hotel has forty rooms and the restaurant has eight ___", "tables", "desks"),
        ("he sat down at the dinner ___ with his family", "table", "desk"),
        ("we will come back ___ week if the weather is good", "next", "subsequent"),
        ("a large ___ of people came to the meeting", "number", "quantity"),
    ],
)
def test_the_shipped_model_tells_synonyms_apart(sentence, right, wrong):
    words = ["<s>", *sentence.split(), "<s>"]
    at = np.array([words.index("___")])
    scores = Cloze.load(root() / "cloze.npz").score(words, at, at + 1, [[right], [wrong]], np.array([0, 0]))
    assert scores[0] > scores[1] + 0.5


def test_it_is_read_only_where_there_is_doubt(spun):
    engine = Restorer()
    engine.restore("Nothing in this sentence was ever touched by any spinner, and nothing will be.")
    assert "_rereader" not in vars(engine)
    engine.restore(spun)
    assert "_rereader" in vars(engine)


def periodic(words: int) -> tuple[np.ndarray, np.ndarray]:
    """A stream in which each word tells the next, and which words may be taken for which: each for its neighbours."""
    stream = np.tile(np.arange(3, words), 12_000 // words)
    confused = np.full((words, 4), -1)
    confused[3:, 0] = np.roll(np.arange(3, words), 1)
    confused[3:, 1] = np.roll(np.arange(3, words), -1)
    return stream, confused


def test_training_goes_on_to_the_same_weights_and_its_runtime_agrees(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    from restore.learning import cloze as training

    monkeypatch.setattr(training, "SAVE_EVERY", 4)
    monkeypatch.setattr(training, "BATCH_WORDS", 256)
    monkeypatch.setattr(training, "FREQUENT", 1.0)
    vocabulary = ["<s>", ",", "<unk>", *(f"w{k}" for k in range(training.READ - 3))]
    text = training.Text.of(*periodic(40))
    said: list[str] = []

    def stop(_: str) -> None:
        raise KeyboardInterrupt

    whole = training.train(text, 256 * 12, 1, tmp_path / "whole", said.append)
    with pytest.raises(KeyboardInterrupt):
        training.train(text, 256 * 12, 1, tmp_path / "part", stop)
    again = training.train(text, 256 * 12, 1, tmp_path / "part", lambda _: None)
    for name, tensor in whole.state_dict().items():
        assert torch.allclose(tensor, again.state_dict()[name], atol=1e-4), name

    with pytest.raises(ValueError, match="another training"):
        training.train(text, 256 * 12, 2, tmp_path / "whole", said.append)

    monkeypatch.setattr(training, "TOLD", 40)
    with torch.no_grad():
        whole.U.weight *= 20  # so that what a gap says weighs more than how frequent words are
    training.export(whole, text, vocabulary, tmp_path / "net.npz")
    model = Cloze.load(tmp_path / "net.npz")
    numbers = text.stream[:200]
    words = [vocabulary[n] for n in numbers]
    gap, told = np.array([100]), [f"w{k}" for k in range(5, 20)]
    got = model.score(words, gap, gap + 1, [[word] for word in told], np.zeros(len(told), int))
    with torch.no_grad():
        query = whole.query(torch.from_numpy(numbers), torch.tensor([100]))[0]
        every = (
            whole.U.weight[3:] @ query
            + whole.bias[3:]
            + torch.from_numpy(np.log((text.counts[3:] + 1) / len(text.stream)))
        )
        expected = (every - torch.logsumexp(every, 0))[[vocabulary.index(word) - 3 for word in told]].numpy()
    assert np.std(expected) > 0.5
    assert got - got.mean() == pytest.approx(expected - expected.mean(), abs=0.1)  # but for rounding
    assert got.mean() == pytest.approx(expected.mean(), abs=1)  # log Z is foretold


def test_words_are_confused_with_those_of_tables_and_thesaurus(tmp_path):
    pytest.importorskip("torch")
    from restore.learning.cloze import confusable
    from restore.lexicon import load
    from restore.synonyms import Synonyms

    (tmp_path / "mine.tsv").write_text("plank\tboard\t0.5\n", encoding="utf-8")
    words = ["<s>", ",", "<unk>", "board", "plank", "boards", "planks", "purchased", "bought", "buy", "zebra"]
    rows = confusable(words, load(paths=[tmp_path]), Synonyms.load(root() / "thesaurus" / "synonyms.bin"), 0)
    known = {word: {words[n] for n in row if n >= 0} for word, row in zip(words, rows, strict=True)}
    assert "plank" in known["board"]
    assert "board" in known["plank"]
    assert "planks" in known["boards"]
    assert "bought" in known["purchased"]
    assert "buy" not in known["purchased"]
    assert known["zebra"] == set() == known["<s>"]
