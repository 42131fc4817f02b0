"""What goes wrong with documents; each message names the place, the cause and the remedy."""

from __future__ import annotations


class DocumentError(Exception):
    """A document that cannot be read or written."""


class RecordError(Exception):
    """One record of a document that cannot be restored; the message is its reason."""


def missing(what: str, package: str, extra: str) -> DocumentError:
    """The error for an optional package that is not installed."""
    return DocumentError(f"{what} needs {package}; install it with: pip install 'restore-text[{extra}]'")
