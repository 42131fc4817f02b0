"""Documents as they come: text, pages, feeds, tables, archives; read piece by piece and written back.

    reader = open_reader("feed.jsonl.gz", "", Options(fields=("body",)))
    for item in reader.items():
        for record in item.records():
            record.texts                 # what to restore
            record.render(restored)      # the record with its texts restored, all else as it was

Kinds are told by suffix, compression by content. Modules of kinds are imported when one is met.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Final

from restore.documents.base import Item, Options, Reader, Record, Reject, Restored
from restore.documents.errors import DocumentError, RecordError
from restore.documents.streams import STANDARD, SUFFIXES, Input

__all__ = ["DocumentError", "Item", "Options", "Reader", "Record", "RecordError", "Reject", "Restored"]

KINDS: Final = {
    "text": ("text", "TextReader"),
    "html": ("html", "PageReader"),
    "jsonl": ("jsonl", "LinesReader"),
    "csv": ("csv", "RowsReader"),
    "parquet": ("arrow", "TableReader"),
    "arrow": ("arrow", "TableReader"),
    "warc": ("warc", "ArchiveReader"),
}
_BY_SUFFIX: Final = {
    "text": ".txt .text .md .markdown .rst",
    "html": ".html .htm .xhtml .shtml",
    "jsonl": ".jsonl .ndjson .jsonlines",
    "csv": ".csv .tsv .tab",
    "parquet": ".parquet .pq",
    "arrow": ".arrow .arrows .feather .ipc",
    "warc": ".warc",
}
SUFFIX_KINDS: Final = {suffix: kind for kind, suffixes in _BY_SUFFIX.items() for suffix in suffixes.split()}


def kind_of(name: str) -> str:
    """The kind that a file's suffix tells, before that of a compression; "" for none known."""
    base, suffix = os.path.splitext(name.lower())
    if suffix in SUFFIXES:
        suffix = os.path.splitext(base)[1]
    return SUFFIX_KINDS.get(suffix, "")


def reader_class(kind: str) -> type[Reader]:
    """The reader of a kind."""
    module, name = KINDS[kind]
    found: type[Reader] = getattr(import_module(f"restore.documents.{module}"), name)
    return found


def open_reader(name: str, kind: str, options: Options) -> Reader:
    """A reader of a file, or of standard input for "-"; an unknown suffix means text. Raises DocumentError."""
    kind = kind or kind_of(name) or ("text" if name == STANDARD else _unknown(name))
    return reader_class(kind)(Input(name), options)


def _unknown(name: str) -> str:
    if name.lower().endswith(".json") and os.path.isfile(name):
        raise DocumentError(f"{name}: one JSON value, not JSON lines; make lines of it (jq -c .[]), or say --from text")
    return "text"
