"""Documents in and out: plain text in a named encoding, read whole and written atomically."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

STDIN: Final = "-"
_PROBE: Final = 8192  # bytes in which a NUL marks a file as binary


class DocumentError(Exception):
    """A document that cannot be read or written; the message names it, the cause and the remedy."""


def read(name: str, encoding: str = "utf-8") -> str:
    """Text of a file, or of standard input for "-". Line ends and a byte order mark are kept. Raises DocumentError."""
    shown = "standard input" if name == STDIN else name
    data = sys.stdin.buffer.read() if name == STDIN else _bytes(name)
    if not data:
        raise DocumentError(f"{shown}: empty; there is nothing to restore")
    if b"\0" in data[:_PROBE] and "16" not in encoding and "32" not in encoding:
        raise DocumentError(f"{shown}: a binary file; give plain text (for UTF-16 text name it: --encoding utf-16)")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{shown}: not {encoding} (byte {error.start}); name its encoding, for instance --encoding cp1252"
        ) from None
    except LookupError:
        raise DocumentError(
            f"unknown encoding '{encoding}'; name one that Python knows, such as utf-8 or cp1252"
        ) from None


def _bytes(name: str) -> bytes:
    path = Path(name)
    if path.is_dir():
        raise DocumentError(f"{name}: a folder; name the files in it, for instance {name.rstrip('/')}/*.txt")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DocumentError(f"{name}: no such file; check the name") from None
    except PermissionError:
        raise DocumentError(f"{name}: may not be read; check its permissions") from None
    except OSError as error:
        raise DocumentError(f"{name}: {error.strerror}") from None


def write(path: Path, parts: Iterable[str], encoding: str = "utf-8") -> None:
    """Write a file in one step: beside the target, flushed, then put in its place, permissions kept. Raises DocumentError."""
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                file.write(encode(part, encoding, str(path)))
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, temporary)
        else:
            os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise DocumentError(f"{path}: cannot be written ({error.strerror}); check folder and permissions") from None
    finally:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)


def encode(text: str, encoding: str, shown: str) -> bytes:
    """Bytes of a text. Raises DocumentError where the encoding lacks a character."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise DocumentError(
            f"{shown}: {encoding} has no {text[error.start]!r}; write it in another encoding, such as utf-8"
        ) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
