"""Records that could not be restored: a file of JSON lines, each with its source and the reason."""

from __future__ import annotations

import json
import os
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from restore.documents.streams import Output, Straight, is_pipe, part_of, sink, unwritable
from restore.journal import Journal


class Rejects:
    """The file of rejected records; an earlier one stays until there are records, or the end without any."""

    def __init__(self, path: Path | None, resume: bool, journal: Journal | None):
        self.path = path
        self.any = False
        self._out: Straight | Output | None = None
        if path is None:
            return
        if resume and journal and journal.known and not is_pipe(path):
            kept = _keep_standing(path, journal)
            self.any = kept > 0
            self._out = Output(path, resume=kept)
        else:
            self._out = sink(path)

    def add(self, line: dict[str, Any]) -> None:
        """One record more. Raises DocumentError."""
        if self._out is None:
            return
        self._out.write((json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))
        self._out.flush()
        self.any = True

    def sync(self) -> None:
        """Bring all to the disk."""
        if self._out is not None:
            self._out.checkpoint()

    def close(self, complete: bool, resumable: bool) -> None:
        """Put the records in place, those of a run that was stopped too. Raises DocumentError."""
        if self._out is None or self.path is None:
            return
        if self.any or isinstance(self._out, Straight):
            self._out.commit()
        elif resumable:  # it tells the run that goes on that there were none
            self._out.leave()
        else:
            self._out.discard()
            if complete:
                self._drop_earlier(self.path)

    @staticmethod
    def _drop_earlier(path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(path, error) from None


def _keep_standing(path: Path, journal: Journal) -> int:
    """Leave in the part of a file of rejects what stands for the output kept, and tell its length; a source that is
    begun anew tells its own again. A run that was stopped left them in place, one that was killed in the part."""
    stand, seen = cache(journal.rejects), Counter[str]()
    part = part_of(Path(os.path.realpath(path)))
    before = next((p for p in (part, path) if p.exists()), Path(os.devnull))
    out = Output(part)
    try:
        with open(before, "rb") as file:
            for line in file:
                name = _source_of(line)
                seen[name] += 1
                if name and seen[name] <= stand(name):
                    out.write(line)
        out.commit()  # once the old one is closed, for Windows' sake
        return part.stat().st_size
    except OSError as error:
        raise unwritable(path, error) from None
    finally:
        out.discard()


def _source_of(line: bytes) -> str:
    """The source that a line of rejects names; "" for a line that is torn."""
    try:
        return str(json.loads(line)["source"]) if line.endswith(b"\n") else ""
    except (ValueError, TypeError, KeyError):
        return ""
