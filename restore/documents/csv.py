"""CSV and TSV: cells other than the restored ones keep their bytes, the restored ones their quoting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from restore.documents import encodings
from restore.documents.base import (
    ITEM,
    ITEM_RECORDS,
    Item,
    Options,
    Reader,
    Record,
    Reject,
    Restored,
    added,
    check_free,
    labelled,
    listing,
    repaired,
)
from restore.documents.errors import DocumentError, RecordError
from restore.documents.jsonl import byte_lines
from restore.documents.streams import damage
from restore.restoration import splice

LONGEST: Final = 16 << 20  # bytes of a record; a quotation mark that is not closed must not swallow the file


class RowsReader(Reader):
    """Rows of a table whose first row names the columns. Positions are bytes."""

    kind = "csv"
    many = True

    def items(self, position: int = 0, number: int = 1) -> Iterator[Item]:
        shown = self.source.shown
        head = self.source.peek(1 << 16)
        encoding = encodings.settled(head, self.options.encoding, shown)
        byte_lines(encoding, shown)
        encodings.check_text(head, encoding, shown)
        delimiter = dialect(head.partition(b"\n")[0].decode(encoding, "replace"))
        rows = self._rows(delimiter)
        first = next(rows)
        header = row_values(encodings.decode(first, encoding, shown).lstrip("\ufeff"), delimiter)
        table = Table(self.options, encoding, delimiter, tuple(header), columns(header, self.options, shown))
        if not position:
            yield HeaderItem(0, len(first), self.options, first, table)
        at = len(first)
        batch: list[bytes] = []
        size = 0
        for row in rows:
            if at + size < position:  # the rows before it, and none beside
                size += len(row)
                if at + size == position:
                    at, size = position, 0
                continue
            if batch and (size + len(row) > ITEM or len(batch) == ITEM_RECORDS):
                at += size
                yield RowsItem(number, at, self.options, tuple(batch), table)
                number += len(batch)
                batch, size = [], 0
            batch.append(row)
            size += len(row)
        if batch:
            yield RowsItem(number, at + size, self.options, tuple(batch), table)

    def _rows(self, delimiter: str) -> Iterator[bytes]:
        """Rows with their line ends; line ends inside quotation marks belong to them."""
        mark = delimiter.encode()
        pushed: list[bytes] = []
        while True:
            lines: list[bytes] = []
            size, is_open = 0, False
            while True:
                line = pushed.pop() if pushed else self._line()
                if not line:
                    break
                lines.append(line)
                size += len(line)
                is_open = stays_open(line, is_open, mark)
                if not is_open or size > LONGEST:
                    break
            if not lines:
                return
            if is_open and len(lines) > 1:  # never closed: one bad line, and on with the next
                pushed += reversed(lines[1:])
                lines = lines[:1]
            yield b"".join(lines)

    def _line(self) -> bytes:
        try:
            return self.source.stream.readline()
        except damage() as error:
            raise self.source.damaged(error) from None


def dialect(first: str) -> str:
    """The delimiter: that of comma, semicolon, tab and bar which splits the first row most often."""
    return max(",;\t|", key=lambda d: len(row_values(first.lstrip("\ufeff"), d)))


def stays_open(line: bytes, is_open: bool, mark: bytes) -> bool:
    """Whether a quoted cell goes on after a line that begins inside one, or not."""
    if b'"' not in line:
        return is_open
    at = 0
    while True:
        if is_open:
            at = line.find(b'"', at)
            if at < 0:
                return True
            if line[at + 1 : at + 2] == b'"':
                at += 2
                continue
            is_open, at = False, at + 1
        else:
            if line[at : at + 1] == b'"' and (not at or line[at - 1 : at] == mark or line[:at] == b"\xef\xbb\xbf"):
                is_open, at = True, at + 1
                continue
            at = line.find(mark, at) + 1
            if not at:
                return False


def cells(row: str, delimiter: str) -> list[tuple[int, int]]:
    """Where the cells of a row are, with their quotation marks. Raises RecordError for an unclosed one."""
    found: list[tuple[int, int]] = []
    end_of_row = len(row.rstrip("\r\n"))
    at = 0
    while True:
        start = at
        if row[at : at + 1] == '"':
            at += 1
            while True:
                at = row.find('"', at)
                if at < 0:
                    raise RecordError("a quotation mark is not closed")
                if row[at + 1 : at + 2] != '"':
                    break
                at += 2
        at = row.find(delimiter, at)
        if at < 0:
            found.append((start, end_of_row))
            return found
        found.append((start, at))
        at += 1


def cell_value(cell: str) -> str:
    """What a cell says."""
    return cell[1:-1].replace('""', '"') if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def row_values(row: str, delimiter: str) -> list[str]:
    """What the cells of a row say."""
    try:
        return [cell_value(row[start:end]) for start, end in cells(row, delimiter)]
    except RecordError:
        return [row.strip()]


def columns(header: list[str], options: Options, shown: str) -> tuple[int, ...]:
    """Indexes of the fields. Raises DocumentError where one is missing."""
    there = listing(header)
    if not options.fields:
        raise DocumentError(f"{shown}: which column holds the text? Name it with --field; there are: {there}")
    for name in options.fields:
        if name not in header:
            raise DocumentError(f"{shown}: no column '{name}'; there are: {there}")
    try:
        check_free(added(options), header)
    except RecordError as error:
        raise DocumentError(f"{shown}: column {error}") from None
    return tuple(header.index(name) for name in options.fields)


def quoted(value: str, delimiter: str) -> str:
    """A cell for a value, in quotation marks where it needs them."""
    if any(c in value for c in (delimiter, '"', "\n", "\r")):
        return '"' + value.replace('"', '""') + '"'
    return value


@dataclass(frozen=True, slots=True)
class Table:
    """What all rows share."""

    options: Options
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    columns: tuple[int, ...]

    def extended(self, row: str, values: list[str]) -> str:
        """A row with cells added at its end."""
        if not values:
            return row
        body = row.rstrip("\r\n")
        new = "".join(self.delimiter + quoted(value, self.delimiter) for value in values)
        return body + new + row[len(body) :]

    def padded(self, raw: bytes) -> bytes:
        """A row that could not be read, with empty cells for what comes beside."""
        body = raw.rstrip(b"\r\n")
        return body + self.delimiter.encode() * len(added(self.options)) + raw[len(body) :]


@dataclass(frozen=True, slots=True)
class HeaderItem(Item):
    """The first row."""

    row: bytes
    table: Table

    def records(self) -> Iterator[Record | Reject]:
        return iter(())

    def join(self, parts: list[Any]) -> bytes:
        if not added(self.options):
            return self.row
        row = self.row.decode(self.table.encoding)
        return self.table.extended(row, added(self.options)).encode(self.table.encoding)

    @property
    def count(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class RowsItem(Item):
    """Some rows."""

    rows: tuple[bytes, ...]
    table: Table

    def records(self) -> Iterator[Record | Reject]:
        for number, raw in enumerate(self.rows, self.number):
            try:
                yield RowRecord(number, raw, self.table)
            except RecordError as error:
                yield labelled(number, raw, error, self.table.padded(raw))

    @property
    def weight(self) -> int:
        return sum(map(len, self.rows))

    @property
    def count(self) -> int:
        return len(self.rows)


class RowRecord(Record):
    """One row. Raises RecordError for one that does not fit the header."""

    def __init__(self, number: int, raw: bytes, table: Table):
        self.number, self.raw, self.table = number, raw, table
        try:
            self.line = raw.decode(table.encoding)
        except UnicodeDecodeError as error:
            raise RecordError(
                f"not {table.encoding} (byte {error.start} of the row); name the encoding, for instance --encoding cp1252"
            ) from None
        if not encodings.same(self.line, table.encoding, raw):
            raise RecordError(f"{table.encoding} does not give the same bytes back; convert the records to UTF-8")
        self.blank = not self.line.strip("\r\n")
        self.cells = [] if self.blank else cells(self.line, table.delimiter)
        if not self.blank and len(self.cells) != len(table.header):
            raise RecordError(f"{len(self.cells)} cells where the header has {len(table.header)}")
        self.spans = [] if self.blank else [self.cells[i] for i in table.columns]
        self.found = [cell_value(self.line[start:end]) for start, end in self.spans]
        self.texts = [repaired(t) for t in self.found] if table.options.fix_encoding else self.found

    def render(self, restored: Restored) -> bytes:
        if self.blank:
            return self.raw
        options, line = self.table.options, self.line
        extra: list[str] = []
        if options.keep_original:
            extra += [restored.text(self, n) for n in range(len(self.texts))]
        else:
            changes = [(*span, self._cell(n, restored)) for n, span in enumerate(self.spans)]
            line = splice(line, sorted(changes))
        if options.annotate:
            note = restored.annotation()
            verdict = note["verdict"]
            edits = json.dumps(note["edits"], ensure_ascii=False)
            extra += [str(verdict["spun"]).lower(), str(verdict["probability"]), edits]
        try:
            return self.table.extended(line, extra).encode(self.table.encoding)
        except UnicodeEncodeError as error:
            raise RecordError(f"{self.table.encoding} has no {error.object[error.start]!r}") from None

    def _cell(self, n: int, restored: Restored) -> str:
        """A cell as it will stand, quoted as it was."""
        start, end = self.spans[n]
        cell = self.line[start:end]
        value = restored.text(self, n)
        if value == self.found[n]:
            return cell
        if cell[:1] == '"':
            return '"' + value.replace('"', '""') + '"'
        return quoted(value, self.table.delimiter)

    def row(self, restored: Restored) -> dict[str, Any] | None:
        if self.blank:
            return None
        text = self.render(restored).decode(self.table.encoding)
        names = [*self.table.header, *added(self.table.options)]
        return dict(zip(names, row_values(text, self.table.delimiter), strict=True))
