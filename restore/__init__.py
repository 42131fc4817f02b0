"""Put back what a text spinner replaced.

    >>> import restore
    >>> r = restore.restore(spun_text)
    >>> r.text                      # the likely original
    >>> r.edits[0].found, r.edits[0].replacement, r.edits[0].confidence
    >>> r.undo() == spun_text       # always
    >>> restore.detect(spun_text)   # Verdict(spun=True, probability=..., rate=..., family=...)

For many texts, or options, make a `Restorer` once and use its `restore`,
`detect` and `stream`.
"""

from __future__ import annotations

from functools import lru_cache

from restore.channel import Verdict
from restore.lexicon import LexiconError
from restore.restoration import Edit, Restoration
from restore.restorer import Restorer

__version__ = "0.1.0"
__all__ = ["Edit", "LexiconError", "Restoration", "Restorer", "Verdict", "detect", "restore"]


@lru_cache(maxsize=1)
def _default() -> Restorer:
    return Restorer()


def restore(text: str) -> Restoration:
    """Restore one text with the default settings."""
    return _default().restore(text)


def detect(text: str) -> Verdict:
    """Whether one text was spun, by the default settings."""
    return _default().detect(text)
