"""Parallel text to a lexicon: read pairs, align and count, set aside what is doubtful, write."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, TextIO, cast

from restore.documents import DocumentError
from restore.documents.streams import Input, compression_of, damage
from restore.learning.alignment import Bead, blocks, pair_sentences
from restore.learning.capitals import usual_forms
from restore.learning.segmentation import Corpus, Counted, estimate
from restore.learning.texts import texts_of, write_lines
from restore.lexicon import Lexicon, add_prefixes, phrase_key
from restore.text import PROTECTED_WORD, Tokens, tokenize

MARK: Final = re.compile(r"⟦([^→~⟧]*)([→~])([^⟧]*)⟧")
SAME: Final = 0.4  # of the words of paired sentences must be the same on both sides; else one was rewritten
PASSAGE: Final = 50  # sentence pairs that count as one text when evidence is weighed
UNTOUCHED: Final = 40  # words; a longer text that is the same on both sides was not spun at all
SELDOM: Final = 0.01  # share of an original's occurrences; a pair below it, with a single place, is an edit
LONG: Final = 6  # words of both phrases together, and
UNEQUAL: Final = 2  # words that one has more; a pair beyond these that is seen once is an edit
SPREAD: Final = 5  # originals beside which the same word was inserted, from which on it is no phrase's own
LEARNED: Final = "learned.tsv"
DOUBTFUL: Final = "doubtful.txt"  # not .tsv: the loader passes it over


class PairsError(ValueError):
    """Parallel text that cannot be used; the message names file, line, cause and remedy."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A text as its author wrote it, and as a spinner left it: marked (substitutions: found, original) or plain."""

    original: str
    substitutions: list[tuple[str, str]] | None = None
    spun: str = ""


class Doubt(NamedTuple):
    """A pair that was seen but not learned, and why."""

    pair: Counted
    reason: str


@dataclass(slots=True)
class Learned:
    """What parallel text taught: entries, doubts, and figures about the text."""

    entries: list[Counted] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    texts: int = 0
    untouched: int = 0  # texts that are the same on both sides
    words: int = 0  # of the spun sentences that have a partner, or of marked originals
    sentences: int = 0  # pairs
    added: int = 0  # sentences of the spun text without a partner
    missing: int = 0  # of the original
    rewritten: int = 0  # pairs too unlike
    written: dict[str, str] = field(default_factory=dict)  # originals that have capitals, and how they are written

    @property
    def substitutions(self) -> int:
        """Places at which a learned entry was seen."""
        return sum(e.seen for e in self.entries)

    @property
    def rate(self) -> float:
        """Share of the words that lie in learned phrases."""
        return sum(e.seen * len(tokenize(e.found)) for e in self.entries) / max(1, self.words)


def open_text(path: Path) -> TextIO:
    """A UTF-8 text file, decompressed. Raises DocumentError."""
    return _Text(_opened(path))


class _Text(TextIOWrapper):
    """Text of a source, which is closed with it."""

    def __init__(self, source: Input):
        super().__init__(cast(BinaryIO, source.stream), encoding="utf-8")
        self.source = source

    def close(self) -> None:
        super().close()
        self.source.close()


def _opened(path: Path) -> Input:
    """A source that is compressed where its name says so. Raises DocumentError."""
    source = Input(str(path))
    named = compression_of(str(path))
    if named and not source.compression:
        source.close()
        raise DocumentError(f"{path}: cannot be decompressed (no {named}); is the file whole, and named rightly?")
    return source


