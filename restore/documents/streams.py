"""Bytes in and out: files and standard streams, compressed or not, written so that nothing is ever half there.

Compression is recognised by its first bytes on input and by the suffix on
output. Output is cut into members (gzip, bzip2, xz) or frames (zstd) at each
checkpoint; decompressors read them as one. A file cut there and continued has
the same bytes as one written in one go.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final, Protocol, cast

from restore.documents.errors import DocumentError, missing

STANDARD: Final = "-"
SUFFIXES: Final = {".gz": "gz", ".bz2": "bz2", ".xz": "xz", ".zst": "zst", ".zstd": "zst"}
_MAGIC: Final = {
    "gz": re.compile(rb"\x1f\x8b"),
    "bz2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P)"),  # "BZh" alone may begin a text
    "xz": re.compile(rb"\xfd7zXZ\0"),
    "zst": re.compile(rb"\x28\xb5\x2f\xfd"),
}
_PLENTY: Final = 1 << 16


class Input:
    """A source of bytes, decompressed. name: the path or "-"; shown: how messages call it."""

    def __init__(self, name: str):
        self.name = name
        self.shown = "standard input" if name == STANDARD else name
        self.raw: IO[bytes] = sys.stdin.buffer if name == STANDARD else _opened(name)
        try:
            head = cast(io.BufferedReader, self.raw).peek(10)[:10]
        except OSError as error:
            self.raw.close()
            raise DocumentError(f"{self.shown}: cannot be read ({error.strerror})") from None
        self.compression = next((kind for kind, magic in _MAGIC.items() if magic.match(head)), "")
        self.stream: IO[bytes] = _decompressed(self.raw, self.compression)

    def consumed(self) -> int:
        """Bytes of the file read so far, as stored."""
        try:
            return self.raw.tell()
        except (OSError, ValueError):
            return 0

    def peek(self, size: int) -> bytes:
        """The first bytes of the content, of a source not read yet. Raises DocumentError."""
        parts: list[bytes] = []
        try:
            while size > 0 and (part := self.stream.read1(size)):  # type: ignore[attr-defined]
                parts.append(part)
                size -= len(part)
        except damage() as error:
            raise self.damaged(error) from None
        head = b"".join(parts)
        if not self.compression and self.name != STANDARD and self.stream.seekable():
            self.stream.seek(0)
        elif head:
            self.stream = io.BufferedReader(_Prefixed(head, self.stream), _PLENTY)
        return head

    def skip(self, size: int) -> None:
        """Read on to a position, `size` bytes from the beginning of the content, of a source not read yet."""
        if not self.compression and self.name != STANDARD and self.stream.seekable():
            self.stream.seek(size)
            return
        while size > 0 and (part := self.stream.read(min(size, 1 << 20))):
            size -= len(part)

    def damaged(self, error: BaseException) -> DocumentError:
        """The error for content that cannot be read on."""
        if self.compression:
            return DocumentError(
                f"{self.shown}: cannot be decompressed ({error}); the file is damaged or cut short, fetch it again"
            )
        return DocumentError(f"{self.shown}: cannot be read ({error})")

    def close(self) -> None:
        if self.name != STANDARD:
            self.stream.close()
            self.raw.close()


class _Prefixed(io.RawIOBase):
    """Bytes already read, then the rest of a stream."""

    def __init__(self, head: bytes, rest: IO[bytes]):
        self.head, self.rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.head:
            part, self.head = self.head[: len(buffer)], self.head[len(buffer) :]
        else:
            part = self.rest.read1(len(buffer))  # type: ignore[attr-defined]
        buffer[: len(part)] = part
        return len(part)


class _Frames(io.RawIOBase):
    """Frames of zstd, decompressed. One that is cut short is an EOFError; the package's own reader would take what is
    there for the whole."""

    def __init__(self, raw: IO[bytes]):
        self.raw, self.make = raw, _zstandard().ZstdDecompressor().decompressobj
        self.frame: Any = None  # that which is open
        self.packed = b""
        self.ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.ready:
            self.packed = self.packed or self.raw.read(1 << 13)
            if not self.packed:
                if self.frame is not None:
                    raise EOFError("Compressed file ended before the end of a frame")
                return 0
            self.frame = self.frame or self.make()
            self.ready, self.packed = memoryview(self.frame.decompress(self.packed)), b""
            if self.frame.eof:
                self.packed, self.frame = self.frame.unused_data, None
        part, self.ready = self.ready[: len(buffer)], self.ready[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def damage() -> tuple[type[BaseException], ...]:
    """Exceptions that reading damaged content raises."""
    import lzma
    import zlib

    zstd = sys.modules.get("zstandard")
    return (OSError, EOFError, zlib.error, lzma.LZMAError, *((zstd.ZstdError,) if zstd else ()))


def _opened(name: str) -> IO[bytes]:
    try:
        if os.path.isdir(name):
            raise DocumentError(f"{name}: a folder; name files here, or give folders to clean or detect")
        return open(name, "rb", buffering=_PLENTY)
    except FileNotFoundError:
        raise DocumentError(f"{name}: no such file; check the name") from None
    except PermissionError:
        raise DocumentError(f"{name}: permission denied; check that you may read it") from None
    except OSError as error:
        raise DocumentError(f"{name}: cannot be read ({error.strerror})") from None


def _decompressed(raw: IO[bytes], compression: str) -> IO[bytes]:
    if not compression:
        return raw
    if compression == "gz":
        import gzip

        return io.BufferedReader(cast(Any, gzip.GzipFile(fileobj=raw)), _PLENTY)
    if compression == "bz2":
        import bz2

        return io.BufferedReader(cast(Any, bz2.BZ2File(raw)), _PLENTY)
    if compression == "xz":
        import lzma

        return io.BufferedReader(cast(Any, lzma.LZMAFile(raw)), _PLENTY)
    return io.BufferedReader(_Frames(raw), _PLENTY)


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError:
        raise missing("a .zst file", "zstandard", "web") from None
    return zstandard


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


def _compressor(compression: str) -> Callable[[], _Compressor] | None:
    """A maker of compressors, one for each member."""
    if compression == "gz":
        import zlib

        return lambda: zlib.compressobj(6, zlib.DEFLATED, 31)
    if compression == "bz2":
        import bz2

        return bz2.BZ2Compressor
    if compression == "xz":
        import lzma

        return lzma.LZMACompressor
    if compression == "zst":
        zstandard = _zstandard()
        return lambda: cast(_Compressor, zstandard.ZstdCompressor().compressobj())
    return None


Finish = Callable[[Path, IO[bytes]], None]  # makes a file of what was collected


def packed(finish: Finish, compression: str) -> Finish:
    """The same, what it makes compressed."""
    make = _compressor(compression)
    if make is None:
        return finish

    def made(staged: Path, out: IO[bytes]) -> None:
        with tempfile.TemporaryFile(dir=staged.parent) as plain:
            finish(staged, plain)
            plain.seek(0)
            packer = make()
            while part := plain.read(1 << 20):
                out.write(packer.compress(part))
            out.write(packer.flush())

    return made


def compression_of(path: str) -> str:
    """The compression that a file's suffix asks for; none: ""."""
    return SUFFIXES.get(os.path.splitext(path)[1].lower(), "")


