"""Restored records written as another kind than they came in."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Final

from restore.documents.errors import DocumentError

_SURROGATE: Final = re.compile("[\ud800-\udfff]")  # JSON has lone ones as escapes, other kinds have none


class Converter:
    """Writes rows of named values as JSON lines, CSV, a table, or their texts. Raises DocumentError."""

    def __init__(self, kind: str, fields: Iterable[str], state: Any = None):
        self.kind = kind
        self.fields = tuple(fields)
        self.state = state  # what later rows need to know of the first ones, JSON-ready
        self.staged = kind in ("parquet", "arrow")

    def write(self, rows: list[dict[str, Any]]) -> bytes:
        """Rows as bytes, after those written before."""
        if self.kind == "jsonl":
            return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows).encode(
                "utf-8", "backslashreplace"
            )
        if self.kind == "text":
            texts = (text.rstrip("\n") + "\n\n" for row in rows for text in self._texts(row))
            return str(_sound("".join(texts))).encode()
        if not rows:
            return b""
        return self._csv(rows) if self.kind == "csv" else self._table(rows)

    def _texts(self, row: dict[str, Any]) -> Iterable[str]:
        for path in self.fields or ("text",):
            yield from _values(row, path)

    def _csv(self, rows: list[dict[str, Any]]) -> bytes:
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        if self.state is None:
            self.state = list(rows[0])
            writer.writerow(self.state)
        for row in rows:
            strange = [name for name in row if name not in self.state]
            if strange:
                raise DocumentError(
                    f"a record has '{strange[0]}', which the first has not; a CSV needs the same names, choose --to jsonl"
                )
            writer.writerow([_cell(row.get(name)) for name in self.state])
        return str(_sound(out.getvalue())).encode()

    def _table(self, rows: list[dict[str, Any]]) -> bytes:
        from restore.documents.arrow import pyarrow, staged_bytes

        pa = pyarrow(f"a {self.kind} table")
        try:
            # a struct's names are those of all rows, a table's those of the first
            found = pa.schema(list(pa.array(_sound(rows)).type))
            if self.state is None:
                self.state = found.serialize().to_pybytes().hex()
            schema = pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(self.state)))
            strange = _strange(pa.struct(list(schema)), pa.struct(list(found)), pa)
            if strange:
                raise DocumentError(
                    f"a record has '{strange}', which the first ones have not; a table needs the same names, choose --to jsonl"
                )
            batch = pa.RecordBatch.from_pylist(_sound(rows), schema=schema)
        except (pa.ArrowException, OverflowError) as error:
            raise DocumentError(f"records do not make one table ({error}); choose --to jsonl") from None
        return staged_bytes(pa, batch)

    def finish(self, staged: Path, out: IO[bytes]) -> None:
        """Make a table of its staged batches."""
        from restore.documents import arrow

        pa = arrow.pyarrow()
        try:
            if self.kind == "parquet":
                arrow.write_parquet(pa, staged, out, pa.schema([]), [], {})
            else:
                arrow.write_arrow(pa, staged, out, pa.schema([]), "file")
        except pa.ArrowException as error:
            raise DocumentError(f"records do not make one table ({error}); choose --to jsonl") from None


def _sound(value: Any) -> Any:
    """A value without lone surrogates."""
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_sound(element) for element in value]
    return {_sound(k): _sound(v) for k, v in value.items()} if isinstance(value, dict) else value


def _strange(known: Any, found: Any, pa: Any) -> str:
    """A name that a type found has and the known one lacks, at any depth; "" for none."""
    if pa.types.is_list(known) and pa.types.is_list(found):
        return _strange(known.value_type, found.value_type, pa)
    if not (pa.types.is_struct(known) and pa.types.is_struct(found)):
        return ""
    for field in found:
        n = known.get_field_index(field.name)
        strange = field.name if n < 0 else _strange(known.field(n).type, field.type, pa)
        if strange:
            return str(strange)
    return ""


def _values(value: Any, path: str) -> Iterable[str]:
    if isinstance(value, list):
        for element in value:
            yield from _values(element, path)
    elif not path:
        if isinstance(value, str):
            yield value
    elif isinstance(value, dict):
        if path in value:
            yield from _values(value[path], "")
        else:
            name, _, rest = path.partition(".")
            yield from _values(value.get(name), rest) if rest else ()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
