"""Bytes to text and back: strict, by name, by a byte order mark, by what a page declares, or by a guess that is
told."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from typing import Any, Final

from restore.documents.errors import DocumentError, missing

AUTO: Final = "auto"
PROBE: Final = 8192  # bytes in which a NUL marks a file as binary
_DECLARED: Final = re.compile(
    rb"""<meta[^>]{1,200}?charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml[^>]{1,100}?encoding\s*=\s*["']([\w.:-]+)""",
    re.IGNORECASE,
)
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WEB: Final = {"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "gb2312": "gbk", "tis-620": "cp874"}
_C1: Final = "restore.c1"  # error handler: bytes that Windows code pages leave undefined stand for themselves


def ftfy() -> Any:
    """The module ftfy. Raises DocumentError."""
    try:
        import ftfy
    except ImportError:
        raise missing("--fix-encoding", "ftfy", "web") from None
    return ftfy


def known(encoding: str) -> str:
    """Python's name of an encoding. Raises DocumentError."""
    try:
        name = codecs.lookup(encoding).name
        with suppress(UnicodeDecodeError):  # one byte is not enough for some
            b"a".decode(name)  # "hex" and "rot13" are codecs and no encodings, "undefined" always fails
        return name
    except (LookupError, ValueError):
        raise DocumentError(
            f"unknown encoding '{encoding}'; name one that Python knows, such as utf-8 or cp1252, or auto"
        ) from None


def settled(head: bytes, encoding: str, shown: str) -> str:
    """The encoding of a document by its first bytes; "auto" is a guess unless it is marked or good UTF-8."""
    if encoding == AUTO:
        return marked(head) or ("utf-8" if _is_utf8(head) else guessed(head, shown))
    name = known(encoding)
    if name in ("utf-16", "utf-32"):  # with its mark kept as part of the text, so that it is written back as it was
        return marked(head) or f"{name}-le"
    return "utf-8" if name == "utf-8-sig" else name


def marked(head: bytes) -> str:
    """The encoding that a byte order mark tells; none: ""."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), "")


def guessed(head: bytes, shown: str) -> str:
    """The likeliest encoding, by charset-normalizer. Raises DocumentError."""
    try:
        import charset_normalizer
    except ImportError:
        raise missing("--encoding auto", "charset-normalizer", "web") from None
    best = charset_normalizer.from_bytes(head).best()
    if best is None:
        raise DocumentError(f"{shown}: no encoding fits; name it with --encoding, or leave out what is no text")
    return codecs.lookup(best.encoding).name


def check_text(head: bytes, encoding: str, shown: str) -> None:
    """Raise DocumentError for an empty or binary file."""
    if not head:
        raise DocumentError(f"{shown}: empty; there is nothing to restore")
    if b"\0" in head[:PROBE] and not encoding.startswith(("utf-16", "utf-32")):
        raise DocumentError(f"{shown}: a binary file; give plain text (for UTF-16 text name it: --encoding utf-16)")


def undecodable(shown: str, encoding: str, byte: int) -> DocumentError:
    """The error for bytes that the encoding does not have."""
    return DocumentError(f"{shown}: not {encoding} (byte {byte}); name its encoding, for instance --encoding cp1252")


def decode(data: bytes, encoding: str, shown: str) -> str:
    """Text of a whole document. Raises DocumentError."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise undecodable(shown, encoding, error.start) from None


def same(text: str, encoding: str, data: bytes) -> bool:
    """Whether a text decoded from bytes gives them back; some encodings have several bytes for one character."""
    try:
        return encoding == "utf-8" or text.encode(encoding) == data
    except UnicodeEncodeError:
        return False


def encode(text: str, encoding: str, shown: str) -> bytes:
    """Bytes of a text. Raises DocumentError where the encoding lacks a character."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise DocumentError(
            f"{shown}: {encoding} has no {text[error.start]!r}; write it in another encoding, such as utf-8"
        ) from None


def page(data: bytes, encoding: str, shown: str) -> tuple[str, str]:
    """Text of an HTML page and its encoding: a byte order mark, the option, what the page declares, UTF-8.

    `encoding` "utf-8" is the option's default and gives way to the page. The names that pages use for Windows code
    pages mean these (WHATWG Encoding). Raises DocumentError.
    """
    declared = _DECLARED.search(data[:4096])
    label = (declared[1] or declared[2]).decode("ascii") if declared else ""
    name = marked(data)
    if not name and encoding not in ("utf-8", AUTO):
        name = settled(data, encoding, shown)
    elif not name and label:
        try:
            name = known(label)
        except DocumentError:
            raise DocumentError(f"{shown}: declares the unknown charset '{label}'; name it with --encoding") from None
        name = "utf-8" if name.startswith(("utf-16", "utf-32")) else _WEB.get(name, name)
    elif not name:
        name = settled(data, encoding, shown)
    try:
        return data.decode(name, _C1 if name.startswith("cp125") else "strict"), name
    except UnicodeDecodeError as error:
        if encoding == AUTO:
            name = guessed(data, shown)
            return decode(data, name, shown), name
        raise undecodable(shown, name, error.start) from None
    except UnicodeError:  # of codecs that do not say where
        raise undecodable(shown, name, 0) from None


def page_bytes(text: str, encoding: str) -> bytes:
    """The way back from `page`."""
    return text.encode(encoding, _C1 if encoding.startswith("cp125") else "strict")


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _c1(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeDecodeError):
        return "".join(map(chr, error.object[error.start : error.end])), error.end
    if isinstance(error, UnicodeEncodeError) and all(
        0x80 <= ord(c) < 0xA0 for c in error.object[error.start : error.end]
    ):
        return bytes(map(ord, error.object[error.start : error.end])), error.end
    raise error


codecs.register_error(_C1, _c1)  # type: ignore[arg-type]
