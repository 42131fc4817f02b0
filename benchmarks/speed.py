"""Speed as ratios in one run: the engine on spun and on clean text, beside one overlapping automaton pass."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import regex

import restore

ROOT = Path(__file__).resolve().parent.parent


def words_per_second(work: Callable[[], object], words: int, repetitions: int = 5) -> float:
    """Median over repetitions, after one that does not count."""
    work()
    times = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return words / statistics.median(times)


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
        "spun": words_per_second(lambda: engine.restore(spun), len(spun.split())),
        "clean": words_per_second(lambda: engine.restore(clean), len(clean.split())),
        "detect": words_per_second(lambda: engine.detect(spun), len(spun.split())),
        "automaton": words_per_second(automaton_pass(spun), len(spun.split())),
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
