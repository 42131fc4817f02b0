"""The list of tortured phrases to the `tortured` family: cleaned entries, word substitutions, terms.

LIST holds found phrase, original, number of papers and the context clause of
the Problematic Paper Screener, tab-separated under a header. Cleaning is by
rule, and by what a person decided entry by entry (`judgements.txt` of the
family). Substitutions are learned from the cleaned entries: each found phrase
is its original segment by segment, and the segments' probabilities are
estimated by expectation maximisation (a monotone phrase model in the manner of
Marcu and Wong 2002).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import exp, log, sqrt
from pathlib import Path
from typing import Final, NamedTuple

import regex

from restore.learning.corpora import corpus_files
from restore.learning.phrases import open_text
from restore.lexicon import LONGEST, LexiconError, phrase_key
from restore.sparse.tables import COMPOSED, singular, term_key
from restore.sparse.terms import Terms
from restore.text import tokenize

ROUNDS: Final = 8  # of expectation maximisation
_LONG: Final = (4, 3)  # most words of a segment, found and original
_EXTRA: Final = -2.5  # log prior for each word of a segment after the first
_KEPT: Final = 4.0  # log prior of a segment that is the same on both sides
_LEAST: Final = 0.02  # segments rarer than this share of their original are not kept
_SHARE: Final = 0.3  # of a term's occurrences in a tortured paper that are tortured
_SMOOTH: Final = 4.0  # papers added to each count

SUSPICIOUS: Final = 1.0  # weight of a place from which on clean text speaks against it
_PARENTHESES: Final = regex.compile(r"\s*\(([^()]*)\)")
_BRACKETS: Final = regex.compile(r"\s*\[[^\[\]]*\]\s*")
_OPERATOR: Final = regex.compile(r"\b(?:AND|OR|NOT|NEAR)\b|[~+|]|\.{3}|…")
_CLAUSE: Final = regex.compile(r"(AND|NOT)\s+(\([^()]*\)|\"[^\"]*\"|\S[^\"()]*)")
_ALTERNATIVE: Final = regex.compile(r"\s+/\s+|\"?\s+(?:or|OR)\s+\"|\s+OR\s+")
_ACRONYM: Final = regex.compile(r"[A-Za-z][\w&/-]{1,9}")
_SMALL: Final = frozenset("a an the and or but of in on at to for by with from as is it be are was 's".split())


class Row(NamedTuple):
    """One line of the list, as it stands."""

    found: str
    original: str
    papers: int
    context: str


class Phrase(NamedTuple):
    """A cleaned entry. condition: as in a lexicon's fourth column, or empty."""

    found: str
    original: str
    papers: int
    condition: str


@dataclass(frozen=True, slots=True)
class Judgements:
    """What a person decided: found phrases to drop, and conditions to put on others."""

    drop: frozenset[str]
    conditions: dict[str, str]


def read_list(path: Path) -> list[Row]:
    """Rows of LIST. Raises LexiconError with file, line and remedy."""
    rows: list[Row] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LexiconError(f"{path}: cannot be read ({error}); give the list as UTF-8 text") from error
    for number, line in enumerate(lines[1:], 2):
        columns = line.split("\t")
        if len(columns) != 4 or not columns[2].isdigit():
            raise LexiconError(f"{path}:{number}: not 'found TAB original TAB papers TAB context'; mend the line")
        rows.append(Row(columns[0], columns[1], int(columns[2]), columns[3].strip()))
    return rows


def read_judgements(path: Path) -> Judgements:
    """`drop TAB phrase TAB reason` and `with TAB phrase TAB condition` lines. Raises LexiconError."""
    drop: set[str] = set()
    conditions: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = line.split("\t")
        if len(columns) != 3 or columns[0] not in ("drop", "with"):
            raise LexiconError(f"{path}:{number}: not 'drop TAB phrase TAB reason' or 'with TAB phrase TAB condition'")
        if columns[0] == "drop":
            drop.add(columns[1])
        else:
            conditions[columns[1]] = columns[2]
    return Judgements(frozenset(drop), conditions)


def phrases_of(rows: Path, folder: Path) -> list[Phrase]:
    """Cleaned entries of LIST by a family's judgements. Raises LexiconError."""
    return clean(read_list(rows), read_judgements(folder / "judgements.txt"))


