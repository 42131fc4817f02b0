"""The benchmark's corpus: marked documents by track and split, with checksums; other people's sets in the same format.

    corpus/<split>/<track>/<topic>-<mechanism>.txt     one document each
    corpus/<split>/short/lines.txt                     one document a line
    corpus/SHA256SUMS                                  of every file, as `sha256sum` writes it

A document is what was found, with what stood there: `⟦found→original|other⟧`
must be restored to any of these, `⟦found~other⟧` may be. corpus/README.md is
the data card.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from restore.learning.gold import Marked, read_marked
from restore.learning.phrases import open_text

ROOT: Final = Path(__file__).parent / "corpus"
SUMS: Final = "SHA256SUMS"
SPLITS: Final = ("dev", "test")
TRACKS: Final = {
    "autoblog": "spun throughout, by hand and by two tables",
    "unlisted": "spun throughout with phrases that no shipped lexicon holds",
    "tortured": "abstracts with tortured phrases",
    "thesaurus": "single content words replaced from a thesaurus",
    "mixed": "clean passages among spun ones",
    "short": "headlines, captions, single sentences",
    "clean": "good English; no change is expected",
    "lookalike": "good English full of what spinners write; no change is expected",
}
MECHANISMS: Final = ("hand", "table", "second", "wordnet", "moby")
EXTERNAL: Final = "external"
UNTOUCHED: Final = ("clean", "lookalike")  # tracks without spans


class CorpusError(ValueError):
    """A corpus that is not what it should be; the message names the file and the remedy."""


@dataclass(frozen=True)
class Document:
    """One document; `name` is unique within its split."""

    name: str
    track: str
    split: str
    source: str  # marked text

    @cached_property
    def marked(self) -> Marked:
        return read_marked(self.source)

    @property
    def text(self) -> str:
        """As found."""
        return self.marked.tokens.text

    @property
    def mechanism(self) -> str:
        """How it was spun, by its name: hand, table, second, wordnet, moby; empty where that is not told."""
        way = self.name.rpartition("-")[2]
        return way if way in MECHANISMS else ""


def load(split: str, tracks: Iterable[str] = TRACKS, root: Path = ROOT) -> list[Document]:
    """Documents of some tracks, after their checksums were compared. Raises CorpusError."""
    verify(root)
    return [d for track in tracks for path in sorted((root / split / track).glob("*.txt")) for d in _read(path)]


def _read(path: Path) -> Iterator[Document]:
    track, split = path.parent.name, path.parent.parent.name
    text = path.read_text(encoding="utf-8")
    if track == "short":
        for number, line in enumerate(text.splitlines(), 1):
            yield Document(f"{track}/line-{number}", track, split, line)
    else:
        yield Document(f"{track}/{path.stem}", track, split, text.removesuffix("\n"))


def external(path: Path) -> list[Document]:
    """A set of one's own: a folder of *.marked.txt, or JSON lines with a field "marked" (.xz too)."""
    if path.is_dir():
        files = sorted(path.glob("*.marked.txt"))
        if not files:
            raise CorpusError(f"{path}: no *.marked.txt in this folder")
        found = [(f.name.removesuffix(".marked.txt"), f.read_text(encoding="utf-8").rstrip("\n")) for f in files]
    else:
        with open_text(path) as file:
            rows = [json.loads(line) for line in file]
        if not rows or any("marked" not in row for row in rows):
            raise CorpusError(f"{path}: every line must be a JSON object with a field 'marked'")
        found = [(str(row.get("id", n)), row["marked"]) for n, row in enumerate(rows, 1)]
    return [Document(name, EXTERNAL, path.name, marked) for name, marked in found]


def verify(root: Path = ROOT) -> None:
    """Compare the files with the checksums. Raises CorpusError for a changed, missing or unknown file."""
    path = root / SUMS
    if not path.is_file():
        raise CorpusError(f"{path}: missing; take the corpus anew from the repository")
    expected = {line[66:]: line[:64] for line in path.read_text(encoding="utf-8").splitlines()}
    found = _sums(root)
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            state = "missing" if name not in found else "not listed in" if name not in expected else "changed against"
            raise CorpusError(f"{root / name}: {state} {SUMS}; take the corpus anew from the repository")


def seal(root: Path = ROOT) -> int:
    """Write the checksums; how many files."""
    sums = _sums(root)
    (root / SUMS).write_text("".join(f"{sums[name]}  {name}\n" for name in sorted(sums)), encoding="utf-8")
    return len(sums)


def _sums(root: Path) -> dict[str, str]:
    """SHA-256 by name; of the text with plain line ends, so that a checkout with others passes."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        for split in SPLITS
        for path in (root / split).rglob("*.txt")
    }