def read_pairs(path: Path, original: str = "original", spun: str = "spun") -> Iterator[Pair]:
    """Pairs from JSON lines: {"marked": text with ⟦found→original⟧}, or two plain texts in the fields named.

    Raises PairsError for what is no such file.
    """
    number = 0
    try:
        with closing(_opened(path)) as source:
            for number, line in enumerate(_lines(source), 1):
                if line.strip():
                    yield _pair(json.loads(line), original, spun, f"{path}:{number}")
    except json.JSONDecodeError as error:
        raise PairsError(f"{path}:{number}: not JSON ({error}); give one JSON object a line") from None
    except UnicodeDecodeError as error:
        raise PairsError(f"{path}:{number}: not UTF-8 ({error.reason}); save the file as UTF-8") from None
    except DocumentError as error:
        raise PairsError(str(error)) from None


def _lines(source: Input) -> Iterator[bytes]:
    try:
        yield from source.stream
    except damage() as error:
        raise source.damaged(error) from None


def _pair(record: object, original: str, spun: str, where: str) -> Pair:
    if not isinstance(record, dict):
        raise PairsError(f'{where}: not a JSON object; write {{"{original}": ..., "{spun}": ...}}')
    texts = [record.get(name) for name in (original, spun)]
    if isinstance(texts[0], str) and isinstance(texts[1], str):
        return Pair(texts[0], None, texts[1])
    if isinstance(record.get("marked"), str):
        return from_marked(record["marked"])
    name = original if not isinstance(texts[0], str) else spun
    raise PairsError(
        f"{where}: no text in a field '{name}'; there are: {', '.join(map(str, record)) or 'none'} "
        "(name them with --original and --spun)"
    )