class Standard:
    """Standard output as a sink: what is written is whole records, and leaves at once."""

    def write(self, data: bytes) -> None:
        """Add bytes. Raises DocumentError."""
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise unwritable("standard output", error) from None


class Straight:
    """A pipe or device as a sink: nothing to put in place."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self._file = open(path, "wb", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise unwritable(path, error) from None

    def write(self, data: bytes) -> None:
        """Add bytes. Raises DocumentError."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise unwritable(self.path, error) from None

    def flush(self) -> None:
        """Nothing is held back."""

    def checkpoint(self) -> int:
        """As of `Output`; a pipe cannot be continued."""
        return 0

    def commit(self) -> None:
        """End."""
        self._file.close()

    leave = discard = commit


class Output:
    """A file as a sink: collected in `PART` beside the target, which it replaces when it is whole.

    resume: length to which an earlier part is cut before going on.
    """

    def __init__(self, target: Path, compression: str = "", resume: int | None = None):
        self.target = Path(os.path.realpath(target))
        self.part = part_of(self.target)
        self.written = 0  # bytes before compression since the last checkpoint
        self._make = _compressor(compression)
        self._member: _Compressor | None = None
        try:
            self._file: IO[bytes] = open(self.part, "wb" if resume is None else "r+b")  # noqa: SIM115
            if resume is not None:
                self._file.truncate(resume)
                self._file.seek(resume)
        except OSError as error:
            raise unwritable(target, error) from None

    def write(self, data: bytes) -> None:
        """Add bytes. Raises DocumentError."""
        self.written += len(data)
        try:
            if self._make is None:
                self._file.write(data)
                return
            if self._member is None:
                self._member = self._make()
            self._file.write(self._member.compress(data))
        except OSError as error:
            raise unwritable(self.target, error) from None

    def flush(self) -> None:
        """Hand on what is buffered, so that it outlives this process. Raises DocumentError."""
        try:
            self._file.flush()
        except OSError as error:
            raise unwritable(self.target, error) from None

    def end_member(self) -> None:
        """End the compressed member, if one is open."""
        if self._member is None:
            return
        try:
            self._file.write(self._member.flush())
        except OSError as error:
            raise unwritable(self.target, error) from None
        self._member = None

    def checkpoint(self) -> int:
        """Bring all to the disk, and return the length of the part: from here it can be continued."""
        try:
            self.end_member()
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise unwritable(self.target, error) from None
        self.written = 0
        return self._file.tell()

    def commit(
        self,
        backup: str = "",
        finish: Finish | None = None,
        before: Callable[[Path], None] = lambda whole: None,
    ) -> None:
        """Put the whole file in the target's place, with its permissions. Raises DocumentError.

        backup: suffix under which the old file is kept. finish: makes the file of
        what was collected. before: is told the whole file just before it is put in place.
        """
        try:
            if self._make and self._member is None and not self._file.tell():
                self._member = self._make()
            self.checkpoint()
            self._file.close()
            whole = self.part
            if finish:
                whole = self.part.with_name(self.part.name + ".made")
                with open(whole, "wb") as file:
                    finish(self.part, file)
                    file.flush()
                    os.fsync(file.fileno())
            if self.target.exists():
                shutil.copymode(self.target, whole)
                if backup:
                    _keep(self.target, backup)
            else:
                os.chmod(whole, 0o666 & ~_umask())
            before(whole)
            os.replace(whole, self.target)
            if finish:
                self.part.unlink()
            _sync_folder(self.target.parent)
        except OSError as error:
            raise unwritable(self.target, error) from None

    def leave(self) -> None:
        """Close, and keep the part for going on later."""
        with suppress(OSError):
            self._file.close()

    def discard(self) -> None:
        """Close and remove the part; the target is as it was."""
        self.leave()
        for path in (self.part, self.part.with_name(self.part.name + ".made")):
            with suppress(OSError):
                path.unlink()


