"""Restorations without an engine, written as marked text: `The ⟦local weather→climate|0.97⟧ changes.`"""

from __future__ import annotations

import re

from restore.restoration import Edit, Restoration, Verdict, splice

_MARK = re.compile("⟦([^→]*)→([^|⟧]*)\\|([0-9.]+)(?:\\|([^⟧]*))?⟧")
EVIDENCE = {"channel": -0.478, "context": -8.17, "frequency": 7.76, "similarity": 0.5, "passage": 0.9999}


def restoration(marked: str, family: str = "autoblog", evidence: dict[str, float] | None = None) -> Restoration:
    """⟦found→restored|confidence⟧ or ⟦found→restored|confidence|family⟧; spun where there is any mark."""
    source, edits, at = "", [], 0
    for m in _MARK.finditer(marked):
        source += marked[at : m.start()]
        confidence = float(m[3])
        alternatives = (("a third", (1 - confidence) * 0.25), (m[1], (1 - confidence) * 0.75))
        edits.append(
            Edit(
                len(source),
                len(source) + len(m[1]),
                m[1],
                m[2],
                confidence,
                m[4] or family,
                alternatives[confidence > 0.9 :],
                EVIDENCE if evidence is None else evidence,
            )
        )
        source += m[1]
        at = m.end()
    source += marked[at:]
    text = splice(source, [(e.start, e.end, e.replacement) for e in edits])
    verdict = Verdict(True, 0.9971, 0.31, family) if edits else Verdict(False, 0.0012, 0.0, None)
    return Restoration(text, tuple(edits), verdict)


ARTICLE = """⟦Metropolis→City|0.98⟧ council says no

The ⟦federal government→government|0.91⟧ ⟦stated→said|0.9996⟧ the ⟦local weather→climate|0.97⟧ is \
⟦shifting→moving|0.62⟧, and that a ⟦counterfeit→artificial|0.75|tortured⟧ lake would help.
It is a ⟦brand new→new|0.99⟧ idea; ⟦many individuals→many people|0.88⟧ doubt it.

Nothing is changed in this line.
"""
EDITS = 8
