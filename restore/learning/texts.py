"""Documents of any kind as plain texts, and text files written in one step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from restore.documents import Options, Reject, open_reader
from restore.documents.base import BETWEEN
from restore.documents.streams import sink


def texts_of(name: str, encoding: str = "utf-8", fields: tuple[str, ...] = ()) -> Iterator[str]:
    """The text of each record of a file, or of standard input for "-"; records that cannot be read are passed over.

    Raises DocumentError.
    """
    reader = open_reader(name, "", Options(fields, encoding=encoding, whole=True))
    try:
        for item in reader.items():
            for record in item.records():
                if not isinstance(record, Reject):
                    yield BETWEEN.join(record.texts)
    finally:
        reader.source.close()


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a UTF-8 file whole or not at all, or to a pipe. Raises DocumentError."""
    out = sink(path)
    try:
        for line in lines:
            out.write(line.encode("utf-8"))
        out.commit()
    except BaseException:
        out.discard()
        raise
