"""HTML kept: on pages of every make, only words in text nodes change. Three judges beside the reader's own tokenizer:
the edits found again in the bytes, html5lib's tree, and html5lib's tokenizer on random markup."""

from __future__ import annotations

import html.entities
import re
from functools import cache

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pages import PAGES

from restore.documents import Options
from restore.documents.html import PageItem, PageRecord, _decoded
from restore.documents.markup import texts
from restore.work import Engine, Orders

html5lib = pytest.importorskip("html5lib")
UNTOUCHED = set(
    "script style title textarea code pre kbd samp var template svg math head nav aside footer select option button "
    "noscript iframe noframes object noembed xmp".split()
)
NAMES: dict[str, list[str]] = {}
for _name, _value in html.entities.html5.items():
    NAMES.setdefault(_value, []).append(_name)


def cleaned(engine, data: bytes, **orders: bool):
    """The page as it comes out, and its restoration."""
    outcome = Engine(engine, Orders(results=True, **orders))(PageItem(1, 1, Options(), data, "page.html"))
    assert not outcome.failure, outcome.failure
    assert not outcome.rejects
    return outcome.output, outcome.results[0][1]


@pytest.fixture(scope="session")
def article(spun):
    title, *paragraphs = [p for p in spun.split("\n\n") if p.strip()]
    return title, [p.strip() for p in paragraphs]


@pytest.fixture(scope="session")
def made(engine, article, tmp_path_factory):
    """Each page by name, made and cleaned once."""

    @cache
    def make(name: str):
        data = PAGES[name](*article, tmp_path_factory.mktemp(name))
        return (data, *cleaned(engine, data))

    return make


def test_there_are_enough_pages():
    assert len(PAGES) >= 30


@pytest.mark.parametrize("name", PAGES)
def test_bytes_outside_edits_are_identical(made, name):
    """The output is the page with each edit's words replaced and nothing else, by a search that knows no markup."""
    data, out, result = made(name)
    assert len(result.edits) >= 30, "the article was hardly restored"
    encoding = PageRecord(1, data, name, "utf-8").encoding
    if encoding.startswith("utf-16"):  # the search is for encodings that hold ASCII
        data, out, encoding = data.decode(encoding).encode(), out.decode(encoding).encode(), "utf-8"
    assert replays(data, out, result.edits, encoding)


@pytest.mark.parametrize("name", PAGES)
def test_tree_is_the_same(made, name):
    """Elements, attributes, comments and the text in scripts, code and navigation, as a browser would build them."""
    data, out, _ = made(name)
    assert skeleton(data, name) == skeleton(out, name)


def replays(data: bytes, out: bytes, edits, encoding: str) -> bool:
    """Whether `out` is `data` with the edits' found words replaced in their order. Encoded forms are taken as they
    come."""
    places = {(0, 0)}
    for edit in edits:
        found = re.compile("".join(map(either, edit.found)).encode(encoding))
        new = edit.replacement
        forms = {new.encode(encoding, "xmlcharrefreplace"), html.escape(new).encode(encoding, "xmlcharrefreplace")}
        following = set()
        for at, out_at in places:
            same = common(data, out, at, out_at)
            for match in found.finditer(data, at, min(len(data), at + same + 200)):
                gap = match.start() - at
                if gap > same:
                    break
                for form in forms:
                    if out.startswith(form, out_at + gap):
                        following.add((match.end(), out_at + gap + len(form)))
        places = following
    return any(data[at:] == out[out_at:] for at, out_at in places)


def common(a: bytes, b: bytes, i: int, j: int) -> int:
    """Length of the common beginning of a[i:] and b[j:]."""
    n, step = 0, 1 << 12
    while step:
        if a[i + n : i + n + step] == b[j + n : j + n + step] and i + n + step <= len(a):
            n += step
        else:
            step //= 2
    return n


def either(character: str) -> str:
    """A pattern for a character, itself or by reference."""
    forms = [
        r"[\s\xa0]" if character.isspace() else re.escape(character),
        f"&#0*{ord(character)};?",
        f"&#[xX]0*{ord(character):x};?",
    ]
    forms += [f"&{re.escape(name)}" for name in NAMES.get(character, [])]
    if character.isspace():
        forms.append("&nbsp;")
    return "(?:" + "|".join(sorted(forms, key=len, reverse=True)) + ")"


def skeleton(data: bytes, name: str) -> list[str]:
    """A page's tree in order; text is left out but where it must not change."""
    encoding = PageRecord(1, data, name, "utf-8").encoding
    document = html5lib.parse(data.decode(encoding, "replace"), treebuilder="dom", namespaceHTMLElements=False)
    out: list[str] = []

    def walk(node, kept: bool) -> None:
        if node.nodeType == node.TEXT_NODE:
            if kept:
                out.append(node.data)
            return
        attributes = sorted(node.attributes.items()) if node.nodeType == node.ELEMENT_NODE else []
        out.append(f"{node.nodeName} {attributes} {node.nodeValue}")
        own = (
            node.nodeName.lower() in UNTOUCHED
            or dict(attributes).get("translate") == "no"
            or "notranslate" in dict(attributes).get("class", "")
        )
        for child in node.childNodes:
            walk(child, kept or own)
        out.append("/")

    walk(document, False)
    return out


