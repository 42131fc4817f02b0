"""Text to tokens: offsets, folded forms, gaps between words, sentence bounds.

A text is read once, left to right, into a `Tokens` object of parallel lists.
Nothing here changes the text; every later stage refers to it by code-point
offsets. Folding (lower case, straight apostrophes, no soft hyphens) makes the
keys by which lexicons and the context model are looked up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import regex

# Spans that are never touched: addresses, code, handles, hashes, identifiers, file names.
_PROTECTED: Final = regex.compile(
    r"""
      ```.*?```                                     # fenced code
    | (?<!`)`(?!`)[^`\n]+`(?!`)                      # inline code (``these'' are quotation marks)
    | \b(?:https?|ftp)://[^\s<>"”]+                 # addresses
    | \bwww\.[^\s<>"”]+
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+                  # e-mail
    | (?<!\w)[@\#]\w+                               # handles and tags
    | \b\w+(?:_\w+)+\b                              # identifiers
    | \b(?=\w*\d)(?=\w*[a-f])[0-9a-f]{7,}\b         # hashes
    | \b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|gov|edu|io|co|uk|de|info|py|js|html?|php|json|txt|csv|pdf|exe)\b(?:/\S*)?
    | (?<!\w)(?:~|\.{1,2})?/(?:[\w.-]+/)+[\w.-]*    # paths
    | </?[A-Za-z][^<>\n]*>                          # tags
    """,
    regex.VERBOSE | regex.DOTALL,
)
_PROTECTED_HINT: Final = regex.compile(r"[`@#_<~/]|www\.|\.[a-z]|\d[a-f]|[a-f]\d")

# Letters with marks; invisible characters inside a word belong to it. Figures keep separators and signs.
_INVISIBLE: Final = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_TOKEN: Final = regex.compile(
    rf"""
      (?:\p{{L}}\.){{2,}}                                              # U.S.
    | ['’]s\b(?!['’])                                                  # the possessive and 's stand alone
    | \p{{L}}[\p{{L}}\p{{M}}{_INVISIBLE}]*(?:['’](?!s\b)\p{{L}}+)*     # words, don't
    | \d[\w]*(?:[.,]\d+)*                                              # figures
    """,
    regex.VERBOSE,
)
_FOLD: Final = {ord("’"): "'", **{ord(c): None for c in _INVISIBLE}}
_DIGIT: Final = regex.compile(r"\d+")
_ABBREVIATIONS: Final = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "rev",
        "gen",
        "col",
        "sgt",
        "lt",
        "st",
        "jr",
        "sr",
        "gov",
        "sen",
        "rep",
        "hon",
        "no",
        "vs",
        "inc",
        "ltd",
        "co",
        "corp",
        "dept",
        "est",
        "fig",
        "al",
        "ed",
    ]
)

PROTECTED_WORD: Final = "<protected>"
CHUNK: Final = 200_000  # code points read at once
LONGEST_SENTENCE: Final = 80  # tokens; longer ones are cut, so that no line is too long to decode


def fold(text: str) -> str:
    """Lower-case key of a word or phrase: straight apostrophes, no invisible characters."""
    return text.lower().translate(_FOLD)


@lru_cache(maxsize=65536)
def shape(key: str) -> str:
    """The word under which the context model knows a key: figures become zeros, digit for digit."""
    return str(_DIGIT.sub(lambda m: "0" * min(len(m.group()), 4), key))


@dataclass(slots=True)
class Tokens:
    """Parallel lists, one element a token.

    start, end: code-point offsets. key: folded word. gap: what stands before the
    token, as one of "" (nothing), " ", "-" (a hyphen alone), "," (any mark that
    does not end a sentence), "." (a sentence or line ends).
    """

    text: str
    start: list[int]
    end: list[int]
    key: list[str]
    gap: list[str]

    def __len__(self) -> int:
        return len(self.key)

    def sentences(self) -> list[tuple[int, int]]:
        """Half-open token ranges, one a sentence or line."""
        bounds: list[tuple[int, int]] = []
        begin = 0
        for i, gap in enumerate(self.gap):
            if i > begin and (gap == "." or (i - begin >= LONGEST_SENTENCE and gap != "-" and gap)):
                bounds.append((begin, i))
                begin = i
        if self.key:
            bounds.append((begin, len(self.key)))
        return bounds


@lru_cache(maxsize=4096)
def _gap_kind(gap: str) -> str:
    """Kind of the characters between two tokens, where sentence ends still depend on what follows."""
    if not gap:
        return ""
    if "\n" in gap or "\r" in gap or "\u2028" in gap:
        return "."
    bare = gap.strip()
    if not bare:
        return " "
    if gap == "-" or gap == "‐" or gap == "‑":
        return "-"
    if any(c in ".!?…" for c in bare):
        return "?"
    if all(c in "\"'“”‘’«»{}*" for c in bare):
        return " " if gap != bare or len(bare) == 1 else ","
    return ","


def tokenize(text: str) -> Tokens:
    """Split `text` into tokens; cost is linear in its length."""
    starts: list[int] = []
    ends: list[int] = []
    keys: list[str] = []
    gaps: list[str] = []
    shields = protected_spans(text)
    shield_at = 0
    previous_end = 0
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if start < previous_end:
            continue
        word = match.group()
        key = word.lower()
        if not word.isascii():
            key = key.translate(_FOLD)
        if shields:
            while shield_at < len(shields) and shields[shield_at][1] <= start:
                shield_at += 1
            if shield_at < len(shields) and shields[shield_at][0] < end:
                start, end = shields[shield_at]
                key = PROTECTED_WORD
        between = text[previous_end:start]
        kind = " " if between == " " else _gap_kind(between)
        if kind == "?":
            kind = "." if _ends_sentence(between, keys, word) else ","
        starts.append(start)
        ends.append(end)
        keys.append(key)
        gaps.append(kind)
        previous_end = end
    if gaps:
        gaps[0] = "."
    return Tokens(text, starts, ends, keys, gaps)


def _ends_sentence(between: str, keys: list[str], word: str) -> bool:
    """A full stop ends a sentence unless it is an abbreviation's or a lower-case word follows."""
    if word[0].islower() or (between[:1] == "." and keys and keys[-1] in _ABBREVIATIONS):
        return False
    return any(c.isspace() for c in between) or any(c in '"”’!?' for c in between)


def chunks(text: str, size: int = CHUNK) -> Iterator[tuple[int, str]]:
    """A long text in pieces of about `size` code points with their offsets, cut at line ends or spaces."""
    at = 0
    while len(text) - at > size * 3 // 2:
        cut = text.rfind("\n", at + size // 2, at + size)
        if cut < 0:
            cut = text.rfind(" ", at + size // 2, at + size)
        cut = at + size if cut < 0 else cut + 1
        yield at, text[at:cut]
        at = cut
    yield at, text[at:] if at else text


def protected_spans(text: str) -> list[tuple[int, int]]:
    """Half-open offsets of what must never be touched, in order."""
    if not _PROTECTED_HINT.search(text):
        return []
    return [m.span() for m in _PROTECTED.finditer(text)]
