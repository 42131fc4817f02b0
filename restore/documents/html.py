"""HTML pages: kept as they are with the words of their text nodes restored, or extracted to the article's text."""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from restore.documents import encodings, markup
from restore.documents.base import Change, Item, Reader, Record, Restored, repaired
from restore.documents.errors import DocumentError, missing
from restore.documents.streams import damage
from restore.restoration import splice

_REFERENCE: Final = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[a-zA-Z][a-zA-Z0-9]*;?)")
_WHITE: Final = str.maketrans("\t\n\f\r", "    ")


class PageReader(Reader):
    """A page, whole."""

    kind = "html"

    def items(self, position: int = 0, number: int = 1) -> Iterator[Item]:
        try:
            data = self.source.stream.read()
        except damage() as error:
            raise self.source.damaged(error) from None
        head = data[: encodings.PROBE]
        encodings.check_text(head, encodings.marked(head) or self.options.encoding, self.source.shown)
        if position == 0:
            yield PageItem(1, 1, self.options, data, self.source.shown)


@dataclass(frozen=True, slots=True)
class PageItem(Item):
    """A page."""

    data: bytes
    shown: str

    def records(self) -> Iterator[Record]:
        if self.options.html == "extract":
            yield ExtractedRecord(self)
        else:
            yield PageRecord(1, self.data, self.shown, self.options.encoding, self.options.fix_encoding)

    @property
    def alters(self) -> bool:
        return self.options.html == "extract" or (self.options.fix_encoding and not self.data.isascii())

    @property
    def weight(self) -> int:
        return len(self.data)


class ExtractedRecord(Record):
    """The article's text, by trafilatura."""

    number = 1

    def __init__(self, item: PageItem):
        self.raw, self.shown = item.data, item.shown
        text = extracted(encodings.page(item.data, item.options.encoding, item.shown)[0], item.shown)
        self.texts = (repaired(text) if item.options.fix_encoding else text,)

    def render(self, restored: Restored) -> bytes:
        return (restored.text(self, 0) + "\n").encode()

    def row(self, restored: Restored) -> dict[str, Any]:
        return {"source": None if self.shown == "standard input" else self.shown, "text": restored.text(self, 0)}


def extracted(source: str, shown: str) -> str:
    """The text of a page's article. Raises DocumentError."""
    try:
        import trafilatura
    except ImportError:
        raise missing("--html extract", "trafilatura", "web") from None
    text = trafilatura.extract(source, include_comments=False)
    if not text:
        raise DocumentError(f"{shown}: no article was found in the page; use --html keep")
    return str(text)


class PageRecord(Record):
    """A page of which only words in text nodes change.

    Its one text is that of the text nodes, references decoded and white space
    made spaces, joined over inline tags. A change that is not inside one text
    node, or cuts a reference, is left out.
    """

    def __init__(self, number: int, data: bytes, shown: str, encoding: str, fix: bool = False):
        self.number, self.raw, self.shown = number, data, shown
        self.source, self.encoding = encodings.page(data, encoding, shown)
        if encodings.page_bytes(self.source, self.encoding) != data:
            raise DocumentError(
                f"{shown}: {self.encoding} does not give the same bytes back; convert the page to UTF-8"
            )
        if fix:
            self._repair()
        self.nodes: list[markup.Text] = []
        self.starts: list[int] = []  # of each node in the text
        self.places: list[list[tuple[int, int, int, int]]] = []  # of references in each node: in it, in the source
        parts: list[str] = []
        length = 0
        for node in markup.texts(self.source):
            text, places = _decoded(self.source[node.start : node.end])
            parts += (node.before, text)
            self.nodes.append(node)
            self.starts.append(length + len(node.before))
            self.places.append(places)
            length += len(node.before) + len(text)
        self.texts = ("".join(parts),)

    def _repair(self) -> None:
        changes = [(n.start, n.end, repaired(self.source[n.start : n.end])) for n in markup.texts(self.source)]
        self.source = splice(self.source, changes)

    def fits(self, start: int, end: int) -> bool:
        return self._place(start, end) is not None

    def _place(self, start: int, end: int) -> tuple[int, int] | None:
        """A stretch of the text in the source; None where it does not lie in one text node."""
        n = bisect_right(self.starts, start) - 1
        if n < 0:
            return None
        start, end = start - self.starts[n], end - self.starts[n]
        lo, hi = start, end
        for at, length, source_at, source_length in self.places[n]:
            if at >= end:
                break
            if at < start < at + length or at < end < at + length:
                return None
            if at + length <= start:
                lo = start + (source_at + source_length) - (at + length)
            hi = end + (source_at + source_length) - (at + length)
        node = self.nodes[n]
        return (node.start + lo, node.start + hi) if node.start + hi <= node.end else None

    def render(self, restored: Restored) -> bytes:
        changes: list[Change] = []
        for start, end, new in restored.changes[0]:
            place = self._place(start, end)
            if place:
                written = html.escape(new, quote=False).encode(self.encoding, "xmlcharrefreplace").decode(self.encoding)
                changes.append((*place, written))
        return encodings.page_bytes(splice(self.source, changes), self.encoding)

    def row(self, restored: Restored) -> dict[str, Any]:
        source = None if self.shown == "standard input" else self.shown
        return {"source": source, "text": readable(restored.text(self, 0))}


def readable(text: str) -> str:
    """A page's text for reading: a paragraph a block, white space as a browser shows it."""
    blocks = (" ".join(block.replace(markup.PLACE, "").split()) for block in text.split(markup.BLOCK))
    return markup.BLOCK.join(block for block in blocks if block)


def _decoded(source: str) -> tuple[str, list[tuple[int, int, int, int]]]:
    """A text node's text, and its references: offset and length in the text, offset and length in the source."""
    if "&" not in source:
        return source.translate(_WHITE), []
    parts: list[str] = []
    places: list[tuple[int, int, int, int]] = []
    at = length = 0
    for match in _REFERENCE.finditer(source):
        value = html.unescape(match.group())
        if value == match.group():
            continue
        parts += (source[at : match.start()], value)
        length += match.start() - at
        places.append((length, len(value), match.start(), len(match.group())))
        length += len(value)
        at = match.end()
    parts.append(source[at:])
    return "".join(parts).translate(_WHITE), places
