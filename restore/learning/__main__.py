"""python -m restore.learning: build what restore ships. Deterministic: the same input gives the same file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from restore.context import hashes
from restore.learning.corpora import read_corpora
from restore.learning.phrases import PairsError, described, learn, read_pairs, write_learned
from restore.learning.smoothing import estimate

LEAST_BIGRAM: Final = 2
LEAST_TRIGRAM: Final = 3

app = typer.Typer(help="Learn what restore ships: lexicons from parallel text, the context model from plain text.")


@app.command("lexicon")
def lexicon_command(
    pairs: Annotated[Path, typer.Argument(help="JSON lines (.xz too): marked, or original and spun.")],
    output: Annotated[Path, typer.Option("-o", help="The .tsv file to write.")],
) -> None:
    """Count substitutions in parallel text and write them as a lexicon."""
    try:
        learned = learn(read_pairs(pairs))
    except PairsError as error:
        raise typer.BadParameter(str(error)) from None
    output.parent.mkdir(parents=True, exist_ok=True)
    write_learned(learned, output)
    typer.echo(f"{output}: {described(learned, top=0)}")


@app.command("context")
def context_command(
    corpora: Annotated[Path, typer.Argument(help="Folder of .txt or .txt.xz files, a document a line.")],
    output: Annotated[Path, typer.Option("-o", help="The model to write.")],
    without: Annotated[Path | None, typer.Option(help="Pairs whose documents must not be learned from.")] = None,
    least_bigram: Annotated[int, typer.Option(help="Least count of a bigram.")] = LEAST_BIGRAM,
    least_trigram: Annotated[int, typer.Option(help="Least count of a trigram.")] = LEAST_TRIGRAM,
    jobs: Annotated[int, typer.Option("-j", help="Processes.")] = 2,
) -> None:
    """Train the context model (about 6 minutes and 8 GB of memory for 75 million words)."""
    words, stream = read_corpora(corpora, without, jobs)
    model = estimate(stream, hashes(words), least_bigram, least_trigram)
    model.save(output)
    typer.echo(f"{output}: {model.info}, {output.stat().st_size / 1e6:.1f} MB")


@app.command("twosided")
def twosided_command(
    corpora: Annotated[Path, typer.Argument(help="Folder of .txt.xz files, a document a line.")],
    output: Annotated[Path, typer.Option("-o", help="The model to write.")],
    without: Annotated[Path | None, typer.Option(help="Pairs whose documents must not be learned from.")] = None,
    pairs: Annotated[Path | None, typer.Option(help="Real marked pairs to learn from as well.")] = None,
    tokens: Annotated[int, typer.Option(help="Spun tokens to train on, in millions.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the spinner, the order and the initial weights.")] = 0,
    family: Annotated[str, typer.Option(help="The channel to undo.")] = "autoblog",
    jobs: Annotated[int, typer.Option("-j", help="Processes that count words.")] = 2,
    threads: Annotated[int, typer.Option(help="Threads that train, beside one process that spins.")] = 1,
) -> None:
    """Train the two-sided model (about 80 minutes for 60 million tokens; needs torch). A stopped run goes on."""
    try:
        import torch

        from restore.learning import twosided
    except ImportError as error:
        raise typer.BadParameter(f"training needs PyTorch: pip install torch ({error})") from None
    from restore.lexicon import load

    torch.set_num_threads(threads)
    common, _ = read_corpora(corpora, without, jobs)
    words = twosided.vocabulary(common, load([family]))
    sources = twosided.Sources(corpora, pairs, without, seed)
    checkpoint = output.with_name(output.name + ".checkpoint")
    net = twosided.train(family, words, sources, tokens * 1_000_000, checkpoint, typer.echo)
    twosided.export(net, words, output)
    typer.echo(f"{output}: {len(words):,} words, {output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    app()
