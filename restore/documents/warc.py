"""Web archives: responses that are HTML pages are restored, all other records keep their bytes.

A changed response has its payload in plain form (no chunks, no compression),
with lengths and digests to match, and is otherwise the record it was.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from restore.documents.base import Item, Reader, Record, Reject, Restored, labelled
from restore.documents.errors import DocumentError, RecordError, missing
from restore.documents.html import PageRecord, readable
from restore.documents.streams import damage

_LENGTH: Final = re.compile(rb"^content-length:[ \t]*(\d+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_PAGE: Final = ("text/html", "application/xhtml+xml")
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)


class ArchiveReader(Reader):
    """Records of an archive. Positions are bytes."""

    kind = "warc"
    many = True
    members = True

    def items(self, position: int = 0, number: int = 1) -> Iterator[Item]:
        try:
            import warcio  # noqa: F401
        except ImportError:
            raise missing(self.source.shown, "warcio", "warc") from None
        head = self.source.peek(5)
        if head != b"WARC/":
            raise DocumentError(f"{self.source.shown}: no web archive; it does not begin with WARC/")
        self.source.skip(position)
        while raw := self._record():
            position += len(raw)
            yield RecordItem(number, position, self.options, raw)
            number += 1

    def _record(self) -> bytes:
        """The next record as it stands, with the empty lines after it."""
        stream = self.source.stream
        try:
            parts: list[bytes] = []
            while line := stream.readline():
                parts.append(line)
                if len(parts) > 1 and not line.strip():
                    break
            head = b"".join(parts)
            length = _LENGTH.search(head)
            if not head or length is None:
                return head
            body = stream.read(int(length[1]))
            if len(body) < int(length[1]):
                raise DocumentError(f"{self.source.shown}: the last record is cut short; fetch the archive again")
            return head + body + stream.readline() + stream.readline()
        except damage() as error:
            raise self.source.damaged(error) from None


@dataclass(frozen=True, slots=True)
class RecordItem(Item):
    """One record of an archive."""

    data: bytes

    def records(self) -> Iterator[Record | Reject]:
        try:
            yield ResponseRecord(self)
        except (RecordError, DocumentError) as error:
            yield labelled(self.number, self.data, error)

    @property
    def weight(self) -> int:
        return len(self.data)


class ResponseRecord(Record):
    """A record; it has a text where it is a response with a page. Raises RecordError for one that cannot be read."""

    def __init__(self, item: RecordItem):
        self.number, self.raw, self.options = item.number, item.data, item.options
        self.texts: Sequence[str] = ()
        self.page: PageRecord | None = None
        head = item.data[:4096].lower()
        if _LENGTH.search(item.data) is None:
            raise RecordError("a record without Content-Length")
        if b"response" not in head or b"http" not in head:
            return
        self.record = _parsed(item.data)
        if self.record.rec_type != "response" or not self.record.http_headers:
            return
        kind = self.record.http_headers.get_header("Content-Type") or ""
        if kind.partition(";")[0].strip().lower() not in _PAGE:
            return
        payload = self.record.content_stream().read()
        if not payload.strip():
            return
        charset = _CHARSET.search(kind)
        encoding = self.options.encoding
        if charset and encoding == "utf-8":
            encoding = charset[1] if charset[1].lower() not in ("utf-8", "utf8") else "utf-8"
        url = self.record.rec_headers.get_header("WARC-Target-URI") or f"record {item.number}"
        self.page = PageRecord(item.number, payload, url, encoding, self.options.fix_encoding)
        self.url = url
        self.texts = self.page.texts

    def fits(self, start: int, end: int) -> bool:
        return self.page is not None and self.page.fits(start, end)

    def render(self, restored: Restored) -> bytes:
        if self.page is None or not (restored.changes[0] or self.options.fix_encoding):
            return self.raw
        payload = self.page.render(restored)
        return _written(self.record, payload)

    def row(self, restored: Restored) -> dict[str, Any] | None:
        if self.page is None:
            return None
        return {"source": self.url, "text": readable(restored.text(self, 0))}


def _parsed(data: bytes) -> Any:
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    try:
        return next(iter(ArchiveIterator(io.BytesIO(data))))
    except (ArchiveLoadFailed, StopIteration, ValueError) as error:
        raise RecordError(f"no sound WARC record ({error})") from None


def _written(record: Any, payload: bytes) -> bytes:
    """The record with another payload."""
    http = record.http_headers
    for name in ("Transfer-Encoding", "Content-Encoding"):
        http.remove_header(name)
    http.replace_header("Content-Length", str(len(payload)))
    block = http.to_ascii_bytes() + payload
    headers = record.rec_headers
    for name, data in (("WARC-Block-Digest", block), ("WARC-Payload-Digest", payload)):
        if headers.get_header(name):
            headers.replace_header(name, "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode())
    headers.replace_header("Content-Length", str(len(block)))
    return bytes(headers.to_bytes() + block + b"\r\n\r\n")
