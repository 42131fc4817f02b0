"""python -m benchmarks speed | detection PAIRS | floors | feed | batch"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.batch import batch, feed, killed
from benchmarks.detection import detection
from benchmarks.quality import quality
from benchmarks.speed import measure, start_up

app = typer.Typer(help="What restore achieves, each figure from a command.", no_args_is_help=True)


@app.command()
def speed() -> None:
    """Words a second beside one overlapping automaton pass, and start-up."""
    found = measure()
    for name, value in found.items():
        typer.echo(f"{name:10} {value:12,.0f} words/s  {value / found['automaton']:8.3f} of the automaton pass")
    typer.echo(f"clean / spun: {found['clean'] / found['spun']:.1f}")
    for name, seconds in start_up().items():
        typer.echo(f"{name:20} {seconds:.2f} s")


@app.command("detection")
def detection_command(
    pairs: Annotated[Path, typer.Argument(help="Marked JSON lines, .xz.")],
    words: Annotated[int, typer.Option(help="Words in a window.")] = 100,
) -> None:
    """Detection AUC, spun windows against their originals."""
    auc, spun, clean = detection(pairs, words)
    typer.echo(f"AUC {auc:.5f} at {words} words ({spun} spun, {clean} clean windows)")


@app.command()
def floors() -> None:
    """Quality on the repository's own texts against the pinned floors; exit code 1 below one."""
    limits = json.loads((Path(__file__).parent / "floors.json").read_text(encoding="utf-8"))
    failed = False
    for name, value in quality().items():
        floor = limits[name]
        bad = value > floor if name.endswith("edits") else value < floor
        failed |= bad
        typer.echo(
            f"{name}: {value:.3f} ({'ceiling' if name.endswith('edits') else 'floor'} {floor}){' FAILED' if bad else ''}"
        )
    raise typer.Exit(int(failed))


@app.command("feed")
def feed_command(
    corpora: Annotated[Path, typer.Argument(help="A folder of plain text, .txt.xz, a document a line.")],
    pairs: Annotated[Path, typer.Argument(help="Marked JSON lines, .xz.")],
    output: Annotated[Path, typer.Argument(help="JSON lines to write.")],
    megabytes: Annotated[int, typer.Option(help="How large.")] = 1000,
) -> None:
    """Make a feed of which one document in twenty is spun."""
    feed(corpora, pairs, output, megabytes)
    typer.echo(f"{output}: {output.stat().st_size:,} bytes")


@app.command("batch")
def batch_command(
    path: Annotated[Path, typer.Argument(help="JSON lines with a field 'body'.")],
    jobs: Annotated[int, typer.Option("-j", help="Processes.")] = 2,
    kills: Annotated[int, typer.Option(help="Also kill a run so many times, resume it, and compare.")] = 0,
) -> None:
    """A large file: words a second, memory of the largest worker over time (Linux); exit code 1 if a resumed run differs."""
    found = batch(path, jobs)
    typer.echo(found["summary"])
    typer.echo(f"{path.stat().st_size / 1e6:,.0f} MB in {found['seconds']:.0f} s with {jobs} processes")
    for name in ("worker", "main"):
        sizes = [size / 1e6 for size in found[name]]
        tenths = [max(sizes[i * len(sizes) // 10 : max(1, (i + 1) * len(sizes) // 10)] or [0]) for i in range(10)]
        typer.echo(f"{name} memory by tenths of the run, MB: " + " ".join(f"{s:.0f}" for s in tenths))
    if kills:
        times, digest = killed(path, jobs, kills)
        same = digest == found["hash"]
        typer.echo(f"killed {times} times and resumed: {'identical' if same else 'DIFFERENT'} output")
        raise typer.Exit(int(not same))


if __name__ == "__main__":
    app()
