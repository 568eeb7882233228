"""Writing whole or not at all: a reader never sees half a file or half a folder, whatever kills the writer."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecast.errors import InputError

_EXPECTED = "a folder that can be written to"

HIDDEN = ".part-"
"""Prefix of what is still being written; such files and folders are nobody's output."""


def write_file(path: Path, content: bytes) -> None:
    """Write a file so that it appears whole under its name, or not at all.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=HIDDEN, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextmanager
def folder_in_progress(target: Path) -> Iterator[Path]:
    """Give a hidden folder to write into, which takes the place of `target` when the block ends well.

    An older `target` is moved aside first and removed after; in between there is none, never half of one.

    Raises
    ------
    InputError
        If the parent folder cannot be written to, or there is no space left.
    """
    with _explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(target.parent, target.name)
        work = Path(tempfile.mkdtemp(prefix=f"{HIDDEN}{target.name}-", dir=target.parent))
        try:
            yield work
            work.chmod(0o755)
            _flush(work)
            old = None
            if target.exists():
                old = Path(tempfile.mkdtemp(prefix=f"{HIDDEN}{target.name}-old-", dir=target.parent))
                target.replace(old / "old")
            work.replace(target)
            if old is not None:
                shutil.rmtree(old, ignore_errors=True)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise


def check_writable(folder: Path) -> None:
    """Find out whether a folder can be written to, or made, before long work whose result goes there.

    Nothing is left behind; a folder that does not exist is not made, but asked for where it would be.

    Raises
    ------
    InputError
        If it cannot.
    """
    existing = folder
    while not os.path.lexists(existing) and existing != existing.parent:
        existing = existing.parent
    with _explained(folder if existing.is_dir() else existing):
        if not existing.is_dir():
            raise NotADirectoryError
        handle, name = tempfile.mkstemp(prefix=HIDDEN, dir=existing)
        os.close(handle)
        Path(name).unlink()


def remove_leftovers(parent: Path, name: str) -> None:
    """Remove what writers of `name` that were killed left behind."""
    for leftover in parent.glob(f"{HIDDEN}{name}-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the operating system says of a path into a message for the user."""
    try:
        yield
    except PermissionError:
        raise InputError(
            "not allowed to write", where=str(path), expected=_EXPECTED, hint="another folder, or its permissions"
        ) from None
    except (NotADirectoryError, FileExistsError):
        raise InputError(
            "a part of the path is a file, not a folder",
            where=str(path),
            expected=_EXPECTED,
            hint="move or rename the file",
        ) from None
    except OSError as error:
        if error.errno == errno.EROFS:
            raise InputError(
                "the disk is read-only", where=str(path), expected=_EXPECTED, hint="another folder"
            ) from None
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise InputError("no space left", where=str(path), hint="free some space and run again") from None
        raise
