"""Work in other processes of this machine, which end with the one that asked for it."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, TypeVar

import joblib

Result = TypeVar("Result")


@contextmanager
def beside(workers: int, work: Callable[..., Result], *arguments: Any) -> Iterator[Callable[[], Result]]:
    """Begin work in another process, and give a function that waits for its result.

    Parameters
    ----------
    workers : int
        With 1 the work is done in this process, when its result is asked for.
    work : callable
        Importable; its result depends on its arguments alone.
    *arguments : object
        Copied to the other process.

    Examples
    --------
    >>> with beside(1, sum, [1, 2, 3]) as total:
    ...     total()
    6
    """
    if workers < 2:
        yield lambda: work(*arguments)
        return
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator", batch_size=1, max_nbytes=None)
    found: Any = parallel(joblib.delayed(_apart)(os.getpid(), work, *each) for each in [arguments])
    try:
        yield lambda: next(found)
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "[0-9]+ tasks", UserWarning)  # that it was dropped is meant
            found.close()


def _apart(main: int, work: Callable[..., Result], *arguments: Any) -> Result:
    if os.getpid() != main:
        end_with_parent()
    return work(*arguments)


@cache
def end_with_parent() -> None:
    """Let this worker end when the process that started it is gone, however that was killed, and then at once.

    Ctrl-C is left to that process too, which ends its workers.
    """
    parent = os.getppid()
    atexit.register(gc.freeze)  # or the interpreter looks once more for cycles in all that was imported

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    with suppress(ValueError):  # not in the main thread: a worker of another backend, which handles it itself
        signal.signal(signal.SIGINT, signal.SIG_IGN)
