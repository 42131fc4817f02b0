"""What was done, for people to read: a word diff and a table of edits."""

from __future__ import annotations

from restore.restoration import Edit, Restoration

_RED, _GREEN, _DIM, _OFF = "\033[31m", "\033[32m", "\033[2m", "\033[0m"


def word_diff(result: Restoration, name: str, color: bool = False) -> str:
    """Changed lines with [-found-]{+restored+} in place; empty where nothing changed."""
    if not result.edits:
        return ""
    source = result.undo()
    out = [f"--- {name}\n+++ {name} (restored)\n"]
    at, line = 0, 1
    edits = list(result.edits)
    while edits:
        begin = source.rfind("\n", 0, edits[0].start) + 1
        line += source.count("\n", at, begin)
        end = source.find("\n", edits[0].end)
        end = len(source) if end < 0 else end
        here = [e for e in edits if e.start < end]
        end = max(end, here[-1].end)
        edits = edits[len(here) :]
        out.append(f"@@ line {line} @@\n{_marked(source, begin, end, here, color)}\n")
        at = begin
    return "".join(out)


def _marked(source: str, begin: int, end: int, edits: list[Edit], color: bool) -> str:
    parts = []
    at = begin
    for e in edits:
        parts.append(source[at : e.start])
        minus, plus = f"[-{e.found}-]", f"{{+{e.replacement}+}}"
        parts.append(f"{_RED}{minus}{_OFF}{_GREEN}{plus}{_OFF}" if color else minus + plus)
        at = e.end
    parts.append(source[at:end])
    return "".join(parts)


def explanation(result: Restoration, source: str, color: bool = False) -> str:
    """The verdict and a table: line, found, restored, confidence, alternatives, evidence."""
    v = result.verdict
    state = f"spun ({v.family}), about {v.rate:.0%} of the words" if v.spun else "not spun"
    head = f"{state}; probability {v.probability:.3f}; {len(result.edits)} edits"
    if not result.edits:
        return head
    rows = [("line", "found", "restored", "conf.", "alternatives", "evidence")]
    for e in result.edits:
        others = ", ".join(f"{text} {p:.2f}" for text, p in e.alternatives)
        numbers = " ".join(f"{name} {value:.2f}" for name, value in e.evidence.items())
        line = source.count("\n", 0, e.start) + 1
        rows.append((str(line), e.found, e.replacement, f"{e.confidence:.2f}", others, numbers))
    width = [min(44, max(len(row[k]) for row in rows)) for k in range(5)]
    lines = []
    for n, row in enumerate(rows):
        cells = [cell.ljust(width[k]) for k, cell in enumerate(row[:5])] + [row[5]]
        text = "  ".join(cells).rstrip()
        lines.append(f"{_DIM}{text}{_OFF}" if color and n == 0 else text)
    return head + "\n" + "\n".join(lines)
