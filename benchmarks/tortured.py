"""Tortured phrases that the family has not seen, each in an abstract: how many come back exactly.

A random tenth of the cleaned list and its near-duplicates (the same words in
another number or with hyphens) are left out; the family is learned from the
rest in a temporary folder. Each phrase of the tenth is then set into an
abstract of `abstracts.txt`, alone or with two others.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from restore.learning import tortured
from restore.learning.places import family_without, near
from restore.restorer import Restorer
from restore.shipped import root
from restore.sparse.tables import term_key
from restore.sparse.terms import Terms

ABSTRACTS: Final = Path(__file__).parent / "abstracts.txt"


def figures(rows: Path, seed: int, share: float = 0.1) -> dict[str, tuple[int, int]]:
    """Name -> exactly restored, of how many: phrases held out and phrases listed, alone and three together."""
    folder = root() / "tortured"
    phrases = tortured.phrases_of(rows, folder)
    random = Random(seed)
    forms = sorted({near(p.found) for p in phrases})
    apart = set(random.sample(forms, round(len(forms) * share)))
    held = [p for p in phrases if near(p.found) in apart]
    known = [p for p in phrases if near(p.found) not in apart]
    listed = random.sample(known, min(len(held), len(known)))
    with tempfile.TemporaryDirectory() as name:
        family = family_without(folder, known, Path(name) / "tortured")
        out = {}
        for mode, named in (("", False), (", family named", True)):
            engine = Restorer()
            engine.sparse = [Terms(family, "tortured", engine.model, named=named)]
            for kind, group in (("held out", held), ("listed", listed)):
                out[f"{kind}, alone{mode}"] = restored(engine, group, 1, Random(seed))
                out[f"{kind}, three in an abstract{mode}"] = restored(engine, group, 3, Random(seed))
        return out


def restored(engine: Restorer, phrases: list[tortured.Phrase], together: int, random: Random) -> tuple[int, int]:
    """How many phrases became exactly their original (in any case), and of how many."""
    right = 0
    shuffled = random.sample(phrases, len(phrases))
    for i in range(0, len(shuffled), together):
        group = shuffled[i : i + together]
        text, places = abstract(group, random)
        result = engine.restore(text)
        for phrase, start in zip(group, places, strict=True):
            begin, end = result.to_restored(start), result.to_restored(start + len(phrase.found))
            edits = [e for e in result.edits if e.start < start + len(phrase.found) and e.end > start]
            if edits and edits[0].start < start:  # an article before it belongs to the edit
                begin = result.to_restored(edits[0].start) + len(edits[0].replacement.split(" ")[0]) + 1
            got = result.text[begin:end]
            right += phrase_of(got) == phrase_of(phrase.original)
    return right, len(phrases)


def phrase_of(text: str) -> str:
    """What counts: letters and figures in any case, hyphens as spaces (the list has both)."""
    return term_key(text).replace(" 's", "'s")


def abstract(group: list[tortured.Phrase], random: Random) -> tuple[str, list[int]]:
    """An abstract with the found phrases in it, and the offset of each."""
    lines = random.choice(_abstracts(len(group)))
    slots = sorted(random.sample([k for k, line in enumerate(lines) if "{}" in line], len(group)))
    waiting = iter(group)
    text, places = "", []
    for k, line in enumerate(lines):
        if "{}" in line:
            if k not in slots:
                continue
            phrase = next(waiting)
            before, after = line.split("{}")
            found = phrase.found if before else phrase.found[:1].upper() + phrase.found[1:]
            acronym = phrase.condition.removeprefix("with:")
            if acronym.isupper() and acronym.isalpha():
                after = f" ({acronym}){after}"
            places.append(len(text) + len(before))
            line = before + found + after
        text += line + ("\n\n" if k == 0 else " ")
    return text.rstrip() + "\n", places


def _abstracts(slots: int) -> list[list[str]]:
    """Abstracts with enough slots; two with few of them are read as one."""
    blocks = ABSTRACTS.read_text(encoding="utf-8").split("\n\n")[1:]
    all_ = [block.strip().split("\n") for block in blocks]
    out = list(all_)
    while slots > 1 and min(map(_slots, out)) < slots:
        out = [a if _slots(a) >= slots else a + all_[(n + 1) % len(all_)][1:] for n, a in enumerate(out)]
        all_ = all_[1:] + all_[:1]
    return out


def _slots(lines: list[str]) -> int:
    return sum("{}" in line for line in lines)


def lines(found: dict[str, tuple[int, int]]) -> Iterator[str]:
    """The figures for printing."""
    for name, (right, total) in found.items():
        yield f"{name}: {right / total:.1%} exactly restored ({right} of {total})"
