"""A run's results as one Markdown page with pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.corpus import EXTERNAL, TRACKS, UNTOUCHED

OWN: Final = "restore"
SIGNIFICANT: Final = 0.05  # p value below which two systems differ
NOT_PEERS: Final = (OWN, "restore-neural", "ngrams", "nothing")
_COLUMNS: Final = ("precision", "recall", "F0.5", "detected", "chosen", "exact", "undone")
_HEADS: Final = {
    "detected": "spans changed",
    "chosen": "of these right",
    "exact": "sentences exact",
    "undone": "damage undone",
}


def write(folder: Path) -> Path:
    """Page and pictures of what a folder holds of results.json, speed.json, downstream.json; the page's path."""
    results, speed, downstream = (_read(folder / f"{name}.json") for name in ("results", "speed", "downstream"))
    pictures = list(_pictures(results, speed, folder))
    lines = ["# Results of the restoration benchmark\n"]
    if results:
        lines += _quality(results)
    if downstream:
        lines += _downstream(downstream)
    if speed:
        lines += _speed_tables(speed)
    lines += [f"\n## {title}\n\n![{title}]({name})" for title, name in pictures]
    if results:
        lines += [*_systems(results), *_metrics()]
    path = folder / "README.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _quality(results: dict[str, Any]) -> Iterator[str]:
    about = results["about"]
    yield f"`{about['command']}`, {about['date']}, {about['machine']}, Python {about['python']}.\n"
    yield "How the texts were made: [data card](../corpus/README.md). What the figures are: [metrics](#metrics).\n"
    yield from _summary(results)
    for track, found in results["tracks"].items():
        yield from (_untouched if track in UNTOUCHED else _spun)(track, found, results["systems"])


def _downstream(found: dict[str, Any]) -> Iterator[str]:
    yield f"\n## What comes after\n\n{found['documents']} spun articles, {found['sentences']} garbled sentences of these.\n"
    yield "| task | as found | restored | originals |\n|---|---|---|---|"
    for task, sides in found.items():
        if isinstance(sides, dict):
            yield f"| {task} | " + " | ".join(f"{value:.3f}" for value in sides.values()) + " |"
    yield "\nMinHash over words in threes, a duplicate at an estimated similarity of 0.5; TF-IDF retrieval (`downstream.py`)."


def _speed_tables(speed: dict[str, Any]) -> Iterator[str]:
    yield "\n## Speed\n\nWords a second, one process: median (smallest–largest) of repetitions in one run.\n"
    for name, first in (
        ("floors", "work"),
        ("length", "words in the text"),
        ("share spun", "share of documents spun"),
        ("lexicon", "phrases added"),
        ("processes", "processes"),
    ):
        more = {"floors": "of the automaton pass", "lexicon": "seconds to the first page"}.get(name)
        yield f"\n| {first} | words/s |" + (f" {more} |" if more else "")
        yield "|---|---|" + ("---|" if more else "")
        for row in speed[name]:
            label = f"{row[0]:,}" if isinstance(row[0], int | float) else row[0]
            cells = [f"{row[1]:,.0f} ({row[2]:,.0f}–{row[3]:,.0f})", *(f"{value:.2f}" for value in row[4:])]
            yield f"| {label} | " + " | ".join(cells) + " |"
    yield "\nWhere the time goes, by module of `restore` (with what it calls in numpy and elsewhere; cProfile):\n"
    for kind in ("profile, spun text", "profile, untouched text"):
        yield f"- {kind.removeprefix('profile, ')}: " + ", ".join(f"{name} {share:.0%}" for name, share in speed[kind])
    yield "\n| process | seconds |\n|---|---|"
    for title, median, low, high in speed["start-up"]:
        yield f"| {title} | {median:.2f} ({low:.2f}–{high:.2f}) |"
    yield "\n| words in one spun text | peak memory of `restore clean`, MB |\n|---|---|"
    for words, size in speed["memory"]:
        yield f"| {words:,} | {size:,.0f} |"


