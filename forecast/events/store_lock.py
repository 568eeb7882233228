"""One writer at a time: a lock of the operating system on a file, which goes away with the process that holds it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from forecast.errors import ForecastError

LOCK_NAME = ".lock"
_PAUSE_SECONDS = 0.05


class StoreBusyError(ForecastError):
    """Another process writes to the store and did not finish in time (exit code 1)."""


@contextmanager
def one_writer(folder: Path, timeout: float) -> Iterator[None]:
    """Hold the lock of a folder during the block.

    The file stays; what counts is the lock on it, which the system releases however its holder ends.

    Parameters
    ----------
    folder : Path
        Is made if it is not there.
    timeout : float
        Seconds to wait for another writer.

    Raises
    ------
    StoreBusyError
        If another writer still holds the lock then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_NAME).open("a+b") as stream:
        deadline = time.monotonic() + timeout
        while not _try_lock(stream):
            if time.monotonic() >= deadline:
                raise StoreBusyError(
                    f"another import is writing to the event store and did not finish within {timeout:g} seconds\n"
                    f"  where: {folder}\n  try: again when it is done; nothing of this import was stored"
                )
            time.sleep(_PAUSE_SECONDS)
        try:
            yield
        finally:
            _unlock(stream)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(stream: IO[bytes]) -> bool:
        stream.seek(0)
        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(stream: IO[bytes]) -> None:
        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(stream: IO[bytes]) -> bool:
        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(stream: IO[bytes]) -> None:
        fcntl.flock(stream.fileno(), fcntl.LOCK_UN)
