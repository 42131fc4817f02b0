"""Pages of different make around one spun article: by site generators, and by hand in the styles that scraped pages
have.

Each maker takes the article's title and paragraphs and returns the page's bytes.
"""

from __future__ import annotations

import base64
import html
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Maker = Callable[[str, list[str], Path], bytes]
PAGES: dict[str, Maker] = {}


def page(maker: Maker) -> Maker:
    """Register a maker under its name."""
    PAGES[maker.__name__] = maker
    return maker


def ps(paragraphs: list[str], tag: str = "p", end: str = "\n") -> str:
    return end.join(f"<{tag}>{html.escape(p, quote=False)}</{tag}>" for p in paragraphs)


def shell(body: str, head: str = "", lang: str = ' lang="en"') -> bytes:
    return (
        f'<!DOCTYPE html>\n<html{lang}><head><meta charset="utf-8">{head}</head>\n<body>{body}</body></html>\n'.encode()
    )


# --- by generators -----------------------------------------------------------------------------------------------


def source(title: str, paragraphs: list[str]) -> str:
    return f"# {title}\n\n" + "\n\n".join(paragraphs) + "\n\n    local weather = code\n\nThe `chook species` call.\n"


def rst(title: str, paragraphs: list[str]) -> str:
    return f"{title}\n{'=' * len(title)}\n\n" + "\n\n".join(paragraphs) + "\n\n::\n\n    local weather = code\n"


@page
def markdown_page(title: str, paragraphs: list[str], folder: Path) -> bytes:
    markdown = pytest.importorskip("markdown")
    return shell(markdown.markdown(source(title, paragraphs), extensions=["smarty", "toc", "fenced_code"]))


@page
def mistune_page(title: str, paragraphs: list[str], folder: Path) -> bytes:
    return shell(pytest.importorskip("mistune").html(source(title, paragraphs)))


@page
def markdown_it_page(title: str, paragraphs: list[str], folder: Path) -> bytes:
    return shell(pytest.importorskip("markdown_it").MarkdownIt("commonmark").render(source(title, paragraphs)))


@page
def docutils_html5(title: str, paragraphs: list[str], folder: Path) -> bytes:
    core = pytest.importorskip("docutils.core")
    return bytes(core.publish_string(rst(title, paragraphs), writer="html5"))


@page
def docutils_html4(title: str, paragraphs: list[str], folder: Path) -> bytes:
    core = pytest.importorskip("docutils.core")
    return bytes(core.publish_string(rst(title, paragraphs), writer="html4"))


