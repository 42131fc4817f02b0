"""Put back what a text spinner replaced.

    >>> import restore
    >>> r = restore.restore(spun_text)
    >>> r.text                      # the likely original
    >>> r.edits[0].found, r.edits[0].replacement, r.edits[0].confidence
    >>> r.undo() == spun_text       # always
    >>> restore.detect(spun_text)   # Verdict(spun=True, probability=..., rate=..., family=...)

For many texts, or options, make a `Restorer` once and use its `restore`,
`detect` and `stream`. Nothing is loaded before it is used.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from restore.lexicon import LexiconError
    from restore.restoration import Edit, Restoration, Verdict
    from restore.restorer import Restorer

__version__ = "0.1.0"
__all__ = ["Edit", "LexiconError", "Restoration", "Restorer", "Verdict", "detect", "restore"]

_HOME = {
    "Edit": "restoration",
    "LexiconError": "lexicon",
    "Restoration": "restoration",
    "Restorer": "restorer",
    "Verdict": "restoration",
}


def restore(text: str) -> Restoration:
    """Restore one text with the default settings."""
    return _default().restore(text)


def detect(text: str) -> Verdict:
    """Whether one text was spun, by the default settings."""
    return _default().detect(text)


@lru_cache(maxsize=1)
def _default() -> Restorer:
    from restore.restorer import Restorer

    return Restorer()


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"restore.{_HOME[name]}"), name)
    raise AttributeError(f"module 'restore' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
