"""Speed as ratios in one run: the engine on spun and on clean text, beside one overlapping automaton pass."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import regex

import restore

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


def automaton_pass(text: str) -> Callable[[], object]:
    """Every overlapping occurrence of every listed phrase, by one compiled pattern of named lists."""
    from restore.lexicon import load

    pattern = regex.compile(r"\b\L<phrases>\b", phrases=list(load(["autoblog"]).options))
    low = text.lower()
    return lambda: sum(1 for _ in pattern.finditer(low, overlapped=True))


def measure() -> dict[str, float]:
    """Words a second of each kind of work, on the example texts repeated to about 6,000 words."""
    spun = (ROOT / "examples" / "spun.txt").read_text(encoding="utf-8")
    clean = (ROOT / "examples" / "clean.txt").read_text(encoding="utf-8")
    spun, clean = ("\n\n".join([t] * (6000 // len(t.split()))) for t in (spun, clean))
    engine = restore.Restorer()
    return {
        "spun": timed(lambda: engine.restore(spun), len(spun.split())).median,
        "clean": timed(lambda: engine.restore(clean), len(clean.split())).median,
        "detect": timed(lambda: engine.detect(spun), len(spun.split())).median,
        "automaton": timed(automaton_pass(spun), len(spun.split())).median,
    }


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
