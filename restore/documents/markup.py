"""Where the text of an HTML page stands: a tokenizer that gives offsets in the source.

It follows the tokenization of the HTML standard (WHATWG, 13.2.5) as far as that decides what is text: comments, bogus
comments, CDATA, raw text elements, attributes with and without quotation marks, tags cut off at the end. Of the tree it
keeps the stack of open elements, which tells what to leave alone. Where a page is broken beyond that, less is taken for
text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

INLINE, PLACE, LINE, BLOCK = "", "\ufffc", "\n", "\n\n"  # what stands between two texts

_SPACE: Final = r"[\t\n\f\r ]"
_ATTRIBUTES: Final = (
    rf"""(?:[\t\n\f\r /]++|[^\t\n\f\r />][^\t\n\f\r />=]*+"""
    rf"""(?:{_SPACE}*+={_SPACE}*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\t\n\f\r >"'][^\t\n\f\r >]*+)?)?+)*+"""
)
_TAG: Final = re.compile(rf"<(/?)([A-Za-z][^\t\n\f\r />]*+)({_ATTRIBUTES})>")
_COMMENT_END: Final = re.compile(r"--!?>")
_SCRIPT: Final = re.compile(r"<!--|-->|<(/?)script(?=[\t\n\f\r />])", re.IGNORECASE)
_NO_TRANSLATION: Final = re.compile(
    r"""translate\s*=\s*["']?no\b|class\s*=\s*(?:["'][^"']*)?\bnotranslate\b""", re.IGNORECASE
)

_VOID: Final = frozenset(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr".split()
)
_RAW: Final = frozenset("script style xmp iframe noembed noframes textarea title".split())
_FOREIGN: Final = frozenset(("svg", "math"))
_SKIPPED: Final = frozenset(
    "script style xmp iframe noembed noframes textarea title code pre kbd samp var template svg math head noscript select "
    "option button nav aside footer menu dialog object audio video canvas datalist listing plaintext applet".split()
)
_HEAD: Final = frozenset(
    "head html meta link base basefont bgsound title script style noscript template noframes".split()
)
_UNSEEN: Final = frozenset("script style template noscript wbr".split())  # skipped or void, and nothing is shown
_BLOCKS: Final = frozenset(
    "address article aside blockquote body caption center col colgroup dd details dialog dir div dl dt fieldset figcaption "
    "figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li listing main menu nav "
    "ol optgroup option p pre search section select summary table tbody td tfoot th thead title tr ul xmp".split()
)


class Text(NamedTuple):
    """A text node: where it stands in the source, and what comes between it and the one before."""

    start: int
    end: int
    before: str


class _Tag(NamedTuple):
    name: str
    closes: bool
    attributes: str


def is_xml(source: str) -> bool:
    """Whether a page says that it is XHTML, in which an empty element may close itself."""
    head = source[:600].lstrip("\ufeff \t\r\n")
    return head.startswith("<?xml") or "DTD XHTML" in head


def texts(source: str) -> Iterator[Text]:
    """The text nodes of a page that a reader sees as its content, in order; navigation and code are left out."""
    xml = is_xml(source)
    stack = _Stack()
    between = BLOCK
    for start, end, tag in _tokens(source, stack, xml):
        if tag is None:
            if start < end and stack.at_text(source, start, end):
                yield Text(start, end, between)
                between = INLINE
        else:
            between = max(between, stack.at_tag(tag, xml), key=len)


class _Stack:
    """The elements that are open, as far as they can be told."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.open: dict[str, int] = {}
        self.skipped = 0
        self.foreign = 0
        self.unmarked: list[bool] = []  # whether each was skipped for what its attributes say

    def at_text(self, source: str, start: int, end: int) -> bool:
        """Whether a text is content."""
        if self.names and self.names[-1] == "head" and source[start:end].strip():
            self._pop()  # text ends the head
        return not self.skipped

    def at_tag(self, tag: _Tag, xml: bool) -> str:
        """Take a tag in; what it puts between the texts around it."""
        name = tag.name
        if tag.closes:
            if self.open.get(name):
                while self.names[-1] != name:
                    self._pop()
                self._pop()
            return BLOCK if name in _BLOCKS else LINE if name == "br" else INLINE
        if self.names and self.names[-1] == "head" and name not in _HEAD:
            self._pop()
        empty = name in _VOID or (tag.attributes.endswith("/") and (xml or self.foreign > 0 or name in _FOREIGN))
        if not empty:
            self._push(name, bool(_NO_TRANSLATION.search(tag.attributes)) if tag.attributes else False)
        if name in _BLOCKS:
            return BLOCK
        if name == "br":
            return LINE
        return INLINE if name in _UNSEEN or not (name in _SKIPPED or name in _VOID) else PLACE

    def _push(self, name: str, unmarked: bool) -> None:
        self.names.append(name)
        self.unmarked.append(unmarked)
        self.open[name] = self.open.get(name, 0) + 1
        self.skipped += name in _SKIPPED or unmarked
        self.foreign += name in _FOREIGN

    def _pop(self) -> None:
        name, unmarked = self.names.pop(), self.unmarked.pop()
        self.open[name] -= 1
        self.skipped -= name in _SKIPPED or unmarked
        self.foreign -= name in _FOREIGN


def _tokens(source: str, stack: _Stack, xml: bool) -> Iterator[tuple[int, int, _Tag | None]]:
    """Tags, and the texts between them (None); comments and the like are passed over, and divide texts."""
    begin = at = int(source.startswith("\ufeff"))
    while (at := source.find("<", at)) >= 0:
        match = _TAG.match(source, at)
        if match is None:
            end = _other(source, at, xml or stack.foreign > 0)
            if end == at:  # a mere "<"
                at += 1
                continue
            yield begin, at, None
            begin = at = end
            continue
        yield begin, at, None
        name = match[2].lower()
        begin = at = match.end()
        yield match.start(), at, _Tag(name, bool(match[1]), match[3])
        if not match[1] and name == "plaintext" and not stack.foreign:
            return
        if not match[1] and name in _RAW and stack.names[-1:] == [name]:
            begin = at = _raw_end(source, at, name)
    yield begin, len(source), None


def _other(source: str, at: int, cdata: bool) -> int:
    """The end of what begins with "<" and is no whole tag; `at` where it is text."""
    following = source[at + 1 : at + 2]
    if following.isascii() and following.isalpha():
        return len(source)  # cut off: nothing after it is text
    if source.startswith("<!--", at):
        if source.startswith((">", "->"), at + 4):
            return source.index(">", at + 4) + 1
        end = _COMMENT_END.search(source, at + 4)
        return end.end() if end else len(source)
    if cdata and source.startswith("<![CDATA[", at):
        return _after(source, "]]>", at)
    if source.startswith(("<?php", "<?="), at):
        return _after(source, "?>", at)
    if following == "/":
        third = source[at + 2 : at + 3]
        if not third:
            return at
        if third.isascii() and third.isalpha():
            return len(source)
        return _after(source, ">", at)
    return _after(source, ">", at) if following in ("!", "?") else at


def _after(source: str, mark: str, at: int) -> int:
    end = source.find(mark, at)
    return end + len(mark) if end >= 0 else len(source)


def _raw_end(source: str, at: int, name: str) -> int:
    """Where the end tag of a raw text element begins."""
    if name == "script":
        return _script_end(source, at)
    end = re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE).search(source, at)
    return end.start() if end else len(source)


def _script_end(source: str, at: int) -> int:
    """The same for a script, which may hold another one inside a comment."""
    in_comment = nested = False
    while match := _SCRIPT.search(source, at):
        at = match.end()
        if match[1] is None:
            if match.group() == "<!--":
                in_comment = True
                at -= 2  # "<!-->" ends as it begins
            else:
                in_comment = nested = False
        elif not match[1]:
            nested = in_comment
        elif nested:
            nested = False
        else:
            return match.start()
    return len(source)
