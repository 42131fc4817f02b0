"use strict";
(() => {
  // What documents hold reaches the page as text nodes and attribute values only, never as markup.
  const $ = (id) => document.getElementById(id);
  const data = (id) => { const block = $(id); return block && JSON.parse(block.textContent); };
  const totals = data("totals");
  const documents = data("index").map(([number, name, spun, probability, rate, family, edits, doubtful, words]) =>
    ({ number, name, spun, probability, rate, family, edits, doubtful, words }));
  const many = totals.documents > 1;

  const BANDS = [
    { key: "sure", least: 0.95, name: "nearly certain", span: "95% and more" },
    { key: "confident", least: 0.85, name: "confident", span: "85% to 95%" },
    { key: "likely", least: 0.7, name: "likely", span: "70% to 85%" },
    { key: "doubtful", least: -1, name: "doubtful", span: "under 70%" },
  ];
  const band = (p) => BANDS.find((b) => p >= b.least - 1e-9);

  const state = {
    view: "merged", bands: new Set(BANDS.map((b) => b.key)), hiddenFamilies: new Set(),
    sort: "verdict", down: true, listed: [], rows: 0,
    doc: null, edits: [], lines: [], drawn: 0, shown: [], current: -1,
  };

  // ---- small tools

  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }
  function svg(tag, attributes = {}, text = "") {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.textContent = text;
    return node;
  }
  const count = new Intl.NumberFormat("en");
  const plural = (n, one, some = one + "s") => `${count.format(n)} ${n === 1 ? one : some}`;
  const quoted = (text) => `“${text.replace(/\s+/g, " ")}”`;
  const nameOf = (name) => (name === "-" || name === "" ? "standard input" : name);

  function percent(p) {
    if (p >= 0.9995) return "over 99.9%";
    if (p >= 0.985) return `${(100 * p).toFixed(1)}%`;
    if (p < 0.005) return "under 1%";
    return `${Math.round(100 * p)}%`;
  }
  function rounded(x) {
    if (x < 10) return String(Number(x.toFixed(1)));
    const unit = 10 ** (Math.floor(Math.log10(x)) - 1);
    return x >= 1e9 ? "over a billion" : count.format(Math.round(x / unit) * unit);
  }
  function remember(key, value) { try { localStorage.setItem(`restore.${key}`, value); } catch { /* private window */ } }
  function recall(key) { try { return localStorage.getItem(`restore.${key}`); } catch { return null; } }

  // ---- evidence in words

  function withoutArticle(text) { return text.replace(/^an? (?=\S)/i, ""); }

  const WORDS = {
    channel(v, found, restored) {
      const share = Math.exp(v);
      const often = share >= 0.095 ? `in ${Math.round(100 * share)}% of cases` : `about once in ${rounded(1 / share)} times`;
      return ["Spinner’s habit", `where the original has ${quoted(restored)}, the spinner writes ${quoted(found)} ${often}.`];
    },
    context(v, found, restored) {
      const each = v / Math.max(1, restored.trim().split(/\s+/).length);
      const fit = each > -4 ? "which is expected here" : each > -8.5 ? "which fits" :
        each > -11.5 ? "which is unusual but possible" : "which is rare, so that the choice rests on the other evidence";
      return ["Context", `after the words before it ${quoted(restored)} comes about once in ${rounded(Math.exp(-v))} times, ${fit}.`];
    },
    frequency(v, found, restored) {
      const times = rounded(Math.exp(Math.abs(v)));
      if (Math.abs(v) < 0.2) return ["Frequency", `${quoted(restored)} and ${quoted(found)} are about equally common in English.`];
      return ["Frequency", v > 0
        ? `in English ${quoted(restored)} is about ${times} times as common as ${quoted(found)}.`
        : `in English ${quoted(found)} is about ${times} times as common as ${quoted(restored)}; this speaks against the edit.`];
    },
    similarity(v) {
      const how = v >= 0.75 ? "the two look much alike" : v >= 0.4 ? "the two look somewhat alike" : "the two do not look alike";
      return ["Spelling", `${how} (${Math.round(100 * v)}% of their letters are shared).`];
    },
    "language model"(v, found, restored) {
      const times = rounded(Math.exp(Math.abs(v)));
      return ["Language model", v > 0
        ? `here ${quoted(restored)} reads about ${times} times likelier than ${quoted(found)}.`
        : `here ${quoted(found)} reads about ${times} times likelier than ${quoted(restored)}; this speaks against the edit.`];
    },
    passage(v) {
      return ["Sentence", `the probability that the spinner was at work in it is ${percent(v)}.`];
    },
  };
  function reasons(edit) {
    const found = withoutArticle(edit.found), restored = withoutArticle(edit.restored);
    return Object.entries(edit.evidence).map(([name, value]) =>
      Object.hasOwn(WORDS, name) ? WORDS[name](value, found, restored) : [name, String(value)]);
  }

  // ---- chart

  function drawChart(figure, bins, total, what) {
    const first = Math.min(10, bins.findIndex((n) => n > 0) < 0 ? 10 : bins.findIndex((n) => n > 0));
    const used = bins.slice(first), top = Math.max(1, ...used);
    const width = 280, height = 96, step = width / used.length;
    const chart = svg("svg", { viewBox: `0 -16 ${width} ${height + 36}`, role: "img" });
    const summary = BANDS.map((b) => `${countIn(bins, b)} ${b.name}`).join(", ");
    chart.setAttribute("aria-label", `${plural(total, "edit")} by confidence: ${summary}`);
    used.forEach((n, i) => {
      const low = (first + i) / bins.length;
      const tall = n ? Math.max(2, (n / top) * (height - 4)) : 0;
      const bar = svg("rect", { class: band(low).key, x: i * step + 1.5, y: height - tall, width: step - 3, height: tall, rx: 1.5 });
      bar.append(svg("title", {}, `${Math.round(100 * low)}% to ${Math.round(100 * (low + 1 / bins.length))}%: ${plural(n, "edit")}`));
      chart.append(bar);
      if (n) chart.append(svg("text", { x: (i + 0.5) * step, y: height - tall - 4, "text-anchor": "middle" }, count.format(n)));
    });
    chart.append(svg("line", { x1: 0, x2: width, y1: height + 0.5, y2: height + 0.5 }));
    const start = first / bins.length;
    for (const [x, anchor] of [[0, "start"], [0.5, "middle"], [1, "end"]]) {
      chart.append(svg("text", { x: x * width, y: height + 16, "text-anchor": anchor }, `${Math.round(100 * (start + x * (1 - start)))}%`));
    }
    figure.replaceChildren(element("figcaption", {}, what), chart);
  }
  function countIn(bins, wanted) {
    return bins.reduce((sum, n, i) => sum + (band(i / bins.length) === wanted ? n : 0), 0);
  }

  // ---- index

  const COLUMNS = [
    { key: "name", title: "Document", down: false },
    { key: "verdict", title: "Verdict", down: true },
    { key: "probability", title: "Probability", down: true },
    { key: "rate", title: "Words affected", wide: true, down: true },
    { key: "edits", title: "Edits", down: true },
    { key: "doubtful", title: "Doubtful", wide: true, down: true },
    { key: "words", title: "Words", wide: true, down: true },
  ];
  const collator = new Intl.Collator("en", { numeric: true });
  const compare = {
    name: (a, b) => collator.compare(a.name, b.name),
    verdict: (a, b) => a.spun - b.spun || a.probability - b.probability || a.edits - b.edits,
    probability: (a, b) => a.probability - b.probability,
    rate: (a, b) => a.rate - b.rate,
    edits: (a, b) => a.edits - b.edits,
    doubtful: (a, b) => a.doubtful - b.doubtful,
    words: (a, b) => a.words - b.words,
  };
  const PAGE = 200;

  function startIndex() {
    const tiles = [
      ["documents", totals.documents], ["spun", totals.spun], ["with edits", totals.edited],
      ["edits", totals.edits], ["words", totals.words],
      ["edits in 100 words", totals.words ? ((100 * totals.edits) / totals.words).toFixed(1) : "0"],
    ];
    $("tiles").replaceChildren(...tiles.map(([name, value]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, typeof value === "number" ? count.format(value) : value))));
    drawChart($("total-chart"), totals.confidence, totals.edits, "Confidence of all edits");
    const families = Object.entries(totals.families).sort((a, b) => b[1] - a[1]);
    $("total-bands").replaceChildren(
      element("div", {}, element("h2", {}, "Edits by confidence"), ...BANDS.map((b) => element("div", { class: `band ${b.key}` }, sample(b), element("b", {}, count.format(countIn(totals.confidence, b))), element("small", {}, b.span)))),
      element("div", {}, element("h2", {}, "Edits by lexicon"), ...families.map(([name, n]) =>
        element("div", { class: "band" }, element("span", {}, name), element("b", {}, count.format(n))))),
    );
    const notes = leftOut();
    $("left-out").hidden = !notes.length;
    $("left-out").replaceChildren(...notes.map((note) => element("p", {}, note)));
    $("documents").tHead.rows[0].replaceChildren(...COLUMNS.map((c) => {
      const button = element("button", { type: "button" }, ...(c.key === "probability" ? ["Prob", element("span", { class: "wide" }, "ability")] : [c.title]));
      button.addEventListener("click", () => sortBy(c.key));
      return element("th", { scope: "col", "data-key": c.key, class: c.wide ? "wide" : null }, button);
    }));
    list();
  }
  function sample(b) { return element("span", { class: "swatch" }, b.name); }
  function leftOut() {
    const notes = [];
    if (totals.unedited_left_out) notes.push(`To keep this page small, the texts of ${plural(totals.unedited_left_out, "document")} without edits are left out.`);
    if (totals.texts_left_out) notes.push(`The texts of ${plural(totals.texts_left_out, "document")} with edits are left out, as the page would be too large to open; report on fewer documents at a time to see them.`);
    if (totals.unlisted) notes.push(`Counted in the totals but not listed: ${plural(totals.unlisted, "document")}.`);
    return notes;
  }
  function sortBy(key) {
    state.down = state.sort === key ? !state.down : COLUMNS.find((c) => c.key === key).down;
    state.sort = key;
    list();
  }
  function list() {
    const part = $("name-filter").value.trim().toLowerCase(), only = $("verdict-filter").value;
    const keep = {
      all: () => true, spun: (d) => d.spun, clean: (d) => !d.spun, doubtful: (d) => d.doubtful > 0,
    }[only];
    const sign = state.down ? -1 : 1;
    state.listed = documents.filter((d) => keep(d) && nameOf(d.name).toLowerCase().includes(part))
      .sort((a, b) => sign * compare[state.sort](a, b) || a.number - b.number);
    for (const th of $("documents").tHead.rows[0].cells) {
      if (th.dataset.key === state.sort) th.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    }
    $("documents").tBodies[0].replaceChildren();
    state.rows = 0;
    moreRows();
    $("rows-shown").textContent = `${count.format(state.listed.length)} of ${plural(documents.length, "document")}`;
  }
  function moreRows() {
    const next = state.listed.slice(state.rows, state.rows + PAGE);
    $("documents").tBodies[0].append(...next.map(row));
    state.rows += next.length;
    const rest = state.listed.length - state.rows;
    $("more-rows").hidden = rest === 0;
    $("more-rows").textContent = `Show ${Math.min(PAGE, rest)} more of ${count.format(rest)}`;
  }
  const breakable = (name) => name.split(/(?<=[/_.])(?=.)/s).flatMap((part, i) => (i ? [element("wbr"), part] : [part]));
  function row(d) {
    const verdict = element("span", { class: d.spun ? "verdict spun" : "verdict" }, d.spun ? "spun" : "not spun");
    const link = element("a", { href: `#${d.number}` }, element("bdi", {}, ...breakable(nameOf(d.name))));
    const line = element("tr", {}, element("td", {}, link), element("td", {}, verdict),
      element("td", {}, percent(d.probability).replace("over ", ">").replace("under ", "<")),
      element("td", { class: "wide" }, d.spun ? percent(d.rate) : "–"), element("td", {}, count.format(d.edits)),
      element("td", { class: "wide" }, count.format(d.doubtful)), element("td", { class: "wide" }, count.format(d.words)));
    line.addEventListener("click", (event) => { if (!event.target.closest("a")) link.click(); });
    return line;
  }

  // ---- document

  function openDocument(d, at) {
    const held = data(`d${d.number}`);
    state.doc = d;
    state.current = -1;
    state.edits = held ? held.edits.map(([restored, confidence, family, alternatives, evidence], i) =>
      ({ restored, confidence, family, alternatives, evidence, found: held.pieces[2 * i + 1], band: band(confidence) })) : [];
    state.lines = held ? lines(held.pieces) : [];
    document.title = `${nameOf(d.name)} – ${totals.title}`;
    $("heading").replaceChildren(element("bdi", {}, nameOf(d.name)));
    summarize(d);
    chartOf(state.edits);
    filters();
    if (held) draw();
    else {
      state.shown = [];
      $("text").replaceChildren(element("p", { class: "notice" }, d.edits
        ? "The text of this document is not part of this page, which would be too large to open."
        : "Nothing was changed in this document. Its text is not part of this page, to keep it small."));
      progress();
    }
    if (at !== undefined && at < state.edits.length) go(at);
  }
  // Lines of the text, each a list of strings and edits (their numbers); an edit that runs over a line's end stays whole.
  function lines(pieces) {
    const out = [];
    let line = [], number = 1;
    pieces.forEach((piece, k) => {
      if (k % 2) {
        const edit = state.edits[(k - 1) / 2];
        edit.line = number;
        line.push((k - 1) / 2);
        number += piece.split("\n").length - 1;
        return;
      }
      piece.split("\n").forEach((part, n) => {
        if (n) { out.push(line); line = []; number += 1; }
        if (part) line.push(part);
      });
    });
    out.push(line);
    return out;
  }
  function summarize(d) {
    const text = d.spun
      ? `Probability ${percent(d.probability)}. About ${percent(d.rate)} of the words lie in phrases that the spinner makes${d.family ? ` (family ${d.family})` : ""}.`
      : `Probability that it was spun: ${percent(d.probability)}.`;
    const figures = [["edits", d.edits], ["doubtful", d.doubtful], ["words", d.words]];
    $("verdict").replaceChildren(element("strong", {}, d.spun ? "Spun" : "Not spun"), element("p", {}, text),
      element("dl", {}, ...figures.flatMap(([name, n]) => [element("dt", {}, name), element("dd", {}, count.format(n))])));
  }
  function chartOf(edits) {
    const bins = totals.confidence.map(() => 0);
    for (const e of edits) bins[Math.min(bins.length - 1, Math.floor(e.confidence * bins.length + 1e-9))] += 1;
    $("chart").hidden = !edits.length;
    drawChart($("chart"), bins, edits.length, "Confidence of the edits");
  }
  function filters() {
    const box = (checked, toggle, ...inside) => {
      const input = element("input", { type: "checkbox" });
      input.checked = checked;
      input.addEventListener("change", () => { toggle(input.checked); refilter(); });
      return element("label", {}, input, ...inside);
    };
    $("bands").replaceChildren($("bands").firstElementChild, ...BANDS.map((b) => {
      const n = state.edits.filter((e) => e.band === b).length;
      const label = box(state.bands.has(b.key), (on) => (on ? state.bands.add(b.key) : state.bands.delete(b.key)),
        sample(b), element("b", {}, count.format(n)), element("small", {}, b.span));
      label.classList.add(b.key);
      return label;
    }));
    const families = new Map();
    for (const e of state.edits) families.set(e.family, (families.get(e.family) || 0) + 1);
    $("families").hidden = !families.size;
    $("families").replaceChildren($("families").firstElementChild, ...[...families].map(([name, n]) =>
      box(!state.hiddenFamilies.has(name), (on) => (on ? state.hiddenFamilies.delete(name) : state.hiddenFamilies.add(name)),
        element("span", {}, name), element("b", {}, count.format(n)))));
    $("fold").hidden = !state.edits.length;
  }
  function passes(e) { return state.bands.has(e.band.key) && !state.hiddenFamilies.has(e.family); }
  function refilter() {
    closeCard();
    const at = state.current;
    draw();
    state.current = state.shown.includes(at) ? at : -1;
    mark();
    progress();
  }
  function draw() {
    state.shown = state.edits.flatMap((e, i) => (passes(e) ? [i] : []));
    document.querySelector(".reading").classList.toggle("two", state.view === "sides");
    $("text").replaceChildren();
    state.drawn = 0;
    drawUpTo(LINES);
    const all = state.shown.length === state.edits.length;
    $("shown").textContent = all ? `All ${plural(state.edits.length, "edit")} are marked.`
      : `${count.format(state.shown.length)} of ${plural(state.edits.length, "edit")} are marked; the others stand as restored, unmarked.`;
    $("all-edits").hidden = all;
    progress();
  }
  const LINES = 400; // drawn at once; the rest as it is scrolled to
  function drawUpTo(end) {
    const part = document.createDocumentFragment();
    for (; state.drawn < Math.min(end, state.lines.length); state.drawn++) {
      const line = state.lines[state.drawn];
      const blank = line.every((item) => typeof item === "string" && !item.trim());
      part.append(blank ? element("div", { class: "blank" }) : state.view === "sides" ? sides(line) : merged(line));
    }
    $("text").append(part);
    if (state.drawn < state.lines.length) {
      const end = $("text").lastElementChild;
      watcher.disconnect();
      watcher.observe(end);
    }
  }
  const watcher = new IntersectionObserver((seen) => {
    if (seen.some((s) => s.isIntersecting)) { watcher.disconnect(); drawUpTo(state.drawn + LINES); }
  }, { rootMargin: "1500px" });

  function merged(line) {
    return element("p", {}, ...line.map((item) => {
      if (typeof item === "string") return item;
      const e = state.edits[item];
      if (!passes(e)) return e.restored;
      return element("span", { class: `edit ${e.band.key}`, "data-edit": item },
        element("del", {}, e.found), element("span", { class: "vh" }, " became "), inserted(item));
    }));
  }
  function sides(line) {
    const left = element("p", { "data-side": "As found" }), right = element("p", { "data-side": "Restored" });
    for (const item of line) {
      if (typeof item === "string") { left.append(item); right.append(item); continue; }
      const e = state.edits[item];
      if (!passes(e)) { left.append(e.found); right.append(e.restored); continue; }
      left.append(element("del", { class: e.band.key, "data-edit": item }, e.found));
      right.append(element("span", { class: `edit ${e.band.key}`, "data-edit": item }, inserted(item)));
    }
    return element("div", { class: "row" }, left, right);
  }
  function inserted(i) {
    const e = state.edits[i];
    const link = element("a", {
      href: `#${state.doc.number}.${i + 1}`, role: "button", "aria-haspopup": "dialog", "aria-expanded": "false",
      "aria-label": `${e.restored || "nothing"}, instead of ${e.found}: ${e.band.name}, ${percent(e.confidence)}`,
    }, e.restored || "∅");
    return element("ins", {}, link);
  }

  // ---- going from edit to edit

  const linkOf = (i) => document.querySelector(`.edit[data-edit="${i}"] a`);
  function go(i) {
    if (!state.shown.includes(i)) {
      state.bands.add(state.edits[i].band.key);
      state.hiddenFamilies.delete(state.edits[i].family);
      filters();
      draw();
    }
    if (!linkOf(i)) drawUpTo(state.lines.findIndex((line) => line.includes(i)) + LINES);
    const link = linkOf(i);
    const box = link.getBoundingClientRect();
    const low = innerHeight * (narrow.matches ? 0.38 : 0.5); // the card goes below
    if (box.top < 90 || box.bottom > low) scrollTo(scrollX, scrollY + box.top - innerHeight * 0.25);
    link.focus({ preventScroll: true });
    showCard(i, pinned);
  }
  function step(by) {
    if (!state.shown.length) return;
    const at = state.shown.indexOf(state.current);
    let to = at + by;
    if (at < 0) {
      const after = state.shown.findIndex((i) => linkOf(i) === null || linkOf(i).getBoundingClientRect().top > 70);
      to = by > 0 ? Math.max(0, after) : (after < 0 ? state.shown.length : after) - 1;
    }
    go(state.shown[(to + state.shown.length) % state.shown.length]);
  }
  function mark() {
    for (const node of document.querySelectorAll("[data-edit].on")) node.classList.remove("on");
    for (const node of document.querySelectorAll(`[data-edit="${state.current}"]`)) node.classList.add("on");
  }
  function progress() {
    const n = state.shown.length, at = state.shown.indexOf(state.current);
    $("place").textContent = !n ? "no edits" : at < 0 ? plural(n, "edit") : `${count.format(at + 1)} of ${count.format(n)}`;
    $("previous").disabled = $("next").disabled = !n;
  }

  // ---- card

  const card = $("card"), narrow = matchMedia("(max-width: 40rem)");
  let pinned = false, carded = -1, timer = 0, quiet = false;

  function showCard(i, pin = false) {
    clearTimeout(timer);
    if (carded >= 0) linkOf(carded)?.setAttribute("aria-expanded", "false");
    pinned = pin;
    carded = state.current = i;
    mark();
    progress();
    fill(state.edits[i], i);
    card.hidden = false;
    card.scrollTop = 0;
    const link = linkOf(i);
    link.setAttribute("aria-expanded", "true");
    place(link);
  }
  function place(link) {
    if (narrow.matches) { card.style.maxHeight = ""; return; } // a sheet at the bottom
    card.style.maxHeight = "none";
    const boxes = link.getClientRects(), box = boxes[boxes.length - 1];
    const high = card.offsetHeight, wide = card.offsetWidth, gap = 8;
    const top = boxes[0].top, roomBelow = innerHeight - box.bottom - 2 * gap, roomAbove = top - 60;
    const below = high <= roomBelow || roomBelow >= roomAbove;
    const tall = Math.min(high, Math.max(160, below ? roomBelow : roomAbove));
    card.style.maxHeight = `${tall}px`;
    card.style.top = `${scrollY + (below ? box.bottom + gap : top - gap - tall)}px`;
    card.style.left = `${scrollX + Math.max(12, Math.min(box.left - 16, document.documentElement.clientWidth - wide - 12))}px`;
  }
  function closeCard() {
    clearTimeout(timer);
    if (card.hidden) return;
    const inside = card.contains(document.activeElement), link = linkOf(carded);
    card.hidden = true;
    pinned = false;
    carded = -1;
    link?.setAttribute("aria-expanded", "false");
    if (!inside) return;
    quiet = true; // focus goes back without opening the card again
    link?.focus({ preventScroll: true });
    quiet = false;
  }
  function fill(e, i) {
    card.className = `card ${e.band.key}`;
    const close = element("button", { type: "button", class: "close", "aria-label": "Close" }, "×");
    close.addEventListener("click", closeCard);
    const readings = [[e.restored, e.confidence, "chosen"], ...e.alternatives.map(([text, p]) => [text, p, text === e.found ? "found" : ""])];
    const rest = 1 - readings.reduce((sum, [, p]) => sum + p, 0);
    const items = readings.map(([text, p, kind]) => element("li", { class: kind || null },
      element("span", {}, element("bdi", {}, text || "∅"), kind === "found" ? element("small", {}, " as found") : ""),
      bar(p, text), element("span", {}, percent(p))));
    if (rest >= 0.01) items.push(element("li", {}, element("span", {}, element("small", {}, "other readings")), bar(rest, "other readings"), element("span", {}, percent(rest))));
    card.replaceChildren(
      element("h2", { id: "card-title" }, element("del", {}, e.found), " → ", element("ins", {}, e.restored || "∅")),
      element("p", { class: "sum" }, element("b", {}, capital(e.band.name)), `, ${percent(e.confidence)} · line ${count.format(e.line)} · lexicon ${e.family}`),
      element("h3", {}, "Readings"), element("ol", {}, ...items),
      element("h3", {}, "Why"), element("dl", {}, ...reasons(e).map(([name, text]) => element("div", {}, element("dt", {}, `${name}: `), element("dd", {}, text)))),
      close);
  }
  function bar(p, label) { return element("meter", { min: 0, max: 1, value: p, "aria-label": `probability of ${label}` }); }
  const capital = (text) => text[0].toUpperCase() + text.slice(1);

  // ---- events

  const editAt = (event) => {
    const node = event.target.closest?.("#text [data-edit]");
    return node ? Number(node.dataset.edit) : -1;
  };
  $("text").addEventListener("mouseover", (event) => {
    const i = editAt(event);
    if (i < 0 || pinned) return;
    clearTimeout(timer);
    if (i !== carded) timer = setTimeout(() => showCard(i), 130);
  });
  $("text").addEventListener("mouseout", () => leave());
  card.addEventListener("mouseenter", () => clearTimeout(timer));
  card.addEventListener("mouseleave", () => leave());
  function leave() {
    clearTimeout(timer);
    if (!pinned) timer = setTimeout(() => { if (!focusedEdit() && !card.contains(document.activeElement)) closeCard(); }, 220);
  }
  const focusedEdit = () => document.activeElement?.closest?.("#text [data-edit]");
  $("text").addEventListener("focusin", (event) => {
    const i = editAt(event);
    if (i >= 0 && i !== carded && !quiet && event.target.matches(":focus-visible")) showCard(i, pinned);
  });
  $("text").addEventListener("focusout", (event) => {
    if (!pinned && event.relatedTarget && !card.contains(event.relatedTarget) && !event.relatedTarget.closest("#text [data-edit]")) closeCard();
  });
  $("text").addEventListener("click", (event) => {
    const i = editAt(event);
    if (i < 0) return;
    event.preventDefault();
    if (pinned && carded === i) return closeCard();
    showCard(i, true);
    linkOf(i).focus({ preventScroll: true });
    if (event.detail === 0) card.focus({ preventScroll: true }); // opened with the keyboard
  });
  document.addEventListener("click", (event) => {
    if (!card.hidden && !card.contains(event.target) && editAt(event) < 0 && !event.target.closest(".steps")) closeCard();
  });
  card.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const stops = [card, ...card.querySelectorAll("button")];
    const last = event.shiftKey ? stops[0] : stops[stops.length - 1];
    if (document.activeElement !== last) return;
    event.preventDefault();
    closeCard();
  });
  addEventListener("resize", () => { if (carded >= 0) place(linkOf(carded)); });

  const KEYS = { n: 1, j: 1, ArrowRight: 1, p: -1, k: -1, ArrowLeft: -1 };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || $("keys").open) return;
    const key = event.key, on = event.target;
    const field = on.matches?.("input, select, textarea");
    if (key === "Escape") {
      if (!card.hidden) { closeCard(); event.preventDefault(); } else if (many && state.doc && !field) location.hash = "";
      return;
    }
    if (field && (on.type !== "checkbox" && on.type !== "radio" || key.startsWith("Arrow"))) return;
    if (!$("letters").checked && key.length === 1) return;
    if (key in KEYS) state.doc ? step(KEYS[key]) : stepRow(KEYS[key]);
    else if (!state.doc && (key === "ArrowDown" || key === "ArrowUp") && on.closest?.("#documents")) stepRow(key === "ArrowDown" ? 1 : -1);
    else if (key === "[" || key === "]") stepDocument(key === "]" ? 1 : -1);
    else if (key === "v" && state.doc) setView(state.view === "merged" ? "sides" : "merged");
    else if (key === "t") toggleTheme();
    else if (key === "/" && !state.doc) $("name-filter").focus();
    else if (key === "?") openKeys();
    else return;
    event.preventDefault();
  });
  function stepRow(by) {
    const links = [...$("documents").tBodies[0].querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    const to = at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by;
    if (to >= links.length && !$("more-rows").hidden) { moreRows(); return stepRow(by); }
    links[Math.max(0, Math.min(links.length - 1, to))]?.focus();
  }
  function stepDocument(by) {
    if (!state.doc || !many) return;
    const next = state.listed[state.listed.indexOf(state.doc) + by];
    if (next) location.hash = `#${next.number}`;
  }
  function setView(view) {
    state.view = view;
    for (const input of document.querySelectorAll("input[name=view]")) input.checked = input.value === view;
    const at = state.current;
    closeCard();
    if (state.lines.length) draw();
    if (at >= 0 && state.shown.includes(at)) { state.current = at; mark(); progress(); }
  }
  function openKeys() { closeCard(); $("keys").showModal(); }

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  function toggleTheme() {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    remember("theme", document.documentElement.dataset.theme);
    themed();
  }
  function themed() { $("theme").setAttribute("aria-pressed", String(isDark())); }

  $("theme").addEventListener("click", toggleTheme);
  dark.addEventListener("change", themed);
  $("keys-open").addEventListener("click", openKeys);
  $("letters").addEventListener("change", () => remember("letters", $("letters").checked ? "on" : "off"));
  $("previous").addEventListener("click", () => step(-1));
  $("next").addEventListener("click", () => step(1));
  $("all-edits").addEventListener("click", () => {
    BANDS.forEach((b) => state.bands.add(b.key));
    state.hiddenFamilies.clear();
    filters();
    refilter();
    $("bands").querySelector("input").focus();
  });
  for (const input of document.querySelectorAll("input[name=view]")) input.addEventListener("change", () => setView(input.value));
  $("name-filter").addEventListener("input", list);
  $("verdict-filter").addEventListener("change", list);
  $("search").addEventListener("submit", (event) => event.preventDefault());
  $("more-rows").addEventListener("click", moreRows);
  document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); $("main").focus(); });
  $("back").addEventListener("click", (event) => { event.preventDefault(); location.hash = ""; });
  addEventListener("hashchange", route);

  // ---- which view: #3 is the document numbered 3, #3.7 its seventh edit

  function route() {
    closeCard();
    const asked = /^#(\d+)(?:\.(\d+))?$/.exec(location.hash);
    const left = state.doc;
    const d = asked ? documents.find((x) => x.number === Number(asked[1])) : many ? null : documents[0];
    $("index-view").hidden = !!d || !many;
    $("document-view").hidden = !d;
    $("back").hidden = !many || !d;
    if (d) {
      scrollTo(0, 0);
      openDocument(d, asked && asked[2] ? Number(asked[2]) - 1 : undefined);
      if (left !== d && many && state.current < 0) $("main").focus({ preventScroll: true });
      return;
    }
    state.doc = null;
    document.title = totals.title;
    $("heading").textContent = totals.documents ? totals.title : `${totals.title}: no documents`;
    if (left) $("documents").querySelector(`a[href="#${left.number}"]`)?.focus();
  }

  if (recall("theme") === "dark" || recall("theme") === "light") document.documentElement.dataset.theme = recall("theme");
  if (recall("letters") === "off") $("letters").checked = false;
  themed();
  if (matchMedia("(max-width: 58rem)").matches) for (const fold of document.querySelectorAll(".fold")) fold.open = false;
  if (many) startIndex();
  route();
})();
