"""Documents through the engine: read, restored in order over processes, written, journalled.

    targets -> readers -> items -> (processes) -> outcomes -> sinks, rejects, journal

One thread reads and writes; it holds a bounded number of items. Output goes to
standard output as it comes, or into a file beside the target that replaces it
when it is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from restore import __version__, work
from restore.batch import ordered
from restore.documents import DocumentError, Item, Options, Reader, open_reader
from restore.documents.convert import Converter
from restore.documents.streams import (
    STANDARD,
    Output,
    Standard,
    Straight,
    complain,
    compression_of,
    is_pipe,
    packed,
    part_of,
    unwritable,
)
from restore.journal import Journal, fingerprint
from restore.progress import Bar, summary
from restore.rejects import Rejects
from restore.signals import Guard, whole_writes
from restore.targets import Source
from restore.work import Orders, Outcome, Tally

if TYPE_CHECKING:
    from restore.restoration import Restoration, Verdict
    from restore.restorer import Restorer

CHECKPOINT: Final = 1 << 20  # bytes of output between two positions in the journal
TOLD: Final = 20  # rejected records that are told one by one


@dataclass(frozen=True, slots=True)
class Plan:
    """A run. show: writes a result otherwise than as the document (None: as the document); observe: is told each
    restoration; judge: is told each verdict (a run that only detects)."""

    sources: list[Source]
    restorer: Restorer
    options: Options = field(default_factory=Options)
    kind: str = ""  # of the sources; "": by suffix
    to: str = ""  # kind of the output; "": that of the source
    jobs: int = 1
    strip: bool = False
    resume: bool = False
    fail_fast: bool = False
    quiet: bool = False
    backup: str = ""
    rejects: Path | None = None
    journal: Path | None = None
    show: Callable[[str, Restoration], str] | None = None
    observe: Callable[[str, Restoration], None] | None = None
    judge: Callable[[str, Verdict], None] | None = None

    def orders(self) -> Orders:
        """What this asks of each item."""
        return Orders(
            output=not (self.show or self.judge or self.to),
            results=bool(self.show or self.observe),
            rows=bool(self.to) and not self.show,
            detect=self.judge is not None,
            strip=self.strip,
            drop=self.rejects is not None,
        )

    def fingerprint(self) -> str:
        """Tells a run with the same outcome from one with another."""
        engine = {**self.restorer.options(), "lexicon_files": [fingerprint(p) for p in self.restorer.lexicon_paths]}
        asked = [
            __version__,
            engine,
            asdict(self.options),
            self.kind,
            self.to,
            asdict(self.orders()),
            str(self.rejects),
        ]
        return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:16]


class _Event(NamedTuple):
    """Something that happened while reading: a source begins, gives an item (which is the task), ends, or fails."""

    what: str
    source: Source
    reader: Reader | None = None
    standing: dict[str, Any] | None = None
    position: int = 0
    number: int = 1
    consumed: int = 0
    error: str = ""


class StopError(Exception):
    """The run ends at the first error, as --fail-fast asks."""


def run(plan: Plan) -> Tally:
    """Carry out a plan; errors of documents and records are told on standard error and counted.

    Raises DocumentError for what concerns the run as a whole, WorkerError,
    KeyboardInterrupt (by SIGINT or SIGTERM: between whole records).
    """
    runner = _Runner(plan)
    with whole_writes() as guard:
        try:
            return runner.run(guard)
        finally:
            runner.close()


class _Runner:
    def __init__(self, plan: Plan):
        self.plan = plan
        self.tally = Tally()
        self.begun = time.monotonic()
        self.skipped_words = 0
        self.told = 0  # rejected records that were told
        sizes = [os.path.getsize(s.name) for s in plan.sources if os.path.isfile(s.name)]
        self.bar = Bar(sum(sizes) if len(sizes) == len(plan.sources) else None, not plan.quiet)
        self.journal = Journal(plan.journal, plan.fingerprint(), plan.resume) if plan.journal else None
        if self.journal and self.journal.dropped and not plan.quiet:
            self._say("starting over; an unfinished run was found and dropped (--resume would have continued it)")
        self.rejects = Rejects(plan.rejects, plan.resume, self.journal)
        self.standard = Standard()
        self.current: _Delivery | None = None
        self.complete = False

    def run(self, guard: Guard) -> Tally:
        plan = self.plan
        if plan.jobs == 1:
            make: tuple[Callable[..., work.Engine], tuple[Any, ...]] = (work.Engine, (plan.restorer, plan.orders()))
        else:
            make = (work.engine, (plan.restorer.options(), plan.orders()))
        results = ordered(*make, self._read(), plan.jobs, _weight)
        try:
            for event, outcome in results:
                with guard:
                    self._take(event, outcome)
        except StopError:
            if self.current:
                self.current.discard()
                self.current = None
        finally:
            results.close()
        self.complete = True
        self.bar.close()
        seconds = time.monotonic() - self.begun
        if not plan.quiet and (self.tally.documents > 1 or self.tally.hidden or plan.resume):
            words, edited = self.tally.words - self.skipped_words, plan.judge is None
            self._say(summary(self.tally, seconds, words, plan.strip, edited))
        return self.tally

    def close(self) -> None:
        """Leave what is unfinished so that it can be resumed."""
        self.bar.close()
        if self.current:
            self.current.leave()
            if self.current.last:
                self._say(f"stopped; the finished part is kept beside {self.current.target}; continue with --resume")
        unfinished = self.journal is not None and self.journal.begun and not self.complete
        self.rejects.close(self.complete, unfinished)
        if self.journal:
            self.journal.close(remove=self.complete)

    def _read(self) -> Iterator[tuple[_Event, Item | None]]:
        """All sources' items, and the events around them."""
        before = 0
        for source in self.plan.sources:
            size = os.path.getsize(source.name) if os.path.isfile(source.name) else 0
            try:
                if self.journal and self.journal.done(source.name):
                    yield _Event("skip", source, standing=self.journal.known[source.name], consumed=before + size), None
                    continue
                standing = self.journal.standing(source.name) if self.journal else None
                reader = open_reader(source.name, self.plan.kind, self.plan.options)
                try:
                    self._check(reader)
                    yield _Event("begin", source, reader, standing), None
                    at = (standing["position"], standing["number"]) if standing else (0, 1)
                    for item in reader.items(*at):
                        consumed = before + reader.source.consumed()
                        event = _Event("item", source, reader, None, item.position, item.number + item.count, consumed)
                        yield event, item
                    yield _Event("end", source, reader, consumed=before + size), None
                finally:
                    reader.source.close()
            except DocumentError as error:
                yield _Event("fail", source, error=str(error)), None
            before += size

    def _check(self, reader: Reader) -> None:
        options, shown = self.plan.options, reader.source.shown
        if not reader.many and (options.keep_original or options.annotate) and not self.plan.show:
            raise DocumentError(
                f"{shown}: --keep-original and --annotate need records (JSON lines, CSV, tables); choose --format json instead"
            )
        if reader.kind == "warc" and (options.keep_original or options.annotate):
            raise DocumentError(
                f"{shown}: an archive has no place for --keep-original and --annotate; choose --format json instead"
            )

    def _take(self, event: _Event, outcome: Outcome | None) -> None:
        """What reading and restoring gave, in order."""
        if event.what == "begin":
            try:
                self.current = _Delivery(self, event)
            except DocumentError as error:
                self._fail(event, str(error))
        elif event.what == "skip":
            self._skip(event)
        elif event.what == "fail":
            self._fail(event, event.error)
        elif self.current is None:
            return  # of a source that failed
        elif outcome is not None:
            if outcome.failure or outcome.broken:
                self._fail(event, outcome.failure or f"{_shown(event.source.name)}: {outcome.broken}")
                return
            self._count(event, outcome)
            try:
                self.current.add(event, outcome)
            except DocumentError as error:
                self._fail(event, str(error))
        elif event.what == "end":
            self._end(event)
        self.bar.update(event.consumed, self.tally)

    def _end(self, event: _Event) -> None:
        assert self.current is not None
        tally, shown = self.current.tally, _shown(event.source.name)
        missing = [name for name in self.plan.options.fields if name not in tally.seen]
        if tally.names and missing:
            told = f"{shown}: field '{missing[0]}' is in no record; there are: {_near(missing[0], tally.names)}"
            if not tally.seen:
                self._fail(event, told)
                return
            self._say(told)  # another field is there
        try:
            self.current.finish(event)
        except DocumentError as error:
            self._fail(event, str(error))
            return
        self.current = None

    def _skip(self, event: _Event) -> None:
        """A source that an earlier run finished."""
        assert event.standing is not None
        self._earlier(event.standing["whole"])

    def _earlier(self, told: dict[str, Any]) -> Tally:
        earlier = Tally(**told)
        self.tally.add(earlier)
        self.skipped_words += earlier.words
        self.bar.skip(earlier.words)
        return earlier

    def _count(self, event: _Event, outcome: Outcome) -> None:
        assert self.current is not None
        if not event.reader or not event.reader.many:  # a long text comes in several items: it is spun once
            outcome.tally.spun = int(bool(outcome.tally.spun) and not self.current.tally.spun)
        self.tally.add(outcome.tally)
        self.current.tally.add(outcome.tally)
        for reject in outcome.rejects:
            line = {
                "source": event.source.name,
                "record": reject.number,
                "reason": reject.reason,
                "raw": reject.raw.decode("utf-8", "backslashreplace"),
            }
            self.rejects.add(line)
            if self.plan.rejects is None or self.plan.fail_fast:
                self.told += 1
                if self.told <= TOLD or self.plan.fail_fast:
                    self._say(f"{_shown(event.source.name)}:{reject.number}: {reject.reason}")
                elif self.told == TOLD + 1:
                    self._say("more records cannot be restored; --rejects FILE lists all")
            if self.plan.fail_fast:
                raise StopError

    def _fail(self, event: _Event, error: str) -> None:
        """A source that cannot be restored: its target stays as it was."""
        self._say(error)
        self.rejects.add({"source": event.source.name, "record": None, "reason": error})
        self.tally.failed += 1
        if self.current:
            self.current.void()
            self.current.discard()
            self.current = None
        if self.plan.fail_fast:
            raise StopError

    def _say(self, message: str) -> None:
        self.bar.close()
        complain(message)


