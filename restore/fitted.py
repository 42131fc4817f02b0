"""What was fitted on pairs, in one file: weights of the evidence, calibrations, second readings, passages."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from restore.calibration import NONE, RECORD, Calibration, Record, load_record
from restore.decoder import Weights


@dataclass(frozen=True, slots=True)
class Fitted:
    """weights: of the evidence in the decoder, and calibrations, by family or kind of spinner ("" for any other).

    records: of some families' entries. rereading: coefficients of a second reading (`rereading.FEATURES`) by what was at
    work (`thesaurus`, `synonyms.OWN_TABLE`, "" for any other), none to do without it. passage: constant and coefficients of the
    screen's and of the lattice's evidence that a sentence was spun (`reading.py`), none to hear the screen alone.
    """

    weights: dict[str, Weights]
    calibrations: dict[str, Calibration]
    records: dict[str, Record] = field(default_factory=dict)
    rereading: dict[str, tuple[float, ...]] = field(default_factory=dict)
    passage: tuple[float, ...] = ()

    def weights_of(self, spinner: str) -> Weights:
        """Those of a family or kind of spinner, or the ones for all others."""
        return self.weights.get(spinner) or self.weights[""]

    def calibration(self, family: str) -> Calibration:
        """That of a family, or the one for all others."""
        return self.calibrations.get(family) or self.calibrations.get("", NONE)


def load_fitted(path: Path) -> Fitted:
    """Read what `python -m restore.learning weights` wrote, and the records of the families beside it. Raises OSError,
    ValueError."""
    data = json.loads(path.read_text(encoding="utf-8"))
    weights = {family: Weights(**w) for family, w in data["weights"].items()}
    calibrations = {family: Calibration(tuple(c)) for family, c in data["calibrations"].items()}
    records = {p.parent.name: load_record(p) for p in path.parent.glob(f"*/{RECORD}")}
    rereading = {spinner: tuple(c) for spinner, c in data["rereading"].items()}
    return Fitted(weights, calibrations, records, rereading, tuple(data["passage"]))


def save_fitted(fitted: Fitted, path: Path) -> None:
    """Write it; records have files of their own."""
    data = {
        "weights": {family: asdict(w) for family, w in fitted.weights.items()},
        "calibrations": {family: c.coefficients for family, c in fitted.calibrations.items()},
        "rereading": fitted.rereading,
        "passage": fitted.passage,
    }
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
