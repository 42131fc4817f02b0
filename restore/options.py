"""The options of the command line: their names, help and grouping."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

_READ, _WRITE, _ENGINE, _RUN = "What is read", "What is written", "How it is restored", "How it is run"


def _families() -> list[str]:
    """Names that a shell may complete `--family` with."""
    from restore.lexicon import available

    return available()


class Format(StrEnum):
    """What to print."""

    text = "text"
    json = "json"


class Html(StrEnum):
    """What to do with pages."""

    keep = "keep"
    extract = "extract"


class Kind(StrEnum):
    """Kinds of documents."""

    text = "text"
    html = "html"
    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"
    arrow = "arrow"
    warc = "warc"


class Target(StrEnum):
    """Kinds that others can be turned into."""

    text = "text"
    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"
    arrow = "arrow"


Paths = Annotated[
    list[str] | None, typer.Argument(metavar="[PATH]...", help="Files or folders; none or - for standard input.")
]
From = Annotated[
    Kind | None,
    typer.Option("--from", help="Kind of the documents; otherwise the suffix tells.", rich_help_panel=_READ),
]
Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        metavar="NAME",
        help="Field or column that holds the text; a.b is b inside a; repeat for several.",
        rich_help_panel=_READ,
    ),
]
Glob = Annotated[
    str,
    typer.Option(
        metavar="PATTERN", help="Which files to take from folders, for instance '*.html'.", rich_help_panel=_READ
    ),
]
HtmlOption = Annotated[
    Html,
    typer.Option(
        "--html", help="keep: only words in text nodes change; extract: the article's text.", rich_help_panel=_READ
    ),
]
Encoding = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="Encoding of the files; auto: detect it where a file declares none.", rich_help_panel=_READ
    ),
]
FixEncoding = Annotated[
    bool, typer.Option("--fix-encoding", help="Repair mojibake (â€™ for ’) first.", rich_help_panel=_READ)
]
Write = Annotated[
    bool, typer.Option("--write", "-w", help="Write the files in place, each in one step.", rich_help_panel=_WRITE)
]
OutputOption = Annotated[
    str | None,
    typer.Option("-o", "--output", help="File, or folder for several; - for standard output.", rich_help_panel=_WRITE),
]
To = Annotated[Target | None, typer.Option("--to", help="Turn records into another kind.", rich_help_panel=_WRITE)]
FormatOption = Annotated[
    Format,
    typer.Option("--format", help="text, or json: one line with one object per document.", rich_help_panel=_WRITE),
]
Diff = Annotated[
    bool, typer.Option("--diff", help="Show changed lines, word by word, instead.", rich_help_panel=_WRITE)
]
Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE.html", help="Also write an HTML report.", rich_help_panel=_WRITE),
]
KeepOriginal = Annotated[
    bool,
    typer.Option("--keep-original", help="Leave fields as they are, add NAME_restored beside.", rich_help_panel=_WRITE),
]
Annotate = Annotated[
    bool, typer.Option("--annotate", help="Add verdict and edits to each record.", rich_help_panel=_WRITE)
]
Backup = Annotated[
    bool,
    typer.Option("--backup", help="Keep each replaced file, with a suffix added to its name.", rich_help_panel=_WRITE),
]
BackupSuffix = Annotated[
    str, typer.Option("--backup-suffix", metavar="SUFFIX", help="The suffix of --backup.", rich_help_panel=_WRITE)
]
Families = Annotated[
    list[str] | None,
    typer.Option(
        "--family",
        help="A built-in family (several allowed).",
        autocompletion=_families,
        rich_help_panel=_ENGINE,
    ),
]
Lexicons = Annotated[
    list[Path] | None,
    typer.Option("--lexicon", help="Your own lexicon, a folder or .tsv file.", rich_help_panel=_ENGINE),
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="WORDS|FILE",
        help="Words to leave alone, separated by commas, or a file with one on each line.",
        rich_help_panel=_ENGINE,
    ),
]
THRESHOLD: Final = 0.6  # as restore.restorer.THRESHOLD, which is not imported for speed
Threshold = Annotated[float, typer.Option(help="Least confidence of an edit, 0 to 1.", rich_help_panel=_ENGINE)]
Neural = Annotated[
    bool,
    typer.Option(
        "--neural",
        help='Let a pretrained language model decide close calls: better, much slower (needs the extra "neural").',
        rich_help_panel=_ENGINE,
    ),
]
Spun = Annotated[
    bool,
    typer.Option("--assume-spun", help="Skip detection and treat every text as spun.", rich_help_panel=_ENGINE),
]
Strip = Annotated[
    bool,
    typer.Option(
        "--strip-invisible",
        help="Remove soft hyphens and zero-width characters, and put Latin letters for their look-alikes in Latin words.",
        rich_help_panel=_ENGINE,
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes.", rich_help_panel=_RUN)]
Resume = Annotated[
    bool, typer.Option("--resume", help="Continue a run of the same command that was stopped.", rich_help_panel=_RUN)
]
Rejects = Annotated[
    Path | None,
    typer.Option(
        "--rejects",
        metavar="FILE",
        help="Write records that cannot be restored to FILE, with the reason (JSON lines), instead of passing them through.",
        rich_help_panel=_RUN,
    ),
]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="End at the first error.", rich_help_panel=_RUN)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.", rich_help_panel=_RUN)]
