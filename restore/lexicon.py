"""Lexicons: which found phrase stands for which originals, and how often.

A lexicon is a folder of reviewable tab-separated text, one entry a line:

    found <TAB> original [<TAB> weight [<TAB> condition] [<TAB> changes <TAB> keeps]]

weight is the share of the original's occurrences that the spinner turns into
the found phrase: counts as learned (`17/120`) or an estimate (`0.2`).
changes is a sentence in which the found phrase must give way to the original,
keeps one in which it is its author's own. condition says with or without which
words in the text the entry holds: `with:machine learning|neural` speaks for it,
`only:x` must stand in the text, `without:x` must not;
a trailing `*` stands for any ending, capitals are an acronym. Lines that begin with `#` and empty
lines are skipped. Phrases are folded (lower case, straight apostrophes) for look-up; capitals of an original
("New York", "TV") are kept for what is written back.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from restore.cache import kept
from restore.shipped import root
from restore.text import JOINED, PROTECTED_WORD, Tokens, fold, tokenize

DEFAULT_RATE: Final = 0.3
CONDITIONS: Final = ("with:", "only:", "without:")
_CONDITION: Final = re.compile(
    r"(?:with|only|without):[^|;]+(?:\|[^|;]+)*(?:; (?:with|only|without):[^|;]+(?:\|[^|;]+)*)*"
)
LONGEST: Final = 7  # words in a phrase
_PRIOR_SEEN: Final = 0.5  # a learned rate is shrunk as if the original had been seen twice more,
_PRIOR_TOTAL: Final = 2.0  # once in four of them as this phrase
_LARGEST_SHARE: Final = 0.95  # no original is always replaced
_ESTIMATED_SHARE: Final = 0.7  # of the occurrences that counted replacements leave, most that estimates may claim


class LexiconError(ValueError):
    """A lexicon that cannot be used; the message names file, line and remedy."""


class Entry(NamedTuple):
    """One line of a lexicon."""

    found: str
    original: str
    rate: float
    measured: bool  # a count, not an estimate
    changes: str
    keeps: str
    family: str
    source: str  # file:line
    condition: str = ""  # with:a|b; without:c
    written: str = ""  # the original with its capitals


class Option(NamedTuple):
    """An original that a found phrase may stand for."""

    original: str
    words: tuple[str, ...]
    rate: float  # P(found | original)
    family: str
    source: str
    written: str = ""  # the original with its capitals


@dataclass(slots=True)
class Lexicon:
    """Entries of one or more families, ready for look-up by found phrase.

    options: found phrase -> originals. stay: phrase that is an original ->
    probability that a spinner leaves it alone. prefixes: every phrase of either
    kind and its beginnings, so that a search knows when to stop. own: families that are
    a user's, which take precedence.
    """

    options: dict[str, list[Option]] = field(default_factory=dict)
    stay: dict[str, float] = field(default_factory=dict)
    prefixes: set[str] = field(default_factory=set)
    own: frozenset[str] = frozenset()

    def matches(self, tokens: Tokens, begin: int) -> Iterator[tuple[int, str]]:
        """Listed phrases that start at a token: end index and key, shortest first."""
        keys, gaps, prefixes = tokens.key, tokens.gap, self.prefixes
        phrase = keys[begin]
        end = begin + 1
        last = min(len(keys), begin + LONGEST)
        while phrase in prefixes:
            yield end, phrase
            if end == last or gaps[end] not in JOINED:
                return
            phrase += gaps[end] + keys[end]
            end += 1


_BOUND: Final = re.compile("[ -]|'s")  # where a word of a phrase ends


def phrase_key(phrase: str) -> str:
    """The key of a phrase: its folded words with what joins them ("know-how", "what's")."""
    tokens = tokenize(phrase)
    parts = [tokens.key[0]] if len(tokens) else []
    for gap, key in zip(tokens.gap[1:], tokens.key[1:], strict=True):
        parts += [gap if gap in JOINED else " ", key]
    return "".join(parts)


def words_of(phrase: str) -> tuple[str, ...]:
    """The words that a phrase's key stands for, a possessive ending as one."""
    if phrase.isalpha():
        return (phrase,)
    return tuple(phrase.replace("-", " ").replace("'s", " 's").split())


