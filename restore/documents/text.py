"""Plain text, read and restored stretch by stretch, however long it is."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from restore.documents import encodings
from restore.documents.base import Item, Reader, Record, Restored, repaired
from restore.documents.errors import DocumentError
from restore.documents.streams import Input, damage
from restore.restoration import splice
from restore.text import CHUNK, cut


class TextReader(Reader):
    """A text in stretches: the same as those in which the engine reads a long text. Positions are code points."""

    kind = "text"

    def items(self, position: int = 0, number: int = 1) -> Iterator[Item]:
        head = self.source.peek(encodings.PROBE)
        encoding = encodings.settled(head, self.options.encoding, self.source.shown)
        encodings.check_text(head, encoding, self.source.shown)
        held, at = "", 0
        for part in decoded(self.source, encoding):
            held += part
            while len(held) > CHUNK * 3 // 2 and not self.options.whole:
                end = cut(held)
                at += end
                if at > position:
                    yield TextItem(1, at, self.options, held[:end], at == end, encoding, self.source.shown)
                held = held[end:]
        if held:
            at += len(held)
            yield TextItem(1, at, self.options, held, at == len(held), encoding, self.source.shown)


def decoded(source: Input, encoding: str) -> Iterator[str]:
    """A source's text, strictly. Raises DocumentError that tells the byte."""
    decoder, encoder = codecs.getincrementaldecoder(encoding)(), codecs.getincrementalencoder(encoding)()
    fed = 0
    back = b""  # bytes that are decoded and not compared yet
    while True:
        try:
            data = source.stream.read(1 << 18)
        except damage() as error:
            raise source.damaged(error) from None
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(data, not data)
        except UnicodeDecodeError as error:
            raise encodings.undecodable(source.shown, encoding, fed - pending + error.start) from None
        if encoding != "utf-8":
            back += data
            try:
                again = encoder.encode(text, not data)
            except UnicodeEncodeError:
                again = b"\0" * (len(back) + 1)  # no beginning of it
            if not back.startswith(again) or not (data or back == again):
                raise DocumentError(
                    f"{source.shown}: {encoding} does not give the same bytes back; convert it to UTF-8"
                )
            back = back[len(again) :]
        yield text
        fed += len(data)
        if not data:
            return


@dataclass(frozen=True, slots=True)
class TextItem(Item):
    """A stretch of a text; `begins`: it is the first."""

    text: str
    begins: bool
    encoding: str
    shown: str

    def records(self) -> Iterator[Record]:
        text = repaired(self.text) if self.options.fix_encoding else self.text
        yield TextRecord(self.number, text, self.encoding, self.shown)

    @property
    def alters(self) -> bool:
        return self.options.fix_encoding and repaired(self.text) != self.text

    @property
    def weight(self) -> int:
        return len(self.text)

    @property
    def count(self) -> int:
        return int(self.begins)


class TextRecord(Record):
    """A text or a stretch of one."""

    def __init__(self, number: int, text: str, encoding: str, shown: str):
        self.number, self.texts, self.encoding, self.shown = number, (text,), encoding, shown

    @property
    def raw(self) -> bytes:  # type: ignore[override]
        return encodings.encode(self.texts[0], self.encoding, self.shown)

    def render(self, restored: Restored) -> bytes:
        return encodings.encode(splice(self.texts[0], restored.changes[0]), self.encoding, self.shown)

    def row(self, restored: Restored) -> dict[str, Any]:
        return {"source": None if self.shown == "standard input" else self.shown, "text": restored.text(self, 0)}
