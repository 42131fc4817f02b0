"""Reports: what the page holds, that hostile text cannot leave its place in it, how it is written; diff and table."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import threading
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marked import ARTICLE, EDITS, restoration

import restore
from restore.documents import DocumentError
from restore.reports import HtmlReport, explanation, html, word_diff, write_html
from restore.restoration import Edit, Restoration, Verdict

CLEAN = "A fine day, and nothing to restore.\n"


class Page(HTMLParser):
    """A written page: its tags in order, the text of its scripts and styles, its data blocks."""

    def __init__(self, path: Path):
        super().__init__()
        self.tags: list[tuple[str, ...]] = []
        self.raw: dict[str, str] = {}
        self.attributes: list[tuple[str, str | None]] = []
        self._inside = ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, *sorted(name for name, _ in attrs)))
        self.attributes += attrs
        self._inside = dict(attrs).get("id") or tag if tag in ("script", "style", "title") else ""
        if self._inside:
            self.raw[self._inside] = ""

    def handle_endtag(self, tag):
        self.tags.append((f"/{tag}",))
        self._inside = ""

    def handle_data(self, data):
        if self._inside:
            self.raw[self._inside] += data

    def data(self, name):
        return json.loads(self.raw[name])


def page(tmp_path: Path, *results: tuple[str, Restoration], **limits) -> Page:
    path = tmp_path / "report.html"
    with HtmlReport(path, **limits) as report:
        for name, result in results:
            report.add(name, result)
    return Page(path)


def test_the_page_holds_text_edits_and_totals(tmp_path, spun):
    result = restore.restore(spun)
    made = page(tmp_path, ("a.txt", result), ("b.txt", restoration(CLEAN)))
    held = made.data("d0")
    assert "".join(held["pieces"]) == spun
    assert held["pieces"][1::2] == [e.found for e in result.edits]
    first = result.edits[0]
    assert held["edits"][0] == [
        first.replacement,
        round(first.confidence, 4),
        first.family,
        [[text, round(p, 4)] for text, p in first.alternatives],
        {name: round(value, 3) for name, value in first.evidence.items()},
    ]
    assert made.data("d1") == {"pieces": [CLEAN], "edits": []}
    totals = made.data("totals")
    n = len(result.edits)
    assert (totals["documents"], totals["spun"], totals["edited"], totals["edits"]) == (2, 1, 1, n)
    assert totals["families"] == {"autoblog": n}
    assert sum(totals["confidence"]) == n
    assert [row[:3] for row in made.data("index")] == [[0, "a.txt", 1], [1, "b.txt", 0]]


def test_confidence_is_counted_in_twentieths(tmp_path):
    made = page(tmp_path, ("a", restoration("⟦a→b|0.95⟧ ⟦a→b|0.9499⟧ ⟦a→b|1.0⟧ ⟦a→b|0.5⟧ ⟦a→b|0.0⟧")))
    counts = made.data("totals")["confidence"]
    assert {i: n for i, n in enumerate(counts) if n} == {0: 1, 10: 1, 18: 1, 19: 2}


HOSTILE = [
    "</script><script>alert(1)</script>",
    "</SCRIPT x</script/",  # closes without a `>`
    "<!--<script>",
    "]]><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "\u2028\u2029\u202e\ufeff\ufffe\x00\x1b[31m\x85",
    "\ud800 lone \udfff",
    "{{script}} {{data}} &lt;/script&gt; &amp;",
    "\\u003c \\",
    "__proto__",
    "😀 a\u0301 שלום\r\n",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_data(tmp_path, text):
    def result(s: str) -> Restoration:
        edit = Edit(2, 2 + len(s), s, s, 0.8, s, ((s, 0.2),), {s: -1.5, "passage": 1.0})
        return Restoration(f"a {s} b{s}", (edit,), Verdict(True, 0.9, 0.3, s))

    plain = page(tmp_path, ("x", result("x")), title="x")
    made = page(tmp_path, (text, result(text)), title=text)
    assert made.tags == plain.tags
    for mark in "<>":  # browsers end a script at less than the parser above
        assert made.source.count(mark) == plain.source.count(mark)
    assert "".join(made.data("d0")["pieces"]) == f"a {text} b{text}"
    assert made.data("d0")["edits"] == [[text, 0.8, text, [[text, 0.2]], {text: -1.5, "passage": 1.0}]]
    assert made.data("index")[0][1] == text
    assert made.raw["script"] == plain.raw["script"]


@given(
    st.text(st.characters(codec=None)), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.text()), max_size=4)
)
def test_pieces_give_the_text_back(text, cuts):
    edits, at = [], 0
    for skip, length, new in cuts:
        start, end = at + skip, at + skip + length
        if end <= len(text) and start < end:
            edits.append(Edit(start, end, text[start:end], new, 0.9, "autoblog"))
            at = end
    restored = restore.restoration.splice(text, [(e.start, e.end, e.replacement) for e in edits])
    held = HtmlReport._document(Restoration(restored, tuple(edits), Verdict(True, 1.0, 0.3, "autoblog")))
    written = html.encode(held)
    assert not re.search("[<>&\u2028\u2029\ud800-\udfff]", written)
    back = json.loads(written)
    assert "".join(back["pieces"]) == text
    assert [e[0] for e in back["edits"]] == [e.replacement for e in edits]


def test_the_page_needs_nothing_else_and_says_so_to_the_browser(tmp_path):
    made = page(tmp_path, ("a.txt", restoration(ARTICLE)))
    policy = next(value for name, value in made.attributes if name == "content" and "default-src" in value)
    assert "default-src 'none'" in policy
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(made.raw[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    links = [value for name, value in made.attributes if name in ("src", "href", "action", "srcset", "data")]
    assert all(value.startswith(("#", "data:,")) for value in links)
    assert not [name for name, _ in made.attributes if name.startswith("on") or name == "style"]
    rest = (made.raw["script"] + made.raw["style"]).replace("http://www.w3.org/2000/svg", "")
    for word in (
        "http:",
        "https:",
        "url(",
        "@import",
        "fetch(",
        "XMLHttp",
        "innerHTML",
        "outerHTML",
        "eval(",
        "Function(",
    ):
        assert word not in rest


def test_many_documents_carry_only_texts_with_edits(tmp_path):
    edited, clean = restoration(ARTICLE), restoration(CLEAN)
    results = [(f"{n}.txt", edited if n % 3 == 0 else clean) for n in range(9)]
    few = page(tmp_path, *results, few=9)
    assert [n for n in range(9) if f"d{n}" in few.raw] == list(range(9))
    assert few.data("totals")["unedited_left_out"] == 0
    many = page(tmp_path, *results, few=8)
    assert [n for n in range(9) if f"d{n}" in many.raw] == [0, 3, 6]
    assert many.data("totals")["unedited_left_out"] == 6
    assert len(many.data("index")) == 9
    large = page(tmp_path, *results, small=3000)
    assert [n for n in range(9) if f"d{n}" in large.raw] == [0, 3, 6]


def test_too_much_text_is_left_out_and_counted(tmp_path):
    results = [(str(n), restoration(ARTICLE)) for n in range(4)]
    size = len(page(tmp_path, results[0]).raw["d0"])
    made = page(tmp_path, *results, full=3 * size)
    assert [n for n in range(4) if f"d{n}" in made.raw] == [0, 1]
    assert made.data("totals")["texts_left_out"] == 2
    assert made.data("totals")["edits"] == 4 * EDITS


def test_documents_beyond_the_list_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(html, "ROWS", 2)
    monkeypatch.setattr(html, "CLEAN_ROWS", 1)
    made = page(tmp_path, *[(str(n), restoration(text)) for n, text in enumerate((ARTICLE, CLEAN) * 3)])
    assert [row[0] for row in made.data("index")] == [0, 1, 2]
    totals = made.data("totals")
    assert (totals["documents"], totals["unlisted"], totals["edits"]) == (6, 3, 3 * EDITS)


def test_results_pass_by_one_at_a_time(tmp_path):
    """Nothing is kept: each result is gone before the next is asked for."""
    alive = 0

    class Counted(Restoration):
        def __del__(self):
            nonlocal alive
            alive -= 1

    def results():
        nonlocal alive
        for n in range(20):
            alive += 1
            made = restoration(ARTICLE)
            result = Counted(made.text, made.edits, made.verdict)
            yield str(n), result
            del result
            assert alive <= 2

    write_html(results(), tmp_path / "report.html")
    assert Page(tmp_path / "report.html").data("totals")["documents"] == 20


def test_no_documents(tmp_path):
    write_html([], tmp_path / "report.html")
    assert Page(tmp_path / "report.html").data("index") == []


def test_written_in_one_step(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("before", encoding="utf-8")

    def broken():
        yield "a", restoration(ARTICLE)
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write_html(broken(), path)
    assert path.read_text(encoding="utf-8") == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_place_that_cannot_be_written_is_told_before_the_work(tmp_path):
    with pytest.raises(DocumentError, match="no folder"):
        HtmlReport(tmp_path / "nowhere" / "report.html")
    with pytest.raises(DocumentError, match="a folder; name a file"):
        HtmlReport(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_page_goes_through_a_pipe(tmp_path, monkeypatch):
    """A pipe or device is written to, not replaced, whatever folder it is in."""
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")), daemon=True)
    reader.start()
    monkeypatch.setattr("os.access", lambda path, mode: False)
    write_html([("a", restoration(ARTICLE))], pipe)
    assert pipe.is_fifo()
    reader.join(10)
    assert read[0].startswith("<!doctype html>")


def test_command_line(run, tmp_path, spun, clean):
    expected = restore.restore(spun)
    for name, text in (("a.txt", spun), ("b.txt", clean)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = run("clean", "a.txt", "--report", "one.html")
    assert done.stdout.decode() == expected.text
    assert "".join(Page(tmp_path / "one.html").data("d0")["pieces"]) == spun
    done = run("clean", "a.txt", "b.txt", "--report", "both.html")
    assert (done.returncode, done.stdout) == (0, b"")
    assert [row[1] for row in Page(tmp_path / "both.html").data("index")] == ["a.txt", "b.txt"]
    assert run("clean", "a.txt", "b.txt", "-o", "out", "--report", "both.html", "-j", "2").returncode == 0
    assert (tmp_path / "out" / "a.txt").read_text(encoding="utf-8") == expected.text
    done = run("explain", "--report", "explained.html", stdin=spun.encode())
    assert "local weather" in done.stdout.decode()
    assert Page(tmp_path / "explained.html").data("d0") == Page(tmp_path / "one.html").data("d0")
    assert run("clean", "-w", "a.txt", "--report", "inplace.html").returncode == 0
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == expected.text
    assert "".join(Page(tmp_path / "inplace.html").data("d0")["pieces"]) == spun


def test_a_bad_document_leaves_the_report_of_the_others(run, tmp_path, spun):
    (tmp_path / "a.txt").write_text(spun, encoding="utf-8")
    done = run("clean", "a.txt", "gone.txt", "--report", "r.html")
    assert done.returncode == 2
    assert Page(tmp_path / "r.html").data("totals")["documents"] == 1


def test_a_folder_that_may_not_be_written_to(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(DocumentError, match=r"folder .* may not be written to\); check its permissions"):
        HtmlReport(tmp_path / "r.html")


# ---- diff and table


def test_diff_by_lines():
    out = word_diff(restoration("same\none ⟦a→b|0.9⟧\nsame\nthree ⟦c→d|0.9⟧ and ⟦e\nf→g|0.9⟧ end\nlast\n"), "x")
    assert out == (
        "--- x\n+++ x (restored)\n@@ line 2 @@\none [-a-]{+b+}\n@@ line 4 @@\nthree [-c-]{+d+} and [-e\nf-]{+g+} end\n"
    )
    assert word_diff(restoration(CLEAN), "x") == ""


def test_diff_joins_lines_that_edits_join():
    out = word_diff(restoration("⟦a\nb→c|0.9⟧ x ⟦d\ne→f|0.9⟧ y\nz"), "x")
    assert out.count("@@ line") == 1
    assert out.endswith("[-a\nb-]{+c+} x [-d\ne-]{+f+} y\n")


def test_text_cannot_command_the_terminal():
    result = restoration("\x1b]0;owned\x07 ⟦a\x1b[2J→b|0.9⟧\x9b31m\r\n")
    shown = word_diff(result, "na\x1bme", color=True)
    assert not re.search(r"[\x07\x9b\r]|\x1b(?!\[(31|32|2|0)m)", shown)
    assert "[-a\N{REPLACEMENT CHARACTER}[2J-]" in shown
    assert "\x1b]0;owned" in word_diff(result, "name")  # into a file or pipe the text goes as it is


def test_table_keeps_an_edit_on_one_line():
    result = restoration("x\n⟦local\nweather→climate|0.97⟧ is ⟦a→b|0.8⟧\n")
    lines = explanation(result, result.undo()).splitlines()
    assert len(lines) == 4
    assert lines[2].split()[:4] == ["2", "local", "weather", "climate"]
    assert lines[3].split()[:3] == ["3", "a", "b"]