class _Delivery:
    """Where one source's output goes. The first item's output is held back, so that a file in which nothing changes
    is never touched."""

    def __init__(self, runner: _Runner, event: _Event):
        assert event.reader is not None
        self.runner = runner
        self.plan = runner.plan
        self.reader = event.reader
        self.source = event.source
        self.target = event.source.target
        self.tally = Tally()
        self.changed = False
        self.held: bytes | None = None
        self.sink: Standard | Straight | Output | None = None
        self.folder: Any = None
        self.standing = event.standing
        state = event.standing.get("state") if event.standing else None
        plain = self.plan.show or self.plan.judge
        self.convert = Converter(self.plan.to, self.plan.options.fields, state) if self.plan.to and not plain else None
        self.staged = self.convert.staged if self.convert else self.reader.staged and not plain
        self.of = fingerprint(self.source.name) if runner.journal else ""
        self.last: dict[str, Any] = {}
        if event.standing:
            self._continue(event.standing)

    def _continue(self, standing: dict[str, Any]) -> None:
        """Go on where an earlier run was."""
        assert self.target is not None
        part = part_of(Path(os.path.realpath(self.target)))
        if not part.exists() or part.stat().st_size < standing["length"]:
            part.unlink(missing_ok=True)
            raise DocumentError(f"{part}: is missing or too short to continue from; start again without --resume")
        if standing["length"]:
            self.sink = Output(self.target, "" if self.staged else self._compression(), standing["length"])
        self.tally = self.runner._earlier(standing["tally"])
        self.changed = standing["changed"]
        self.last = standing
        self.runner._say(f"{_shown(self.source.name)}: going on after record {standing['number'] - 1:,}")

    def _compression(self) -> str:
        """Of the whole target; standard output has none."""
        if self.target is None:
            return ""
        if self.target == Path(self.source.name):
            return self.reader.source.compression
        return compression_of(str(self.target))

    def _open(self) -> Standard | Straight | Output:
        if self.target is not None and is_pipe(self.target):
            return Straight(self.target)
        if self.target is not None:
            if self.source.inside:
                self._make_folder(self.target.parent)
            return Output(self.target, "" if self.staged else self._compression())
        if self.staged:
            self.folder = tempfile.TemporaryDirectory()
            return Output(Path(self.folder.name) / "table")
        return self.runner.standard

    @staticmethod
    def _make_folder(folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(folder, error) from None

    def add(self, event: _Event, outcome: Outcome) -> None:
        """Write what came of an item. Raises DocumentError."""
        plan = self.plan
        self.changed |= outcome.changed
        for number, verdict in outcome.verdicts:
            assert plan.judge is not None
            plan.judge(self._label(number), verdict)
        for number, result in outcome.results:
            if plan.observe:
                plan.observe(self._label(number), result)
        if plan.judge:
            return
        if plan.show:
            show = plan.show
            data = "".join(show(self._label(n), r) for n, r in outcome.results).encode("utf-8", "backslashreplace")
        else:
            data = self.convert.write(outcome.rows) if self.convert else outcome.output
        if self.held is None and self.sink is None and self.target is not None:
            self.held = data
            if not (self.reader.members and self._compression()):
                return
            data = b""
        self._write(data)
        if isinstance(self.sink, Output):
            if self.reader.members:
                self.sink.end_member()
            if self.sink.written >= CHECKPOINT and self.runner.journal:
                self._note(event)

    def _write(self, data: bytes) -> None:
        if self.sink is None:
            self.sink = self._open()
        if self.held is not None:
            data, self.held = self.held + data, None
        if data:
            self.sink.write(data)

    def _note(self, event: _Event) -> None:
        """A position in the journal."""
        assert isinstance(self.sink, Output)
        assert self.runner.journal is not None
        self.runner.rejects.sync()
        self.last = {
            "source": self.source.name,
            "of": self.of,
            "position": event.position,
            "number": event.number,
            "length": self.sink.checkpoint(),
            "rejects": self.tally.rejected,
            "changed": self.changed,
            "state": self.convert.state if self.convert else None,
            "tally": self.tally.to_dict(),
        }
        self.runner.journal.write(self.last)

    def finish(self, event: _Event) -> None:
        """All is there: put it in place. Raises DocumentError."""
        in_place = self.target is not None and self.target == Path(self.source.name)
        untouched = in_place and not self.changed and self.convert is None
        if self.plan.judge is None and not untouched:
            self._write(b"")
            if isinstance(self.sink, Output):
                self._commit(self.sink)
        elif isinstance(self.sink, Output):
            self.sink.discard()
        journal = self.runner.journal
        if journal and len(self.plan.sources) > 1 and self.plan.judge is None:
            journal.write({"source": self.source.name, "done": True, "whole": self.tally.to_dict()}, sync=False)

    def _commit(self, sink: Output) -> None:
        finish = (self.convert.finish if self.convert else self.reader.finish) if self.staged else None
        made = packed(finish, self._compression()) if finish else None
        sink.commit(self.plan.backup if self.target else "", made, self._before)
        if self.folder:
            with open(sink.target, "rb") as file:
                while part := file.read(1 << 20):
                    self.runner.standard.write(part)
            self.folder.cleanup()

    def _before(self, whole: Path) -> None:
        """Tell the journal that the target is about to be replaced; it must not be restored twice."""
        self.reader.source.close()  # Windows replaces no file that is open
        journal = self.runner.journal
        if journal and self.target and (self.last or len(self.plan.sources) > 1):
            line = {**self.last, "source": self.source.name, "of": self.of, "commit": True, "path": str(self.target)}
            line |= {"target": fingerprint(whole), "whole": self.tally.to_dict()}
            journal.write(line, sync=bool(self.last))

    def void(self) -> None:
        """Tell the journal that the positions it knows are none to go on from."""
        if self.last and self.runner.journal:
            self.runner.journal.write({"source": self.source.name, "failed": True})

    def _label(self, number: int) -> str:
        return f"{self.source.name}:{number}" if self.reader.many else self.source.name

    def leave(self) -> None:
        """Keep the part for a later run, if the journal knows of it."""
        if isinstance(self.sink, Output):
            if self.last and not self.folder:
                self.sink.leave()
            else:
                self.sink.discard()

    def discard(self) -> None:
        if isinstance(self.sink, Output):
            self.sink.discard()


def _weight(item: Item) -> int:
    return item.weight


def _shown(name: str) -> str:
    return "standard input" if name == STANDARD else name


def _near(name: str, names: Iterable[str]) -> str:
    """Names, those most like one first."""
    from rapidfuzz.fuzz import ratio

    return ", ".join(sorted(names, key=lambda other: -ratio(name, other))[:12])
