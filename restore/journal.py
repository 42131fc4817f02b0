"""What a run has finished, so that it can go on after it was stopped or killed.

A file of JSON lines beside the output, only ever added to:

    {"options": ...}                                      what the run was asked, first
    {"source": ..., "of": ..., "position": ..., ...}      so much of the output stands for so much of the input
    {"source": ..., "of": ..., "commit": true, ...}       the output is whole, and about to be put in place
    {"source": ..., "done": true, ...}                    it is in place
    {"source": ..., "failed": true}                       nothing of it stands; it is begun anew

A position is written after the output up to it was flushed and synced to the
disk; the line itself is synced too. A torn last line is ignored, which loses at
most the work since the line before; a journal without a whole line is none.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from restore.documents import DocumentError
from restore.documents.streams import STANDARD, unwritable

_HEAD = 65_536  # bytes of a file that are hashed


class Journal:
    """The journal at a path. resume: read what is there, else drop it; a new one begins with its first line."""

    def __init__(self, path: Path, options: str, resume: bool):
        self.path = path
        self.options = options
        self.known: dict[str, dict[str, Any]] = {}
        self._file: Any = None  # once there is something in it
        self.dropped = not resume and path.exists()
        if self.dropped:  # it must not outlive the part that it speaks of
            try:
                with open(path, "rb") as file:
                    _hold(file, path)
                path.unlink()
            except OSError as error:
                raise unwritable(path, error) from None
        elif path.exists():
            self._read()

    def _read(self) -> None:
        whole = b"".join(line for line in self.path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n"))
        if not whole:  # torn in its first line: it tells of nothing yet
            return
        try:
            first, *lines = [json.loads(line) for line in whole.splitlines()]
            ours = first["options"] == self.options
            self.known = {line["source"]: line for line in lines}
        except (ValueError, TypeError, KeyError):  # no journal at all
            ours = False
        if not ours:
            raise DocumentError(
                f"{self.path}: belongs to a run with other options or another version; "
                "use those again, or start again without --resume"
            )
        try:
            self._file = open(self.path, "r+b")  # noqa: SIM115
            _hold(self._file, self.path)
            self._file.truncate(len(whole))
            self._file.seek(len(whole))
        except OSError as error:
            raise unwritable(self.path, error) from None

    @property
    def begun(self) -> bool:
        """Whether there is something to go on from."""
        return self._file is not None

    def done(self, name: str) -> bool:
        """Whether a source is finished: it says so, or its output was put in place just before the end came."""
        line = self.known.get(name, {})
        if line.get("commit") and line["target"] == fingerprint(line["path"]):
            return True
        return bool(line.get("done"))

    def rejects(self, name: str) -> int:
        """How many of a source's rejects stand: all of one that is finished, those before its position of another."""
        return sys.maxsize if self.done(name) else int(self.known.get(name, {}).get("rejects", 0))

    def standing(self, name: str) -> dict[str, Any] | None:
        """The last position of an unfinished source. Raises DocumentError if the source is not what it was."""
        line = self.known.get(name)
        if line is None or "position" not in line:
            return None
        if line["of"] != fingerprint(name):
            raise DocumentError(
                f"{name}: has changed since the run that is to be resumed; start again without --resume"
            )
        return line

    def write(self, line: dict[str, Any], sync: bool = True) -> None:
        """Add a line. Raises DocumentError."""
        try:
            if self._file is None:
                self._file = open(self.path, "ab")  # noqa: SIM115
                _hold(self._file, self.path)
                self._file.truncate(0)
                self._add({"options": self.options})
            self._add(line)
            self._file.flush()
            if sync:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise unwritable(self.path, error) from None

    def _add(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")

    def close(self, remove: bool) -> None:
        """End; a run that is complete leaves no journal."""
        if self._file is not None:
            self._file.close()
        if remove:
            with suppress(OSError):
                self.path.unlink()


def _hold(file: IO[bytes], path: Path) -> None:
    """Keep a journal for this run while it is open. Raises DocumentError where another run has it (on Windows the
    system itself refuses)."""
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DocumentError(
                f"{path}: another run is writing there; wait for its end, or write to a folder of its own"
            ) from None


def fingerprint(name: str | Path) -> str:
    """Tells a file from another, or from itself changed: size, time of change, hash of its first 64 KiB. Nothing of a
    pipe."""
    if name == STANDARD:
        return ""
    try:
        status = os.stat(name)
        if not stat.S_ISREG(status.st_mode):  # to look into a pipe is to take from it
            return ""
        with open(name, "rb") as file:
            head = hashlib.sha256(file.read(_HEAD)).hexdigest()[:16]
    except OSError:
        return "none"
    return f"{status.st_size}-{status.st_mtime_ns}-{head}"