def clean(rows: Iterable[Row], judged: Judgements) -> list[Phrase]:
    """Entries that can be used, sorted by found phrase and original, each pair once.

    Dropped: what a person judged so, fingerprints with operators, entries whose
    original is only described, pairs that say the same on both sides, and one side of a cycle (a found phrase that is
    an original elsewhere with more papers).
    """
    capitals = _capitals(rows := list(rows))
    best: dict[tuple[str, str], Phrase] = {}
    for row in rows:
        for phrase in _cleaned(row, judged, capitals):
            pair = (phrase.found, phrase.original.lower())
            if pair not in best or best[pair].papers < phrase.papers:
                best[pair] = phrase
    weight: defaultdict[str, float] = defaultdict(float)
    for p in best.values():
        weight[p.original.lower()] += p.papers + 1
    acyclic = (p for p in best.values() if p.papers + 1 >= weight[p.found])
    return sorted(acyclic, key=lambda p: (p.found, p.original.lower()))


def _cleaned(row: Row, judged: Judgements, capitals: dict[str, str]) -> Iterator[Phrase]:
    found, acronym = _without_acronym(row.found)
    found = phrase_key(found)
    words = found.replace("-", " ").split()
    condition = judged.conditions.get(found) or condition_of(row.context) or (f"with:{acronym}" if acronym else "")
    if (
        found in judged.drop
        or row.found in judged.drop
        or not words
        or len(words) > LONGEST
        or _OPERATOR.search(row.found)
        or all(w in _SMALL for w in words)
        or (len(words) == 1 and not condition)
    ):
        return
    for text in _ALTERNATIVE.split(_BRACKETS.sub(" ", row.original)):
        original = _written(_without_acronym(text.strip(' "*'))[0], capitals)
        original = _MISSPELT.sub(lambda m: MISSPELT[m.group()], original)
        key = phrase_key(original)
        if not key or _OPERATOR.search(text) or key.count(" ") >= LONGEST or term_key(key) == term_key(found):
            continue
        yield Phrase(found, original, row.papers, condition)


def _without_acronym(text: str) -> tuple[str, str]:
    """A phrase without what stands in parentheses, and the acronym that ended it ("" where none did)."""
    held = _PARENTHESES.findall(text)
    acronym = held[-1] if held and text.rstrip().endswith(")") and _ACRONYM.fullmatch(held[-1]) else ""
    return _PARENTHESES.sub("", text).strip(), acronym.upper()


def condition_of(clause: str) -> str:
    """A screener's clause as a lexicon's condition: `with:a|b`, `without:x`, or both joined by `; `."""
    parts: list[str] = []
    for word, operand in _CLAUSE.findall(clause.replace("ADN", "AND").replace("and ", "AND ")):
        phrases = [p.strip(' "()') for p in regex.split(r"\bOR\b", operand)]
        parts.append(("with:" if word == "AND" else "without:") + "|".join(p for p in phrases if p))
    return "; ".join(dict.fromkeys(parts))


def _capitals(rows: Iterable[Row]) -> dict[str, str]:
    """Words that are written with capitals wherever the list has them: acronyms, and names by the list below."""
    written: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for word in regex.findall(r"[\p{L}\p{N}]+", row.original):
            written[word.lower()][word] += 1
    out: dict[str, str] = {}
    for key, forms in written.items():
        form = forms.most_common(1)[0][0]
        if (sum(c.isupper() for c in form) > 1 and not form.isupper()) or (form.isupper() and len(form) > 1):
            out[key] = form
        elif key in NAMES:
            out[key] = key.capitalize()
    return {k: v for k, v in out.items() if k not in _SMALL and k not in ("i", "look", "extreme", "technique")}


def _written(original: str, capitals: dict[str, str]) -> str:
    """An original with capitals on names and acronyms only."""
    key = phrase_key(original)
    return str(regex.sub(r"[\p{L}\p{N}]+", lambda m: capitals.get(m.group(), m.group()), key))


MISSPELT: Final = {
    wrong: right
    for wrong, _, right in (
        pair.partition(":")
        for pair in """assocated:associated autist:autism baloon:balloon boltzman:boltzmann composent:component consine:cosine
        consuption:consumption continious:continuous continuos:continuous countinuous:continuous discrite:discrete
        effet:effect entrooy:entropy enviroment:environment forecastingc:forecasting fruxtose:fructose fuction:function
        gradiant:gradient gradiants:gradients illneses:illnesses mamography:mammography medicial:medical minin:mining
        ocurrence:occurrence opeerator:operator par:per particule:particle pericutaneous:percutaneous
        polyphormism:polymorphism preprocesing:preprocessing rythm:rhythm spared:squared squarred:squared
        supression:suppression tesselation:tessellation transportations:transportation unbiaised:unbiased unknow:unknown
        valiadation:validation""".split()
    )
}
_MISSPELT: Final = regex.compile(r"\b(?:" + "|".join(MISSPELT) + r")\b")

