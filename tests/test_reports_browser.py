"""The report driven in headless Chromium: reading, keys, filters, sorting, themes, phone width, accessibility.

Skipped with its reason where Playwright or a browser is absent. A browser is
looked for on the path and in Playwright's own place; RESTORE_BROWSER names another.
The accessibility checks are those of axe-core: AXE names an axe.min.js, else that
of the package axe-core-python serves.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from marked import ARTICLE, EDITS, restoration

from restore.reports import HtmlReport, html, write_html

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")

DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
PATIENCE = 120_000  # ms; busy machines are slow, and nothing here waits that long when all is well


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    named = os.environ.get("RESTORE_BROWSER")
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    path = named or next(filter(None, map(shutil.which, names)), None)
    with playwright.sync_playwright() as play:
        if path is None and not os.path.exists(play.chromium.executable_path):
            pytest.skip("no Chromium: install one, or `playwright install chromium`, or set RESTORE_BROWSER")
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, tmp_path) -> Iterator[Callable[..., Any]]:
    """A page open in the browser; at the end: nothing was asked of the network, nothing written to the console."""
    trouble: list[str] = []
    contexts = []

    def go(path: Path, where: str = "", size: dict[str, Any] = DESK, **options: Any) -> Any:
        context = chromium.new_context(**size, **{"reduced_motion": "reduce", **options})
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(PATIENCE)
        tab.on("console", lambda message: trouble.append(message.text))
        tab.on("pageerror", lambda error: trouble.append(str(error)))
        tab.on("dialog", lambda dialog: trouble.append(dialog.message))
        tab.on("request", lambda request: None if is_local(request.url, path) else trouble.append(request.url))
        tab.goto(path.as_uri() + where)
        return tab

    yield go
    for context in contexts:
        context.close()
    assert trouble == []


def is_local(url: str, path: Path) -> bool:
    return url.partition("#")[0] == path.as_uri() or url.startswith("data:,")


@pytest.fixture(scope="session")
def one(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("one") / "report.html"
    write_html([("page.txt", restoration(ARTICLE))], path)
    return path


@pytest.fixture(scope="session")
def many(tmp_path_factory) -> Path:
    """Four documents: b is spun most, a less; c and a tenth one are clean."""
    path = tmp_path_factory.mktemp("many") / "report.html"
    clean = restoration("A fine day.\n")
    results = [
        ("page10.txt", clean),
        ("page2.txt", restoration("a ⟦chook→bird|0.99⟧ sang\n")),
        ("b.txt", restoration(ARTICLE)),
        ("page1.txt", clean),
    ]
    write_html(results, path, "Four pages")
    return path


def card(tab: Any) -> str:
    return tab.inner_text("#card") if tab.is_visible("#card") else ""


def focused(tab: Any) -> str:
    return tab.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.innerText || ''")


def names(tab: Any) -> list[str]:
    return [text.strip() for text in tab.locator("#documents tbody a").all_inner_texts()]


def test_a_text_is_shown_merged_with_its_edits_marked_up(visit, one):
    tab = visit(one)
    assert tab.locator("#text ins").count() == tab.locator("#text del").count() == EDITS
    assert tab.locator("#text del").nth(3).inner_text() == "local weather"
    assert tab.locator("#text ins").nth(3).inner_text() == "climate"
    assert not tab.is_visible("#index-view")
    assert " ".join(tab.inner_text("#verdict").split()).startswith("Spun Probability 99.7%. About 31% of the words")
    # told apart without colour: each band underlines in its own way
    styles = tab.evaluate(
        "[...document.querySelectorAll('#bands .swatch')].map(s => getComputedStyle(s).textDecorationStyle)"
    )
    assert len(set(styles)) == 4
    assert tab.locator("#chart svg").get_attribute("aria-label") == (
        "8 edits by confidence: 4 nearly certain, 2 confident, 1 likely, 1 doubtful"
    )


def test_keys_go_from_edit_to_edit(visit, one):
    tab = visit(one)
    for n, key in enumerate(("n", "j", "ArrowRight"), 1):
        tab.keyboard.press(key)
        assert tab.inner_text("#place") == f"{n} of {EDITS}"
    assert focused(tab).startswith("said, instead of stated: nearly certain, over 99.9%")
    assert "stated → said" in card(tab)
    for n, key in enumerate(("p", "k", "ArrowLeft")):
        tab.keyboard.press(key)
        assert tab.inner_text("#place") == f"{(2 - n - 1) % EDITS + 1} of {EDITS}"
    assert tab.inner_text("#place") == f"{EDITS} of {EDITS}"  # round the corner
    assert not tab.evaluate("document.getElementById('card').contains(document.activeElement)")
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "card"
    tab.keyboard.press("Escape")
    assert card(tab) == ""
    assert focused(tab).startswith("many people, instead of many individuals")
    tab.keyboard.press("Shift+Tab")
    assert focused(tab).startswith("new, instead of brand new")
    assert "brand new → new" in card(tab)


def test_keys_are_listed_and_can_be_switched_off(visit, one):
    tab = visit(one)
    tab.keyboard.press("?")
    assert tab.is_visible("#keys")
    for word in ("next edit", "Enter", "Esc"):
        assert word in tab.inner_text("#keys")
    tab.uncheck("#letters")
    tab.keyboard.press("Escape")
    assert not tab.is_visible("#keys")
    tab.keyboard.press("n")
    assert tab.inner_text("#place") == f"{EDITS} edits"
    tab.reload()
    assert not tab.is_checked("#letters")


def test_the_card_says_why_in_words(visit, one):
    tab = visit(one, "#0.4")
    shown = card(tab)
    for text in (
        "Nearly certain, 97% · line 3 · lexicon autoblog",
        "local weather as found",
        "where the original has “climate”, the spinner writes “local weather” in 62% of cases.",
        "after the words before it “climate” comes about once in 3,500 times, which fits.",
        "in English “climate” is about 2,300 times as common as “local weather”.",
        "the two look somewhat alike (50% of their letters are shared).",
        "the probability that the spinner was at work in it is over 99.9%.",
    ):
        assert text in shown


def test_evidence_of_other_kinds_and_against(visit, tmp_path):
    evidence = {"channel": -6.2, "context": -13.0, "frequency": -0.8, "similarity": 0.9, "passage": 0.7, "novel": 3.5}
    write_html([("-", restoration("⟦a cat→an old cat|0.6⟧", evidence=evidence))], tmp_path / "r.html")
    tab = visit(tmp_path / "r.html", "#0.1")
    assert tab.inner_text("#heading") == "standard input"
    shown = card(tab)
    for text in (
        "the spinner writes “cat” about once in 490 times",
        "“cat” is about 2.2 times as common as “old cat”; this speaks against the edit",
        "look much alike",
        "at work in it is 70%",
        "novel: 3.5",
    ):
        assert text in shown


def test_the_mouse_shows_pins_and_closes(visit, one):
    tab = visit(one)
    tab.hover("#text ins >> nth=3")
    tab.wait_for_selector("#card:visible")
    assert "local weather → climate" in card(tab)
    tab.hover("#card")  # the card may be read with the pointer on it
    tab.wait_for_timeout(400)
    assert card(tab)
    tab.mouse.move(2, 2)
    tab.wait_for_selector("#card", state="hidden")
    tab.click("#text del >> nth=4")
    assert "shifting → moving" in card(tab)
    tab.mouse.move(2, 2)
    tab.wait_for_timeout(400)
    assert card(tab)
    assert tab.get_attribute("#text .edit >> nth=4 >> a", "aria-expanded") == "true"
    tab.click("#card .close")
    assert card(tab) == ""


def test_filters_by_confidence_and_family(visit, one):
    tab = visit(one)
    for band in ("sure", "confident", "likely"):
        tab.uncheck(f"#bands .{band} input")
    assert tab.locator("#text ins").all_inner_texts() == ["moving"]
    assert "1 of 8 edits are marked" in tab.inner_text("#shown")
    assert "said the climate is" in tab.inner_text("#text")  # the others stand as restored
    tab.keyboard.press("n")
    tab.keyboard.press("n")
    assert tab.inner_text("#place") == "1 of 1"
    tab.click("#all-edits")
    assert tab.locator("#text ins").count() == EDITS
    tab.uncheck("#families label:has-text('autoblog') input")
    assert tab.locator("#text ins").all_inner_texts() == ["artificial"]
    tab.uncheck("#families label:has-text('tortured') input")
    assert tab.inner_text("#place") == "no edits"
    tab.keyboard.press("n")
    assert card(tab) == ""


def test_side_by_side(visit, one):
    tab = visit(one)
    tab.keyboard.press("v")
    assert tab.is_checked("input[value=sides]")
    left = tab.locator(".row p:first-child").all_inner_texts()
    right = tab.locator(".row p:last-child").all_inner_texts()
    result = restoration(ARTICLE)
    assert left == [line for line in result.undo().splitlines() if line]
    assert right == [line for line in result.text.splitlines() if line]
    tab.click(".row del >> nth=3")
    assert "local weather → climate" in card(tab)
    assert tab.locator(".row .on").count() == 2
    tab.check("input[value=merged]", force=True)
    assert tab.locator(".row").count() == 0


def test_lines_and_edits_that_run_over_their_ends(visit, tmp_path):
    marked = "one\r\n  two ⟦local\nweather→climate|0.9⟧ x\n\n⟦😀 b→c|0.9⟧\tשלום"
    write_html([("x", restoration(marked))], tmp_path / "r.html")
    tab = visit(tmp_path / "r.html")
    assert tab.locator("#text p").count() == 3
    assert tab.locator("#text del").all_text_contents() == ["local\nweather", "😀 b"]
    tab.keyboard.press("p")
    assert "line 5" in card(tab)


def test_a_long_text_is_drawn_as_it_is_read(visit, tmp_path):
    write_html([("x", restoration("a ⟦b→c|0.9⟧ d\n" * 3000))], tmp_path / "r.html")
    tab = visit(tmp_path / "r.html")
    assert tab.locator("#text p").count() < 1500
    tab.keyboard.press("p")
    assert tab.inner_text("#place") == "3,000 of 3,000"
    assert "line 3,000" in card(tab)


def test_the_index_sorts_and_filters(visit, many):
    tab = visit(many)
    assert tab.title() == "Four pages"
    assert names(tab) == ["b.txt", "page2.txt", "page10.txt", "page1.txt"]  # verdict, then edits
    assert tab.get_attribute("th[data-key=verdict]", "aria-sort") == "descending"
    tab.click("th[data-key=name] button")
    assert names(tab) == ["b.txt", "page1.txt", "page2.txt", "page10.txt"]
    tab.click("th[data-key=name] button")
    assert names(tab) == ["page10.txt", "page2.txt", "page1.txt", "b.txt"]
    tab.click("th[data-key=edits] button")
    assert names(tab)[:2] == ["b.txt", "page2.txt"]
    tab.click("th[data-key=probability] button")
    tab.click("th[data-key=probability] button")
    assert set(names(tab)[:2]) == {"page1.txt", "page10.txt"}
    assert tab.get_attribute("th[data-key=probability]", "aria-sort") == "ascending"
    assert tab.get_attribute("th[data-key=name]", "aria-sort") is None
    tab.fill("#name-filter", "PAGE1")
    assert names(tab) == ["page10.txt", "page1.txt"]
    assert tab.inner_text("#rows-shown") == "2 of 4 documents"
    tab.fill("#name-filter", "")
    tab.select_option("#verdict-filter", "doubtful")
    assert names(tab) == ["b.txt"]
    assert "edits\n9" in tab.inner_text("#tiles")


def test_from_the_index_to_a_document_and_back(visit, many):
    tab = visit(many)
    tab.keyboard.press("j")
    tab.keyboard.press("ArrowDown")
    assert focused(tab) == "page2.txt"
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#document-view:visible")
    assert tab.inner_text("#heading") == "page2.txt"
    tab.keyboard.press("n")
    assert "chook → bird" in card(tab)
    tab.keyboard.press("]")
    tab.wait_for_function("document.getElementById('heading').innerText === 'page10.txt'")
    assert tab.inner_text("#text") == "A fine day."
    assert not tab.is_visible("#fold")
    tab.keyboard.press("[")
    tab.wait_for_function("document.getElementById('heading').innerText === 'page2.txt'")
    tab.keyboard.press("n")
    tab.keyboard.press("Escape")  # the card
    assert tab.is_visible("#document-view")
    tab.keyboard.press("Escape")  # the document
    tab.wait_for_selector("#index-view:visible")
    assert focused(tab) == "page2.txt"
    tab.click("tbody tr:has-text('b.txt') td:nth-child(2)")
    tab.wait_for_selector("#document-view:visible")
    tab.click("#back")
    tab.wait_for_selector("#index-view:visible")


def test_what_is_left_out_is_said(visit, tmp_path, monkeypatch):
    monkeypatch.setattr(html, "CLEAN_ROWS", 2)
    room = int(1.5 * len(html.encode(HtmlReport._document(restoration(ARTICLE)))))
    with HtmlReport(tmp_path / "r.html", few=1, full=room) as report:
        for n, text in enumerate((ARTICLE, "Clean.\n", ARTICLE, "Clean.\n", "Clean.\n")):
            report.add(str(n), restoration(text))
    tab = visit(tmp_path / "r.html")
    said = tab.inner_text("#left-out")
    assert "the texts of 2 documents without edits are left out" in said
    assert "The texts of 1 document with edits are left out" in said
    assert "not listed: 1 document." in said
    tab.goto((tmp_path / "r.html").as_uri() + "#2")
    assert "too large to open" in tab.inner_text("#text")
    tab.goto((tmp_path / "r.html").as_uri() + "#1")
    assert "Nothing was changed" in tab.inner_text("#text")


def test_long_lists_grow_on_demand(visit, tmp_path):
    write_html(((f"{n}.txt", restoration("Clean.")) for n in range(450)), tmp_path / "r.html")
    tab = visit(tmp_path / "r.html")
    assert len(names(tab)) == 200
    tab.click("#more-rows")
    tab.click("#more-rows")
    assert len(names(tab)) == 450
    assert not tab.is_visible("#more-rows")


def test_themes(visit, one):
    back = "getComputedStyle(document.body).backgroundColor"
    tab = visit(one, color_scheme="dark")
    assert tab.get_attribute("#theme", "aria-pressed") == "true"
    night = tab.evaluate(back)
    tab.click("#theme")
    day = tab.evaluate(back)
    assert day != night
    assert tab.get_attribute("#theme", "aria-pressed") == "false"
    tab.reload()
    assert tab.evaluate(back) == day  # remembered
    light = visit(one, color_scheme="light")
    assert light.evaluate(back) == day
    light.keyboard.press("t")
    assert light.evaluate(back) == night


def test_motion_only_where_it_is_welcome(visit, one):
    motion = "getComputedStyle(document.getElementById('card')).animationName"
    assert visit(one, "#0.1", reduced_motion="reduce").evaluate(motion) == "none"
    assert visit(one, "#0.1", reduced_motion="no-preference").evaluate(motion) != "none"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_scrolling_sideways(visit, tmp_path, scheme):
    long = "x" * 300
    results = [
        (f"https://example.org/{long}?a=b", restoration(ARTICLE + f"{long} ⟦{long}→{long}|0.7⟧\n")),
        ("b", restoration(ARTICLE)),
    ]
    write_html(results, tmp_path / "r.html", "Two pages")
    tab = visit(tmp_path / "r.html", size=PHONE, color_scheme=scheme)
    fits = "document.documentElement.scrollWidth <= 360 && document.documentElement.clientWidth === 360"
    assert tab.evaluate(fits)
    tab.tap("tbody a >> nth=0")
    tab.wait_for_selector("#document-view:visible")
    assert tab.evaluate(fits)
    tab.tap("text=Filters and chart")
    assert tab.is_visible("#bands")
    assert tab.evaluate(fits)
    tab.tap("#text ins >> nth=3")
    assert "local weather → climate" in card(tab)
    box = tab.locator("#card").bounding_box()
    assert (box["x"], box["width"]) == (0, 360)
    assert box["y"] + box["height"] == pytest.approx(740, abs=2)
    tab.tap("#card .close")
    tab.tap("input[value=sides]")
    assert tab.evaluate(fits)


def test_hostile_text_is_only_shown(visit, tmp_path):
    evil = "</script x</script><img src=x onerror=alert(1)><svg/onload=alert(2)>&lt;b&gt; '\"--><!--"
    results = [
        (evil, restoration(f"{evil} ⟦{evil}→{evil}|0.7|{evil}⟧ end")),
        ("javascript:alert(3)", restoration(evil)),
    ]
    write_html(results, tmp_path / "r.html", evil)
    tab = visit(tmp_path / "r.html")
    assert tab.title() == evil
    assert names(tab) == [evil, "javascript:alert(3)"]
    tab.click("tbody a >> nth=0")
    tab.keyboard.press("n")
    tab.keyboard.press("v")
    assert tab.locator(".row del").inner_text() == evil
    assert tab.locator("img, #text svg, #text b").count() == 0
    assert tab.evaluate("document.scripts.length === 5")  # two texts, totals, index, the page's own


def axe() -> str | None:
    spec = find_spec("axe_core_python")
    packaged = Path(spec.origin).parent / "axe.min.js" if spec and spec.origin else None
    named = os.environ.get("AXE")
    return named or (str(packaged) if packaged and packaged.exists() else None)


@pytest.mark.skipif(axe() is None, reason="needs axe-core: pip install axe-core-python, or set AXE to an axe.min.js")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_accessible(visit, many, scheme, size):
    # the script that checks is foreign to the page, whose policy is therefore passed by
    tab = visit(many, size=size, color_scheme=scheme, bypass_csp=True)
    tab.add_script_tag(path=axe())
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

    def check(what: str) -> None:
        found = tab.evaluate("rules => axe.run(document, rules)", rules)["violations"]
        assert [(what, v["id"], v["nodes"][0]["html"][:200]) for v in found] == []

    check("index")
    tab.evaluate("location.hash = '#2.4'")
    tab.wait_for_selector("#card:visible")
    check("document with its card")
    tab.keyboard.press("v")
    tab.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    check("side by side")
    tab.keyboard.press("?")
    check("keys")
