"""What spun text does to tasks that come after, and how much of it restoring repairs.

- Near-duplicates: each spun article against all originals by MinHash over words in threes (Broder 1997, by datasketch);
  found where the estimated Jaccard similarity to its own original is at least `SIMILAR`.
- Retrieval: each sentence as a query over the originals' sentences, TF-IDF and cosine (by scikit-learn); right where
  the first hit is its own original.

Each is measured on the text as found, as restored, and on the originals, which are as good as it can get.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from benchmarks.corpus import Document
from benchmarks.metrics import original
from restore import Restoration, Restorer
from restore.restoration import splice

SIMILAR: Final = 0.5
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|\n+")


def downstream(documents: Sequence[Document], engine: Restorer) -> dict[str, Any]:
    """Figures by task: as found, restored, originals."""
    originals = [original(d) for d in documents]
    restored = [engine.restore(d.text) for d in documents]
    sides = {"as found": [d.text for d in documents], "restored": [r.text for r in restored], "originals": originals}
    queries = _sentences(documents, restored)
    return {
        "documents": len(documents),
        "sentences": len(queries["originals"]),
        "near-duplicates found": {name: near_duplicates(texts, originals) for name, texts in sides.items()},
        "similarity to the original": {name: similarity(texts, originals) for name, texts in sides.items()},
        "sentences retrieved": {name: retrieved(texts, queries["originals"]) for name, texts in queries.items()},
    }


def _sentences(documents: Sequence[Document], restored: Sequence[Restoration]) -> dict[str, list[str]]:
    """Garbled sentences: as found, as restored (within their documents), and their originals."""
    found: dict[str, list[str]] = {"as found": [], "restored": [], "originals": []}
    for d, result in zip(documents, restored, strict=True):
        at = 0
        for piece in _SENTENCE.split(d.text):
            start = d.text.index(piece, at)
            end = at = start + len(piece)
            spans = [s for s in d.marked.spans if start <= s.start and s.end <= end]
            if not spans or len(piece.split()) < 5:
                continue
            found["as found"].append(piece)
            found["originals"].append(splice(piece, [(s.start - start, s.end - start, s.originals[0]) for s in spans]))
            found["restored"].append(result.text[result.to_restored(start) : result.to_restored(end)])
    return found


def _minhash(text: str) -> Any:
    from datasketch import MinHash  # an extra, "bench"

    words = re.findall(r"\w+", text.lower())
    sketch = MinHash(num_perm=256, seed=1)
    sketch.update_batch([" ".join(words[i : i + 3]).encode() for i in range(len(words) - 2)])
    return sketch


def near_duplicates(texts: Sequence[str], originals: Sequence[str]) -> float:
    """Share of texts whose own original is the most similar one, and similar enough to be called a duplicate."""
    sketches = [_minhash(o) for o in originals]
    hits = 0
    for number, text in enumerate(texts):
        own = _minhash(text)
        scores = [own.jaccard(s) for s in sketches]
        hits += int(np.argmax(scores)) == number and scores[number] >= SIMILAR
    return hits / max(1, len(texts))


def similarity(texts: Sequence[str], originals: Sequence[str]) -> float:
    """Mean estimated Jaccard similarity of a text and its original."""
    pairs = zip(texts, originals, strict=True)
    return float(np.mean([_minhash(a).jaccard(_minhash(b)) for a, b in pairs]))


def retrieved(queries: Sequence[str], sentences: Sequence[str]) -> float:
    """Share of queries whose first hit is their own original."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # an extra, "bench"

    vectors = TfidfVectorizer(ngram_range=(1, 2))
    index = vectors.fit_transform(sentences)
    scores = (vectors.transform(queries) @ index.T).toarray()
    return float(np.mean(scores.argmax(axis=1) == np.arange(len(queries))))
