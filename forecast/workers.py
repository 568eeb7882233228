"""Work in other processes of this machine, which end with the one that asked for it."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, TypeVar

import joblib

from forecast.memory import keep_memory

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
    with dropped_at_the_end(found):
        yield lambda: next(found)


@contextmanager
def woken(workers: int, *modules: str) -> Iterator[None]:
    """Start workers that will be needed, and let them import modules while this process prepares their work.

    They load what compiled kernels need as well.

    Parameters
    ----------
    workers : int
        With 1 nothing is started.
    *modules : str
        Their full names.

    Examples
    --------
    >>> with woken(1, "forecast.evaluation.blocks"):
    ...     work = "prepared"
    """
    if workers < 2:
        yield
        return
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1, max_nbytes=None)
    found: Any = parallel(joblib.delayed(_imported)(modules) for _ in range(workers))
    try:
        yield
    finally:  # in an error too: workers that are ended while they start may say so
        with suppress(Exception):
            list(found)


def _imported(modules: Sequence[str]) -> None:
    end_with_parent()
    for module in modules:
        importlib.import_module(module)
    importlib.import_module("forecast.compiled").load_compiler()


def _apart(main: int, work: Callable[..., Result], *arguments: Any) -> Result:
    if os.getpid() != main:
        end_with_parent()
    return work(*arguments)


@contextmanager
def dropped_at_the_end(found: Generator[Any, None, None]) -> Iterator[None]:
    """Drop what is not taken of a generator of results, with the work on it.

    Parameters
    ----------
    found : generator
        Of `joblib.Parallel`.
    """
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "[0-9]+ tasks", UserWarning)  # that it was dropped is meant
            found.close()


@cache
def end_with_parent() -> None:
    """Let this worker end when the process that started it is gone, however that was killed, and then at once.

    Ctrl-C is left to that process too, which ends its workers.
    """
    keep_memory()
    parent = os.getppid()
    atexit.register(gc.freeze)  # or the interpreter looks once more for cycles in all that was imported

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    with suppress(ValueError):  # not in the main thread: a worker of another backend, which handles it itself
        signal.signal(signal.SIGINT, signal.SIG_IGN)
