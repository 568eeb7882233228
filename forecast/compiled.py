"""Kernels compiled to machine code, kept for the next process where a place for that can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(kernel: Kernel) -> Kernel:
    """Compile a kernel when it is first called; it does not hold the interpreter lock.

    The machine code is cached beside the source, or in the user's cache folder. Where numba may write neither (an
    installation that is read-only, no home folder), each process compiles for itself: a few seconds more.

    Examples
    --------
    >>> @compiled
    ... def twice(x):
    ...     return 2 * x
    >>> twice(21)
    42
    """
    try:
        return cast("Kernel", njit(cache=True, nogil=True)(kernel))
    except RuntimeError:  # "cannot cache function: no locator available", told when it is decorated
        return cast("Kernel", njit(nogil=True)(kernel))


def load_compiler() -> None:
    """Load what all kernels need, half a second's work, which is otherwise left to the first that is called.

    Examples
    --------
    >>> load_compiler()
    """
    _nothing()


@compiled
def _nothing() -> None:
    pass
