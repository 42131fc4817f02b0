"""Many texts over several processes, in order, with a bounded number in flight."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from restore.restoration import Restoration
    from restore.restorer import Restorer

BATCH: Final = 16  # texts a process takes at once
AHEAD: Final = 4  # batches in flight for each process

_worker: Restorer


def ordered_map(restorer: Restorer, texts: Iterable[str], workers: int) -> Iterator[Restoration]:
    """Restorations in the order of `texts`. Raises ValueError for less than one worker."""
    if workers < 1:
        raise ValueError(f"workers is {workers}; at least one is needed")
    if workers == 1:
        return map(restorer.restore, texts)
    return chain.from_iterable(_batches(restorer, texts, workers))


def _batches(restorer: Restorer, texts: Iterable[str], workers: int) -> Iterator[list[Restoration]]:
    waiting: deque[Future[list[Restoration]]] = deque()
    with ProcessPoolExecutor(workers, initializer=_start, initargs=(restorer.options(),)) as pool:
        source = iter(texts)
        while batch := tuple(islice(source, BATCH)):
            waiting.append(pool.submit(_restore, batch))
            if len(waiting) > AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _start(options: dict[str, Any]) -> None:
    global _worker
    from restore.restorer import Restorer

    _worker = Restorer(**options)


def _restore(batch: tuple[str, ...]) -> list[Restoration]:
    return [_worker.restore(text) for text in batch]