def part_of(target: Path) -> Path:
    """Where a file is collected until it is whole."""
    return beside(target, ".restore-part")


def beside(target: Path, suffix: str) -> Path:
    """A hidden file beside another, of its name, or of a digest where that would be too long for a name."""
    name = f".{target.name}{suffix}"
    if len(os.fsencode(name)) > 240:
        name = f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}{suffix}"
    return target.with_name(name)


def sink(path: Path) -> Straight | Output:
    """What writes a plain file in one step, and a pipe or device straight away. Raises DocumentError."""
    return Straight(path) if is_pipe(path) else Output(path)


def check_place(path: Path, example: str) -> None:
    """Say before the work, not after, that its file could not be written. example: name for one in a folder."""
    folder = path.parent
    if path.is_dir():
        raise DocumentError(f"{path}: a folder; name a file, for instance {path / example}")
    if is_pipe(path):  # it is opened, not replaced
        return
    if _is_standard(path):
        raise DocumentError(f"{path}: leads to where standard output or error goes; name another file")
    if not folder.is_dir():
        raise DocumentError(f"{path}: cannot be written (no folder {folder}); make it first")
    if not os.access(folder, os.W_OK):
        raise DocumentError(f"{path}: cannot be written (folder {folder} may not be written to); check its permissions")


def _is_standard(path: Path) -> bool:
    """Whether a path leads to the file that standard output or error was sent to (/dev/stdout > FILE)."""
    for number in (1, 2):
        with suppress(OSError):
            if os.path.samestat(os.stat(path), os.fstat(number)):
                return True
    return False


def unwritable(path: Path | str, error: OSError) -> DocumentError:
    """The error for a file that cannot be written."""
    return DocumentError(f"{path}: cannot be written ({error.strerror}); check folder, permissions and space")


def complain(message: object) -> None:
    """Tell something on standard error, if it takes anything."""
    with suppress(OSError):
        print(f"restore: {message}", file=sys.stderr)


def _keep(path: Path, suffix: str) -> None:
    """A copy of a file under its name and a suffix, by a link where the file system has them."""
    kept = Path(f"{path}{suffix}")
    with suppress(FileNotFoundError):
        kept.unlink()
    try:
        os.link(path, kept)
    except OSError:
        shutil.copy2(path, kept)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            with suppress(OSError):
                os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def is_pipe(path: Path) -> bool:
    """Whether a path is no plain file (a pipe or device), which is written straight away."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False