def read_folders(originals: Path, spun: Path) -> tuple[list[Path], list[Path]]:
    """Names of files in both folders (below them, too), and of those in one alone. Raises PairsError where none
    match."""
    names = []
    for folder in (originals, spun):
        if not folder.is_dir():
            raise PairsError(f"{folder}: no such folder; give one of originals and one of spun texts")
        names.append({p.relative_to(folder) for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")})
    if not names[0] & names[1]:
        raise PairsError(f"{originals}, {spun}: no file of the same name in both; name each pair alike")
    return sorted(names[0] & names[1]), sorted(names[0] ^ names[1])


def folder_pairs(originals: Path, spun: Path, names: Iterable[Path], encoding: str = "utf-8") -> Iterator[Pair]:
    """Pairs of the files that have these names, of any kind that is known. Raises DocumentError."""
    for name in names:
        original, copy = ("\n\n".join(texts_of(str(folder / name), encoding)) for folder in (originals, spun))
        yield Pair(original, None, copy)


def as_found(marked: str) -> str:
    """A marked text as the spinner left it."""
    return MARK.sub(lambda m: m[1], marked)


def as_written(marked: str) -> str:
    """A marked text as its author wrote it, by the first accepted originals."""
    return MARK.sub(lambda m: m[3].partition("|")[0], marked)


def from_marked(marked: str) -> Pair:
    """A pair from marked text; the first alternative counts as the original."""
    marks = [(m.group(1), m.group(3).split("|")[0]) for m in MARK.finditer(marked)]
    return Pair(as_written(marked), marks)


def learn(pairs: Iterable[Pair], least: int = 1) -> Learned:
    """Entries from parallel text, marked or plain.

    least: places at which a pair must be seen. Marks are taken as they stand; what
    is aligned is sifted, and what does not pass is kept with the reason.
    """
    result = Learned()
    corpus = Corpus()
    marked: list[Pair] = []
    originals: list[Tokens] = []
    passages = 0
    for pair in pairs:
        result.texts += 1
        originals.append(tokenize(pair.original))
        if pair.substitutions is not None:
            marked.append(pair)
            result.words += len(originals[-1])
        else:
            passages = _align(tokenize(pair.spun), originals[-1], corpus, result, passages)
    rows = {(f, o): Counted(f, o, n, total, n) for f, o, n, total in phrase_table(marked)}
    for counted in _sifted(estimate(corpus), least, result.doubts):
        known = rows.get((counted.found, counted.original))
        if known:
            counted = counted._replace(seen=counted.seen + known.seen, occurred=counted.occurred + known.occurred)
        rows[counted.found, counted.original] = counted
    result.entries = [rows[key] for key in sorted(rows) if rows[key].seen >= least]
    result.written = usual_forms(originals, {e.original for e in result.entries})
    return result


def _align(spun: Tokens, original: Tokens, corpus: Corpus, result: Learned, passages: int) -> int:
    """Add the sentences of one pair to the corpus; returns the number of passages so far."""
    if spun.key == original.key and len(spun) >= UNTOUCHED:
        result.untouched += 1
        return passages
    paired = pair_sentences(spun, original)
    result.added += paired.added
    result.missing += paired.missing
    for n, bead in enumerate(paired.beads):
        (i, j), (k, m) = bead
        changed = blocks(spun.key[i:j], original.key[k:m])
        same = j - i - sum(b.spun[1] - b.spun[0] for b in changed)
        if same < SAME * max(j - i, m - k):
            result.rewritten += 1
            continue
        corpus.add(spun, original, Bead((i, j), (k, m)), changed, passages + n // PASSAGE)
        result.sentences += 1
        result.words += j - i
    return passages + 1 + len(paired.beads) // PASSAGE


def _sifted(pairs: list[Counted], least: int, doubts: list[Doubt]) -> Iterator[Counted]:
    """Pairs worth learning; the others go to `doubts`."""
    inserted = _insertions(pairs)
    for pair in pairs:
        reason = _reason(pair, least, inserted)
        if reason is None:
            yield pair
        elif reason:
            doubts.append(Doubt(pair, reason))


def _reason(pair: Counted, least: int, inserted: set[str]) -> str | None:
    """Why a pair is not learned: None where it is, empty where it needs no mention."""
    found, original = pair.found, pair.original
    if PROTECTED_WORD in found or PROTECTED_WORD in original or not any(c.isalpha() for c in found):
        return ""  # addresses and figures are never touched
    if phrase_key(found) != found or phrase_key(original) != original:
        return ""
    if len(found) == 1 or (len(original) == 1 and original not in "ai"):
        return "a single letter: part of an abbreviation"
    if not pair.sure:
        return "ambiguous boundary: wherever it may stand, other pairs are as likely"
    if _extra(found, original) in inserted:
        return "frequent insertion: the same word was added beside many others"
    if pair.seen == 1 and pair.occurred * SELDOM > 1:
        return "an edit rather than the spinner: one place of many"
    sizes = len(tokenize(found)), len(tokenize(original))
    if pair.seen == 1 and (sum(sizes) > LONG or abs(sizes[0] - sizes[1]) > UNEQUAL):
        return "an edit rather than the spinner: a long stretch, seen once"
    if pair.seen < least:
        return f"too rare: fewer than {least} places"
    return None


def _extra(found: str, original: str) -> str:
    """What a found phrase has more than its original, before or behind it; empty where it differs otherwise."""
    if found.endswith(" " + original):
        return found[: -len(original) - 1]
    if found.startswith(original + " "):
        return found[len(original) + 1 :]
    return ""


def _insertions(pairs: list[Counted]) -> set[str]:
    """Words that were inserted beside many originals, beside none of them mostly."""
    beside: dict[str, list[int]] = defaultdict(list)
    for pair in pairs:
        extra = _extra(pair.found, pair.original)
        if extra and pair.seen:
            beside[extra].append(pair.seen)
    return {extra for extra, seen in beside.items() if len(seen) >= SPREAD and 2 * max(seen) <= sum(seen)}


def phrase_table(pairs: Iterable[Pair]) -> list[tuple[str, str, int, int]]:
    """Rows (found, original, times seen, times the original occurred) of marked pairs, sorted."""
    seen: Counter[tuple[str, str]] = Counter()
    texts: list[Tokens] = []
    for pair in pairs:
        texts.append(tokenize(pair.original))
        for found, original in pair.substitutions or ():
            keys = phrase_key(found), phrase_key(original)
            if keys[0] and keys[1] and keys[0] != keys[1] and any(c.isalpha() for c in keys[0]):
                seen[keys] += 1
    total = _occurrences(texts, {original for _, original in seen})
    return [(f, o, n, max(n, total[o])) for (f, o), n in sorted(seen.items())]


def _occurrences(texts: Iterable[Tokens], phrases: set[str]) -> Counter[str]:
    lexicon = Lexicon()
    for phrase in phrases:
        add_prefixes(lexicon.prefixes, phrase)
    count: Counter[str] = Counter()
    for tokens in texts:
        for i in range(len(tokens)):
            count.update(key for _, key in lexicon.matches(tokens, i) if key in phrases)
    return count


def lexicon_lines(learned: Learned) -> Iterator[str]:
    """Entries as lexicon lines, with a heading."""
    yield "# found\toriginal\ttimes seen/times the original occurred\n"
    for e in learned.entries:
        yield f"{e.found}\t{learned.written.get(e.original, e.original)}\t{e.seen}/{e.occurred}\n"


def write_learned(learned: Learned, path: Path) -> None:
    """Entries as one lexicon file, written in one step. Raises DocumentError."""
    write_lines(path, lexicon_lines(learned))


def write_lexicon(learned: Learned, folder: Path, sources: Iterable[str]) -> None:
    """A lexicon folder: the entries, a manifest, and what was doubtful (which the loader passes over).

    Raises DocumentError; each file is written in one step.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_learned(learned, folder / LEARNED)
    write_lines(folder / DOUBTFUL, _doubtful_lines(learned.doubts))
    manifest = {
        "name": folder.resolve().name,
        "title": "Learned from parallel text",
        "licence": "not stated (facts counted in the texts named below)",
    }
    what = (
        f"Counted in {learned.texts:,} pairs of texts ({learned.words:,} words) by 'restore lexicon learn': "
        f"{', '.join(sources)}."
    )
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in manifest.items()]
    lines += ["\n[[source]]\n", f"files = {json.dumps(LEARNED)}\n", f"what = {json.dumps(what, ensure_ascii=False)}\n"]
    write_lines(folder / "manifest.toml", lines)


def _doubtful_lines(doubts: Iterable[Doubt]) -> Iterator[str]:
    yield "# Seen but not learned. To accept a line, move it to a .tsv file here, without its last column.\n"
    yield "# found\toriginal\ttimes seen/times the original occurred\treason\n"
    for (found, original, seen, occurred, _), reason in sorted(doubts, key=lambda d: (-d.pair.seen, d.pair)):
        yield f"{found}\t{original}\t{seen}/{occurred}\t{reason}\n"


def described(learned: Learned, top: int = 15) -> str:
    """What was learned and what was doubtful, for a person to read."""
    of_texts = f"{learned.texts:,} pairs of texts"
    if learned.untouched:
        of_texts += f", {learned.untouched:,} of them the same on both sides and left out"
    lines = [
        of_texts,
        f"{learned.sentences:,} sentences aligned, {learned.words:,} words; without partner: {learned.added:,} of the "
        f"spun side, {learned.missing:,} of the original; rewritten and left out: {learned.rewritten:,}",
        f"{len(learned.entries):,} entries from {learned.substitutions:,} substitutions; spin rate {learned.rate:.1%} of the words",
    ]
    if learned.entries:
        lines.append("most frequent:")
        for e in sorted(learned.entries, key=lambda e: (-e.seen, e))[:top]:
            lines.append(f"  {e.found} <- {e.original}\t{e.seen}/{e.occurred}")
    if learned.doubts:
        lines.append(f"{len(learned.doubts):,} doubtful pairs left out:")
        reasons = Counter(d.reason.partition(":")[0] for d in learned.doubts)
        lines += [f"  {n:,} {reason}" for reason, n in reasons.most_common()]
    return "\n".join(lines)
