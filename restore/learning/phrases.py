"""Parallel text to lexicon entries: align, count, write."""

from __future__ import annotations

import json
import lzma
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from rapidfuzz.distance import Indel

from restore.lexicon import LONGEST, Lexicon, add_prefixes, phrase_key
from restore.text import Tokens, tokenize

MARK: Final = re.compile(r"⟦([^→~⟧]*)([→~])([^⟧]*)⟧")


@dataclass(frozen=True, slots=True)
class Pair:
    """A text as its author wrote it, and the substitutions that a spinner made in it."""

    original: str
    substitutions: list[tuple[str, str]]  # found, original


def open_text(path: Path) -> TextIO:
    """A text file, decompressed where its name ends in .xz."""
    return lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else open(path, encoding="utf-8")


def read_pairs(path: Path) -> Iterator[Pair]:
    """Pairs from JSON lines: {"marked": text with ⟦found→original⟧}, or {"original": ..., "spun": ...}."""
    with open_text(path) as file:
        for line in file:
            record = json.loads(line)
            if "marked" in record:
                yield from_marked(record["marked"])
            else:
                yield from_plain(record["original"], record["spun"])


def from_marked(marked: str) -> Pair:
    """A pair from marked text; the first alternative counts as the original."""
    marks = [(m.group(1), m.group(3).split("|")[0]) for m in MARK.finditer(marked)]
    return Pair(MARK.sub(lambda m: m.group(3).split("|")[0], marked), marks)


def from_plain(original: str, spun: str) -> Pair:
    """A pair from two plain texts: the replaced stretches of a word alignment (insertions and deletions, Indel)."""
    a, b = tokenize(spun), tokenize(original)
    found: list[tuple[str, str]] = []
    i = k = 0  # ends of the last word that both sides share
    for step in [*Indel.opcodes(a.key, b.key), None]:
        if step is not None and step.tag != "equal":
            continue
        j = step.src_start if step else len(a)
        m = step.dest_start if step else len(b)
        if i < j <= i + LONGEST and k < m <= k + LONGEST:
            found.append((spun[a.start[i] : a.end[j - 1]], original[b.start[k] : b.end[m - 1]]))
        if step is not None:
            i, k = step.src_end, step.dest_end
    return Pair(original, found)


def phrase_table(pairs: Iterable[Pair]) -> list[tuple[str, str, int, int]]:
    """Rows (found, original, times seen, times the original occurred), sorted."""
    seen: Counter[tuple[str, str]] = Counter()
    texts: list[Tokens] = []
    for pair in pairs:
        texts.append(tokenize(pair.original))
        for found, original in pair.substitutions:
            keys = phrase_key(found), phrase_key(original)
            if keys[0] and keys[1] and keys[0] != keys[1] and not _figures_only(*keys):
                seen[keys] += 1
    total = _occurrences(texts, {original for _, original in seen})
    return [(f, o, n, max(n, total[o])) for (f, o), n in sorted(seen.items())]


def _figures_only(found: str, original: str) -> bool:
    """Figures are never touched, so that pairs which only spell them otherwise are of no use."""
    return not any(c.isalpha() for c in found)


def _occurrences(texts: Iterable[Tokens], phrases: set[str]) -> Counter[str]:
    lexicon = Lexicon()
    for phrase in phrases:
        add_prefixes(lexicon.prefixes, phrase)
    count: Counter[str] = Counter()
    for tokens in texts:
        for i in range(len(tokens)):
            count.update(key for _, key in lexicon.matches(tokens, i) if key in phrases)
    return count


def write_learned(rows: list[tuple[str, str, int, int]], path: Path) -> None:
    """Rows as lexicon lines."""
    lines = [f"{found}\t{original}\t{n}/{total}\n" for found, original, n, total in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("# found\toriginal\ttimes seen/times the original occurred\n" + "".join(lines), encoding="utf-8")
