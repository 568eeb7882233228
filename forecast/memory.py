"""How a process that this package owns, a command or a worker, gets memory from the system."""

from __future__ import annotations

import ctypes
import sys

KEPT = 2**30
"""Bytes of free memory that may stay with the process."""
APART = 2**25
"""An array of so many bytes or more has pages of its own, which go back to the system with it."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def keep_memory() -> None:
    """Let arrays use the memory of earlier ones, where the C library is that of GNU; elsewhere do nothing.

    By default an array of some hundred kilobytes gets pages from the system, each of which it must clear at the first
    touch, and gives them back. Where two workers make many such arrays, they wait for each other in the system.

    Examples
    --------
    >>> keep_memory()
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, APART)
        mallopt(_M_TRIM_THRESHOLD, KEPT)