_ACCENTS: Final = str.maketrans("áàâäéèêëíîïóôöúûüç", "aaaaeeeeiiiooouuuc")

NAMES: Final = frozenset(
    """akaike alzheimer anderson apache arnold arrhenius asia asian bayes bayesian bernoulli bessel bhattacharyya
    bluetooth bohr boltzmann boolean boston bragg brinkman british bronsted canadian canny caspian chebyshev
    chinese crick crohn curie darcy diffie dirac dirichlet doppler eckert english euclidean euler europe european excel
    florida fourier gabor gaussian german gibbs gini golgi google grashof hadamard hadoop hahn hamming hann hartmann
    hellman helsinki henon hilbert hopf hough huang huntington hurst hénon india intel iran irish java joule jupyter
    kaiser kalman kelvin keras knudsen krasovskii kullback kutta kuznets lagrange lagrangian laplacian legendre leibler
    lewis lewy linux lobatto louis lyapunov lyme mahalanobis manhattan markov mastercard medicaid medicare microsoft
    monte carlo navier stokes newton newtonian nusselt palestine panama parkinson pasteur pearson poisson prandtl python
    radon rayleigh reynolds rician rosseland runge shapley sherwood siamese solaris spanish stefan swiss sybil tamura
    taylor tesseract timoshenko tucker vegard venturi vienna vineland visa viterbi voronoi waals walsh wasserstein
    watson wiener wilcoxon windows wisconsin youtube zealand android america american africa african tabu""".split()
)


class Segment(NamedTuple):
    """A substitution below the phrase: found words, original words, times seen, times the original was seen."""

    found: str
    original: str
    seen: float
    total: float


def learn_segments(phrases: Iterable[Phrase], rounds: int = ROUNDS) -> list[Segment]:
    """Word and short-phrase substitutions, sorted; words in the singular where both sides are in the plural.

    Expectation maximisation over monotone segmentations; a segment has at most
    four found words and three original ones.
    """
    pairs = sorted({_aligned_forms(p.found, p.original) for p in phrases})
    share: dict[tuple[str, str], float] = {}
    counts: defaultdict[tuple[str, str], float] = defaultdict(float)
    for _ in range(rounds):
        counts = defaultdict(float)
        for found, original in pairs:
            _expect(found.split(), original.split(), share, counts)
        totals: defaultdict[str, float] = defaultdict(float)
        for (_, o), n in counts.items():
            totals[o] += n
        share = {(f, o): n / (totals[o] + 1) for (f, o), n in counts.items() if n > 1e-6}
    return sorted(
        Segment(f, o, n, totals[o])
        for (f, o), n in counts.items()
        if n >= 0.45 and n >= _LEAST * totals[o] and _substitutes(f, o)
    )


def _substitutes(found: str, original: str) -> bool:
    """Whether a segment says something: neither side is part of the other nor its plural, none ends in a small word."""
    f, o = found.split(), original.split()
    if [singular(w) or w for w in f] == [singular(w) or w for w in o]:
        return False
    plain = found.translate(_ACCENTS) != original.translate(_ACCENTS)
    ends = {f[0], f[-1], o[0], o[-1]} - {"the"}
    return plain and o[0] != "the" and not ends & _SMALL and not set(f) <= set(o) | _SMALL and not set(o) <= set(f)


def _aligned_forms(found: str, original: str) -> tuple[str, str]:
    """Both phrases as plain words; a word in the plural on both sides becomes singular."""
    f, o = term_key(found).split(), term_key(original).split()
    if len(f) == len(o):
        for i, (x, y) in enumerate(zip(f, o, strict=True)):
            if (a := singular(x)) and (b := singular(y)):
                f[i], o[i] = a, b
    elif (a := singular(f[-1])) and (b := singular(o[-1])):
        f[-1], o[-1] = a, b
    return " ".join(f), " ".join(o)


