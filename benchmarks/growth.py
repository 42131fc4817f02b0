"""How cost grows: with length, with the share that is spun, with the lexicon, with processes; and memory.

Times are medians over repetitions with their smallest and largest; what they are
compared with (an overlapping automaton pass over the phrases, one `wordfreq`
look-up a word) is timed in the same run on the same text.
"""

from __future__ import annotations

import cProfile
import pstats
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

import restore
from benchmarks.corpus import load
from benchmarks.metrics import original
from benchmarks.speed import REPETITIONS, automaton_pass, timed

LENGTHS: Final = (100, 1_000, 10_000, 100_000, 1_000_000)
SHARES: Final = (0.0, 0.05, 0.25, 0.5, 1.0)
SIZES: Final = (0, 1_000, 10_000, 100_000)

Note = Callable[[str], None]


def growth(note: Note) -> dict[str, Any]:
    """All of it; name -> rows."""
    documents = load("dev", ["autoblog"])
    spun = [d.text for d in documents]
    clean = [original(d) for d in documents]
    engine = restore.Restorer()
    parts: dict[str, Iterator[list[Any]]] = {
        "floors": _floors(engine, spun, clean),
        "length": _lengths(engine, spun),
        "share spun": _shares(engine, spun, clean),
        "lexicon": _lexicons(spun),
        "processes": _processes(engine, spun),
        "profile, spun text": _profile(engine, spun),
        "profile, untouched text": _profile(engine, clean),
        "start-up": _start_up(),
        "memory": _memory(spun),
    }
    rows: dict[str, Any] = {}
    for name, part in parts.items():
        note(f"speed: {name}")
        rows[name] = list(part)
    return rows


def _all(make: Callable[..., Iterable[object]], *arguments: object) -> None:
    for _ in make(*arguments):
        pass


def _words(text: str) -> int:
    return len(text.split())


def _long(texts: Sequence[str], words: int) -> str:
    """Texts one after the other, over and over, cut to so many words."""
    held: list[str] = []
    total = 0
    while total < words:
        for text in texts:
            held.append(text)
            total += _words(text)
            if total >= words:
                break
    joined = "\n\n".join(held)
    last = [m.end() for _, m in zip(range(words), re.finditer(r"\S+", joined), strict=False)][-1]
    return joined[:last]


def _floors(engine: restore.Restorer, spun: Sequence[str], clean: Sequence[str]) -> Iterator[list[Any]]:
    """Name, words a second, as a multiple of the automaton pass."""
    from wordfreq import zipf_frequency

    text, plain = _long(spun, 6_000), _long(clean, 6_000)
    words = text.split()
    floor = timed(partial(automaton_pass(), text), 6_000)
    cases: dict[str, Callable[[], object]] = {
        "one wordfreq look-up a word": lambda: [zipf_frequency(w, "en") for w in words],
        "restore, spun text": lambda: engine.restore(text),
        "restore, untouched text": lambda: engine.restore(plain),
        "detect, spun text": lambda: engine.detect(text),
    }
    yield ["one overlapping automaton pass (regex)", *floor, 1.0]
    for name, work in cases.items():
        speed = timed(work, 6_000)
        yield [name, *speed, speed.median / floor.median]


def _lengths(engine: restore.Restorer, spun: Sequence[str]) -> Iterator[list[Any]]:
    for length in LENGTHS:
        text = _long(spun, length)
        yield [length, *timed(partial(_all, engine.pieces, text), length)]


def _shares(engine: restore.Restorer, spun: Sequence[str], clean: Sequence[str]) -> Iterator[list[Any]]:
    """Many documents of which a share is spun, in random order."""
    random = Random(0)
    for share in SHARES:
        texts = [(spun if k < share * 100 else clean)[k % len(spun)] for k in range(100)]
        random.shuffle(texts)
        words = sum(map(_words, texts))
        yield [share, *timed(partial(_all, map, engine.restore, texts), words)]


def _lexicons(spun: Sequence[str]) -> Iterator[list[Any]]:
    """Made-up phrases besides the shipped ones: how many, words a second, seconds until the first page is done."""
    random = Random(0)
    text = _long(spun, 6_000)
    common = sorted({w for t in spun for w in re.findall(r"[a-z]{4,}", t)})
    for size in SIZES:
        phrases = {f"{random.choice(common)} {random.choice(common)} {k}" for k in range(size)}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "more.tsv"
            path.write_text("".join(f"{p}\t{p[::-1]}\t0.1\n" for p in sorted(phrases)), encoding="utf-8")
            begin = time.perf_counter()
            engine = restore.Restorer(lexicons=[path] if size else [])
            engine.restore(text[:2000])
            first = time.perf_counter() - begin
            yield [size, *timed(partial(engine.restore, text), 6_000), round(first, 2)]


def _processes(engine: restore.Restorer, spun: Sequence[str]) -> Iterator[list[Any]]:
    texts = [_long(spun, 500)] * 400
    for workers in (1, 2):
        yield [workers, *timed(partial(_all, engine.stream, texts, workers), 200_000)]


def _profile(engine: restore.Restorer, texts: Sequence[str]) -> Iterator[list[Any]]:
    """Where the time of restoring goes: module, share of it (with what it calls outside restore)."""
    for text in texts:
        engine.restore(text)
    profile = cProfile.Profile()
    profile.runcall(_all, map, engine.restore, texts)
    spent: Counter[str] = Counter()
    for (file, _, _), (_, _, own, _, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if _is_own(file):
            spent[Path(file).stem] += own
            continue
        for (caller, _, _), (_, _, time_of, _) in callers.items():
            spent[Path(caller).stem if _is_own(caller) else "other"] += time_of
    whole = sum(spent.values())
    yield from ([name, share / whole] for name, share in spent.most_common() if share / whole >= 0.01)


def _is_own(file: str) -> bool:
    return Path(restore.__file__).parent in Path(file).parents


def _start_up() -> Iterator[list[Any]]:
    """Seconds of whole processes: median, smallest, largest."""
    page = str(Path(__file__).resolve().parent.parent / "examples" / "spun.txt")
    for title, command in (
        ("python -c pass", [sys.executable, "-c", "pass"]),
        ("restore --help", [sys.executable, "-m", "restore.cli", "--help"]),
        ("restore clean PAGE", [sys.executable, "-m", "restore.cli", "clean", page]),
        ("codespell PAGE", [sys.executable, "-m", "codespell_lib", page]),
    ):
        times = []
        for _ in range(REPETITIONS):
            begin = time.perf_counter()
            if subprocess.run(command, capture_output=True, check=False).returncode not in (0, 65):
                break
            times.append(time.perf_counter() - begin)
        if len(times) == REPETITIONS:
            yield [title, statistics.median(times), min(times), max(times)]


_PEAK: Final = """
import re, sys
from restore.cli import app
try:
    app(["clean", sys.argv[1], "-o", sys.argv[2]], standalone_mode=False)
finally:
    print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


def _memory(spun: Sequence[str]) -> Iterator[list[Any]]:
    """Words of one spun text, peak memory of `restore clean` in MB (Linux; read from /proc, because getrusage also
    counts the parent's memory before exec)."""
    if sys.platform != "linux":
        return
    with tempfile.TemporaryDirectory() as folder:
        for length in LENGTHS[1:]:
            path = Path(folder) / "in.txt"
            path.write_text(_long(spun, length), encoding="utf-8")
            command = [sys.executable, "-c", _PEAK, str(path), str(Path(folder) / "out.txt")]
            done = subprocess.run(command, capture_output=True, check=True, text=True)
            yield [length, int(done.stdout.split()[-1]) / 1024]
