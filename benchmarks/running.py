"""One run of the benchmark: systems over documents, resumable, and the figures of what they put out.

Outputs are kept as JSON lines, one file a system, as they come; what is there
already, by the same version from the same text, is not done again.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import metrics
from benchmarks.context import calibration_error
from benchmarks.corpus import UNTOUCHED, Document
from benchmarks.systems import SYSTEMS, Change, Output, System, UnavailableError
from restore.learning.gold import judged
from restore.restoration import Edit
from restore.restorer import THRESHOLD

OWN: Final = "restore"
THRESHOLDS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
FIGURES: Final[dict[str, metrics.Figure]] = {
    "precision": metrics.precision,
    "recall": metrics.recall,
    "F0.5": metrics.f_half,
    "detected": metrics.detected,
    "chosen": metrics.chosen,
    "exact": metrics.exact,
    "undone": metrics.undone,
    "word errors": metrics.word_errors,
    "stray": metrics.stray,
}

Note = Callable[[str], None]


@dataclass(slots=True)
class Outcome:
    """What a system put out for some documents, in their order. seconds: of all."""

    outputs: list[Output] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(slots=True)
class Run:
    """Results as they are written: figures by track and system, with what is needed to read them."""

    about: dict[str, str]
    systems: dict[str, dict[str, str]]  # name -> title, made for, version
    absent: dict[str, str]  # name -> reason
    tracks: dict[str, dict[str, Any]]  # track -> documents, words, systems -> figures
    curve: dict[str, list[list[float]]] = field(default_factory=dict)  # track -> threshold, precision, recall
    calibration: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def run(
    documents: Sequence[Document], names: Iterable[str], kept: Path, command: str, note: Note, curve: bool = True
) -> Run:
    """Every system over every document. kept: folder of the outputs. note: told what goes on."""
    result = Run(_about(command), {}, {}, {})
    done: dict[str, Outcome] = {}
    words = sum(len(d.text.split()) for d in documents)
    for name in names:
        system = SYSTEMS[name]
        try:
            done[name] = outcome(system, documents, kept, note)
        except UnavailableError as reason:
            result.absent[name] = str(reason)
            note(f"{name}: left out: {reason}")
            continue
        result.systems[name] = {
            "title": system.title,
            "made for": system.made_for,
            "version": system.version(),
            "tracks": " ".join(sorted(system.tracks)),
            "words per second": f"{words / max(done[name].seconds, 1e-9):.0f}",
        }
    for track in dict.fromkeys(d.track for d in documents):
        at = [i for i, d in enumerate(documents) if d.track == track]
        result.tracks[track] = _track([documents[i] for i in at], {n: _part(o, at) for n, o in done.items()})
        note(f"{track}: {len(at)} documents")
    if curve and OWN in done:
        result.curve, result.calibration = _thresholds(documents, note)
    return result


def outcome(system: System, documents: Sequence[Document], kept: Path, note: Note) -> Outcome:
    """Outputs of one system, those that are kept taken from there. Raises UnavailableError."""
    version = system.version()
    path = kept / f"{system.name}.jsonl"
    kept.mkdir(parents=True, exist_ok=True)
    known = {row["key"]: row for row in _rows(path)}
    found = Outcome()
    work: Callable[[str], Output] | None = None
    with open(path, "a", encoding="utf-8", newline="\n") as file:
        for number, document in enumerate(documents, 1):
            key = _key(version, document.text)
            row = known.get(key)
            if row is None:
                if work is None:
                    work = system.load()
                    work("A word to warm up.")
                begin = time.perf_counter()
                output = work(document.text)
                row = _row(key, document, output, time.perf_counter() - begin)
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                file.flush()
                note(f"{system.name}: {number} of {len(documents)}")
            changes = row["changes"]
            found.outputs.append(
                Output(row["text"], None if changes is None else tuple(Change(*change) for change in changes))
            )
            found.seconds += row["seconds"]
    return found


def _row(key: str, document: Document, output: Output, seconds: float) -> dict[str, Any]:
    changes = (
        None if output.changes is None else [[c.start, c.end, c.replacement, c.confidence] for c in output.changes]
    )
    return {"key": key, "document": document.name, "text": output.text, "changes": changes, "seconds": seconds}


def _rows(path: Path) -> list[dict[str, Any]]:
    """Whole lines of a file of outputs; what a stopped run left unfinished is cut off."""
    if not path.is_file():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        path.write_bytes(whole)
    return [json.loads(line) for line in whole.decode("utf-8").splitlines()]


def _key(version: str, text: str) -> str:
    return hashlib.sha256(f"{version}\0{text}".encode()).hexdigest()[:32]


def _part(outcome: Outcome, at: Sequence[int]) -> Outcome:
    return Outcome([outcome.outputs[i] for i in at], outcome.seconds)


def _track(documents: Sequence[Document], outcomes: dict[str, Outcome]) -> dict[str, Any]:
    """Figures of all systems on the documents of one track."""
    tables = {
        name: metrics.table([metrics.count(d, o.text) for d, o in zip(documents, outcome.outputs, strict=True)])
        for name, outcome in outcomes.items()
    }
    untouched = documents[0].track in UNTOUCHED
    main = metrics.stray if untouched else metrics.f_half
    found: dict[str, Any] = {}
    for name, counts in tables.items():
        figures: dict[str, Any] = {
            label: [metrics.value(counts, figure), *metrics.interval(counts, figure)]
            for label, figure in FIGURES.items()
            if not untouched or label == "stray"
        }
        if not untouched:
            figures["chrF"] = metrics.chrf([o.text for o in outcomes[name].outputs], documents)
        if name != OWN and OWN in tables:
            figures["p"] = metrics.difference(tables[OWN], counts, main)
        figures["counts"] = dict(zip(metrics.NAMES, counts.sum(axis=0).astype(int).tolist(), strict=True))
        figures["changed documents"] = sum(
            o.text != d.text for d, o in zip(documents, outcomes[name].outputs, strict=True)
        )
        found[name] = figures
    words = sum(len(d.text.split()) for d in documents)
    return {"documents": len(documents), "words": words, "systems": found} | _mechanisms(documents, tables)


def _mechanisms(documents: Sequence[Document], tables: dict[str, metrics.Table]) -> dict[str, Any]:
    """F0.5 by how the documents were spun, where a track has several ways."""
    ways = sorted({d.mechanism for d in documents if d.mechanism})
    if len(ways) < 2:
        return {}
    at = {way: [i for i, d in enumerate(documents) if d.mechanism == way] for way in ways}
    return {
        "mechanisms": {
            way: {"documents": len(rows)}
            | {"F0.5": {name: metrics.value(t[rows], metrics.f_half) for name, t in tables.items()}}
            for way, rows in at.items()
        }
    }


def _thresholds(documents: Sequence[Document], note: Note) -> tuple[dict[str, list[list[float]]], dict[str, Any]]:
    """Precision and recall by threshold, and whether confidences can be believed, of our own engine."""
    from benchmarks.systems import restorer
    from restore.restoration import splice

    work = restorer(THRESHOLDS[0])
    outputs = []
    for number, document in enumerate(documents, 1):
        outputs.append(work(document.text).changes or ())
        note(f"thresholds: {number} of {len(documents)}")
    curve: dict[str, list[list[float]]] = {}
    for track in dict.fromkeys(d.track for d in documents if d.marked.spans):
        at = [i for i, d in enumerate(documents) if d.track == track]
        for t in THRESHOLDS:
            texts = [
                splice(documents[i].text, [(c.start, c.end, c.replacement) for c in outputs[i] if c.confidence >= t])
                for i in at
            ]
            counts = metrics.table([metrics.count(documents[i], text) for i, text in zip(at, texts, strict=True)])
            point = [metrics.value(counts, f) for f in (metrics.precision, metrics.recall, metrics.f_half)]
            curve.setdefault(track, []).append([t, *point])
    return curve, _believed(documents, outputs)


def _believed(documents: Sequence[Document], outputs: Sequence[Sequence[Change]]) -> dict[str, Any]:
    """Edits of at least the default confidence: calibration error, and the points of a reliability diagram."""
    confidence: list[float] = []
    right: list[bool] = []
    for document, changes in zip(documents, outputs, strict=True):
        if not document.marked.spans:
            continue
        shown = [c for c in changes if c.confidence >= THRESHOLD]
        edits = [Edit(c.start, c.end, "", c.replacement, c.confidence, "", (), {}) for c in shown]
        confidence += [c.confidence for c in shown]
        right += judged(document.marked, edits)
    if not confidence:
        return {}
    p, ok = np.array(confidence), np.array(right, bool)
    place = np.minimum((p * 20).astype(int), 19)
    points = [
        [float(p[place == k].mean()), float(ok[place == k].mean()), int((place == k).sum())]
        for k in range(20)
        if (place == k).sum() >= 10
    ]
    return {
        "edits": len(p),
        "error": calibration_error(p, ok),
        "brier": float(((p - ok) ** 2).mean()),
        "points": points,
    }


def _about(command: str) -> dict[str, str]:
    """Where and when a run was made."""
    return {
        "command": command,
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{platform.system()} {platform.machine()}, {_processor()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else "unknown processor"
