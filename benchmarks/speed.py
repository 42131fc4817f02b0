"""Speed as ratios in one run: the engine on spun and on clean text, beside one overlapping automaton pass."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import regex

import restore
from benchmarks.corpus import load
from benchmarks.metrics import original
from benchmarks.spinning import forwards, spin
from restore import lexicon
from restore.learning.gold import read_marked

ROOT: Final = Path(__file__).resolve().parent.parent
REPETITIONS: Final = 5
LONG: Final = 20_000  # words from which on one repetition is enough


class Timed(NamedTuple):
    """Words a second: median, smallest, largest."""

    median: float
    low: float
    high: float


def timed(work: Callable[[], object], words: int, repetitions: int = REPETITIONS) -> Timed:
    """Speed of a piece of work, after one run that does not count unless it is long."""
    if words < LONG:
        work()
    speeds = []
    for _ in range(repetitions if words < LONG else 1):
        begin = time.perf_counter()
        work()
        speeds.append(words / (time.perf_counter() - begin))
    return Timed(statistics.median(speeds), min(speeds), max(speeds))


def automaton_pass() -> Callable[[str], int]:
    """Counts every overlapping occurrence of every listed phrase, by one compiled pattern of named lists."""
    pattern = regex.compile(r"\b\L<phrases>\b", phrases=list(lexicon.load(["autoblog"]).options))
    return lambda text: sum(1 for _ in pattern.finditer(text.lower(), overlapped=True))


def measure() -> dict[str, float]:
    """Words a second of each kind of work, on texts that are read for the first time by an engine that has read others.

    clean: the corpus's articles before they were spun; spun: the same run through the table anew for each repetition,
    the median counts; lookalike: good English full of what spinners write, most of which must be decoded to be cleared.
    """
    documents = [d for split in ("dev", "test") for d in load(split, ["autoblog", "thesaurus", "mixed", "lookalike"])]
    lookalike = [d.text for d in documents if d.track == "lookalike"]
    clean = [original(d) for d in documents if d.track != "lookalike"]
    table = forwards()
    fresh = [[read_marked(spin(text, table, seed)).tokens.text for text in clean] for seed in range(2 * REPETITIONS)]
    engine = restore.Restorer()
    papers = [document.text for document in load("dev", ["tortured"])]  # for which the engine reads tables of its own
    for text in [document.text for document in documents if document.track != "lookalike"] + lookalike[::4] + papers:
        engine.restore(text)
    return {
        "spun": statistics.median(_speed(engine.restore, texts) for texts in fresh[:REPETITIONS]),
        "clean": _speed(engine.restore, clean),
        "lookalike": _speed(engine.restore, [text for n, text in enumerate(lookalike) if n % 4]),
        "detect": statistics.median(_speed(engine.detect, texts) for texts in fresh[REPETITIONS:]),
        "automaton": statistics.median(_speed(automaton_pass(), texts) for texts in fresh[:REPETITIONS]),
    }


def _speed(work: Callable[[str], object], texts: Sequence[str]) -> float:
    """Words a second of going through some texts once."""
    begin = time.perf_counter()
    for text in texts:
        work(text)
    return sum(len(text.split()) for text in texts) / (time.perf_counter() - begin)


def start_up() -> dict[str, float]:
    """Seconds of whole processes, best of seven."""
    page = str(ROOT / "examples" / "spun.txt")
    out = {}
    for name, args in {"restore --help": ["--help"], "restore clean PAGE": ["clean", page]}.items():
        times = []
        for _ in range(7):
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-m", "restore.cli", *args], capture_output=True, check=True)
            times.append(time.perf_counter() - begin)
        out[name] = min(times)
    return out