def _expect(
    f: list[str], o: list[str], share: dict[tuple[str, str], float], counts: dict[tuple[str, str], float]
) -> None:
    """Add the expected segments of one pair to `counts`: forward-backward over the grid of word boundaries."""
    steps: list[tuple[int, int, int, int, tuple[str, str], float]] = []
    forward = {(0, 0): 1.0}
    for i in range(len(f)):
        for j in range(len(o)):
            base = forward.get((i, j), 0.0)
            if not base:
                continue
            for k in range(1, min(_LONG[0], len(f) - i) + 1):
                for m in range(1, min(_LONG[1], len(o) - j) + 1):
                    pair = (" ".join(f[i : i + k]), " ".join(o[j : j + m]))
                    p = exp(_EXTRA * (k + m - 2)) * share.get(pair, 0.0 if share else 0.05)
                    if pair[0] == pair[1]:
                        p *= exp(_KEPT) if k == 1 else 0.0
                    if not p:
                        continue
                    steps.append((i, j, k, m, pair, p))
                    forward[i + k, j + m] = forward.get((i + k, j + m), 0.0) + base * p
    z = forward.get((len(f), len(o)), 0.0)
    if not z:
        return
    backward = {(len(f), len(o)): 1.0}
    for i, j, k, m, pair, p in reversed(steps):
        after = backward.get((i + k, j + m), 0.0)
        if after:
            backward[i, j] = backward.get((i, j), 0.0) + p * after
            counts[pair] = counts.get(pair, 0.0) + forward[i, j] * p * after / z


def term_weights(phrases: Iterable[Phrase]) -> list[tuple[str, float]]:
    """The originals as terms, head in the singular, with the weight of each in all papers; sorted, adding up to one."""
    weight: defaultdict[str, float] = defaultdict(float)
    for p in phrases:
        words = term_key(p.original).split()
        words[-1] = singular(words[-1]) or words[-1]
        if len(words) > 1:
            weight[" ".join(words)] += sqrt(p.papers + _SMOOTH)
    total = sum(weight.values())
    return sorted((term, w / total) for term, w in weight.items())


def entry_lines(phrases: Iterable[Phrase]) -> Iterator[str]:
    """Lexicon lines: the weight is the phrase's share of its original's tortured occurrences."""
    phrases = list(phrases)
    totals: defaultdict[str, float] = defaultdict(float)
    for p in phrases:
        totals[p.original.lower()] += sqrt(p.papers + _SMOOTH)
    for p in phrases:
        share = _SHARE * sqrt(p.papers + _SMOOTH) / totals[p.original.lower()]
        yield f"{p.found}\t{p.original}\t{share:.2g}" + (f"\t{p.condition}" if p.condition else "")


def write_family(phrases: list[Phrase], folder: Path) -> dict[str, int]:
    """Write `listed.tsv`, `words.txt` and `terms.txt` into a folder; how many lines each has."""
    folder.mkdir(parents=True, exist_ok=True)
    about = (
        "# Written by 'python -m restore.learning tortured'; facts from the Problematic Paper Screener (CC BY 4.0).\n"
    )
    files = {
        "listed.tsv": list(entry_lines(phrases)),
        "words.txt": [f"{s.found}\t{s.original}\t{s.seen:.3g}/{s.total:.3g}" for s in learn_segments(phrases)],
        "terms.txt": [f"{term}\t{log(w):.2f}" for term, w in term_weights(phrases)],
    }
    for name, lines in files.items():
        (folder / name).write_text(about + "\n".join(lines) + "\n", encoding="utf-8")
    return {name: len(lines) for name, lines in files.items()}


def ordinary_phrases(matcher: Terms, documents: Iterable[str]) -> list[str]:
    """Phrases of clean text that a matcher would compose away, as lines `phrase TAB count`, sorted."""
    phrases: Counter[str] = Counter()
    for text in documents:
        tokens = tokenize(text)
        phrases.update(
            " ".join(tokens.key[place.start : place.end])
            for place in matcher.places(tokens)
            if place.options[0].source == COMPOSED and place.weight >= SUSPICIOUS
        )
    return sorted(f"{p}\t{n}" for p, n in phrases.items())


def documents(folder: Path, half: bool = False) -> Iterator[str]:
    """Documents of the corpora, a line each; every other one where only `half` are asked for."""
    for path in corpus_files(folder):
        with open_text(path) as lines:
            yield from (line for number, line in enumerate(lines) if not (half and number % 2))
