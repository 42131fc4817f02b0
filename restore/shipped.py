"""What comes with the package: where its lexicons and models lie, and which they are."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Final

CONTEXT: Final = "context.bin"
TWO_SIDED: Final = "twosided.npz"
ASSOCIATIONS: Final = "associations.bin"
CLOZE: Final = "cloze.npz"
KINSHIP: Final = "kinship.npz"
FITTED: Final = "fitted.json"
OPINIONS: Final = "neural.json"
ADAPTER: Final = "smollm2.npz"
SYNONYMS: Final = "thesaurus/synonyms.bin"
_TITLES: Final = {
    CONTEXT: "context model",
    TWO_SIDED: "two-sided model",
    ASSOCIATIONS: "associations",
    CLOZE: "cloze model",
    KINSHIP: "kinship",
    FITTED: "fitted weights",
    OPINIONS: "language model's weights",
    ADAPTER: "language model's adapter",
}
_DIGITS: Final = 12  # of a hash that are shown


def root() -> Path:
    """Folder of the families' lexicons and of the models, from a checkout or installed."""
    checkout = Path(__file__).resolve().parent.parent / "lexicons"
    return checkout if (checkout / FITTED).is_file() else Path(str(files("restore") / "lexicons"))


def versions() -> list[tuple[str, str]]:
    """Each family and model with the beginning of a hash of its content: two installations that agree here decide
    alike."""
    found = []
    for manifest in sorted(root().glob("*/manifest.toml")):
        number = tomllib.loads(manifest.read_text(encoding="utf-8")).get("version")
        content = digest(sorted(p for p in manifest.parent.rglob("*") if p.is_file()))
        found.append((f"lexicon {manifest.parent.name}", f"{number} {content}" if number else content))
    models = ((title, root() / name) for name, title in _TITLES.items())
    return found + [(title, digest([path])) for title, path in models if path.is_file()]


def digest(paths: Iterable[Path]) -> str:
    """The beginning of a hash of files' content."""
    from hashlib import sha256  # late: it loads a library of the system's

    digest = sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:_DIGITS]
