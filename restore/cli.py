"""The command line: clean, detect, explain, lexicon, config.

Exit codes: 0 done, 1 something spun was found (detect) or unsound (lexicon
check), 2 usage or input error, one record that could not be restored included;
130 stopped by Ctrl-C. Imports are late, so that help is instant.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from errno import ENOSPC
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, TextIO

import typer
from typer.core import TyperGroup

from restore import options as opt
from restore.options import Format, Html

if TYPE_CHECKING:
    from restore.pipeline import Plan
    from restore.reports import HtmlReport
    from restore.restoration import Restoration, Verdict
    from restore.restorer import Restorer
    from restore.settings import Settings
    from restore.targets import Source


class _Piped(TyperGroup):
    """Commands whose reader may go away: they end quietly then. Typer itself would end with 1, which means found, then
    and at an EOFError."""

    def invoke(self, ctx: Any) -> Any:
        try:
            try:
                result = super().invoke(ctx)
            except typer.Exit as ended:
                if ended.exit_code != 2:  # else what is the matter was told
                    sys.stdout.flush()
                raise
            sys.stdout.flush()
            return result
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except EOFError as error:
            _unforeseen(error)
            raise typer.Exit(2) from None


app = typer.Typer(
    cls=_Piped,
    help="Put back what a text spinner replaced; leave clean text alone.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Settings: restore.toml, or \\[tool.restore] in pyproject.toml, found upward; `restore config` shows them. "
    "Exit codes: 0 done, 1 found (detect), 2 an error.",
)
EXCLUSIVE: Final = "--write, --output, --diff and --format json exclude each other; choose one"
lexicon_app = typer.Typer(help="Inspect, check, learn and suggest lexicons.", no_args_is_help=True)
app.add_typer(lexicon_app, name="lexicon")


@app.command()
def clean(
    context: typer.Context,
    paths: opt.Paths = None,
    from_kind: opt.From = None,
    field: opt.Fields = None,
    glob: opt.Glob = "",
    html: opt.HtmlOption = Html.keep,
    encoding: opt.Encoding = "utf-8",
    fix_encoding: opt.FixEncoding = False,
    write: opt.Write = False,
    output: opt.OutputOption = None,
    to: opt.To = None,
    diff: opt.Diff = False,
    format: opt.FormatOption = Format.text,
    report: opt.Report = None,
    keep_original: opt.KeepOriginal = False,
    annotate: opt.Annotate = False,
    backup: opt.Backup = False,
    backup_suffix: opt.BackupSuffix = ".bak",
    threshold: opt.Threshold = opt.THRESHOLD,
    family: opt.Families = None,
    lexicon: opt.Lexicons = None,
    allow: opt.Allow = None,
    assume_spun: opt.Spun = False,
    neural: opt.Neural = False,
    strip_invisible: opt.Strip = False,
    jobs: opt.Jobs = 1,
    resume: opt.Resume = False,
    rejects: opt.Rejects = None,
    fail_fast: opt.FailFast = False,
    quiet: opt.Quiet = False,
) -> None:
    """Restore documents: one to standard output, several with -w, -o FOLDER, --diff or --format json.

    Text, HTML, JSON lines, CSV, Parquet, Arrow and WARC; .gz, .zst, .xz and .bz2 are read and written as they are.

    [bold]Examples[/bold]

    restore clean page.txt                                   one text to standard output

    restore clean --diff page.html                           what would change

    restore clean -w site/ --glob '*.html' -j 4 --backup     a folder of pages, in place

    restore clean dump.jsonl.gz --field title --field body -o clean.jsonl.gz -j 4 --rejects bad.jsonl

    restore clean ... --resume                               the same again, after a stop or a crash

    restore clean table.parquet --field article.text --annotate -o clean.parquet

    curl -s URL | restore clean --from html --html extract   the article's text, restored
    """
    names = paths or ["-"]
    _refuse(write and output is not None, EXCLUSIVE)
    output = None if output == "-" else output
    as_json, extract = format is Format.json, html is Html.extract
    shown, placed = diff or as_json, write or output is not None
    several = len(names) > 1 or os.path.isdir(names[0])
    asked = write + (output is not None) + diff + as_json
    _refuse(asked > 1 and not (asked == 2 and output and as_json), EXCLUSIVE)
    if write:
        _refuse("-" in names, "--write needs files; standard input goes to standard output")
        turned = to is not None or extract
        _refuse(turned, "--write keeps the kind of a file; with --to and --html extract say --output")
    if shown:
        for name, given in (("to", to), ("keep-original", keep_original), ("annotate", annotate)):
            _refuse(given, f"--diff and --format json write results, not documents; leave them out, or --{name}")
    _refuse(resume and not placed, "--resume needs files to go on with; say --write or --output")
    if backup:
        _refuse(not placed, "--backup keeps what is replaced; say --write or --output")
        sound = backup_suffix and not {"/", os.sep} & set(backup_suffix)
        _refuse(not sound, f"--backup-suffix '{backup_suffix}': give a suffix without a slash, such as .bak")
    ways = "--write, --output FOLDER, --diff, --format json or --report"
    _refuse(several and not (placed or shown or report), f"several files: say where they go with {ways}")

    from restore import documents, pipeline, targets

    try:
        kind, to_kind = from_kind.value if from_kind else "", to.value if to else ""
        becomes = partial(targets.turned, kind=kind, to=to_kind, extract=extract)
        sources = targets.planned(names, glob, output, write, becomes)
        if not as_json:
            _check_kinds(sources, becomes, kind)
        taken = _consulted(lexicon, allow, context.obj)
        if output is not None and taken:
            for source in sources:
                _check_apart(source.target, "output", taken)
        if report or rejects:
            taken |= _places({path for source in sources for path in (source.name, source.target)}, "a document")
        targets.make_room(sources, output, (report, rejects))
        _check_beside(rejects, "rejects", taken)
        page = _page(report, taken | _places([rejects], "the rejects"))
        plan = pipeline.Plan(
            sources,
            _restorer(threshold, family, lexicon, allow, assume_spun, neural),
            documents.Options(
                tuple(field or ()), html.value, encoding, fix_encoding, keep_original, annotate, whole=shown or bool(to)
            ),
            kind=kind,
            to=to_kind,
            jobs=jobs,
            strip=strip_invisible,
            resume=resume,
            fail_fast=fail_fast,
            quiet=quiet,
            backup=backup_suffix if backup else "",
            rejects=rejects,
            journal=targets.journal_path(sources, names, output),
            show=_diff if diff else _json if as_json else _nothing if several and not placed else None,
            observe=page.add if page else None,
        )
    except documents.DocumentError as error:
        _fail(str(error))
    tally = _run(plan, page)
    raise typer.Exit(2 if tally.failed or tally.rejected else 0)


@app.command()
def detect(
    paths: opt.Paths = None,
    from_kind: opt.From = None,
    field: opt.Fields = None,
    glob: opt.Glob = "",
    html: opt.HtmlOption = Html.keep,
    encoding: opt.Encoding = "utf-8",
    fix_encoding: opt.FixEncoding = False,
    format: opt.FormatOption = Format.text,
    family: opt.Families = None,
    lexicon: opt.Lexicons = None,
    jobs: opt.Jobs = 1,
    fail_fast: opt.FailFast = False,
    quiet: opt.Quiet = False,
) -> None:
    """Say of each document whether it was spun. Exit code 0: none was; 1: some were; 2: an error.

    A line each: name, spun or clean, probability, share of words in the spinner's phrases, family.

    [bold]Examples[/bold]

    restore detect *.txt

    restore detect site/ --glob '*.html' --format json

    restore detect dump.jsonl.zst --field body -j 4 | awk -F'\\t' '$2 == "spun"'
    """
    from restore import documents, pipeline, targets

    try:
        plan = pipeline.Plan(
            targets.planned(paths or ["-"], glob, None, False),
            _restorer(0.5, family, lexicon, None, False),
            documents.Options(tuple(field or ()), html.value, encoding, fix_encoding, whole=True),
            kind=from_kind.value if from_kind else "",
            jobs=jobs,
            fail_fast=fail_fast,
            quiet=quiet,
            judge=_judged_json if format is Format.json else _judged,
        )
    except documents.DocumentError as error:
        _fail(str(error))
    tally = _run(plan)
    raise typer.Exit(2 if tally.failed or tally.rejected else int(tally.spun > 0))


@app.command()
def explain(
    context: typer.Context,
    path: Annotated[str, typer.Argument(help="A file; none or - for standard input.")] = "-",
    from_kind: opt.From = None,
    field: opt.Fields = None,
    html: opt.HtmlOption = Html.keep,
    encoding: opt.Encoding = "utf-8",
    fix_encoding: opt.FixEncoding = False,
    format: opt.FormatOption = Format.text,
    report: opt.Report = None,
    threshold: opt.Threshold = opt.THRESHOLD,
    family: opt.Families = None,
    lexicon: opt.Lexicons = None,
    allow: opt.Allow = None,
    assume_spun: opt.Spun = False,
    neural: opt.Neural = False,
    strip_invisible: opt.Strip = False,
) -> None:
    """Show each edit of a document with its probability, alternatives and evidence.

    [bold]Example[/bold]: restore explain page.html
    """
    from restore import documents, pipeline, targets
    from restore.reports import explanation

    def table(name: str, result: Restoration) -> str:
        heading = f"{name}\n" if name != path else ""  # one of several records
        return heading + explanation(result, result.undo(), color=_terminal()) + "\n"

    try:
        options = documents.Options(tuple(field or ()), html.value, encoding, fix_encoding, whole=True)
    except documents.DocumentError as error:
        _fail(str(error))
    page = _page(report, _consulted(lexicon, allow, context.obj) | _places([path], "a document"))
    plan = pipeline.Plan(
        [targets.Source(path, None)],
        _restorer(threshold, family, lexicon, allow, assume_spun, neural),
        options,
        kind=from_kind.value if from_kind else "",
        strip=strip_invisible,
        quiet=True,
        show=_json if format is Format.json else table,
        observe=page.add if page else None,
    )
    tally = _run(plan, page)
    raise typer.Exit(2 if tally.failed or tally.rejected else 0)


@app.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
def config(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND] [OPTION]...", help="A command line to show; without a command, of clean."),
    ] = None,
) -> None:
    """Print the settings in force, as TOML, and where each comes from: command line, file or default.

    [bold]Examples[/bold]

    restore config

    restore config detect --family autoblog
    """
    group: Any = context.parent.command if context.parent else None
    rest = list(arguments or [])
    name = rest.pop(0) if rest and rest[0] in group.commands else "clean"
    command = group.commands[name]
    settings = context.obj
    from restore.settings import in_force

    with command.make_context(name, rest, parent=context.parent) as parsed:
        for option, value, where in in_force(command, parsed, settings.path):
            _print(f"{option} = {value}  # {where}" if value else f"# {option}: not set")


@lexicon_app.command("list")
def lexicon_list() -> None:
    """The built-in families, with their numbers of entries."""
    from restore import lexicon as lexicons
    from restore.shipped import root

    for name in lexicons.available():
        folder = root() / name
        entries = list(lexicons.read(folder, name))
        about = lexicons.manifest(folder).get("title", "")
        _print(f"{name}\t{len(entries):,} entries\t{len({e.found for e in entries}):,} phrases\t{about}")


@lexicon_app.command("show")
def lexicon_show(
    phrase: Annotated[str, typer.Argument(help="A phrase as found, or an original.")],
    lexicon: opt.Lexicons = None,
) -> None:
    """Where a phrase is listed: what it stands for (<-) and what becomes of it (->), the share as listed and as used
    once all lexicons are taken together, family, and file:line."""
    from restore import lexicon as lexicons
    from restore.shipped import root

    key = lexicons.phrase_key(phrase)
    sources = [(name, root() / name) for name in lexicons.available()]
    try:
        sources += [(lexicons.family_of(path), path) for path in lexicon or []]
        entries = [e for name, path in sources for e in lexicons.read(path, name) if key in (e.found, e.original)]
        at_work = lexicons.at_work(lexicon or [])
    except lexicons.LexiconError as error:
        _fail(str(error))
    for e in entries:
        arrow, other = ("<-", e.original) if key == e.found else ("->", e.found)
        options = (o for part in at_work for o in part.options.get(e.found, ()))
        used = [o for o in options if (o.original, o.source) == (e.original, e.source)]
        state = f"{used[0].rate:.3f}" if used else "not used: a later lexicon lists this phrase"
        condition = f"\t{e.condition}" if e.condition else ""
        _print(f"{key} {arrow} {other}\t{e.rate:.3f}\t{state}\t{e.family}\t{e.source}{condition}")
    if not entries:
        _print(f"'{phrase}' is in no lexicon")


@lexicon_app.command("check")
def lexicon_check(
    path: Annotated[Path | None, typer.Argument(help="A lexicon; without one, all built-in ones.")] = None,
) -> None:
    """Check a lexicon and list its problems. Exit code 1: there are some."""
    from restore import lexicon as lexicons
    from restore.shipped import root

    problems: list[str] = []
    for folder in [path] if path else [root() / name for name in lexicons.available()]:
        if not folder.exists():
            _fail(f"{folder}: no such lexicon; give a folder of .tsv files or one such file")
        problems += lexicons.check(folder)
    for problem in problems:
        _print(problem)
    if not problems:
        _print("sound")
    raise typer.Exit(int(bool(problems)))


@lexicon_app.command("learn")
def lexicon_learn(
    pairs: Annotated[
        Path, typer.Argument(help="JSON lines (.gz, .bz2, .xz and .zst too), or the folder of the originals.")
    ],
    spun: Annotated[Path | None, typer.Argument(help="The folder of the spun texts, files named alike.")] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write the lexicon to.")] = Path("learned"),
    original_field: Annotated[str, typer.Option("--original", help="JSON field of the original.")] = "original",
    spun_field: Annotated[str, typer.Option("--spun", help="JSON field of the spun text.")] = "spun",
    least: Annotated[int, typer.Option(min=1, help="Places at which a pair must be seen.")] = 1,
    encoding: opt.Encoding = "utf-8",
) -> None:
    """Learn a lexicon from your own originals and their spun copies, and say what was learned.

    [bold]Examples[/bold]

    restore lexicon learn pairs.jsonl -o mine

    restore lexicon learn originals/ spun/ -o mine
    """
    from restore.documents import DocumentError
    from restore.learning import phrases

    if output.is_file():
        _fail(f"{output}: a file; name the folder that the lexicon goes to")
    if spun is None and pairs.is_dir():
        _fail(f"{pairs}: a folder; name the folder of the spun texts after it, or give a JSON lines file")
    try:
        if spun is None:
            source = phrases.read_pairs(pairs, original_field, spun_field)
        else:
            names, alone = phrases.read_folders(pairs, spun)
            source = phrases.folder_pairs(pairs, spun, names, encoding)
            if alone:
                _complain(f"{len(alone)} file(s) in one folder alone, left out: {', '.join(map(str, alone[:3]))}")
        learned = phrases.learn(source, least)
        if not learned.entries:
            _fail(
                f"{pairs}: nothing learned from {learned.texts} pair(s); does each hold an original and its spun copy?"
            )
        phrases.write_lexicon(learned, output, [p.name for p in (pairs, spun) if p])
    except (phrases.PairsError, DocumentError, OSError) as error:
        _fail(str(error))
    _print(phrases.described(learned))
    _print(f"written to {output}; what is doubtful stands in {output / phrases.DOUBTFUL}")


@lexicon_app.command("suggest")
def lexicon_suggest(
    paths: Annotated[list[str], typer.Argument(metavar="DOCS...", help="Files or folders; - for standard input.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write; else standard output.")] = None,
    field: opt.Fields = None,
    glob: opt.Glob = "",
    family: opt.Families = None,
    lexicon: opt.Lexicons = None,
    limit: Annotated[int, typer.Option(min=1, help="Phrases to suggest, at most.")] = 200,
    encoding: opt.Encoding = "utf-8",
    assume_spun: opt.Spun = False,
) -> None:
    """List phrases of spun documents that no lexicon explains, with likely originals, as lexicon lines to review.

    [bold]Example[/bold]: restore lexicon suggest pages/ -o new.tsv
    """
    from restore.documents import DocumentError
    from restore.documents.streams import check_place
    from restore.learning import suggest, texts
    from restore.targets import found

    output = None if str(output) == "-" else output
    failed = False

    def documents() -> Iterator[str]:
        nonlocal failed
        for name in names:
            try:
                yield from texts.texts_of(name, encoding, tuple(field or ()))
            except DocumentError as error:
                _complain(error)
                failed = True

    try:
        names = [name for name, _ in found(paths, glob)]
        if output:
            _check_apart(output, "output", _consulted(lexicon) | _places(names, "a document"))
            check_place(output, "new.tsv")
        made = suggest.suggest(documents(), _restorer(0.5, family, lexicon, None, assume_spun), limit)
        if output and made:
            texts.write_lines(output, suggest.lines(made))
    except DocumentError as error:
        _fail(str(error))
    if not made:
        _complain("nothing to suggest: it takes phrases that recur in at least two documents that are judged spun")
    elif output:
        _print(f"{len(made)} phrases to review in {output}")
    else:
        _print("".join(suggest.lines(made)), end="")
    raise typer.Exit(2 if failed else 0)


def _version(value: bool) -> None:
    if value:
        from restore import __version__
        from restore.shipped import versions

        _print(f"restore {__version__}")
        for name, version in versions():
            _print(f"{name} {version}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    settings_file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings, instead of those found upward.")
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Say which one, and which lexicons and models."
        ),
    ] = False,
) -> None:
    """Put back what a text spinner replaced; leave clean text alone."""
    if "--help" in sys.argv or context.invoked_subcommand == "lexicon":  # these must not mind broken settings
        return
    from restore import settings

    try:
        context.obj = settings.named(settings_file) if settings_file else settings.find(Path.cwd())
        commands: Any = context.command
        named = {name: c for name, c in commands.commands.items() if name in ("clean", "detect", "explain")}
        context.default_map = settings.defaults(context.obj, named, context)
    except settings.SettingsError as error:
        _fail(str(error))


def _run(plan: Plan, page: HtmlReport | None = None) -> Any:
    """Carry out a plan and finish the page beside it; what ends it early ends the program."""
    from restore import pipeline
    from restore.batch import WorkerError
    from restore.documents import DocumentError
    from restore.neural import NeuralError
    from restore.vectors import ModelError

    try:
        tally = pipeline.run(plan)
        if page:
            page.close()
        return tally
    except (DocumentError, ModelError, NeuralError, WorkerError) as error:
        _fail(str(error))


def _json(name: str, result: Restoration) -> str:
    record = result.to_dict() | {"source": None if name == "-" else name}
    return json.dumps(record, ensure_ascii=False) + "\n"


def _judged(name: str, verdict: Verdict) -> None:
    state = "spun" if verdict.spun else "clean"
    _print(f"{name}\t{state}\t{verdict.probability:.3f}\t{verdict.rate:.2f}\t{verdict.family or '-'}")


def _judged_json(name: str, verdict: Verdict) -> None:
    told = {
        "spun": verdict.spun,
        "probability": round(verdict.probability, 4),
        "rate": round(verdict.rate, 4),
        "family": verdict.family,
    }
    _print(json.dumps({"source": None if name == "-" else name, "verdict": told}, ensure_ascii=False))


def _nothing(name: str, result: Restoration) -> str:
    return ""


def _diff(name: str, result: Restoration) -> str:
    from restore.reports import word_diff

    return word_diff(result, name, color=_terminal())


def _page(report: Path | None, taken: dict[str, str]) -> HtmlReport | None:
    """The page asked for, if any; it may not stand in the place of another file."""
    if report is None:
        return None
    from restore.documents import DocumentError
    from restore.reports import HtmlReport

    try:
        _check_beside(report, "report", taken)
        return HtmlReport(report)
    except DocumentError as error:
        _fail(str(error))


def _places(names: Iterable[str | Path | None], what: str) -> dict[str, str]:
    """Where files stand, and what they are."""
    return {os.path.realpath(name): what for name in names if name is not None and str(name) != "-"}


def _consulted(
    lexicon: list[Path] | None, allow: list[str] | None = None, settings: Settings | None = None
) -> dict[str, str]:
    """Where the files stand that say how to restore."""
    from restore.lexicon import source_files

    lists = [value for value in allow or [] if os.path.isfile(value)]
    found = _places(source_files([], lexicon or []), "a lexicon") | _places(lists, "an allow-list")
    return found | _places([settings.path if settings else None], "the settings")


def _check_beside(path: Path | None, what: str, taken: dict[str, str]) -> None:
    """A file that is written beside the documents needs a name, and a place of its own that can be written to. Raises
    DocumentError."""
    if path is None:
        return
    from restore.documents.streams import check_place

    if str(path) == "-":
        _fail(f"--{what} - names no file; standard output is for the documents")
    _check_apart(path, what, taken)
    check_place(path, "report.html" if what == "report" else f"{what}.jsonl")


def _check_apart(path: Path | None, what: str, taken: dict[str, str]) -> None:
    """Nothing may be written in the place of another file that is in use."""
    replaced = taken.get(os.path.realpath(path)) if path else None
    _refuse(replaced, f"{path}: the {what} would replace {replaced}; give it a name of its own")


def _restorer(
    threshold: float,
    family: list[str] | None,
    lexicon: list[Path] | None,
    allow: list[str] | None,
    assume_spun: bool,
    neural: bool = False,
) -> Restorer:
    """The engine as the options ask for it; a usage error ends the program."""
    from restore.lexicon import LexiconError
    from restore.neural import NeuralError
    from restore.restorer import Restorer

    try:
        return Restorer(family or None, lexicon or (), threshold, list(_allowed(allow or [])), assume_spun, neural)
    except (LexiconError, NeuralError, ValueError) as error:
        _fail(str(error))


def _allowed(values: Iterable[str]) -> Iterator[str]:
    """Words given on the command line, and the lines of files named there (`#` begins a comment)."""
    for value in values:
        if os.path.isfile(value):
            try:
                lines = Path(value).read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                _fail(f"{value}: cannot be read as an allow-list ({error}); give UTF-8 text, a phrase on each line")
            yield from (line.partition("#")[0].strip() for line in lines)
        elif value.endswith(".txt"):
            _fail(f"{value}: no such file; name a list of phrases, or give the phrases themselves")
        else:
            yield from value.split(",")


def _check_kinds(sources: Iterable[Source], becomes: Callable[[str], str], kind: str) -> None:
    """Targets are named as what they will hold."""
    from restore.documents import kind_of
    from restore.targets import tabbed

    for source in sources:
        named = kind_of(str(source.target)) if source.target else ""
        holds = becomes(source.name) or kind or kind_of(source.name)
        misnamed = named and holds and named != holds
        _refuse(misnamed, f"{source.target}: would hold {holds}; turn it with --to, or give it another name")
        commas = tabbed(str(source.target), becomes(source.name))
        _refuse(commas, f"{source.target}: --to csv writes commas, not tabs; give it a name that ends with .csv")


def _terminal() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def _print(text: str, end: str = "\n") -> None:
    try:
        sys.stdout.write(text + end)
    except BrokenPipeError:
        raise
    except OSError as error:
        _let_go(sys.stdout)
        _fail(_lost(error))


def _complain(error: object) -> None:
    with suppress(OSError):  # nor does standard error always take something
        print(f"restore: {error}", file=sys.stderr)


def _refuse(misuse: object, message: str) -> None:
    if misuse:
        _fail(message)


def _fail(message: str) -> NoReturn:
    _complain(message)
    raise typer.Exit(2)


def _unforeseen(error: Exception) -> None:
    what = " ".join(f"{type(error).__name__}: {error}".split())  # on one line
    _complain(f"internal error ({what}); please report it")


def run() -> Any:
    """Entry point: a closed pipe or Ctrl-C ends quietly, what nobody foresaw with a message."""
    gc.set_threshold(100_000)  # loading makes many small objects and no garbage
    _open_missing()
    if sys.stdout.errors == "strict":  # names of files may hold what the terminal's encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        return app()
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        lost = _let_go(sys.stdout) or (error if getattr(error, "errno", 0) == ENOSPC else None)
        if isinstance(lost, OSError):
            _complain(_lost(lost))
        else:
            _unforeseen(error)
        return 2
    finally:
        _let_go(sys.stdout)
        _let_go(sys.stderr)


def _open_missing() -> None:
    """Standard streams that were closed (`>&-`) lead nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _let_go(stream: TextIO) -> OSError | None:
    """Leave a stream nothing that it cannot take, else the interpreter complains of it at its end; what was the matter,
    if anything."""
    try:
        stream.flush()
        return None
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error


def _lost(error: OSError) -> str:
    from restore.documents.streams import unwritable

    return str(unwritable("standard output", error))


if __name__ == "__main__":
    sys.exit(run())
