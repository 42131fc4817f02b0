"""Parquet and Arrow tables, batch by batch through pyarrow: schema, other columns, row groups and compression kept.

Batches are staged as Arrow streams, one after another, because a Parquet file
has its directory at the end; the table is made of them when all are there.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from restore.documents.base import (
    NOTES,
    Item,
    Options,
    Reader,
    Record,
    Reject,
    Restored,
    added,
    check_free,
    listing,
    new_key,
    repaired,
)
from restore.documents.errors import DocumentError, RecordError, missing
from restore.documents.streams import Input, damage

BATCH: Final = 256  # rows of an item


def pyarrow(what: str = "a table") -> Any:
    """The module pyarrow with its parts. Raises DocumentError."""
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError:
        raise missing(what, "pyarrow", "tables") from None
    return pyarrow


class TableReader(Reader):
    """A table. Positions are batches."""

    kind = "parquet"
    many = True
    staged = True

    def __init__(self, source: Input, options: Options):
        super().__init__(source, options)
        self.pa = pyarrow(source.shown)
        self._spool: IO[bytes] | None = None
        self.form = ""  # parquet, file or stream

    def items(self, position: int = 0, number: int = 1) -> Iterator[Item]:
        try:
            for at, batch in enumerate(self._batches(position), position + 1):
                yield BatchItem(number, at, self.options, batch)
                number += batch.num_rows
        except (self.pa.ArrowException, OSError) as error:
            raise DocumentError(
                f"{self.source.shown}: not a valid Parquet or Arrow file ({str(error)[:200]})"
            ) from None

    def _batches(self, begin: int) -> Iterator[Any]:
        """Batches of at most `BATCH` rows, never across a row group, from one on."""
        pa = self.pa
        self._open()
        if self.form == "parquet":
            file = self.table
            self._check(file.schema_arrow)
            seen = 0
            for group in range(file.num_row_groups):
                here = -(-file.metadata.row_group(group).num_rows // BATCH)
                if seen + here > begin:
                    # slices of one table: batches of the reader may end before a row group does
                    for n, batch in enumerate(_even(file.iter_batches(BATCH, row_groups=[group]), pa)):
                        if seen + n >= begin:
                            yield batch
                seen += here
            return
        self._check(self.table.schema)
        batches = (
            (self.table.get_batch(i) for i in range(self.table.num_record_batches))
            if self.form == "file"
            else self.table
        )
        n = 0
        for batch in batches:
            for at in range(0, batch.num_rows, BATCH):
                if n >= begin:
                    yield _compact(batch.slice(at, BATCH), pa) if batch.num_rows > BATCH else batch
                n += 1

    def _open(self) -> None:
        pa = self.pa
        file: Any = self.source.stream
        if self.source.compression or not file.seekable() or self.source.name == "-":
            file = self._spool = self._spooled()
        file.seek(0)
        magic = file.read(6)
        file.seek(0)
        if magic[:4] == b"PAR1":
            self.form, self.table = "parquet", pa.parquet.ParquetFile(file)
        elif magic == b"ARROW1":
            self.form, self.table = "file", pa.ipc.open_file(file)
        else:
            self.form, self.table = "stream", pa.ipc.open_stream(file)

    def _spooled(self) -> IO[bytes]:
        """The content in a file, for a source that cannot be gone about in. Raises DocumentError."""
        spool = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            shutil.copyfileobj(self.source.stream, spool)
        except damage() as error:
            raise self.source.damaged(error) from None
        return spool

    def _check(self, schema: Any) -> None:
        """Raise DocumentError for fields that are not there or hold no text."""
        shown = self.source.shown
        there = listing(_text_paths(schema, self.pa))
        if not self.options.fields:
            raise DocumentError(f"{shown}: which column holds the text? Name it with --field; there are: {there}")
        for name in self.options.fields:
            kind = _type_at(schema, name, self.pa)
            if kind is None:
                raise DocumentError(f"{shown}: no column '{name}'; there are: {there}")
            if not _is_text(kind, self.pa):
                raise DocumentError(f"{shown}: column '{name}' holds {kind}, no text; there are: {there}")
        try:
            check_free(added(self.options), schema.names)
        except RecordError as error:
            raise DocumentError(f"{shown}: column {error}") from None

    def finish(self, staged: Path, out: IO[bytes]) -> None:
        try:
            self._finish(staged, out)
        except self.pa.ArrowException as error:
            raise DocumentError(
                f"{self.source.shown}: not a valid Parquet or Arrow file ({str(error)[:200]})"
            ) from None

    def _finish(self, staged: Path, out: IO[bytes]) -> None:
        pa = self.pa
        if self.form == "parquet":
            meta = self.table.metadata
            first = meta.row_group(0) if meta.num_row_groups else None
            codecs = (
                {first.column(i).path_in_schema: first.column(i).compression for i in range(first.num_columns)}
                if first
                else {}
            )
            sizes = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
            write_parquet(pa, staged, out, self.table.schema_arrow, sizes, codecs, meta.format_version)
        else:
            write_arrow(pa, staged, out, self.table.schema, self.form)


def _compact(batch: Any, pa: Any) -> Any:
    """A slice without the rest of what it was cut from, which would go to the other process with it."""
    return pa.ipc.open_stream(staged_bytes(pa, batch)).read_next_batch()


def _even(batches: Iterator[Any], pa: Any) -> Iterator[Any]:
    """Batches of exactly `BATCH` rows but the last."""
    held: list[Any] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        while rows >= BATCH:
            table = pa.Table.from_batches(held).combine_chunks()
            yield table.slice(0, BATCH).to_batches()[0]
            rest = table.slice(BATCH)
            held, rows = rest.to_batches(), rest.num_rows
    if rows:
        yield pa.Table.from_batches(held).combine_chunks().to_batches()[0]


def staged_batches(pa: Any, path: Path) -> Iterator[Any]:
    """The batches of Arrow streams that stand one after another in a file."""
    with open(path, "rb") as file:
        yield from _streams(pa, file, path.stat().st_size)


def _streams(pa: Any, file: Any, end: int) -> Iterator[Any]:
    while file.tell() < end:
        yield from pa.ipc.open_stream(file)


def write_parquet(
    pa: Any, staged: Path, out: IO[bytes], schema: Any, sizes: list[int], codecs: dict[str, str], version: str = "2.6"
) -> None:
    """A Parquet file of staged batches, in row groups of the given sizes (those left over in groups of the last
    one's)."""
    batches = staged_batches(pa, staged)
    first = next(batches, None)
    schema = schema if first is None else first.schema
    names = {_leaf: (c if c != "UNCOMPRESSED" else "NONE") for _leaf, c in codecs.items()}
    compression = names or "snappy"
    if names and len(set(names.values())) == 1:
        compression = next(iter(names.values()))
    elif names:
        compression = {**names, **{n: "SNAPPY" for n in schema.names if not any(k.split(".")[0] == n for k in names)}}
    with pa.parquet.ParquetWriter(
        out, schema, compression=compression, version=version if version in ("1.0", "2.4", "2.6") else "2.6"
    ) as writer:
        group: list[Any] = []
        wanted = iter(sizes)
        size, rows = next(wanted, 1 << 16), 0
        while first is not None:
            group.append(first)
            rows += first.num_rows
            first = next(batches, None)
            if rows >= size or first is None:
                writer.write_table(pa.Table.from_batches(group), row_group_size=max(rows, 1))
                group, rows, size = [], 0, next(wanted, size)


def write_arrow(pa: Any, staged: Path, out: IO[bytes], schema: Any, form: str) -> None:
    """An Arrow file or stream of staged batches."""
    if form == "file" and staged.stat().st_size:  # a file has one dictionary for all batches
        with pa.memory_map(str(staged)) as mapped:
            table = pa.Table.from_batches(list(_streams(pa, mapped, staged.stat().st_size))).unify_dictionaries()
            with pa.ipc.new_file(out, table.schema) as writer:
                writer.write_table(table)
            del table
        return
    batches = staged_batches(pa, staged)
    first = next(batches, None)
    make = pa.ipc.new_file if form == "file" else pa.ipc.new_stream
    with make(out, schema if first is None else first.schema) as writer:
        while first is not None:
            writer.write_batch(first)
            first = next(batches, None)


def staged_bytes(pa: Any, batch: Any) -> bytes:
    """A batch as an Arrow stream of its own."""
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(out.getvalue().to_pybytes())


def _is_text(kind: Any, pa: Any) -> bool:
    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _type_at(schema: Any, path: str, pa: Any) -> Any:
    """The type of a column, or of a field in structs; None where there is none."""
    if path in schema.names:
        return schema.field(path).type
    name, _, rest = path.partition(".")
    if not rest or name not in schema.names or not pa.types.is_struct(schema.field(name).type):
        return None
    kind = schema.field(name).type
    return _type_at(pa.schema(list(kind)), rest, pa)


def _text_paths(schema: Any, pa: Any, before: str = "") -> Iterator[str]:
    for field in schema:
        if _is_text(field.type, pa):
            yield before + field.name
        elif pa.types.is_struct(field.type):
            yield from _text_paths(pa.schema(list(field.type)), pa, f"{before}{field.name}.")


def _column(batch: Any, path: str, pa: Any) -> Any:
    """The array at a path, nulls of the structs around it included."""
    if path in batch.schema.names:
        return batch.column(path)
    name, _, rest = path.partition(".")
    return pa.compute.struct_field(batch.column(name), rest.split("."))


def _replaced(array: Any, path: list[str], new: Any, pa: Any) -> Any:
    """A struct array with the array at a path in it replaced."""
    kind = array.type
    index = kind.get_field_index(path[0])
    flat = [pa.compute.struct_field(array, [i]) for i in range(kind.num_fields)]
    flat[index] = new if len(path) == 1 else _replaced(flat[index], path[1:], new, pa)
    return pa.StructArray.from_arrays(flat, fields=list(kind), mask=array.is_null())


@dataclass(frozen=True, slots=True)
class BatchItem(Item):
    """Some rows of a table."""

    batch: Any

    def records(self) -> Iterator[Record | Reject]:
        pa = pyarrow()
        columns = [_column(self.batch, path, pa).to_pylist() for path in self.options.fields]
        for n, values in enumerate(zip(*columns, strict=True)):
            yield CellsRecord(self.number + n, values, self, n)

    def join(self, parts: list[Any]) -> bytes:
        """parts: of each row its texts as they will stand, and its annotation."""
        pa = pyarrow()
        batch = self.batch
        kept = [part[2] for part in parts]
        if len(kept) < batch.num_rows:  # rejected rows are left out
            batch = batch.take(pa.array(kept, pa.int64()))
        extra: dict[str, Any] = {}
        for k, path in enumerate(self.options.fields):
            values = [part[0][k] for part in parts]
            found = _column(batch, path, pa)
            if self.options.keep_original:
                extra[new_key(path)] = pa.array(values, pa.string())
            elif values != found.to_pylist():
                batch = _with(batch, path, _like(values, found.type, pa), pa)
        if self.options.annotate:
            notes = [part[1] for part in parts]
            extra[NOTES[0]] = pa.array([n and n["verdict"]["spun"] for n in notes], pa.bool_())
            extra[NOTES[1]] = pa.array([n and n["verdict"]["probability"] for n in notes], pa.float64())
            extra[NOTES[2]] = pa.array([n and json.dumps(n["edits"], ensure_ascii=False) for n in notes], pa.string())
        for name, array in extra.items():
            batch = batch.append_column(name, array)
        return staged_bytes(pa, batch)

    @property
    def weight(self) -> int:
        return int(self.batch.nbytes)

    @property
    def count(self) -> int:
        return int(self.batch.num_rows)


def _like(values: list[Any], kind: Any, pa: Any) -> Any:
    """Values as an array of a text type."""
    if pa.types.is_dictionary(kind):
        coded = pa.array(values, kind.value_type).dictionary_encode()
        return pa.DictionaryArray.from_arrays(
            coded.indices.cast(kind.index_type), coded.dictionary, ordered=kind.ordered
        )
    return pa.array(values, kind)


def _with(batch: Any, path: str, array: Any, pa: Any) -> Any:
    if path in batch.schema.names:
        index = batch.schema.names.index(path)
        return batch.set_column(index, batch.schema.field(index), array)
    name, _, rest = path.partition(".")
    index = batch.schema.names.index(name)
    return batch.set_column(
        index, batch.schema.field(index), _replaced(batch.column(index), rest.split("."), array, pa)
    )


class CellsRecord(Record):
    """The texts of one row."""

    def __init__(self, number: int, values: tuple[str | None, ...], item: BatchItem, n: int):
        self.number, self.values, self.item, self.n = number, values, item, n
        fix = item.options.fix_encoding
        self.there = [k for k, value in enumerate(values) if value is not None]
        self.texts = [repaired(v) if fix else v for v in values if v is not None]

    @property
    def raw(self) -> bytes:  # type: ignore[override]
        return json.dumps(self.item.batch.slice(self.n, 1).to_pylist()[0], ensure_ascii=False, default=str).encode()

    def render(self, restored: Restored) -> Any:
        values = list(self.values)
        for at, k in enumerate(self.there):
            values[k] = restored.text(self, at)
        return values, restored.annotation() if self.item.options.annotate else None, self.n

    def unchanged(self) -> Any:
        return list(self.values), None, self.n

    def row(self, restored: Restored) -> dict[str, Any]:
        pa = pyarrow()
        options = self.item.options
        one = BatchItem(self.number, 0, options, self.item.batch.slice(self.n, 1))
        values, note, _ = self.render(restored)
        (batch,) = pa.ipc.open_stream(one.join([(values, note, 0)]))
        return dict(batch.to_pylist()[0])