def available() -> list[str]:
    """Names of the families that come with the package."""
    return sorted(p.parent.name for p in root().glob("*/manifest.toml") if any(p.parent.rglob("*.tsv")))


def manifest(folder: Path) -> dict[str, object]:
    """A family's manifest; empty where a user's lexicon has none."""
    path = folder / "manifest.toml"
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LexiconError(f"{path}: not a manifest ({error}); mend or remove it") from error


def family_of(path: Path) -> str:
    """Family of a user's lexicon: the name in its manifest, else that of the file or folder; never that of a built-in
    family which is screened in another way."""
    name = str(manifest(path).get("name", path.resolve().name)) if path.is_dir() else path.stem
    return f"own {name}" if "screen" in manifest(root() / name) else name


def split_families(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Built-in families by how they are screened: dense ones, and others (those with a `screen` in the manifest).

    Raises LexiconError for an unknown family.
    """
    dense: list[str] = []
    others: list[str] = []
    for name in names:
        _check_known(name)
        (others if "screen" in manifest(root() / name) else dense).append(name)
    return dense, others


def _check_known(family: str) -> None:
    if family not in available():
        raise LexiconError(f"unknown family '{family}'; there are: {', '.join(available())}")


def load(families: Iterable[str] = (), paths: Iterable[Path] = ()) -> Lexicon:
    """Lexicon of built-in families and of a user's files or folders.

    A phrase that a user's lexicon lists stands for that lexicon's originals only.
    Raises LexiconError for an unknown family, a missing path or a broken line.
    """
    families, paths = list(families), list(paths)
    for name in families:
        _check_known(name)
    what = f"lexicon {' '.join(families)}{' and own' if paths else ''}"
    return kept(what, source_files(families, paths), lambda: _merged(families, paths))


def _merged(families: list[str], paths: list[Path]) -> Lexicon:
    """Built-in families, then a user's lexicons in their order."""
    by_found: dict[str, dict[str, Entry]] = {}
    for name in families:
        for e in read(root() / name, name):
            by_found.setdefault(e.found, {})[e.original] = e
    names = [family_of(path) for path in paths]
    for name, path in zip(names, paths, strict=True):
        own: dict[str, dict[str, Entry]] = {}
        for e in read(path, name):
            own.setdefault(e.found, {})[e.original] = e
        by_found.update(own)
    lexicon = build(e for group in by_found.values() for e in group.values())
    lexicon.own = frozenset(names) - set(families)
    return lexicon


def source_files(families: Iterable[str], paths: Iterable[Path] = ()) -> list[Path]:
    """Files that a lexicon of built-in families and of a user's files or folders is made of."""
    found: list[Path] = []
    for path in (*(root() / name for name in families), *paths):
        found += sorted(path.rglob("*.tsv")) if path.is_dir() else [path]
        found += [path / "manifest.toml"] if (path / "manifest.toml").is_file() else []
    return found


def at_work(paths: Iterable[Path] = ()) -> list[Lexicon]:
    """The lexicons as they are used: dense families and a user's as one, each other family by itself. Raises
    LexiconError."""
    dense, others = split_families(available())
    return [load(dense, paths), *(load([name]) for name in others)]


def build(entries: Iterable[Entry]) -> Lexicon:
    """Index entries for look-up."""
    lexicon = Lexicon()
    by_original: dict[str, list[Entry]] = {}
    for entry in entries:
        by_original.setdefault(entry.original, []).append(entry)
    for original, group in by_original.items():
        scales, lexicon.stay[original] = _scales(group)
        words = words_of(original)
        written = next((e.written for e in group if e.written != original), original)
        add_prefixes(lexicon.prefixes, original)
        for e in group:
            option = Option(original, words, e.rate * scales[e.measured], e.family, e.source, written)
            lexicon.options.setdefault(e.found, []).append(option)
    for found in lexicon.options:
        add_prefixes(lexicon.prefixes, found)
    return lexicon


def _scales(group: list[Entry]) -> tuple[tuple[float, float], float]:
    """Factors for the estimated and the counted shares of an original, and the share that is left alone.

    Counts stand; estimates have part of what they leave.
    """
    totals = [0.0, 0.0]
    for e in group:
        totals[e.measured] += e.rate
    estimated, counted = totals
    counted_scale = min(1.0, _LARGEST_SHARE / counted) if counted else 1.0
    room = max(0.01, (_LARGEST_SHARE - counted * counted_scale) * (_ESTIMATED_SHARE if counted else 1.0))
    estimated_scale = min(1.0, room / estimated) if estimated else 1.0
    stay = 1 - estimated * estimated_scale - counted * counted_scale
    return (estimated_scale, counted_scale), max(1 - _LARGEST_SHARE, stay)


def phrases(allowed: Iterable[str]) -> Lexicon:
    """Phrases to recognise that stand for nothing else (an allow-list)."""
    lexicon = Lexicon()
    for phrase in map(phrase_key, allowed):
        if phrase:
            lexicon.stay[phrase] = 1.0
            add_prefixes(lexicon.prefixes, phrase)
    return lexicon


def add_prefixes(prefixes: set[str], phrase: str) -> None:
    """Add a phrase and its beginnings at word ends."""
    prefixes.add(phrase)
    if not phrase.isalpha():
        prefixes.update([phrase[: m.start()] for m in _BOUND.finditer(phrase)])


def read(path: Path, family: str) -> Iterator[Entry]:
    """Entries of one file, or of every `.tsv` below a folder, in order. Raises LexiconError."""
    if not path.exists():
        raise LexiconError(f"{path}: no such lexicon; give a folder of .tsv files or one such file")
    for source in _files(path):
        for number, line in _lines(source):
            yield parse(line, family, f"{source.name}:{number}", source, number)


def _files(path: Path) -> list[Path]:
    """One file, or every `.tsv` below a folder. Raises LexiconError where there is none."""
    sources = sorted(path.rglob("*.tsv")) if path.is_dir() else [path]
    if not sources:
        raise LexiconError(f"{path}: no .tsv file in this folder; see docs/lexicons.md for the format")
    return sources


def _lines(source: Path) -> list[tuple[int, str]]:
    """Numbered lines of a file that hold an entry. Raises LexiconError where it cannot be read."""
    try:
        lines = source.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        at = error.object.count(b"\n", 0, error.start) + 1
        raise LexiconError(f"{source}:{at}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise LexiconError(f"{source}: {error.strerror}") from error
    return [(number, line) for number, line in enumerate(lines, 1) if line and line[0] != "#" and line.strip()]


def parse(line: str, family: str, where: str, source: Path, number: int) -> Entry:
    """One line to an entry. Raises LexiconError with file, line and remedy."""
    columns = (
        line.split("\t")
        if " \t" not in line and "\t " not in line and line == line.strip()
        else [c.strip() for c in line.split("\t")]
    )
    condition = columns.pop(3) if len(columns) > 3 and columns[3].startswith(CONDITIONS) else ""
    if len(columns) == 1:
        raise LexiconError(
            f"{source}:{number}: 1 column(s) in '{_short(line)}'; put a tab, not spaces or another mark, "
            "between what is found and its original"
        )
    if len(columns) > 5 or (len(columns) == 4 and not condition and columns[3]):
        raise LexiconError(
            f"{source}:{number}: {len(columns)} column(s); "
            "an entry is 'found TAB original [TAB weight [TAB condition] [TAB changes TAB keeps]]'"
        )
    found, original = columns[0], columns[1]
    written = original
    if not found.isascii() or not found.islower():
        found = fold(found)
    if not original.isascii() or not original.islower():
        original = fold(original)
    if not all(phrase.isalpha() or words_of(phrase) for phrase in (found, original)):
        raise LexiconError(f"{source}:{number}: an empty phrase; name both what is found and its original")
    rate, measured = DEFAULT_RATE, False
    if len(columns) > 2 and columns[2]:
        try:
            rate, measured = _rate(columns[2]), "/" in columns[2]
        except ValueError:
            raise LexiconError(
                f"{source}:{number}: weight '{_short(columns[2])}'; write a share above 0 and up to 1 such as 0.2, "
                "or counts such as 17/120 (times replaced so, of times the original occurred)"
            ) from None
    changes = columns[3] if len(columns) > 3 else ""
    keeps = columns[4] if len(columns) > 4 else ""
    return Entry(found, original, rate, measured, changes, keeps, family, where, condition, written)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def _rate(weight: str) -> float:
    seen, slash, total = weight.partition("/")
    if slash and not 0 < int(seen) <= int(total):
        raise ValueError(weight)
    rate = (int(seen) + _PRIOR_SEEN) / (int(total) + _PRIOR_TOTAL) if slash else float(seen)
    if not 0 < rate <= 1:
        raise ValueError(weight)
    return rate


def check(path: Path) -> list[str]:
    """Everything wrong with a lexicon's data, a line each; empty when it is sound.

    Sound: every line parses, each file is sorted by (found, original), no pair
    stands twice in the lexicon, none maps to itself, phrases are in the form in
    which the engine looks them up, and a curated entry whose found phrase is a
    single word or has several originals comes with both examples, each holding
    the phrase.
    """
    try:
        sources = _files(path)
    except LexiconError as error:
        return [str(error)]
    problems: list[str] = []
    seen: dict[tuple[str, str], str] = {}
    curated: dict[str, list[Entry]] = {}
    for source in sources:
        previous: tuple[str, str] = ("", "")
        for entry in _parsed(source, problems):
            pair = (entry.found, entry.original)
            problems += _check_pair(entry, previous, seen)
            previous = pair
            seen[pair] = entry.source
            if source.parent.name == "curated":
                curated.setdefault(entry.found, []).append(entry)
    for group in curated.values():
        for entry in group:
            if " " not in entry.found or len(group) > 1 or entry.changes or entry.keeps:
                problems += _check_examples(entry)
    return problems


def _parsed(source: Path, problems: list[str]) -> Iterator[Entry]:
    """The sound entries of a file; what is wrong with others is added to `problems`."""
    try:
        lines = _lines(source)
    except LexiconError as error:
        problems.append(str(error))
        return
    for number, line in lines:
        try:
            yield parse(line, "check", f"{source.name}:{number}", source, number)
        except LexiconError as error:
            problems.append(str(error))


def _check_pair(entry: Entry, previous: tuple[str, str], seen: dict[tuple[str, str], str]) -> Iterator[str]:
    pair = (entry.found, entry.original)
    if entry.found == entry.original:
        yield f"{entry.source}: '{entry.found}' maps to itself; remove the line"
    if pair in seen:
        yield f"{entry.source}: '{entry.found}' <- '{entry.original}' stands at {seen[pair]} already; remove one"
    elif pair < previous:
        yield f"{entry.source}: '{entry.found}' is out of order; sort by found, then original"
    if entry.condition and not _CONDITION.fullmatch(entry.condition):
        yield (
            f"{entry.source}: condition '{entry.condition}'; "
            "write 'with:word|other words', 'only:word' or 'without:word', several joined by '; '"
        )
    for phrase in pair:
        if phrase_key(phrase) != phrase:
            yield f"{entry.source}: '{phrase}' is looked up as '{phrase_key(phrase)}'; write it so"
        elif PROTECTED_WORD in phrase or phrase.count(" ") >= LONGEST:
            yield f"{entry.source}: '{phrase}' can never match (too long, or protected text)"


def _check_examples(entry: Entry) -> Iterator[str]:
    for kind, sentence in (("must change", entry.changes), ("must not change", entry.keeps)):
        if not sentence:
            yield f"{entry.source}: '{entry.found}' is ambiguous; give an example that {kind}"
        elif not contains(sentence, entry.found):
            yield f"{entry.source}: the example that {kind} does not hold '{entry.found}'"


def contains(sentence: str, phrase: str) -> bool:
    """Whether a phrase stands in a sentence as whole tokens."""
    tokens = tokenize(sentence)
    lexicon = phrases([phrase])
    return any(key == phrase for i in range(len(tokens)) for _, key in lexicon.matches(tokens, i))
