"""Work over several processes, results in order, with a bounded number and weight of tasks in flight."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

    from restore.restoration import Restoration
    from restore.restorer import Restorer

BATCH: Final = 16  # texts a process takes at once,
BATCH_SIZE: Final = 200_000  # or as many as have so many code points
AHEAD: Final = 4  # tasks in flight for each process,
HEAVY: Final = 16 << 20  # of which the weights together do not exceed this, as long as there are two

K = TypeVar("K")
T = TypeVar("T")
R = TypeVar("R")
_worker: Restorer


class WorkerError(RuntimeError):
    """A process that ended without a result."""


def ordered(
    call: Callable[[T], R],
    tasks: Iterable[tuple[K, T | None]],
    workers: int,
    start: Callable[..., None],
    arguments: Sequence[Any],
    weight: Callable[[T], int] = lambda task: 0,
) -> Generator[tuple[K, R | None], None, None]:
    """Each key with the result of its task, in order; keys without a task are passed on in their place.

    `start(*arguments)` prepares a process. Tasks are drawn only as far ahead as
    the bounds allow. Raises WorkerError, and what `call` raises.
    """
    if workers == 1:
        start(*arguments)
        for key, task in tasks:
            yield key, None if task is None else call(task)
        return
    from concurrent.futures import ProcessPoolExecutor  # late: one process needs none of it
    from concurrent.futures.process import BrokenProcessPool

    waiting: deque[tuple[K, Future[R] | None, int]] = deque()
    load = 0
    pool = ProcessPoolExecutor(workers, initializer=_prepare, initargs=(start, *arguments))
    try:
        for key, task in tasks:
            heft = 0 if task is None else weight(task)
            waiting.append((key, None if task is None else pool.submit(call, task), heft))
            load += heft
            while len(waiting) > AHEAD * workers or (load > HEAVY and len(waiting) > 2) or waiting[0][1] is None:
                key, future, heft = waiting.popleft()
                load -= heft
                yield key, None if future is None else future.result()
                if not waiting:
                    break
        while waiting:
            key, future, _ = waiting.popleft()
            yield key, None if future is None else future.result()
    except BrokenProcessPool:
        raise WorkerError("a process was ended from outside, perhaps for want of memory; use fewer with -j") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def ordered_map(restorer: Restorer, texts: Iterable[str], workers: int) -> Iterator[Restoration]:
    """Restorations in the order of `texts`. Raises ValueError for less than one worker."""
    if workers < 1:
        raise ValueError(f"workers is {workers}; at least one is needed")
    if workers == 1:
        return map(restorer.restore, texts)
    tasks = ((None, batch) for batch in _batches(texts))
    results = ordered(_restore, tasks, workers, _start, (restorer.options(),), lambda batch: sum(map(len, batch)))
    return chain.from_iterable(result for _, result in results if result is not None)


def _batches(texts: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Texts in batches bounded in number and size."""
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if len(batch) == BATCH or size >= BATCH_SIZE:
            yield tuple(batch)
            batch, size = [], 0
    if batch:
        yield tuple(batch)


def _prepare(start: Callable[..., None], *arguments: Any) -> None:
    """Make a process ready: Ctrl-C is the main process's business, and its end is this one's too."""
    from multiprocessing import parent_process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    start(*arguments)


def _end_with(sentinel: int) -> None:
    from multiprocessing import connection

    connection.wait([sentinel])
    os._exit(1)


def _start(options: dict[str, Any]) -> None:
    global _worker
    from restore.restorer import Restorer

    _worker = Restorer(**options)


def _restore(batch: tuple[str, ...]) -> list[Restoration]:
    return [_worker.restore(text) for text in batch]
