"""One writer at a time: a lock of the operating system on a file, which goes away with the process that holds it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
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

    What counts is the lock on the file, which the system releases however its holder ends. The file stays, unless the
    block leaves the folder with nothing else in it; then what was made for it is removed as well.

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
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    deadline = time.monotonic() + timeout
    while (stream := _locked(folder / LOCK_NAME)) is None:
        if time.monotonic() >= deadline:
            raise StoreBusyError(
                f"another import is writing to the event store and did not finish within {timeout:g} seconds\n"
                f"  where: {folder}\n  try: again when it is done; nothing of this import was stored"
            )
        time.sleep(_PAUSE_SECONDS)
    with stream:
        try:
            yield
        finally:
            if [path.name for path in folder.iterdir()] == [LOCK_NAME]:
                with suppress(OSError):  # Windows does not remove a file that is open
                    (folder / LOCK_NAME).unlink()
                    for place in made:
                        place.rmdir()
            _unlock(stream)


def _locked(path: Path) -> IO[bytes] | None:
    """Return the locked file; None if another holds it, or has just removed it."""
    # A folder that goes while it is made is said to be there already.
    with ExitStack() as stack, suppress(FileNotFoundError, FileExistsError):
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = stack.enter_context(path.open("a+b"))
        if _try_lock(stream) and os.path.samestat(os.fstat(stream.fileno()), path.stat()):
            stack.pop_all()
            return stream
    return None


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
