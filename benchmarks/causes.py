"""Why spans are not restored: the lexicon, the choice, or the decision to leave them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from restore import Restorer
from restore.learning.gold import judged, read_marked
from restore.lexicon import phrase_key

CAUSES = (
    "left alone though the original is listed",
    "another sense or near-synonym chosen",
    "changed though it was the author's own",
    "phrase not in the lexicon",
    "original not listed for the phrase",
)


def causes(engine: Restorer, documents: Sequence[str]) -> Counter[str]:
    """How many errors have which cause; edits of one span count once."""
    options = engine.lexicon.options
    found: Counter[str] = Counter()
    for marked in map(read_marked, documents):
        text = marked.tokens.text
        edits = engine.restore(text).edits
        right = list(judged(marked, edits))
        for span in marked.spans:
            touching = [ok for e, ok in zip(edits, right, strict=True) if e.start < span.end and span.start < e.end]
            if all(touching) and (touching or span.optional):
                continue
            phrase = phrase_key(text[span.start : span.end])
            listed = {option.original for option in options.get(phrase, ())}
            if not listed:
                found["phrase not in the lexicon"] += 1
            elif not listed & set(map(phrase_key, span.originals)):
                found["original not listed for the phrase"] += 1
            else:
                found[CAUSES[1 if touching else 0]] += 1
        found[CAUSES[2]] += sum(
            not ok and not any(s.start < e.end and e.start < s.end for s in marked.spans)
            for e, ok in zip(edits, right, strict=True)
        )
    return found
