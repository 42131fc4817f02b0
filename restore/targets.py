"""Which documents a run reads, and where each goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from restore.documents import DocumentError, kind_of
from restore.documents.streams import STANDARD, SUFFIXES, beside, unwritable

_SUFFIX: Final = {"text": ".txt", "jsonl": ".jsonl", "csv": ".csv", "parquet": ".parquet", "arrow": ".arrow"}


@dataclass(frozen=True, slots=True)
class Source:
    """One document and its target; None: standard output. inside: the target's folder may be made."""

    name: str
    target: Path | None
    inside: bool = False


def found(paths: Iterable[str], glob: str) -> Iterator[tuple[str, str]]:
    """Files at paths, each with its name below the folder it was found in; folders are walked in order of names.

    In folders: what `glob` names (a pattern for names, or for paths if it has a
    slash), or without one the suffixes that are known; never hidden or empty files.
    """
    for path in paths:
        if path == STANDARD or not os.path.isdir(path):
            yield path, os.path.basename(path) if path != STANDARD else "restored.txt"
            continue
        nothing = True
        for folder, folders, files in os.walk(path, onerror=_unread):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            for file in sorted(f for f in files if not f.startswith(".")):
                whole = os.path.join(folder, file)
                below = os.path.relpath(whole, path).replace(os.sep, "/")
                wanted = _matches(below, file, glob) if glob else bool(kind_of(file))
                if wanted and os.path.isfile(whole) and os.path.getsize(whole):
                    nothing = False
                    yield whole, below
        if nothing:
            raise DocumentError(
                f"{path}: no file in it {f'is named {glob}' if glob else 'has a known suffix; name some with --glob'}"
            )


def _unread(error: OSError) -> None:
    reason = str(error.strerror).lower()
    raise DocumentError(f"{error.filename}: {reason}; the folder cannot be listed, check its permissions") from None


def _matches(below: str, file: str, glob: str) -> bool:
    if "/" not in glob:
        return fnmatch(file, glob)
    return fnmatch(below, glob) or (glob.startswith("**/") and fnmatch(below, glob[3:]))


def turned(name: str, kind: str, to: str, extract: bool) -> str:
    """The kind that a document becomes: the one asked for, or text where a page's is extracted; "" where it stays."""
    return to or ("text" if extract and (kind or kind_of(name)) == "html" else "")


def planned(
    paths: list[str],
    glob: str,
    output: str | Path | None,
    write: bool,
    becomes: Callable[[str], str] = lambda name: "",
) -> list[Source]:
    """Sources with their targets, which are named as what each source becomes. An output that ends with a slash is a
    folder. Raises DocumentError where two would be written to one file, or one over a document that is read; a file
    that is named twice is written in place once."""
    files = list(found(paths, glob))
    if write:
        once: dict[str, str] = {}
        for name, _ in files:
            once.setdefault(name if name == STANDARD else os.path.realpath(name), name)
        return [Source(name, Path(name)) for name in once.values()]
    if output is None:
        return [Source(name, None) for name, _ in files]
    named = str(output).endswith(("/", os.sep))
    output = Path(output)
    if len(files) == 1 and not (named or os.path.isdir(paths[0]) or output.is_dir()):
        out = [Source(files[0][0], output)]
    else:
        if not named and kind_of(output.name) and not output.is_dir():
            raise DocumentError(f"{output}: several documents need a folder; write {output}/ if that is meant")
        out = [Source(name, output / _renamed(below, becomes(name)), True) for name, below in files]
    _check_targets(out)
    return out


def _check_targets(sources: list[Source]) -> None:
    """No document may be written over another, nor over one that is read."""
    read = {os.path.realpath(s.name): s.name for s in sources if s.name != STANDARD}
    taken: dict[Path | None, str] = {}
    for source in sources:
        if source.target in taken:
            raise DocumentError(
                f"{source.name}: has the same target as {taken[source.target]}; write them to separate folders"
            )
        taken[source.target] = source.name
        replaced = read.get(os.path.realpath(source.target or ""))
        if replaced and os.path.isfile(replaced):
            raise DocumentError(
                f"{source.name}: --output would replace {replaced}; to change files in place say --write"
            )


def _renamed(name: str, to: str) -> str:
    """A file's name with the suffix of the kind it becomes."""
    if not to or (kind_of(name) == to and not tabbed(name, to)):
        return name
    base, suffix = os.path.splitext(name)
    packed = suffix if suffix.lower() in SUFFIXES else ""
    if packed:
        base, suffix = os.path.splitext(base)
    packed = "" if to in ("parquet", "arrow") else packed
    return (base if kind_of(name) else base + suffix) + _SUFFIX.get(to, suffix) + packed


def make_room(sources: list[Source], output: str | None, files: Iterable[Path | None]) -> None:
    """Make the folder of the output if one of these files is to stand in it. Raises DocumentError."""
    if output is None or not any(source.inside for source in sources):
        return
    if any(file and os.path.realpath(file.parent) == os.path.realpath(output) for file in files):
        try:
            os.makedirs(output, exist_ok=True)
        except OSError as error:
            raise unwritable(output, error) from None


def tabbed(name: str, to: str) -> bool:
    """Whether a name promises tabs, where records turned into CSV get commas."""
    base, suffix = os.path.splitext(name.lower())
    return to == "csv" and (os.path.splitext(base)[1] if suffix in SUFFIXES else suffix) in (".tsv", ".tab")


def journal_path(sources: list[Source], paths: list[str], output: str | Path | None) -> Path | None:
    """Where a run's journal stands: beside its one output, or in the folder that holds all (where that may not
    be written to, in that of the first)."""
    targets = [s.target for s in sources if s.target]
    if not targets:
        return None
    if len(targets) == 1:
        return beside(Path(os.path.realpath(targets[0])), ".restore-journal")
    return (Path(output) if output else _common(paths) or targets[0].parent) / ".restore-journal"


def _common(paths: list[str]) -> Path | None:
    """The folder that holds all of them, if there is one that may be written to."""
    try:
        folder = os.path.commonpath([os.path.abspath(p if os.path.isdir(p) else os.path.dirname(p)) for p in paths])
    except ValueError:  # on several drives
        return None
    return Path(folder) if os.access(folder, os.W_OK) else None