def _summary(results: dict[str, Any]) -> Iterator[str]:
    """Where restore stands on every track that it is made for: ahead, or not."""
    yield "## In short\n"
    neural = "restore-neural" in results["systems"]
    yield "| track | restore |" + (" with --neural |" if neural else "") + " best peer | |"
    yield "|---|---|---|---|" + ("---|" if neural else "")
    for track, found in results["tracks"].items():
        systems = found["systems"]
        if OWN not in systems:
            continue
        label = "stray" if track in UNTOUCHED else "F0.5"
        others = {n: f[label][0] for n, f in systems.items() if n not in NOT_PEERS}
        own = systems[OWN][label][0]
        if track in UNTOUCHED:
            best = min(others, key=others.__getitem__, default="")
            ahead = not others or own < others[best]
        else:
            best = max(others, key=others.__getitem__, default="")
            ahead = not others or own > others[best]
        figure = "{:,.0f} edits per 100,000 words".format if track in UNTOUCHED else "F0.5 {:.3f}".format
        other = f"{results['systems'][best]['title']}: {figure(others[best])}" if best else "none"
        doubt = "" if not best or systems[best].get("p", 0) < SIGNIFICANT else " (not significant)"
        if doubt and 2 ** (1 - found["documents"]) >= SIGNIFICANT:  # so few can be swapped in but so many ways
            doubt = " (too few documents to test)"
        place = "level" if best and own == others[best] else ("ahead" if ahead else "**behind**") + doubt
        with_model = f" {figure(systems['restore-neural'][label][0])} |" if neural else ""
        yield f"| {track} | {figure(own)} |{with_model} {other} | {place} |"
    yield "\nLeft out here: restore's own variants, and doing nothing, which nothing can beat on untouched text.\n"


def _heading(track: str, found: dict[str, Any]) -> str:
    about = TRACKS.get(track, "a set given by path" if track == EXTERNAL else "")
    return f"\n## {track}\n\n{about.capitalize()}: {found['documents']} documents, {found['words']:,} words.\n"


def _spun(track: str, found: dict[str, Any], systems: dict[str, Any]) -> Iterator[str]:
    yield _heading(track, found)
    heads = [_HEADS.get(c, c) for c in _COLUMNS]
    yield "| system | " + " | ".join(heads) + " | word error rate | chrF | false edits | p |"
    yield "|---|" + "---|" * (len(heads) + 4)
    for name, f in sorted(found["systems"].items(), key=lambda item: -item[1]["F0.5"][0]):
        cells = [_cell(f[c], c == "F0.5") for c in _COLUMNS]
        p = f"{f['p']:.4f}" if "p" in f else ""
        yield (
            f"| {_title(name, track, systems)} | {' | '.join(cells)} | {f['word errors'][0]:.3f} | "
            f"{f['chrF']:.1f} | {f['counts']['false']} | {p} |"
        )
    if "mechanisms" in found:
        ways = found["mechanisms"]
        yield "\nF0.5 by how the texts were spun:\n"
        yield "| system | " + " | ".join(f"{way} ({ways[way]['documents']})" for way in ways) + " |"
        yield "|---|" + "---|" * len(ways)
        for name in found["systems"]:
            cells = [f"{ways[way]['F0.5'][name]:.3f}" for way in ways]
            yield f"| {_title(name, track, systems)} | " + " | ".join(cells) + " |"


def _untouched(track: str, found: dict[str, Any], systems: dict[str, Any]) -> Iterator[str]:
    yield _heading(track, found)
    yield "| system | edits per 100,000 words | 95% | edits | documents changed |\n|---|---|---|---|---|"
    for name, f in sorted(found["systems"].items(), key=lambda item: item[1]["stray"][0]):
        value, low, high = f["stray"]
        yield (
            f"| {_title(name, track, systems)} | {value:,.0f} | {low:,.0f}–{high:,.0f} | {f['counts']['false']} | "
            f"{f['changed documents']} of {found['documents']} |"
        )


def _cell(figure: list[float], bounds: bool) -> str:
    value, low, high = figure
    return f"**{value:.3f}** ({low:.3f}–{high:.3f})" if bounds else f"{value:.3f}"


def _title(name: str, track: str, systems: dict[str, Any]) -> str:
    """A system, with a mark where it is not made for the track."""
    title = str(systems[name]["title"])
    made_for = systems[name]["tracks"].split()
    return title if track in made_for or track == EXTERNAL or name == "nothing" else f"{title} †"


def _systems(results: dict[str, Any]) -> Iterator[str]:
    yield "\n## Systems\n"
    yield "† in the tables: not made for that kind of text. What each is made for:\n"
    for name, s in results["systems"].items():
        yield f"- **{s['title']}** (`{name}`, {s['version']}; {int(s['words per second']):,} words/s): {s['made for']}"
    for name, reason in results["absent"].items():
        yield f"- `{name}` was left out: {reason}"


