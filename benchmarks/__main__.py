"""python -m benchmarks speed | detection PAIRS | learning PAIRS | suggest PAIRS | floors"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.detection import detection
from benchmarks.learning import learning
from benchmarks.quality import quality
from benchmarks.speed import measure, start_up
from benchmarks.suggesting import suggesting

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


@app.command("learning")
def learning_command(pairs: Annotated[Path, typer.Argument(help="Marked JSON lines.")]) -> None:
    """Lexicons learned with marks, without, and from damaged text, each alone on documents kept out of learning."""
    for name, figures in learning(pairs):
        typer.echo(f"{name}: " + ", ".join(f"{n} {v:,.3f}" if v < 1 else f"{n} {v:,.0f}" for n, v in figures.items()))


@app.command("suggest")
def suggest_command(
    pairs: Annotated[Path, typer.Argument(help="Marked JSON lines.")],
    hidden: Annotated[float, typer.Option(help="Share of the known phrases taken away.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Of the choice.")] = 0,
) -> None:
    """Hide some phrases of a learned lexicon; suspect them in every tenth document, kept out of learning."""
    for name, value in suggesting(pairs, hidden, seed).items():
        typer.echo(f"{name}: {value:.3f}" if value <= 1 else f"{name}: {value:.0f}")


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


if __name__ == "__main__":
    app()
