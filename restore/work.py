"""What is done to one item of a document, in whichever process: its records restored, and what came of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from restore.documents import DocumentError, Item, Record, RecordError, Reject, Restored
from restore.documents.base import BETWEEN
from restore.neural import NeuralError
from restore.restoration import Edit, Restoration, Verdict, splice
from restore.text import hidden
from restore.vectors import ModelError

if TYPE_CHECKING:
    from restore.restorer import Restorer

HIDDEN: Final = "hidden"  # family of the edits that take hidden characters away


@dataclass(frozen=True, slots=True)
class Orders:
    """What is wanted of each item. output: its bytes; results: restorations; rows: for another kind; detect: only
    verdicts. strip: hidden characters go. drop: rejected records are left out of the output."""

    output: bool = True
    results: bool = False
    rows: bool = False
    detect: bool = False
    strip: bool = False
    drop: bool = False


@dataclass(slots=True)
class Tally:
    """Counts. hidden: characters that hide words; seen: fields that were met."""

    documents: int = 0
    spun: int = 0
    edits: int = 0
    words: int = 0
    hidden: int = 0
    rejected: int = 0
    failed: int = 0
    seen: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add another's counts."""
        for name in ("documents", "spun", "edits", "words", "hidden", "rejected", "failed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.seen = sorted({*self.seen, *other.seen})
        self.names = self.names or other.names

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


@dataclass(slots=True)
class Outcome:
    """What came of an item. changed: its bytes may differ; failure: why the whole document is bad; broken: what
    nobody foresaw, without the document's name."""

    output: bytes = b""
    changed: bool = False
    results: list[tuple[int, Restoration]] = field(default_factory=list)
    verdicts: list[tuple[int, Verdict]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    failure: str = ""
    broken: str = ""


class Engine:
    """A restorer with orders. `engine(item)` never raises for what is in the item; ModelError and NeuralError where the
    restorer lacks what it needs."""

    def __init__(self, restorer: Restorer, orders: Orders):
        self.restorer = restorer
        self.orders = orders

    def __call__(self, item: Item) -> Outcome:
        outcome = Outcome()
        parts: list[Any] = []
        try:
            for record in item.records():
                if isinstance(record, Reject):
                    self._reject(record, outcome, parts)
                else:
                    self._take(record, item, outcome, parts)
            if self.orders.output:
                outcome.output = item.join(parts)
        except DocumentError as error:
            return Outcome(failure=str(error))
        except (ModelError, NeuralError):
            raise
        except Exception as error:
            return Outcome(broken=f"cannot be restored ({type(error).__name__}: {error}); please report it")
        outcome.tally.documents = item.count
        outcome.changed |= item.alters
        return outcome

    def _take(self, record: Record, item: Item, outcome: Outcome, parts: list[Any]) -> None:
        """One record into the outcome; what cannot be done to it is a reason to reject it."""
        try:
            self._work(record, item, outcome, parts)
        except (DocumentError, ModelError, NeuralError):
            raise
        except RecordError as error:
            self._reject(Reject(record.number, record.raw, str(error), record.unchanged()), outcome, parts)
        except Exception as error:
            reason = f"cannot be restored ({type(error).__name__}: {error}); please report it"
            self._reject(Reject(record.number, record.raw, reason, record.unchanged()), outcome, parts)

    def _work(self, record: Record, item: Item, outcome: Outcome, parts: list[Any]) -> None:
        tally = outcome.tally
        tally.seen = sorted({*tally.seen, *record.seen()})
        if not tally.names and len(tally.seen) < len(item.options.fields):
            tally.names = list(record.names())
        if not record.texts:
            if self.orders.output:
                parts.append(record.unchanged())
            if self.orders.rows and (row := record.row(Restored(_nothing(), ()))) is not None:
                outcome.rows.append(row)
            return
        joined = record.texts[0] if len(record.texts) == 1 else BETWEEN.join(record.texts)
        if self.orders.detect:
            verdict = self.restorer.detect(joined)
            outcome.verdicts.append((record.number, verdict))
            edits: Sequence[Edit] = ()
        else:
            restored = self._restored(record, joined)
            verdict, edits = restored.whole.verdict, restored.whole.edits
            if self.orders.output:
                parts.append(record.render(restored) if edits or item.alters else record.unchanged())
            if self.orders.rows and (row := record.row(restored)) is not None:
                outcome.rows.append(row)
            if self.orders.results:
                outcome.results.append((record.number, restored.whole))
        outcome.changed |= bool(edits)
        tally.spun += verdict.spun
        tally.edits += sum(e.family != HIDDEN for e in edits)
        tally.words += len(joined.split())
        tally.hidden += len(hidden(joined))

    def _restored(self, record: Record, joined: str) -> Restored:
        """A record's texts restored together, without the edits that it has no place for."""
        ends = list(accumulate((len(text) + len(BETWEEN) for text in record.texts), initial=0))
        result = self.restorer.restore(joined)
        edits = [e for e in result.edits if _inside(ends, e) and record.fits(e.start, e.end)]
        if self.orders.strip:
            taken = [e for e in _stripping(joined, edits) if _inside(ends, e) and record.fits(e.start, e.end)]
            edits = sorted([*edits, *taken], key=lambda e: e.start)
        if tuple(edits) != result.edits:
            text = splice(joined, [(e.start, e.end, e.replacement) for e in edits])
            result = replace(result, text=text, edits=tuple(edits))
        changes: list[list[tuple[int, int, str]]] = [[] for _ in record.texts]
        for e in edits:
            n = bisect_right(ends, e.start) - 1
            changes[n].append((e.start - ends[n], e.end - ends[n], e.replacement))
        return Restored(result, tuple(map(tuple, changes)))

    def _reject(self, reject: Reject, outcome: Outcome, parts: list[Any]) -> None:
        outcome.rejects.append(replace(reject, part=None))
        outcome.tally.rejected += 1
        if self.orders.drop:
            outcome.changed = True
        else:
            parts.append(reject.part)


def _nothing() -> Restoration:
    return Restoration("", (), Verdict(False, 0.0, 0.0, None))


def _inside(ends: list[int], edit: Edit) -> bool:
    """Whether an edit lies in one of the texts, of which each begins where `ends` tells."""
    return edit.end <= ends[bisect_right(ends, edit.start)] - len(BETWEEN)


def _stripping(text: str, edits: Sequence[Edit]) -> list[Edit]:
    """Edits that take hidden characters away, where no other edit does."""
    found = hidden(text)
    if not found:
        return []
    bounds = sorted((e.start, e.end) for e in edits)
    out = []
    for start, end, new in found:
        n = bisect_right(bounds, (start, len(text))) - 1
        if n < 0 or bounds[n][1] <= start:
            out.append(Edit(start, end, text[start:end], new, 1.0, HIDDEN))
    return out


def engine(options: dict[str, Any], orders: Orders) -> Engine:
    """An engine of another process, from the options of this one's restorer."""
    from restore.restorer import Restorer

    return Engine(Restorer(**options), orders)
