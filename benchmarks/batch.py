"""A large file through the command line: words a second, memory over time, and kills with resumption."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from restore.learning.corpora import corpus_files
from restore.learning.gold import marked_lines
from restore.learning.phrases import as_found, open_text


def feed(corpora: Path, pairs: Path, path: Path, megabytes: int, share: float = 0.05, seed: int = 1) -> None:
    """Write JSON lines of about that size: documents of the corpora, the spun side of a pair for `share` of them."""
    chance = random.Random(seed)
    spun = [as_found(marked) for marked in marked_lines(pairs)]
    size, number = 0, 0
    with open(path, "wb") as out:
        for text in _documents(corpora):
            is_spun = chance.random() < share
            body = chance.choice(spun) if is_spun else text
            line = json.dumps({"id": number, "spun": is_spun, "body": body}, ensure_ascii=False).encode() + b"\n"
            out.write(line)
            size += len(line)
            number += 1
            if size >= megabytes * 1_000_000:
                return


def _documents(corpora: Path) -> Iterator[str]:
    """Documents of all corpora, over and over. Raises FileNotFoundError where there is none."""
    paths = corpus_files(corpora)
    if not paths:
        raise FileNotFoundError(f"{corpora}: no .txt or .txt.xz file there")
    for path in cycle(paths):
        with open_text(path) as file:
            yield from (line.rstrip("\n") for line in file)


def memory(pid: int) -> dict[int, int]:
    """Resident bytes of a process's children (private and shared), by process; from /proc."""
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            status = Path(f"/proc/{child}/status").read_text()
        except OSError:
            continue
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        if match:
            found[int(child)] = int(match[1]) * 1024
    return found


def batch(path: Path, jobs: int, every: float = 2.0) -> dict[str, Any]:
    """Clean a file; words a second as the summary tells, and the largest worker's memory over time."""
    out = path.with_suffix(".clean.jsonl")
    begun = time.monotonic()
    process = _start(path, out, jobs)
    peaks: list[int] = []
    main: list[int] = []
    while process.poll() is None:
        time.sleep(every)
        try:
            here = memory(process.pid)
            own = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
        except OSError:
            break
        if here:
            peaks.append(max(here.values()))
        if own:
            main.append(int(own[1]) * 1024)
    told = process.communicate()[1].decode().strip().splitlines()
    return {
        "seconds": time.monotonic() - begun,
        "summary": told[-1] if told else "",
        "worker": peaks,
        "main": main,
        "hash": digest(out),
    }


def killed(path: Path, jobs: int, times: int, seed: int = 3) -> tuple[int, str]:
    """Clean a file, killed at random points and resumed: how often it was killed, and a hash of the output."""
    out = path.with_suffix(".killed.jsonl")
    part = out.with_name(f".{out.name}.restore-part")
    chance = random.Random(seed)
    size = path.stat().st_size
    stops = sorted(chance.randrange(size // 50, size) for _ in range(times))
    done = 0
    for stop in [*stops, 1 << 60]:
        process = _start(path, out, jobs, *(["--resume"] if done else []))
        while process.poll() is None and not (part.exists() and part.stat().st_size >= stop):
            time.sleep(0.05)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            done += 1
        process.communicate()
    return done, digest(out)


def _start(path: Path, out: Path, jobs: int, *more: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "restore.cli",
        "clean",
        str(path),
        "--field",
        "body",
        "-o",
        str(out),
        "-j",
        str(jobs),
    ]
    return subprocess.Popen([*command, *more], stderr=subprocess.PIPE, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
