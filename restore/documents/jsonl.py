"""JSON lines: a record a line. Only the characters of an edit are replaced, inside the string's own literal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from restore.documents import encodings
from restore.documents.base import (
    ITEM,
    ITEM_RECORDS,
    Change,
    Item,
    Reader,
    Record,
    Reject,
    Restored,
    check_free,
    labelled,
    listing,
    new_key,
    repaired,
)
from restore.documents.errors import DocumentError, RecordError
from restore.documents.streams import damage
from restore.restoration import splice

NOTE: Final = "restore"  # key of the annotation
_TOKEN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],:]|[^\s{}\[\],:"]++')
_ESCAPE: Final = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.")


class LinesReader(Reader):
    """Lines of a file. Positions are bytes."""

    kind = "jsonl"
    many = True

    def items(self, position: int = 0, number: int = 1) -> Iterator[Item]:
        head = self.source.peek(encodings.PROBE)
        encoding = encodings.settled(head, self.options.encoding, self.source.shown)
        byte_lines(encoding, self.source.shown)
        encodings.check_text(head, encoding, self.source.shown)
        if not self.options.fields:
            raise DocumentError(
                f"{self.source.shown}: which field holds the text? Name it with --field{_choices(head, encoding)}"
            )
        self.source.skip(position)
        lines: list[bytes] = []
        size = 0
        while True:
            try:
                line = self.source.stream.readline()
            except damage() as error:
                raise self.source.damaged(error) from None
            if lines and (not line or size + len(line) > ITEM or len(lines) == ITEM_RECORDS):
                position += size
                yield LinesItem(number, position, self.options, tuple(lines), encoding)
                number += len(lines)
                lines, size = [], 0
            if not line:
                return
            lines.append(line)
            size += len(line)


def byte_lines(encoding: str, shown: str) -> None:
    """Raise DocumentError for an encoding whose lines cannot be told by bytes."""
    if encoding.startswith(("utf-16", "utf-32", "utf-7")):
        raise DocumentError(
            f"{shown}: records in {encoding} are not read; convert it, for instance with iconv -t UTF-8"
        )


def _choices(head: bytes, encoding: str) -> str:
    """The names of the string fields of the first record, for a message."""
    try:
        first = head.partition(b"\n")[0].decode(encoding, "replace").lstrip("\ufeff")
        names = sorted({path for path, start, end, _ in strings(first) if end and first[start] == '"'})
    except (RecordError, ValueError):
        names = []
    return f"; there are: {listing(names)}" if names else " NAME"


class Found(NamedTuple):
    """A value of a line: the names on the way to it joined by dots, where it is (end 0: a container), and whether it is
    an element of a list."""

    path: str
    start: int
    end: int
    listed: bool


def strings(line: str) -> Iterator[Found]:
    """All scalars and the beginnings of all objects of a JSON line known to be valid. Lists add nothing to a path."""
    paths: list[str] = []  # of the containers that are open
    kinds: list[str] = []
    key: str | None = None
    awaits_key = False
    for match in _TOKEN.finditer(line):
        token = match.group()
        if token == ":":
            awaits_key = False
        elif token == ",":
            awaits_key = bool(kinds) and kinds[-1] == "{"
        elif token in "}]":
            paths.pop()
            kinds.pop()
            awaits_key = False
        elif awaits_key:
            key = json.loads(token)
        else:
            listed = bool(kinds) and kinds[-1] == "["
            path = (
                (paths[-1] if paths else "") if listed or not kinds else f"{paths[-1]}.{key}" if paths[-1] else str(key)
            )
            if token in "{[":
                if token == "{" and paths:
                    yield Found(path, match.start(), 0, listed)
                paths.append(path)
                kinds.append(token)
                awaits_key = token == "{"
            else:
                yield Found(path, match.start(), match.end(), listed)


@dataclass(frozen=True, slots=True)
class LinesItem(Item):
    """Some lines."""

    lines: tuple[bytes, ...]
    encoding: str

    def records(self) -> Iterator[Record | Reject]:
        for number, raw in enumerate(self.lines, self.number):
            try:
                yield LineRecord(number, raw, self)
            except RecordError as error:
                yield labelled(number, raw, error)

    @property
    def weight(self) -> int:
        return sum(map(len, self.lines))

    @property
    def count(self) -> int:
        return len(self.lines)


class LineRecord(Record):
    """One line. Raises RecordError for what is no JSON object, or has something else than text in its fields."""

    def __init__(self, number: int, raw: bytes, item: LinesItem):
        self.number, self.raw, self.options, self.encoding = number, raw, item.options, item.encoding
        try:
            self.line = raw.decode(item.encoding)
        except UnicodeDecodeError as error:
            raise RecordError(
                f"not {item.encoding} (byte {error.start} of the line); name the encoding, for instance --encoding cp1252"
            ) from None
        if not encodings.same(self.line, item.encoding, raw):
            raise RecordError(f"{item.encoding} does not give the same bytes back; convert the records to UTF-8")
        self.value: Any = {}
        self.found: list[Found] = []
        self.met: list[str] = []  # the fields that are there, null or not
        if self.line.strip("\ufeff \t\r\n"):
            try:
                self.value = json.loads(self.line.lstrip("\ufeff"))
            except (ValueError, RecursionError) as error:
                raise RecordError(f"not valid JSON ({error}); give one JSON object a line") from None
            if not isinstance(self.value, dict):
                raise RecordError("not a JSON object")
            self._find()
        self.literals = [self.line[f.start : f.end] for f in self.found]
        self.texts = [json.loads(literal) for literal in self.literals]
        self.fixed = [self.options.fix_encoding] * len(self.texts)
        if self.options.fix_encoding:
            self.texts = [repaired(text) for text in self.texts]
            self.fixed = [text != json.loads(lit) for text, lit in zip(self.texts, self.literals, strict=True)]

    def _find(self) -> None:
        wanted = self.options.fields
        for found in strings(self.line):
            if found.path not in wanted:
                continue
            self.met.append(found.path)
            token = self.line[found.start : found.end]
            if token == "null":
                continue
            if not token.startswith('"'):
                raise RecordError(f"field '{found.path}' is {'an object' if not token else f'{token}, no string'}")
            self.found.append(found)
        names = [NOTE] * self.options.annotate
        check_free(names, self.value)
        if self.options.keep_original and any(f.listed for f in self.found):
            raise RecordError("--keep-original has no place beside an element of a list")

    def seen(self) -> list[str]:
        return self.met

    def names(self) -> list[str]:
        scalars = [f for f in strings(self.line) if f.end] if self.value else []
        return sorted({f.path for f in scalars if self.line[f.start] == '"'} or {f.path for f in scalars})

    def render(self, restored: Restored) -> bytes:
        spaced = '": ' in self.line
        changes: list[Change] = []
        for n, found in enumerate(self.found):
            literal = self._literal(n, restored)
            if self.options.keep_original:
                name = json.dumps(new_key(found.path.rpartition(".")[2]))
                if name in self.line:
                    check_free([json.loads(name)], self._parent(found.path))
                changes.append((found.end, found.end, f", {name}: {literal}" if spaced else f",{name}:{literal}"))
            else:
                changes.append((found.start, found.end, literal))
        if self.options.annotate and self.value:
            note = json.dumps(restored.annotation(), ensure_ascii=False, separators=None if spaced else (",", ":"))
            end = self.line.rindex("}")
            changes.append((end, end, f', "{NOTE}": {note}' if spaced else f',"{NOTE}":{note}'))
        try:
            return splice(self.line, changes).encode(self.encoding)
        except UnicodeEncodeError as error:
            raise RecordError(f"{self.encoding} has no {error.object[error.start]!r}") from None

    def _literal(self, n: int, restored: Restored) -> str:
        """The string as it will stand, its escapes kept outside the edits."""
        literal = self.literals[n]
        if self.fixed[n]:
            return json.dumps(restored.text(self, n), ensure_ascii=literal.isascii())
        places = offsets(literal)
        ascii_only = literal.isascii() and "\\u" in literal
        return splice(
            literal,
            [
                (places(start), places(end), json.dumps(new, ensure_ascii=ascii_only)[1:-1])
                for start, end, new in restored.changes[n]
            ],
        )

    def _parent(self, path: str) -> dict[str, Any]:
        value = self.value
        for name in path.split(".")[:-1]:
            value = value.get(name) if isinstance(value, dict) else None
        return value if isinstance(value, dict) else {}

    def row(self, restored: Restored) -> dict[str, Any] | None:
        if not self.line.strip("\ufeff \t\r\n"):
            return None
        return dict(json.loads(self.render(restored).decode(self.encoding).lstrip("\ufeff")))


class offsets:  # noqa: N801  (a function with a memory)
    """Maps offsets in the value of a JSON string literal to offsets in the literal; values come in order."""

    def __init__(self, literal: str):
        self.escapes = list(_ESCAPE.finditer(literal)) if "\\" in literal else []
        self.at, self.shift = 0, 1

    def __call__(self, offset: int) -> int:
        while self.at < len(self.escapes) and self.escapes[self.at].start() < offset + self.shift:
            self.shift += len(self.escapes[self.at].group()) - 1
            self.at += 1
        return offset + self.shift
