"""A page to open in a browser: texts with their edits, totals, and an index of many documents.

One file that needs nothing else and asks the network for nothing. What comes
from documents stands in it only as escaped JSON in data blocks, and is shown
as text nodes; a content security policy lets the page's own script and style
run and nothing more. Documents go by once and are not kept in memory.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from restore.documents.streams import check_place, sink
from restore.restoration import Restoration

FEW: Final = 200  # documents up to which all texts are carried
SMALL: Final = 20_000_000  # characters of texts up to which all are carried
FULL: Final = 100_000_000  # characters of texts from which on none is carried; browsers open a page of this size
ROWS: Final = 20_000  # documents with edits that the index lists
CLEAN_ROWS: Final = 5_000  # documents without edits that it lists
BINS: Final = 20  # of the chart of confidence

_UNSAFE: Final = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
_NO_TEXT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # what HTML text cannot hold
_SLOT: Final = re.compile(r"\{\{(\w+)\}\}")
_BLOCK: Final = 1 << 20


class HtmlReport:
    """A page written while results go by: `add` each, then `close`.

    title: heading of the page. few, small, full: limits on the texts carried,
    see the constants of this module; what they leave out is counted and said on
    the page. As a context manager the page is written at a normal end only.

    Raises DocumentError where the path cannot be written: at construction as
    far as can be told then, else at `close`.
    """

    def __init__(
        self, path: str | Path, title: str = "Restored text", few: int = FEW, small: int = SMALL, full: int = FULL
    ):
        self.path = Path(path)
        self.title = title
        self.few, self.small, self.full = few, small, full
        check_place(self.path, "report.html")
        self._edited, self._unedited = _Spool(), _Spool()  # texts as data blocks
        self._rows = _Spool()  # lines of the index
        self._listed = [0, 0]  # documents without and with edits in the index
        self._totals: Counter[str] = Counter()
        self._families: dict[str, int] = {}
        self._confidence = [0] * BINS
        self._large = False  # texts of documents without edits are no longer carried

    def add(self, name: str, result: Restoration) -> None:
        """Take one result; its text as found comes from its `undo`."""
        number = self._totals["documents"]
        words = len(result.text.split())
        self._count(result, words)
        kind = int(bool(result.edits))
        if self._listed[kind] >= (CLEAN_ROWS, ROWS)[kind]:
            self._totals["unlisted"] += 1
            return
        self._listed[kind] += 1
        block = _data_block(f"d{number}", self._document(result))
        size = self._edited.size + self._unedited.size + len(block)
        if number >= self.few or size > self.small:
            self._drop_unedited()
        if (self._large and not result.edits) or self._edited.size + len(block) > self.full:
            self._totals["texts_left_out" if result.edits else "unedited_left_out"] += 1
        else:
            (self._edited if result.edits else self._unedited).write(block)
        v = result.verdict
        doubtful = sum(e.confidence < 0.7 for e in result.edits)
        row = [number, name, int(v.spun), round(v.probability, 4), round(v.rate, 4), v.family]
        self._rows.write(("," if sum(self._listed) > 1 else "") + encode([*row, len(result.edits), doubtful, words]))

    def close(self) -> None:
        """Write the page, in one step. Raises DocumentError."""
        try:
            out = sink(self.path)
            for piece in self._page():
                out.write(piece.encode())
            out.commit()
        finally:
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._release()

    def _release(self) -> None:
        for spool in (self._edited, self._unedited, self._rows):
            spool.close()

    def _count(self, result: Restoration, words: int) -> None:
        self._totals.update(documents=1, spun=result.verdict.spun, edits=len(result.edits), words=words)
        self._totals["edited"] += bool(result.edits)
        for e in result.edits:
            self._families[e.family] = self._families.get(e.family, 0) + 1
            self._confidence[min(BINS - 1, max(0, int(e.confidence * BINS + 1e-9)))] += 1

    def _drop_unedited(self) -> None:
        """Carry the texts of documents with edits only, from now on."""
        if not self._large:
            self._large = True
            self._totals["unedited_left_out"] = self._unedited.parts
            self._unedited.close()
            self._unedited = _Spool()

    @staticmethod
    def _document(result: Restoration) -> dict[str, Any]:
        """Text as found in pieces, those at odd places being the edits' (so that no offset need be counted in the
        browser's own units); and the edits: replacement, confidence, family, alternatives, evidence."""
        source = result.undo()
        pieces: list[str] = []
        at = 0
        for e in result.edits:
            pieces += (source[at : e.start], e.found)
            at = e.end
        pieces.append(source[at:])
        edits = [
            [
                e.replacement,
                round(e.confidence, 4),
                e.family,
                [[text, round(p, 4)] for text, p in e.alternatives],
                {name: round(float(value), 3) for name, value in e.evidence.items()},
            ]
            for e in result.edits
        ]
        return {"pieces": pieces, "edits": edits}

    def _page(self) -> Iterator[str]:
        from restore import __version__

        folder = files("restore.reports")
        style = (folder / "page.css").read_text(encoding="utf-8")
        script = (folder / "page.js").read_text(encoding="utf-8")
        fill = {
            "title": html.escape(_NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", self.title)),
            "version": html.escape(__version__),
            "style": style,
            "script": script,
            "style_hash": _digest(style),
            "script_hash": _digest(script),
        }
        template = (folder / "page.html").read_text(encoding="utf-8")
        for n, part in enumerate(_SLOT.split(template)):
            if n % 2 == 0:
                yield part
            elif part == "data":
                yield from self._data()
            else:
                yield fill[part]

    def _data(self) -> Iterator[str]:
        yield from self._edited.read()
        yield from self._unedited.read()
        totals = {
            "title": self.title,
            **{name: self._totals[name] for name in ("documents", "spun", "edited", "edits", "words", "unlisted")},
            "unedited_left_out": self._totals["unedited_left_out"],
            "texts_left_out": self._totals["texts_left_out"],
            "families": self._families,
            "confidence": self._confidence,
        }
        yield _data_block("totals", totals)
        yield '<script type="application/json" id="index">['
        yield from self._rows.read()
        yield "]</script>\n"


def write_html(results: Iterable[tuple[str, Restoration]], path: str | Path, title: str = "Restored text") -> None:
    """A page with the named results, in their order; memory does not grow with them. Raises DocumentError."""
    with HtmlReport(path, title) as report:
        for name, result in results:
            report.add(name, result)


def encode(value: object) -> str:
    r"""JSON that may stand inside a <script> element whatever strings it holds.

    `<`, `>` and `&` are escaped, so that neither `</script>` nor `<!--` nor an
    entity can occur; so are U+2028 and U+2029, and lone surrogates, which UTF-8
    cannot hold.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class _Spool:
    """Text written now and read once later, on disk where it is long."""

    def __init__(self) -> None:
        self._file: IO[str] = tempfile.SpooledTemporaryFile(_BLOCK, "w+", encoding="utf-8", newline="")  # noqa: SIM115
        self.size = 0  # characters
        self.parts = 0

    def write(self, text: str) -> None:
        self._file.write(text)
        self.size += len(text)
        self.parts += 1

    def read(self) -> Iterator[str]:
        self._file.seek(0)
        while part := self._file.read(_BLOCK):
            yield part

    def close(self) -> None:
        self._file.close()


def _data_block(name: str, value: object) -> str:
    return f'<script type="application/json" id="{name}">{encode(value)}</script>\n'


def _digest(text: str) -> str:
    """Source expression of a content security policy for an inline script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
