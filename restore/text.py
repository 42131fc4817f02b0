"""Text to tokens: offsets, folded forms, gaps between words, sentence bounds.

A text is read once, left to right, into a `Tokens` object of parallel lists.
Nothing here changes the text; every later stage refers to it by code-point
offsets. Folding (lower case, straight apostrophes, no soft hyphens) makes the
keys by which lexicons and the context model are looked up.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Final

import regex

# Spans that are never touched: code and tags, which may hold blanks,
_PROTECTED_STRETCH: Final = re.compile(
    r"""
      ```.*?```|^~~~.*?^~~~                         # fenced code
    | (?<!`)`(?!`)[^`\n]+`(?!`)|``(?:(?!''|``)[^\n])+``(?!`)  # inline code (``these'' are quotation marks)
    | \{\{(?:(?!\{\{|\}\}).){0,2000}\}\}|\{%(?:(?!\{%|%\}).){0,2000}%\}|<%(?:(?!<%|%>).){0,2000}%>|\$\{[^{}\n]*\}  # templates
    | \[/?[A-Za-z][\w-]*(?:\s+[\w-]+=(?:"[^"\]\n]*"|'[^'\]\n]*'|[^\s"'\]]+))+\s*/?\]  # shortcodes with attributes
    | </?[A-Za-z][^<>\n]*>                          # tags
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_STRETCH_HINT: Final = re.compile(r"[`<]|~~~|\{[{%]|\$\{|\[[A-Za-z][\w-]*\s+[\w-]+=")
# and addresses, handles, hashes, identifiers, file names, which may not.
_PROTECTED_WORD: Final = re.compile(
    r"""
      \b(?:https?|ftp)://[^\s<>"”]+                 # addresses
    | \bwww\.[^\s<>"”]+
    | (?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+     # e-mail
    | (?<!\w)(?:[@\#]|[ru]/)\w+                     # handles and tags
    | \bdoi:\S+
    | \]\([^\s)]+\)                                 # where a link of Markdown leads
    | (?<!\w)(?:[A-Za-z]:|\\)\\\S+                  # paths of Windows
    | \b\w+\(\)                                     # functions
    | \b\w+(?:_\w+)+\b                              # identifiers
    | \b(?=\w*\d)(?=\w*[a-f])[0-9a-f]{7,}\b         # hashes
    | (?<![\w-])(?<![\w-]\.)[\w-]++(?:\.[\w-]++)*\.(?:com|org|net|gov|edu|io|co|uk|de|info|py|js|html?|php|json|txt|csv|pdf|exe)\b(?:/\S*)?
    | (?<!\w)(?:~|\.{1,2})?/(?:[\w.-]+/)+[\w.-]*|(?<![\w.])\.{1,2}/[\w.-]+    # paths
    """,
    re.VERBOSE,
)
_PROTECTED_HINT: Final = re.compile(r"[@#_~/\\]|\]\(|\(\)|www\.|\.[a-z]|\d[a-f]|[a-f]\d")  # what such a word has

# Letters with marks; invisible characters inside a word belong to it. Figures keep separators and signs.
_INVISIBLE: Final = "\u00ad\u034f\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff" + "".join(
    map(chr, range(0xFE00, 0xFE10))
)
# Letters of other scripts that look like Latin ones, and those (Unicode's confusables, lower case and capitals).
_ALIKE: Final = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u0475\u0261\u03bf\u03b1\u03c1\u03c5\u03bd\u03b9\u03ba\u03f2"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
    "aeopcyxijshdqwvgoapuvikcABEKMHOPCTYXIJSABEZHIKMNOPTYX",
)
# The same pattern twice: for any text, and for the usual one that has no letters beyond Latin's, no marks and nothing
# invisible, where the standard library's engine is three times as fast.
_TOKEN: Final = r"""(
      (?:{L}\.){{2,}}                            # U.S.
    | ['’]s\b(?!['’])                          # the possessive and 's stand alone
    | {L}{letters}*(?:['’](?!s\b){L}+)*        # words, don't
    | \d\w*(?:[.,]\d+)*                        # figures
    )"""
_LATIN: Final = "A-Za-zªµºÀ-ÖØ-öø-ɏ"
_ANY_TOKEN: Final = regex.compile(_TOKEN.format(L=r"\p{L}", letters=rf"[\p{{L}}\p{{M}}{_INVISIBLE}]"), regex.VERBOSE)
_USUAL_TOKEN: Final = re.compile(_TOKEN.format(L=f"[{_LATIN}]", letters=f"[{_LATIN}]"), re.VERBOSE)
_UNUSUAL: Final = re.compile(f"[^\x00-\x7f{_LATIN}¡-¬®-±´-¸»¿×÷‐-‧‹›€]")
_FOLD: Final = {ord("’"): "'", **{ord(c): None for c in _INVISIBLE}}
_UNSEEN: Final = regex.compile(rf"[{_INVISIBLE}\u202a-\u202e\u2066-\u2069]+")
_MIXABLE: Final = regex.compile(r"[\p{Latin}\p{Cyrillic}\p{Greek}\p{M}]++")  # a run of letters that may look alike
_OTHER_SCRIPT: Final = regex.compile(r"[\p{Cyrillic}\p{Greek}]")
_LATIN_LETTER: Final = regex.compile(r"\p{Latin}")
_DIGIT: Final = regex.compile(r"\d+")
# Words of which English is full and other languages are not.
_ENGLISH: Final = frozenset(
    """the and of to that with for from this which was were have has had are is be been by it they their its would will
    not you your he his she her we our can""".split()
)
_LEAST_ENGLISH: Final = 0.06  # their share of a longer English text: one page in a thousand has less
_TELLING: Final = 60  # words of a text that is long enough to have that share; a shorter one has one of them
_SHORT: Final = 20  # words below which a text, such as a headline, may have none
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

JOINED: Final = frozenset((" ", "-", ""))  # gaps between the words of a phrase
PROTECTED_WORD: Final = "<protected>"
CHUNK: Final = 200_000  # code points read at once
LONGEST_SENTENCE: Final = 80  # tokens; longer ones are cut, so that no line is too long to decode


def fold(text: str) -> str:
    """Lower-case key of a word or phrase: straight apostrophes, composed accents, no invisible characters, and
    Latin letters for their look-alikes of other scripts inside Latin words."""
    if text.isascii():
        return text.lower()
    return _fold_other(text)


@lru_cache(maxsize=65536)
def _fold_other(text: str) -> str:
    key = text.translate(_FOLD)
    if not key.isascii():
        key = unicodedata.normalize("NFC", _unmixed(key))
    return key.lower().translate(_FOLD)


def _unmixed(text: str) -> str:
    """A text with its words of mixed scripts in Latin letters, letter for letter."""
    return _MIXABLE.sub(lambda m: _latin(m.group()), text) if _OTHER_SCRIPT.search(text) else text


def _latin(word: str) -> str:
    """A word of mixed scripts in Latin letters; as it is where a letter has no Latin look-alike."""
    if not (_LATIN_LETTER.search(word) and _OTHER_SCRIPT.search(word)):
        return word
    latin = word.translate(_ALIKE)
    return word if _OTHER_SCRIPT.search(latin) else latin


def hidden(text: str) -> list[tuple[int, int, str]]:
    """Characters that are there to hide words from programs: start, end, what should stand there.

    Invisible characters beside Latin letters (soft hyphens, zero-width and directional marks) become nothing, words of
    mixed scripts their Latin form. Those that other scripts and emoji need are left out, and so is a byte order mark.
    """
    if text.isascii():
        return []
    found: list[tuple[int, int, str]] = []
    latin = _unmixed(text)
    for match in _UNSEEN.finditer(text):
        start, end = match.span()
        before, after = latin[max(0, start - 1) : start], latin[end : end + 1]
        if (start or text[0] != "\ufeff") and _beside_latin(before, after):
            found.append((start, end, ""))
    if latin != text:
        found += [(i, i + 1, new) for i, (old, new) in enumerate(zip(text, latin, strict=True)) if old != new]
    return sorted(found)


def _beside_latin(before: str, after: str) -> bool:
    """A Latin letter or a plain character on both sides, a letter on one."""
    sides = [bool(regex.fullmatch(r"\p{Latin}|\d", c)) for c in (before, after)]
    return any(sides) and all(
        s or not c or c.isspace() or c.isascii() for s, c in zip(sides, (before, after), strict=True)
    )


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
    if not gap.isascii():
        gap = _UNSEEN.sub("", gap)
        if not gap:
            return ""
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
    pattern = _ANY_TOKEN if _UNUSUAL.search(text) else _USUAL_TOKEN
    parts = pattern.split(text)  # between, word, between, word, ..., between
    at = list(accumulate(map(len, parts)))
    between, words, starts, ends = parts[0:-1:2], parts[1::2], at[0:-1:2], at[1::2]
    keys = [word.lower() if word.isascii() else _fold_other(word) for word in words]
    for shield in reversed(protected_spans(text)):
        _cover(shield, text, between, words, keys, starts, ends)
    gaps = [" " if gap == " " else _gap_kind(gap) for gap in between]
    for i in [i for i, kind in enumerate(gaps) if kind == "?"]:
        gaps[i] = "." if _ends_sentence(between[i], keys[i - 1] if i else "", words[i]) else ","
    if gaps:
        gaps[0] = "."
    return Tokens(text, starts, ends, keys, gaps)


def _cover(
    shield: tuple[int, int],
    text: str,
    between: list[str],
    words: list[str],
    keys: list[str],
    starts: list[int],
    ends: list[int],
) -> None:
    """Make one token of those that a protected span touches."""
    i, j = bisect_right(ends, shield[0]), bisect_left(starts, shield[1])
    if i >= j:
        return
    if j < len(words):
        between[j] = text[shield[1] : starts[j]]
    between[i:j] = [text[ends[i - 1] if i else 0 : shield[0]]]
    words[i:j] = [words[i]]
    keys[i:j] = [PROTECTED_WORD]
    starts[i:j], ends[i:j] = [shield[0]], [shield[1]]


def _ends_sentence(between: str, before: str, word: str) -> bool:
    """A full stop ends a sentence unless it is an abbreviation's or a lower-case word follows."""
    if word[0].islower() or (between[:1] == "." and before in _ABBREVIATIONS):
        return False
    return any(c.isspace() for c in between) or any(c in '"”’!?' for c in between)


def in_english(tokens: Tokens) -> bool:
    """Whether a text may be in English, by its commonest words; figures do not count, and headlines get the benefit of
    the doubt."""
    held = sum(map(_ENGLISH.__contains__, tokens.key))
    if held and held >= _LEAST_ENGLISH * len(tokens):
        return True
    size = sum(map(str.isalpha, tokens.key))
    return size < _SHORT or (held >= _LEAST_ENGLISH * size if size >= _TELLING else held > 0)


def chunks(text: str, size: int = CHUNK) -> Iterator[tuple[int, str]]:
    """A long text in pieces of about `size` code points with their offsets, cut at line ends or spaces."""
    at = 0
    while len(text) - at > size * 3 // 2:
        end = cut(text, size, at)
        yield at, text[at:end]
        at = end
    yield at, text[at:] if at else text


def cut(text: str, size: int = CHUNK, at: int = 0) -> int:
    """Where a piece of about `size` code points that begins at `at` ends."""
    end = text.rfind("\n", at + size // 2, at + size)
    if end < 0:
        end = text.rfind(" ", at + size // 2, at + size)
    return at + size if end < 0 else end + 1


def protected_spans(text: str) -> list[tuple[int, int]]:
    """Half-open offsets of what must never be touched, in order."""
    spans = [m.span() for m in _PROTECTED_STRETCH.finditer(text)] if _STRETCH_HINT.search(text) else []
    read = 0
    for hint in _PROTECTED_HINT.finditer(text):
        if hint.start() >= read:
            start, read = _between_blanks(text, read, *hint.span())
            spans += [m.span() for m in _PROTECTED_WORD.finditer(text, start, read)]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _between_blanks(text: str, least: int, start: int, end: int) -> tuple[int, int]:
    """The stretch without blanks around another, which begins at `least` at the earliest."""
    low = text.rfind(" ", least, start) + 1 or least
    low = text.rfind("\n", low, start) + 1 or low
    high = text.find(" ", end)
    high = high if high >= 0 else len(text)
    line = text.find("\n", end, high)
    return low, line if line >= 0 else high
