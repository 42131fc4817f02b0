"""Words as they will stand: case, articles, braces.

Substitutions keep the case of what they replace, so that the found phrase shows
how the original was written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import regex

_SMALL: Final = frozenset(
    ["a", "an", "the", "and", "or", "but", "of", "in", "on", "at", "to", "for", "by", "with", "from", "as", "nor"]
)
_BRACED: Final = regex.compile(r"(?<![\w\\$%#@])\{(\p{L}[\p{L}’'-]*(?: \p{L}[\p{L}’'-]*){0,3})\}(?![\w({])")
_VOWEL_SOUND: Final = regex.compile(r"(?:[aeiou]|hono|hour|heir|honest|x-ray)", regex.IGNORECASE)
_CONSONANT_SOUND: Final = regex.compile(
    r"(?:uni(?!n|m|dent|diom)|unanim|us(?:[aeu]|ing\b)|ut[aeio]|ur(?:an|in|ugu)|ugan|uk[ru]|u[kst]?\b|ufo|eu|ewe|one\b|ones|onetime|once|ubiq"
    r"|unesco|(?-i:U(?:RL|RI|SB|N|SA|SDA|SC|AE|PS|V|X|CL|CLA|FC|HD|DP)s?\b))",  # a URL
    regex.IGNORECASE,
)
_ACRONYM: Final = regex.compile(r"\p{Lu}{2,4}|(?:\p{Lu}\.){2,}\p{Lu}?")
_LETTER_NAME: Final = regex.compile(r"[AEFHILMNORSX](?![a-z])")
# Acronyms that begin like the name of a letter but are read as words.
_READ_AS_WORDS: Final = frozenset(
    """FEMA FIFA HUD LAN LASER MERS MIDI NAFTA NASA NASDAQ NATO RADAR RAM ROM SALT SARS SIM SONAR SWAT""".split()
)
_CAPITALS: Final = regex.compile(r"\p{Lu}+")
_WORD: Final = regex.compile(r"[\p{L}\p{M}’'-]+")
_WORD_OR_NUMBER: Final = regex.compile(r"[\p{L}\p{M}\p{N}’'-]+")  # "1970s" is one


def match_case(original: str, found: str) -> str:
    """`original`, written as `found` is: ALL CAPS (but for an acronym of several words), Title Case, or a capital first
    letter; capitals that `original` has stay."""
    if found.islower():
        return original
    words = _WORD.findall(found)
    letters = [w for w in words if w[0].isalpha()]
    if not letters:
        return original
    if all(w.isupper() for w in letters) and sum(map(len, letters)) > 1:
        stands_for_several = " " in original and _ACRONYM.fullmatch(found)
        return original[:1].upper() + original[1:] if stands_for_several else original.upper()
    if not letters[0][0].isupper():
        return original
    content = [w for w in letters if w.lower() not in _SMALL]
    if len(letters) > 1 and content and all(w[0].isupper() for w in content):
        return _title(original)
    return original[:1].upper() + original[1:]


def stretch(original: str, words: Sequence[str]) -> str:
    """The part of an original that has these words, as it is spelt there ("cross-entropy", "New York"); else the words
    joined."""
    if "-" in original or not original.islower():
        pattern = r"(?<!\w)" + r"[\s-]*".join(map(regex.escape, words)) + r"(?!\w)"
        if match := regex.search(pattern, original, regex.IGNORECASE):
            return str(match.group())
    return " ".join(words).replace(" 's", "'s")


def with_capitals(text: str, capitals: Mapping[str, str]) -> str:
    """`text` with capitals on names and acronyms; `capitals`: folded word -> as it is written."""
    if not capitals:
        return text
    return str(
        _WORD.sub(lambda m: m.group() if m.group().isupper() else capitals.get(m.group().lower(), m.group()), text)
    )


def _title(text: str) -> str:
    """Capitals on all but small words; the first always."""

    def word(match: regex.Match[str]) -> str:
        w: str = match.group()
        return w if w.lower() in _SMALL and match.start() else w[:1].upper() + w[1:]

    return str(_WORD_OR_NUMBER.sub(word, text))


def quotes_like(original: str, text: str) -> str:
    """Apostrophes as the document writes them: curly where it has only curly ones."""
    return original.replace("'", "’") if "'" in original and "’" in text and "'" not in text else original


def article_for(word: str) -> str:
    """The indefinite article that a word takes: by its first sound, as far as spelling shows it."""
    letters = _CAPITALS.match(word)
    named = _LETTER_NAME.match(word) and not (letters and letters[0] in _READ_AS_WORDS)
    if named or (_VOWEL_SOUND.match(word) and not _CONSONANT_SOUND.match(word)):
        return "an"
    return "a"


def fix_article(article: str, following: str, standing: str = "") -> str:
    """`article` in the form that the word after it needs; its case is kept.

    standing: that word as it will stand; where a heading has it in capitals, they are no acronym's.
    """
    right = article_for(following)
    if article.lower() == right:
        return article
    if article.isupper() and (len(article) > 1 or (standing.isupper() and len(standing) > 1)):
        return right.upper()
    return right.capitalize() if article[0].isupper() else right


def stray_braces(text: str) -> list[tuple[int, int, str]]:
    """Braces that a spinner left around a word or short phrase: start, end, what they hold.

    None where the text has other braces, such as in `${HOME}` or `\\textbf{red}`: then they are its author's.
    """
    held = [(m.start(), m.end(), m.group(1)) for m in _BRACED.finditer(text)]
    return held if len(held) == text.count("{") == text.count("}") else []
