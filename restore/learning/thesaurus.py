"""WordNet's database to a table of synonyms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_FILES: Final = {"n": "data.noun", "v": "data.verb", "a": "data.adj", "r": "data.adv"}
_LEMMA: Final = re.compile(r"[a-z]{3,}(?:[ -][a-z]+){0,2}")
_MARKER: Final = re.compile(r"\([a-z]+\)$")  # where an adjective may stand: galore(ip)
_FUNCTION: Final = frozenset(
    """the and but for nor not are was were has had have does did can may must shall will would should could might
    ought who whom whose which what when where why how that this these those there here you your yours him his her
    hers she its our ours they them their theirs all any both each few more most other some such one two three four
    five six seven eight nine ten own same than too very just now then once only from with without about above after
    again against before below between down during further into off out over under until while because being been
    also yet per""".split()
)  # WordNet lists some of them (will, may, her); spinners leave them, and they would be everybody's original


def synsets(folder: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Part of speech (n, v, a, r) and lemmas of every synset with two that are usable.

    folder: a WordNet 3 database (data.noun, data.verb, data.adj, data.adv; format of wndb(5WN)).
    Proper names, lemmas of more than three words and function words are left out. Raises FileNotFoundError.
    """
    for pos, name in _FILES.items():
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder}: no {name} there; give the folder of a WordNet 3 database (dict)")
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            if line[:2] == "  ":
                continue  # the licence
            fields = line.split(" ")
            count = int(fields[3], 16)
            lemmas = (_MARKER.sub("", lemma).replace("_", " ") for lemma in fields[4 : 4 + 2 * count : 2])
            kept = [w for w in dict.fromkeys(lemmas) if _LEMMA.fullmatch(w) and w not in _FUNCTION]
            if len(kept) > 1:
                yield pos, tuple(sorted(kept))


def write_synonyms(folder: Path, path: Path) -> int:
    """Write the synsets as lines "pos TAB lemma|lemma...", sorted, each once; how many there are."""
    rows = sorted({f"{pos}\t{'|'.join(lemmas)}\n" for pos, lemmas in synsets(folder)})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("# part of speech (n, v, a, r)\tlemmas of a synset of WordNet 3.1\n" + "".join(rows), encoding="utf-8")
    return len(rows)
