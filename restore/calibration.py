"""Calibration: from the decoder's posterior to the probability that an informed editor would agree.

The posterior knows neither gaps of the lexicon nor how far estimated shares can
be trusted. A logistic regression on its logit and on the entry's share
mends that (Platt 1999, "Probabilistic outputs for support
vector machines"); it was fitted on pairs that nothing else had learned from.
Nor does it know which entries it errs with. Their record does: what is to be added to the
log odds of a change, from how often it proved right or wrong before (`python -m restore.learning record`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from typing import Final

FEATURES: Final = ("one", "logit", "sure", "rate")
RECORD: Final = "record.txt"
_SURE: Final = 2.0  # logit from which on the slope may be another
_LEAST: Final = 1e-4  # posteriors are kept so far from 0 and 1


def features(posterior: float, rate: float) -> tuple[float, ...]:
    """What the calibration looks at, in the order of `FEATURES`; rate: P(found | original)."""
    p = min(max(posterior, _LEAST), 1 - _LEAST)
    logit = log(p / (1 - p))
    return 1.0, logit, max(0.0, logit - _SURE), log(max(rate, _LEAST))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Coefficients of the features, fitted by `python -m restore.learning weights`."""

    coefficients: tuple[float, ...]

    def probability(self, posterior: float, rate: float, record: float = 0.0) -> float:
        """Probability that an edit is right; `record` is added to its log odds."""
        constant, slope, more, share = self.coefficients
        _, logit, beyond, log_rate = features(posterior, rate)
        x = constant + slope * logit + more * beyond + share * log_rate + record
        return 1 / (1 + exp(-max(-30.0, min(30.0, x))))


NONE: Final = Calibration((0.0, 1.0, *(0.0,) * (len(FEATURES) - 2)))  # the posterior as it is


Record = Mapping[tuple[str, str], float]  # words found, words restored -> log odds


def load_record(path: Path) -> Record:
    """Read a family's record. Raises OSError, ValueError."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line[:1] != "#")
    return {(found, restored): float(odds) for found, restored, odds in rows}


def record_lines(record: Record) -> Iterable[str]:
    """A record as lines of text, with a heading."""
    yield "# words found\twords restored\tadded to the log odds that the change is right (by 'python -m restore.learning record')\n"
    yield from (f"{found}\t{restored}\t{odds:.2f}\n" for (found, restored), odds in sorted(record.items()))