def text_of(source: str) -> str:
    return "".join(_decoded(source[t.start : t.end])[0] for t in texts(source))


PIECES = st.sampled_from(
    [
        "<",
        ">",
        "</",
        "/>",
        "<!--",
        "-->",
        "--!>",
        "-",
        "<!",
        "<?",
        "<p",
        "<b ",
        "</p>",
        "x",
        "y z",
        "=",
        "'",
        '"',
        "/",
        " a=",
        " a='b'",
        "&amp;",
        "&lt",
        "&#65;",
        "&",
        "\n",
        "</b",
        "é",
        "<br/>",
        "<B>",
    ]
)


@given(st.lists(PIECES, max_size=24).map("".join))
def test_random_markup_has_the_text_that_html5lib_finds(source):
    from html5lib._tokenizer import HTMLTokenizer
    from html5lib.constants import tokenTypes

    assume("<?=" not in source)  # PHP, which is passed over up to "?>", where the standard ends it at ">"
    kinds = {tokenTypes["Characters"], tokenTypes["SpaceCharacters"]}
    expected = "".join(t["data"] for t in HTMLTokenizer(source) if t["type"] in kinds)
    assert text_of(source) == expected.replace("\n", " ")


@given(st.lists(PIECES, max_size=24).map("".join), st.data())
def test_any_change_lands_in_one_text_node(source, data):
    """Offsets in the text map to the source: a replaced stretch leaves the rest of the page's text as it was."""
    record = PageRecord(1, source.encode(), "page.html", "utf-8")
    text = record.texts[0]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    place = record._place(start, end) if start < end else None
    if place:
        lo, hi = place
        assert _decoded(source[lo:hi])[0] == text[start:end]
        assert any(t.start <= lo and hi <= t.end for t in texts(source))


CASES = [  # page, what the text is taken to be
    ("<p>a<b>b</b>c</p><p>d", "abcd"),
    ("<svg><style/>x</svg>y", "y"),
    ("<nav>a</div>b</nav>c", "c"),
    ("<div><nav>a</div>c", "c"),
    ("<head><title>a</title><p>b", "b"),
    ("<head><title>a</title>b", "b"),
    ("<script>a<!--<script>b</script>c--></script>d", "d"),
    ("<script><!--</script>d", "d"),
    ("<script><!--><script>a</script>d", "d"),
    ("a<plaintext>b</plaintext>", "a"),
    ("<xmp><p>a</xmp>b", "b"),
    ("a<![CDATA[b>c]]>d", "ac]]>d"),
    ("<svg><![CDATA[b>c]]></svg>d", "d"),
    ('<?xml version="1.0"?><p>a<script src="x"/>b<![CDATA[c>]]>d', "abd"),
    ("<p>a<code/>b</p>c", "ac"),
]


@pytest.mark.parametrize(("source", "text"), CASES)
def test_what_is_taken_for_text(source, text):
    assert text_of(source) == text


def test_a_phrase_over_tags_and_references(engine):
    """Matched over inline tags and references; changed only where it lies in one text node."""
    spun = "<p>The native authorities stated on Monday that local weather change is a matter of concern for the chook species.</p>"
    for old, changed in [
        ("local weather", True),
        ("local&nbsp;weather", True),
        ("local\n  weather", True),
        ("loc&#97;l weather", True),
        ("<a href=x>local weather</a>", True),
        ("local <b>weather</b>", False),
    ]:
        out, _ = cleaned(engine, spun.replace("local weather", old).encode())
        assert (b"climate" in out) == changed, old
        assert changed or old.encode() in out


def test_replacements_are_escaped_and_fit_the_charset():
    record = PageRecord(1, b"<meta charset=iso-8859-1><p>one two", "page.html", "utf-8")
    from restore.documents import Restored
    from restore.work import _nothing

    at = record.texts[0].index("one")
    out = record.render(Restored(_nothing(), (((at, at + 3, "R&D <’>"),),)))
    assert out == b"<meta charset=iso-8859-1><p>R&amp;D &lt;\x92&gt; two"


def test_hidden_characters_go_on_request(engine, article):
    title, paragraphs = article
    body = "".join(f"<p>{p}</p>" for p in paragraphs).replace("local weather", "lo&shy;cal we\u0430ther")
    data = f"<h1>{title}</h1>{body}<p>un&shy;changed \u200bwor\u0501s</p>".encode()
    assert "un&shy;changed \u200bwor\u0501s".encode() in cleaned(engine, data)[0]
    assert b"climate" in cleaned(engine, data)[0]
    assert b"<p>unchanged words</p>" in cleaned(engine, data, strip=True)[0]