def sphinx_with(theme: str, title: str, paragraphs: list[str], folder: Path) -> bytes:
    pytest.importorskip("sphinx")
    (folder / "conf.py").write_text(f"project = 'Site'\nhtml_theme = {theme!r}\n", encoding="utf-8")
    (folder / "index.rst").write_text(rst(title, paragraphs), encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", str(folder), str(folder / "out")]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "out" / "index.html").read_bytes()


@page
def sphinx_alabaster(title: str, paragraphs: list[str], folder: Path) -> bytes:
    return sphinx_with("alabaster", title, paragraphs, folder)


@page
def sphinx_classic(title: str, paragraphs: list[str], folder: Path) -> bytes:
    return sphinx_with("classic", title, paragraphs, folder)


@page
def mkdocs_site(title: str, paragraphs: list[str], folder: Path) -> bytes:
    pytest.importorskip("mkdocs")
    (folder / "docs").mkdir()
    (folder / "mkdocs.yml").write_text("site_name: Site\nplugins: []\n", encoding="utf-8")
    (folder / "docs" / "index.md").write_text(source(title, paragraphs), encoding="utf-8")
    command = [sys.executable, "-m", "mkdocs", "build", "-q"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return (folder / "site" / "index.html").read_bytes()


@page
def pelican_site(title: str, paragraphs: list[str], folder: Path) -> bytes:
    pytest.importorskip("pelican")
    (folder / "content").mkdir()
    body = f"Title: {title}\nDate: 2020-01-01\nSlug: article\n\n" + "\n\n".join(paragraphs)
    (folder / "content" / "article.md").write_text(body, encoding="utf-8")
    command = [sys.executable, "-m", "pelican", "content", "-o", "out", "-q"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return (folder / "out" / "article.html").read_bytes()


# --- by hand -----------------------------------------------------------------------------------------------------


@page
def plain(title: str, paragraphs: list[str], folder: Path) -> bytes:
    return shell(f"<h1>{title}</h1>\n{ps(paragraphs)}")


@page
def windows_line_ends(title: str, paragraphs: list[str], folder: Path) -> bytes:
    wrapped = [p.replace(" ", "\n    ", 7).replace(". ", ".\n") for p in paragraphs]
    return shell(f"<h1>{title}</h1>\n{ps(wrapped)}").replace(b"\n", b"\r\n")


@page
def byte_order_mark_and_no_end(title: str, paragraphs: list[str], folder: Path) -> bytes:
    return b"\xef\xbb\xbf" + shell(ps(paragraphs)).rstrip()


@page
def bootstrap(title: str, paragraphs: list[str], folder: Path) -> bytes:
    menu = "".join(f'<li class="nav-item"><a class="nav-link" href="#{i}">local weather</a></li>' for i in range(3))
    return shell(
        f'<nav class="navbar navbar-expand-lg"><ul class="navbar-nav">{menu}</ul></nav>'
        f'<main class="container"><div class="row"><div class="col-md-8"><h1 class="display-4">{title}</h1>'
        f'{ps(paragraphs)}</div><aside class="col-md-4">Local weather: chook species</aside></div></main>'
        '<footer class="footer">© chook species</footer><script>var a = "<p>local weather</p>" && 1 < 2;</script>',
        '<link rel="stylesheet" href="bootstrap.min.css"><style>p > b { content: "local weather"; }</style>',
    )


@page
def amp(title: str, paragraphs: list[str], folder: Path) -> bytes:
    head = (
        '<meta name=viewport content="width=device-width"><script async src="https://cdn.example/v0.js"></script>'
        "<style amp-boilerplate>body{-webkit-animation:-amp-start 8s steps(1,end) 0s 1 normal both}</style>"
        "<noscript><style amp-boilerplate>body{animation:none}</style></noscript>"
    )
    body = f'<amp-img src="a.jpg" alt="local weather" width=1 height=1></amp-img><h1>{title}</h1>{ps(paragraphs)}'
    return f"<!doctype html><html ⚡ lang=en><head><meta charset=utf-8>{head}</head><body>{body}</body></html>".encode()


@page
def xhtml(title: str, paragraphs: list[str], folder: Path) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"\n'
        ' "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n<html xmlns="http://www.w3.org/1999/xhtml">\n'
        f'<head><title>local weather</title></head>\n<body>\n<h1 id="a">{title}</h1><br />\n{ps(paragraphs)}\n'
        "</body>\n</html>\n"
    ).encode()


@page
def xhtml_with_cdata(title: str, paragraphs: list[str], folder: Path) -> bytes:
    script = "<script type='text/javascript'>//<![CDATA[\nif (a < b && c > d) { w('local weather'); }\n//]]></script>"
    return (
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "x.dtd">\n<html><head><title>t</title>'
        f"{script}</head><body>{ps(paragraphs)}<hr/></body></html>"
    ).encode()


@page
def table_layout(title: str, paragraphs: list[str], folder: Path) -> bytes:
    cells = "\n".join(
        f'<TR><TD VALIGN=top WIDTH="75%"><FONT SIZE=2 FACE=Arial>{html.escape(p)}</FONT>' for p in paragraphs
    )
    return (
        '<HTML><HEAD><META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=windows-1252"><TITLE>x</TITLE>\n'
        f"<BODY BGCOLOR=#FFFFFF><CENTER><H1>{title}</H1></CENTER><TABLE BORDER=0>{cells}</TABLE></BODY></HTML>"
    ).encode("cp1252", "xmlcharrefreplace")


@page
def optional_tags_left_out(title: str, paragraphs: list[str], folder: Path) -> bytes:
    body = "\n".join(f"<p>{html.escape(p, quote=False)}" for p in paragraphs)
    return f"<!doctype html><meta charset=utf-8><title>local weather</title>\n<h1>{title}</h1>\n{body}\n<ul><li>a<li>b</ul>".encode()


@page
def breaks_for_paragraphs(title: str, paragraphs: list[str], folder: Path) -> bytes:
    return shell(f"<b>{title}</b><br><br>\n" + "<br>\n<br>\n".join(html.escape(p) for p in paragraphs))


@page
def broken_nesting(title: str, paragraphs: list[str], folder: Path) -> bytes:
    body = "".join(f"<p><b><i>{html.escape(p, quote=False)}</b></i></div></span>" for p in paragraphs)
    return shell(f"<div><h1>{title}</h2>{body}</td></tr><p><code>chook species</p>")


@page
def broken_attributes(title: str, paragraphs: list[str], folder: Path) -> bytes:
    body = "".join(
        f"<p title=it's class=\"a\"id='b' data-x=a>{html.escape(p, quote=False)}</p a='>'>" for p in paragraphs
    )
    return shell(
        f"<h1 =x onclick=\"a > b; 'local weather'\">{title}</h1>{body}<img alt='chook species > x' src=a/b.png/>"
    )


@page
def loose_signs(title: str, paragraphs: list[str], folder: Path) -> bytes:
    body = "".join(f"<p>{p} AT&T, a < b, 3 <4 & 5 > 2 &unknown; <></p>" for p in paragraphs)
    return shell(f"<h1>{title}</h1>{body}")


@page
def comments(title: str, paragraphs: list[str], folder: Path) -> bytes:
    body = "<!--> local weather -->".join(ps([p]) for p in paragraphs[:2])
    body += "<!-- <p>local weather</p> --!>" + "<!-- a -- b > chook species -->".join(ps([p]) for p in paragraphs[2:])
    return shell(f"<!--[if lt IE 9]><p>local weather</p><![endif]--><h1>{title}</h1>{body}<![if !IE]><!---->")


@page
def named_references(title: str, paragraphs: list[str], folder: Path) -> bytes:
    escaped = [
        html.escape(p).replace("’", "&rsquo;").replace("“", "&ldquo;").replace("”", "&rdquo;") for p in paragraphs
    ]
    body = "".join(f"<p>&copy;&nbsp;{p.replace(' the ', '&nbsp;the&#32;')} caf&eacute &amp;amp;</p>" for p in escaped)
    return shell(f"<h1>{title}</h1>{body}")


@page
def numeric_references(title: str, paragraphs: list[str], folder: Path) -> bytes:
    body = "".join(
        f"<p>{p.encode('ascii', 'xmlcharrefreplace').decode().replace('e', '&#101;', 3)}</p>" for p in paragraphs
    )
    return f"<html><body><h1>{title}</h1>{body}</body></html>".encode("ascii")


@page
def latin_1(title: str, paragraphs: list[str], folder: Path) -> bytes:
    text = f"<html><head><meta charset='iso-8859-1'></head><body><p>Caf\u00e9 \u0093x\u0094 \u0081</p><h1>{title}</h1>{ps(paragraphs)}</body></html>"
    return text.replace("’", "\u0092").replace("“", "\u0093").replace("”", "\u0094").encode("latin-1")


@page
def utf_16(title: str, paragraphs: list[str], folder: Path) -> bytes:
    return ("\ufeff" + f"<html><body><h1>{title}</h1>{ps(paragraphs)}</body></html>").encode("utf-16-be")


@page
def right_to_left(title: str, paragraphs: list[str], folder: Path) -> bytes:
    between = (
        '<p dir="rtl" lang="ar">\u200fالطقس المحلي <bdi>local</bdi> &rlm;، مرحبا</p><p>\u05e9\u05dc\u05d5\u05dd</p>'
    )
    return shell(f"<h1>{title}</h1>" + between.join(ps([p]) for p in paragraphs), lang=' dir="rtl"')


@page
def emoji_and_marks(title: str, paragraphs: list[str], folder: Path) -> bytes:
    body = "".join(f"<p>👩‍👩‍👧‍👦 {html.escape(p)} cafe\u0301 𝔘𝔫𝔦 🇬🇧</p>" for p in paragraphs)
    return shell(f"<h1>{title} 🎉</h1>{body}")


@page
def inline_images(title: str, paragraphs: list[str], folder: Path) -> bytes:
    picture = base64.b64encode(bytes(range(256)) * 8).decode()
    body = f'<img src="data:image/png;base64,{picture}" alt="local weather">'.join(ps([p]) for p in paragraphs)
    return shell(
        f"<h1>{title}</h1>{body}<svg viewBox='0 0 9 9'><title>local weather</title><text>chook species</text><p/></svg>"
    )


@page
def linked_data(title: str, paragraphs: list[str], folder: Path) -> bytes:
    data = json.dumps({"@type": "NewsArticle", "headline": title, "articleBody": " ".join(paragraphs)})
    return shell(
        f'<h1 itemprop="headline">{title}</h1><div itemprop="articleBody">{ps(paragraphs)}</div>',
        f'<script type="application/ld+json">{data}</script><meta name="description" content="local weather">',
    )


@page
def scripts_that_hold_markup(title: str, paragraphs: list[str], folder: Path) -> bytes:
    script = "<script><!--\ndocument.write('<script>local weather<\\/script>');\n<script>x</script>\n--></script>"
    return shell(
        f"{script}<h1>{title}</h1>{ps(paragraphs)}<SCRIPT>chook species</sCripT\n><textarea><p>local weather</textarea>"
    )


@page
def code_among_text(title: str, paragraphs: list[str], folder: Path) -> bytes:
    code = "<pre>local weather\n  <b>chook species</b></pre><p>Run <code>chook species</code> or <kbd>stated</kbd>.</p>"
    return shell(
        f"<h1>{title}</h1>" + code.join(ps([p]) for p in paragraphs) + "<template><p>local weather</p></template>"
    )


@page
def formulas(title: str, paragraphs: list[str], folder: Path) -> bytes:
    formula = "<p>Let <math><mi>yr</mi><annotation encoding='x'>local weather</annotation></math> be.</p>"
    return shell(f"<h1>{title}</h1>" + formula.join(ps([p]) for p in paragraphs))


@page
def links_everywhere(title: str, paragraphs: list[str], folder: Path) -> bytes:
    body = []
    for p in paragraphs:
        words = html.escape(p).split(" ")
        body.append(
            "<p>" + " ".join(f'<a href="/{i}">{w}</a>' if i % 6 == 5 else w for i, w in enumerate(words)) + "</p>"
        )
    return shell(f"<h1>{title}</h1>{''.join(body)}")


@page
def split_words(title: str, paragraphs: list[str], folder: Path) -> bytes:
    body = [f"<p><span class=cap>{p[0]}</span>{html.escape(p[1:])}</p>" for p in paragraphs]
    return shell(f"<h1>{title}</h1>{''.join(body)}<p>The lo<wbr>cal wea<b>ther</b> was stated.</p>")


@page
def frames(title: str, paragraphs: list[str], folder: Path) -> bytes:
    return (
        f"<html><head><title>x</title></head><body><iframe src=a><p>local weather</p></iframe><h1>{title}</h1>"
        f"{ps(paragraphs)}<noframes>local weather</noframes><object data=x>local weather</object></body></html>"
    ).encode()


@page
def fragment(title: str, paragraphs: list[str], folder: Path) -> bytes:
    return f"{title}\n\n{ps(paragraphs)}".encode()


@page
def one_line(title: str, paragraphs: list[str], folder: Path) -> bytes:
    return shell(f"<article><header><h1>{title}</h1></header>{ps(paragraphs, end='')}</article>").replace(b"\n", b"")


@page
def definition_list(title: str, paragraphs: list[str], folder: Path) -> bytes:
    body = "".join(f"<dt>Part {i}<dd>{html.escape(p)}" for i, p in enumerate(paragraphs))
    return shell(f"<h1>{title}</h1><dl>{body}</dl><blockquote cite='local weather'><q>Fine.</q></blockquote>")


@page
def forms(title: str, paragraphs: list[str], folder: Path) -> bytes:
    fields = "<input value='local weather'><select><option>local weather<option>stated</select><button>chook species</button>"
    return shell(f"<form action=x>{fields}<h1>{title}</h1>{ps(paragraphs)}</form>")


@page
def untranslated_parts(title: str, paragraphs: list[str], folder: Path) -> bytes:
    name = "<p>Brand: <span translate=no>Local Weather</span>, <b class='x notranslate'>chook species</b></p>"
    return shell(f"<h1>{title}</h1>" + name.join(ps([p]) for p in paragraphs))


@page
def cut_off(title: str, paragraphs: list[str], folder: Path) -> bytes:
    return shell(f"<h1>{title}</h1>{ps(paragraphs)}").rpartition(b"</body>")[0] + b'<p class="local weather'


@page
def server_pages(title: str, paragraphs: list[str], folder: Path) -> bytes:
    return shell(
        f"<h1>{title}</h1><?php if (1 > 0) echo 'local weather'; ?>{ps(paragraphs)}<?xml-stylesheet href='x'?>"
    )
