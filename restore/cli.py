"""The command line: clean, detect, explain, lexicon.

Exit codes: 0 done, 1 something spun was found (detect) or unsound (lexicon
check), 2 usage or input error. Imports are late, so that help is instant.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from restore.restoration import Restoration
    from restore.restorer import Restorer

app = typer.Typer(
    help="Put back what a text spinner replaced; leave clean text alone.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
lexicon_app = typer.Typer(help="Look into lexicons, and check your own.", no_args_is_help=True)
app.add_typer(lexicon_app, name="lexicon")


class Format(StrEnum):
    """What to print."""

    text = "text"
    json = "json"


Paths = Annotated[list[str] | None, typer.Argument(metavar="[PATH]...", help="Files; none or - for standard input.")]
FormatOption = Annotated[Format, typer.Option("--format", help="text, or json: one object a line, a document each.")]
Families = Annotated[list[str] | None, typer.Option("--family", help="A built-in family (several allowed).")]
Lexicons = Annotated[list[Path] | None, typer.Option("--lexicon", help="Your own lexicon, a folder or .tsv file.")]
Allow = Annotated[
    list[str] | None,
    typer.Option("--allow", help="Words to leave alone, separated by commas, or a file with one on each line."),
]
Threshold = Annotated[float, typer.Option(help="Least confidence of an edit, 0 to 1.")]
Encoding = Annotated[str, typer.Option(help="Encoding of the files.")]
Spun = Annotated[bool, typer.Option("--assume-spun", help="Do not ask whether a text was spun; treat all of it so.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes.")]


@app.command()
def clean(
    paths: Paths = None,
    write: Annotated[bool, typer.Option("--write", "-w", help="Write the files in place, each in one step.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File, or folder for several.")] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show changed lines, word by word, instead.")] = False,
    format: FormatOption = Format.text,
    threshold: Threshold = 0.5,
    family: Families = None,
    lexicon: Lexicons = None,
    allow: Allow = None,
    encoding: Encoding = "utf-8",
    assume_spun: Spun = False,
    jobs: Jobs = 1,
) -> None:
    """Restore documents: one to standard output, several with -w, -o FOLDER, --diff or --format json.

    Examples: restore clean page.txt | restore clean --diff page.txt | restore clean -w pages/*.txt -j 2
    """
    names = paths or ["-"]
    if write + (output is not None) + diff + (format is Format.json) > 1 and not (output and format is Format.json):
        _fail("--write, --output, --diff and --format json exclude each other; choose one")
    if write and "-" in names:
        _fail("--write needs files; standard input goes to standard output")
    if len(names) > 1 and not (write or output or diff or format is Format.json):
        _fail("several files: say where they go with --write, --output FOLDER, --diff or --format json")
    restorer = _restorer(threshold, family, lexicon, allow, assume_spun)
    failed = False
    documents = _Reader(names, encoding)
    if len(names) == 1 and not write and not diff and format is Format.text:
        _clean_one(restorer, documents, output, encoding)
    for n, result in enumerate(restorer.stream(documents, workers=jobs)):
        try:
            _deliver(documents.read[n], result, names, write, output, diff, format, encoding)
        except _errors() as error:
            _complain(error)
            failed = True
    raise typer.Exit(2 if failed or documents.failed else 0)


@app.command()
def detect(
    paths: Paths = None,
    format: FormatOption = Format.text,
    family: Families = None,
    lexicon: Lexicons = None,
    encoding: Encoding = "utf-8",
) -> None:
    """Say of each document whether it was spun. Exit code 0: none was; 1: some were; 2: an error."""
    restorer = _restorer(0.5, family, lexicon, None, False)
    documents = _Reader(paths or ["-"], encoding)
    found = False
    for text in documents:
        name = documents.read[-1]
        verdict = restorer.detect(text)
        found |= verdict.spun
        if format is Format.json:
            record = {
                "source": None if name == "-" else name,
                "verdict": {
                    "spun": verdict.spun,
                    "probability": round(verdict.probability, 4),
                    "rate": round(verdict.rate, 4),
                    "family": verdict.family,
                },
            }
            _print(json.dumps(record, ensure_ascii=False))
        else:
            state = "spun" if verdict.spun else "clean"
            _print(f"{name}\t{state}\t{verdict.probability:.3f}\t{verdict.rate:.2f}\t{verdict.family or '-'}")
    raise typer.Exit(2 if documents.failed else int(found))


@app.command()
def explain(
    path: Annotated[str, typer.Argument(help="A file; none or - for standard input.")] = "-",
    format: FormatOption = Format.text,
    threshold: Threshold = 0.5,
    family: Families = None,
    lexicon: Lexicons = None,
    allow: Allow = None,
    encoding: Encoding = "utf-8",
    assume_spun: Spun = False,
) -> None:
    """Show each edit of a document with its probability, alternatives and evidence."""
    restorer = _restorer(threshold, family, lexicon, allow, assume_spun)
    documents = _Reader([path], encoding)
    for text in documents:
        result = restorer.restore(text, None if path == "-" else path)
        if format is Format.json:
            _print(json.dumps(result.to_dict(), ensure_ascii=False))
        else:
            from restore.report import explanation

            _print(explanation(result, text, color=_terminal()))
    raise typer.Exit(2 if documents.failed else 0)


@lexicon_app.command("list")
def lexicon_list() -> None:
    """The built-in families, with their numbers of entries."""
    from restore import lexicon as lexicons

    for name in lexicons.available():
        folder = lexicons.root() / name
        entries = list(lexicons.read(folder, name))
        about = lexicons.manifest(folder).get("title", "")
        _print(f"{name}\t{len(entries):,} entries\t{len({e.found for e in entries}):,} phrases\t{about}")


@lexicon_app.command("show")
def lexicon_show(
    phrase: Annotated[str, typer.Argument(help="A phrase as found, or an original.")],
    lexicon: Lexicons = None,
) -> None:
    """Where a phrase is listed: what it stands for (<-) and what becomes of it (->), the share as listed and as used
    once all lexicons are taken together, family, and file:line."""
    from restore import lexicon as lexicons

    key = lexicons.phrase_key(phrase)
    sources = [(name, lexicons.root() / name) for name in lexicons.available()]
    try:
        sources += [(lexicons.family_of(path), path) for path in lexicon or []]
        entries = [e for name, path in sources for e in lexicons.read(path, name) if key in (e.found, e.original)]
        at_work = lexicons.load([name for name, _ in sources[: len(sources) - len(lexicon or [])]], lexicon or [])
    except lexicons.LexiconError as error:
        _fail(str(error))
    for e in entries:
        arrow, other = ("<-", e.original) if key == e.found else ("->", e.found)
        used = [o for o in at_work.options.get(e.found, ()) if (o.original, o.source) == (e.original, e.source)]
        state = f"{used[0].rate:.3f}" if used else "not used: a later lexicon lists this phrase"
        _print(f"{key} {arrow} {other}\t{e.rate:.3f}\t{state}\t{e.family}\t{e.source}")
    if not entries:
        _print(f"'{phrase}' is in no lexicon")


@lexicon_app.command("check")
def lexicon_check(
    path: Annotated[Path | None, typer.Argument(help="A lexicon; without one, all built-in ones.")] = None,
) -> None:
    """Prove a lexicon's data sound, or list what is not. Exit code 1: something is not."""
    from restore import lexicon as lexicons

    problems: list[str] = []
    for folder in [path] if path else [lexicons.root() / name for name in lexicons.available()]:
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
    pairs: Annotated[Path, typer.Argument(help="JSON lines (.gz and .xz too), or the folder of the originals.")],
    spun: Annotated[Path | None, typer.Argument(help="The folder of the spun texts, files named alike.")] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write the lexicon to.")] = Path("learned"),
    original_field: Annotated[str, typer.Option("--original", help="JSON field of the original.")] = "original",
    spun_field: Annotated[str, typer.Option("--spun", help="JSON field of the spun text.")] = "spun",
    least: Annotated[int, typer.Option(min=1, help="Places at which a pair must be seen.")] = 1,
    encoding: Encoding = "utf-8",
) -> None:
    """Learn a lexicon from your own originals and their spun copies, and say what was learned.

    Examples: restore lexicon learn pairs.jsonl -o mine | restore lexicon learn originals/ spun/ -o mine
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
    paths: Annotated[list[Path], typer.Argument(metavar="DOCS...", help="Text files, or folders of them.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write; else standard output.")] = None,
    family: Families = None,
    lexicon: Lexicons = None,
    limit: Annotated[int, typer.Option(min=1, help="Phrases to suggest, at most.")] = 200,
    encoding: Encoding = "utf-8",
    assume_spun: Spun = False,
) -> None:
    """List phrases of spun documents that no lexicon explains, with likely originals, as lexicon lines to review.

    Example: restore lexicon suggest pages/ -o new.tsv
    """
    from restore.documents import DocumentError, write
    from restore.learning import suggest

    restorer = _restorer(0.5, family, lexicon, None, assume_spun)
    documents = _Reader(list(_files(paths)), encoding)
    made = suggest.suggest(documents, restorer, limit)
    if not made:
        _complain("nothing to suggest: it takes phrases that recur in at least two documents that are judged spun")
    if output:
        try:
            write(output, suggest.lines(made))
        except DocumentError as error:
            _fail(str(error))
        _print(f"{len(made)} phrases to review in {output}")
    else:
        for line in suggest.lines(made):
            _print(line, end="")
    raise typer.Exit(2 if documents.failed else 0)


def _files(paths: Iterable[Path]) -> Iterator[str]:
    """The files named, and all below the folders named, in order."""
    for path in paths:
        if path.is_dir():
            yield from (str(p) for p in sorted(path.rglob("*")) if p.is_file() and not p.name.startswith("."))
        else:
            yield str(path)


def _version(value: bool) -> None:
    if value:
        from restore import __version__

        _print(f"restore {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which one.")
    ] = False,
) -> None:
    """Put back what a text spinner replaced; leave clean text alone."""


class _Reader:
    """Texts of the named documents, in order; unreadable ones are reported and passed over."""

    def __init__(self, names: Iterable[str], encoding: str):
        self.names = names
        self.encoding = encoding
        self.read: list[str] = []  # names of those read so far
        self.failed = False

    def __iter__(self) -> Iterator[str]:
        from restore.documents import DocumentError, read

        for name in self.names:
            try:
                text = read(name, self.encoding)
            except DocumentError as error:
                _complain(error)
                self.failed = True
                continue
            self.read.append(name)
            yield text


def _clean_one(restorer: Restorer, texts: _Reader, output: Path | None, encoding: str) -> NoReturn:
    """One document to one place, stretch by stretch, however long it is."""
    from restore import documents

    for text in texts:
        name = texts.read[-1]
        parts = (piece.text for piece in restorer.pieces(text))
        try:
            if output:
                documents.write(_target(output, name), parts, encoding)
                continue
            for part in parts:
                sys.stdout.buffer.write(documents.encode(part, encoding, name))
            sys.stdout.buffer.flush()
        except documents.DocumentError as error:
            _fail(str(error))
    raise typer.Exit(2 if texts.failed else 0)


def _target(output: Path, name: str) -> Path:
    """The file that a document goes to: `output`, or one of its own name in that folder."""
    if not output.is_dir():
        return output
    return output / (Path(name).name if name != "-" else "restored.txt")


def _deliver(
    name: str,
    result: Restoration,
    names: list[str],
    write: bool,
    output: Path | None,
    diff: bool,
    format: Format,
    encoding: str,
) -> None:
    """Put one result where it belongs."""
    from dataclasses import replace

    from restore import documents, report

    result = replace(result, source=None if name == "-" else name)
    body = json.dumps(result.to_dict(), ensure_ascii=False) + "\n" if format is Format.json else result.text
    if diff:
        _print(report.word_diff(result, name, color=_terminal()), end="")
    elif write:
        if result.edits:
            documents.write(Path(name), [result.text], encoding)
    elif output:
        if len(names) > 1:
            output.mkdir(parents=True, exist_ok=True)
        documents.write(_target(output, name), [body], encoding if format is Format.text else "utf-8")
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(documents.encode(body, encoding if format is Format.text else "utf-8", name))
        sys.stdout.buffer.flush()


def _restorer(
    threshold: float,
    family: list[str] | None,
    lexicon: list[Path] | None,
    allow: list[str] | None,
    assume_spun: bool,
) -> Restorer:
    """The engine as the options ask for it; a usage error ends the program."""
    from restore.lexicon import LexiconError
    from restore.restorer import Restorer

    try:
        return Restorer(family or None, lexicon or (), threshold, list(_allowed(allow or [])), assume_spun)
    except (LexiconError, ValueError) as error:
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
        else:
            yield from value.split(",")


def _errors() -> tuple[type[Exception], ...]:
    from restore.documents import DocumentError

    return (DocumentError, OSError)


def _terminal() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def _print(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)


def _complain(error: object) -> None:
    print(f"restore: {error}", file=sys.stderr)


def _fail(message: str) -> NoReturn:
    _complain(message)
    raise typer.Exit(2)


def run() -> Any:
    """Entry point: a closed pipe or Ctrl-C ends quietly."""
    gc.set_threshold(100_000)  # loading makes many small objects and no garbage
    try:
        return app()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(run())
