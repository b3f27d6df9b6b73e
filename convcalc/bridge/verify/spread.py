"""Cases compared in one process or in several: the same cases, the same results, in the same order."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from typing import Any, TypeVar

from convcalc.errors import Unreadable

C = TypeVar("C")
R = TypeVar("R")


def spread(
    run: Callable[[Iterable[C]], Iterator[R]], cases: Iterable[C], workers: int = 1, batch: int = 200
) -> Iterator[R]:
    """Yield the result of every case, in order; `run` takes cases and yields as many results.

    Several workers are fresh processes, which import what they need: `run` and the cases are pickled, `run` once for
    each worker. Raises what `run` raises; `Unreadable` where a worker dies.

    >>> list(spread(lambda cases: (case**2 for case in cases), range(4)))
    [0, 1, 4, 9]
    """
    if workers == 1:
        yield from run(cases)
        return
    some, waiting = iter(cases), deque[Future[list[R]]]()
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(run,))
    try:
        while True:
            while len(waiting) < 2 * workers and (taken := list(islice(some, batch))):
                waiting.append(pool.submit(_results, taken))
            if not waiting:
                return
            yield from waiting.popleft().result()
    except BrokenProcessPool:
        raise Unreadable("a worker process died while verifying, perhaps for memory: use fewer --workers") from None
    finally:
        pool.shutdown(cancel_futures=True)


_RUN: list[Callable[[Iterable[Any]], Iterator[Any]]] = []
"""What a worker does with cases."""


def _begin(run: Callable[[Iterable[Any]], Iterator[Any]]) -> None:
    """Make this process a worker; Ctrl-C is for the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _RUN.append(run)


def _results(cases: list[Any]) -> list[Any]:
    return list(_RUN[0](cases))
