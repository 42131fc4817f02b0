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

BATCH: Final = 16  # texts a process takes at once,
BATCH_SIZE: Final = 200_000  # or as many as have so many code points
AHEAD: Final = 4  # tasks in flight for each process,
HEAVY: Final = 16 << 20  # of which the weights together do not exceed this, as long as there are two

K = TypeVar("K")
T = TypeVar("T")
R = TypeVar("R")


class WorkerError(RuntimeError):
    """A process that ended without a result."""


def ordered(
    make: Callable[..., Callable[[T], R]],
    arguments: Sequence[Any],
    tasks: Iterable[tuple[K, T | None]],
    workers: int,
    weight: Callable[[T], int] = lambda task: 0,
) -> Generator[tuple[K, R | None], None, None]:
    """Each key with the result of its task, in order; keys without a task are passed on in their place.

    `make(*arguments)` gives what is done to a task, once for each process. Tasks are drawn only as far ahead as the
    bounds allow. Raises WorkerError, and what is raised by the work.
    """
    if workers == 1:
        call = make(*arguments)
        for key, task in tasks:
            yield key, None if task is None else call(task)
        return
    from concurrent.futures import ProcessPoolExecutor  # late: one process needs none of it
    from concurrent.futures.process import BrokenProcessPool

    waiting: deque[tuple[K, Future[R] | None, int]] = deque()
    load = 0
    # more than there are cores gain nothing, and all are started at once
    processes = min(workers, os.cpu_count() or 1)
    pool = ProcessPoolExecutor(processes, initializer=_prepare, initargs=(make, *arguments))
    try:
        for key, task in tasks:
            heft = 0 if task is None else weight(task)
            waiting.append((key, None if task is None else pool.submit(_call, task), heft))
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
        raise WorkerError("a worker process was killed, perhaps for lack of memory; use fewer workers (-j)") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def ordered_map(
    make: Callable[..., Callable[[str], R]], arguments: Sequence[Any], texts: Iterable[str], workers: int
) -> Iterator[R]:
    """Results in the order of `texts`, which go to the processes in batches; `make` as for `ordered`."""
    tasks = ((None, batch) for batch in _batches(texts))
    results = ordered(_of_each, (make, *arguments), tasks, workers, lambda batch: sum(map(len, batch)))
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


def _of_each(make: Callable[..., Callable[[str], R]], *arguments: Any) -> Callable[[Sequence[str]], list[R]]:
    """What is made, done to each text of a batch."""
    call = make(*arguments)
    return lambda batch: [call(text) for text in batch]


_made: Callable[[Any], Any]  # in a process of a pool: what is done to its tasks


def _call(task: Any) -> Any:
    return _made(task)


def _prepare(make: Callable[..., Callable[[Any], Any]], *arguments: Any) -> None:
    """Make a process ready: Ctrl-C is the main process's business, and its end is this one's too."""
    global _made
    from multiprocessing import parent_process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    _made = make(*arguments)


def _end_with(sentinel: int) -> None:
    from multiprocessing import connection

    connection.wait([sentinel])
    os._exit(1)
