"""The protocol that all kinds of documents share.

    source --Reader.items--> Item --Item.records--> Record --restored--> Record.render --Item.join--> bytes

A `Reader` cuts a source into items without looking at more than it must; it
runs where the input is. An `Item` (some whole records, a page, a stretch of a
long text) is picklable and does the parsing, so that it can do so in another
process. A `Record` has texts; given them restored it writes itself, everything
else as it was.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar, Final

from restore.documents import encodings
from restore.documents.errors import RecordError
from restore.documents.streams import Input
from restore.restoration import Restoration, splice

BETWEEN = "\n\n"  # joins the texts of one record, which are restored together: a title's evidence is its article
ITEM = 65_536  # bytes of small records that make one item
ITEM_RECORDS = 256
NOTES: Final = ("restore_spun", "restore_probability", "restore_edits")  # columns of the annotation

Change = tuple[int, int, str]  # start, end, what comes there


@dataclass(frozen=True, slots=True)
class Options:
    """How documents are read and written (the command line's options of the same names). Raises DocumentError for an
    encoding that nobody knows."""

    fields: tuple[str, ...] = ()
    html: str = "keep"
    encoding: str = "utf-8"
    fix_encoding: bool = False
    keep_original: bool = False
    annotate: bool = False
    whole: bool = False  # a long text as one item, where its restoration is wanted as one

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", tuple(dict.fromkeys(self.fields)))  # one named twice is restored once
        if self.encoding != encodings.AUTO:  # by one name, whichever it was given
            object.__setattr__(self, "encoding", encodings.known(self.encoding))


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a record: the restoration of its texts joined, and the changes of each text."""

    whole: Restoration
    changes: tuple[tuple[Change, ...], ...]

    def text(self, record: Record, n: int) -> str:
        """Text n of a record, restored."""
        return splice(record.texts[n], self.changes[n])

    def annotation(self) -> dict[str, Any]:
        """Verdict and edits, JSON-ready; offsets are those of the texts joined by an empty line."""
        told = self.whole.to_dict()
        return {"verdict": told["verdict"], "edits": told["edits"]}


class Record(ABC):
    """One record. `number` counts from 1 in its source, `raw` is it as found, `texts` what is to be restored."""

    number: int
    raw: bytes
    texts: Sequence[str]

    @abstractmethod
    def render(self, restored: Restored) -> Any:
        """The record with its texts restored, for `Item.join`. Raises RecordError."""

    @abstractmethod
    def row(self, restored: Restored) -> dict[str, Any] | None:
        """The restored record as a row of named values, for other kinds; None: it is none."""

    def fits(self, start: int, end: int) -> bool:
        """Whether a change of a stretch of the joined texts can be written."""
        return True

    def unchanged(self) -> Any:
        """The record as found, for `Item.join`."""
        return self.raw

    def seen(self) -> Sequence[str]:
        """Which of the fields are there; for kinds whose records need not have them."""
        return ()

    def names(self) -> Sequence[str]:
        """Names of the fields that hold text."""
        return ()


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that cannot be restored, as found, and why; `part` is it for `Item.join`."""

    number: int
    raw: bytes
    reason: str
    part: Any


@dataclass(frozen=True, slots=True)
class Item(ABC):
    """Work for one process. number: of its first record; position: where reading goes on after it."""

    number: int
    position: int
    options: Options

    @abstractmethod
    def records(self) -> Iterator[Record | Reject]:
        """Its records. Raises DocumentError where the document as a whole is bad."""

    def join(self, parts: list[Any]) -> bytes:
        """Rendered records as bytes of the document."""
        return b"".join(parts)

    @property
    def alters(self) -> bool:
        """Whether its records are to be written otherwise even where nothing was restored."""
        return self.options.fix_encoding or self.options.keep_original or self.options.annotate

    @property
    def weight(self) -> int:
        """About how many bytes it holds."""
        return 0

    @property
    def count(self) -> int:
        """How many records begin in it."""
        return 1


class Reader(ABC):
    """Cuts one source into items."""

    kind: ClassVar[str]
    many: ClassVar[bool] = False  # whether a source holds many records
    members: ClassVar[bool] = False  # whether each record is a compressed member of its own
    staged: ClassVar[bool] = False  # whether items are collected and the document is made of them at the end

    def __init__(self, source: Input, options: Options):
        self.source = source
        self.options = options

    @abstractmethod
    def items(self, position: int = 0, number: int = 1) -> Iterator[Item]:
        """Items from a position, where record `number` begins. Raises DocumentError."""

    def finish(self, staged: Path, out: IO[bytes]) -> None:
        """Make the document of its staged items."""
        raise NotImplementedError


def labelled(number: int, raw: bytes, reason: Exception | str, part: Any = None) -> Reject:
    """A reject whose part is its raw form unless told otherwise."""
    return Reject(number, raw, str(reason), raw if part is None else part)


def repaired(text: str) -> str:
    """`text` with mojibake decoded back, line by line, by ftfy."""
    if text.isascii():
        return text
    fix = encodings.ftfy().fix_encoding
    return "\n".join(line if line.isascii() else fix(line) for line in text.split("\n"))


def new_key(name: str) -> str:
    """The name under which a restored text stands beside its original."""
    return f"{name}_restored"


def listing(names: Iterable[str]) -> str:
    """Names for a message: a dozen at most, cut to a line's length; with outer blanks in quotation marks."""
    held = [" ".join(name.split())[:40] if name == name.strip() else repr(name[:40]) for name in names]
    return ", ".join(held[:12]) + (", …" if len(held) > 12 else "") if held else "none that holds text"


def added(options: Options) -> list[str]:
    """Names of the columns that come beside those of a table."""
    names = [new_key(name) for name in options.fields] if options.keep_original else []
    return names + list(NOTES) if options.annotate else names


def check_free(names: Sequence[str], taken: Sequence[str] | dict[str, Any]) -> None:
    """Raise RecordError where a name to be added is there already."""
    for name in names:
        if name in taken:
            raise RecordError(f"'{name}' is there already; rename it, or leave out --keep-original and --annotate")