def _metrics() -> Iterator[str]:
    from benchmarks import metrics

    yield "\n## Metrics\n"
    yield "\n".join((metrics.__doc__ or "").strip().splitlines()[2:])
    yield "\np: of the difference to restore in F0.5, or in stray edits. Systems are judged by their output alone, aligned with the document (`alignment.py`)."


def _pictures(results: dict[str, Any], speed: dict[str, Any], folder: Path) -> Iterator[tuple[str, str]]:
    """Draws what there are figures for: title and file name of each picture."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "restore"
    from matplotlib import pyplot

    def saved(figure: Any, name: str) -> str:
        figure.tight_layout()
        figure.savefig(folder / name, metadata={"Date": None})
        pyplot.close(figure)
        return name

    tracks = {t: f for t, f in results.get("tracks", {}).items() if t not in UNTOUCHED}
    if tracks:
        yield "Quality by track and system", saved(_bars(tracks, results["systems"], pyplot), "quality.svg")
    if results.get("curve"):
        yield "Precision and recall over the threshold", saved(_curve(results["curve"], pyplot), "threshold.svg")
    if results.get("calibration"):
        yield "Reliability of confidences", saved(_reliability(results["calibration"], pyplot), "reliability.svg")
    if tracks:
        yield "Speed against quality", saved(_speed(results, pyplot), "speed.svg")
    if speed:
        yield "Cost against length and share spun", saved(_growth(speed, pyplot), "growth.svg")


def _bars(tracks: dict[str, Any], systems: dict[str, Any], pyplot: Any) -> Any:
    names = [n for n in systems if n != "nothing"]
    figure, axes = pyplot.subplots(figsize=(8, 4))
    width = 0.8 / max(1, len(names))
    for k, name in enumerate(names):
        at = [i + k * width for i in range(len(tracks))]
        axes.bar(at, [f["systems"][name]["F0.5"][0] for f in tracks.values()], width, label=systems[name]["title"])
    axes.set_xticks([i + 0.4 - width / 2 for i in range(len(tracks))], list(tracks))
    axes.set_ylabel("F0.5")
    axes.legend(fontsize=7, ncols=2)
    return figure


def _curve(curve: dict[str, list[list[float]]], pyplot: Any) -> Any:
    figure, axes = pyplot.subplots(figsize=(6, 4.5))
    for track, points in curve.items():
        axes.plot([p[2] for p in points], [p[1] for p in points], marker=".", label=track)
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    axes.set_ylim(0, 1.02)
    axes.legend(fontsize=8)
    return figure


def _reliability(found: dict[str, Any], pyplot: Any) -> Any:
    figure, axes = pyplot.subplots(figsize=(4.5, 4.5))
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1)
    axes.plot([p[0] for p in found["points"]], [p[1] for p in found["points"]], marker="o")
    axes.set_xlabel("confidence")
    axes.set_ylabel("share of edits that are right")
    axes.set_title(f"{found['edits']:,} edits, calibration error {found['error']:.3f}", fontsize=10)
    return figure


def _speed(results: dict[str, Any], pyplot: Any) -> Any:
    figure, axes = pyplot.subplots(figsize=(6, 4))
    track = "autoblog" if "autoblog" in results["tracks"] else next(iter(results["tracks"]))
    for name, figures in results["tracks"][track]["systems"].items():
        speed = results["systems"][name].get("words per second")
        if speed and name != "nothing":
            axes.scatter(float(speed), figures["F0.5"][0])
            axes.annotate(results["systems"][name]["title"], (float(speed), figures["F0.5"][0]), fontsize=7)
    axes.set_xscale("log")
    axes.set_xlabel("words a second, one process")
    axes.set_ylabel(f"F0.5 on {track}")
    return figure


def _growth(speed: dict[str, Any], pyplot: Any) -> Any:
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(8, 3.5))
    left.plot([row[0] for row in speed["length"]], [row[0] / row[1] for row in speed["length"]], marker="o")
    left.set_xscale("log")
    left.set_yscale("log")
    left.set_xlabel("words in one spun text")
    left.set_ylabel("seconds")
    right.plot([row[0] for row in speed["share spun"]], [1e6 / row[1] for row in speed["share spun"]], marker="o")
    right.set_xlabel("share of documents spun")
    right.set_ylabel("microseconds a word")
    right.set_ylim(0)
    return figure
