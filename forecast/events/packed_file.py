"""The table in a file: the file as it is, what is gzipped in it, or the one table in a zip file."""

from __future__ import annotations

import gzip
import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from forecast.errors import InputError, nearest_names

LARGEST_RATIO, FREE_BYTES = 200, 64 * 2**20
"""A packed file may unpack to `FREE_BYTES`, or `LARGEST_RATIO` times its size; event tables reach about 10 times."""
ZIPPED = (".csv", ".tsv", ".xlsx", ".parquet")
"""Endings of the names of tables in a zip file; a ``.txt`` there tells about them."""
MOST_MEMBERS = 1000
"""Files that a zip file may have; only the one table among them is read, and nothing is written to the disk."""
_GZIP, _ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
_CUT = "cannot read: the file is damaged or cut off ({})"
_AGAIN = "was the download cut off? fetch it again"
_FAULTS = (EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError)


@dataclass(frozen=True, eq=False)
class Unpacked:
    """The table in an open file.

    Parameters
    ----------
    kind : str
        The ending of its name, in lower case and without the point.
    stream : binary file
        Its bytes, to be read once.
    packed : bool
        Whether they are unpacked while they are read; then there is no going back in them.
    """

    kind: str
    stream: io.BufferedReader
    packed: bool

    @contextmanager
    def seekable(self) -> Iterator[IO[bytes]]:
        """Give a file in which a reader can go back and forth: a temporary one without a name if it is packed."""
        if not self.packed:
            yield self.stream
            return
        with tempfile.SpooledTemporaryFile(max_size=FREE_BYTES) as whole:
            shutil.copyfileobj(self.stream, whole)
            whole.seek(0)
            yield whole


def existing_file(path: Path) -> Path:
    """Return the path of a file.

    Raises
    ------
    InputError
        If there is none, with the name in the same folder that is nearest.
    """
    if path.is_file():
        return path
    near = nearest_names(path.name, [other.name for other in path.parent.glob("*.*") if other != path], count=1)
    raise InputError(
        f"{path.name} is a folder" if path.is_dir() else f"no file {path.name}",
        where=str(path.parent),
        expected="the path of a file",
        hint=f"did you mean {near[0]!r}?" if near else "",
    )


@contextmanager
def open_packed(path: Path) -> Iterator[Unpacked]:
    """Open a file: as it is, gzipped, or the one table in a zip file.

    A packed file shows in its first bytes or in its name; an Excel workbook, which is a zip file, in its name alone.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        If there is no such file, or none or several tables are in it; while it is read, if it is damaged or unpacks
        to too much.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(existing_file(path).open("rb"))
            start, size = file.read(4), path.stat().st_size
            file.seek(0)
            inside = path.name.lower()
            stream: gzip.GzipFile | IO[bytes] | None = None
            if start.startswith(_GZIP) or inside.endswith(".gz"):
                inside, stream = inside.removesuffix(".gz"), stack.enter_context(gzip.GzipFile(fileobj=file))
            elif inside.endswith(".zip") or (start in _ZIP and not inside.endswith(".xlsx")):
                archive = stack.enter_context(zipfile.ZipFile(file))
                member = _only_table(archive, path.name)
                inside, stream = member.filename.lower(), stack.enter_context(archive.open(member))
        except InputError:
            raise
        except zipfile.BadZipFile as error:  # the table of contents is at the end of a zip file
            raise InputError(_CUT.format(error), where=path.name, hint=_AGAIN) from None
        except (*_FAULTS, ValueError) as error:
            raise InputError(f"cannot read: {error}", where=str(path)) from None
        kind = PurePosixPath(inside).suffix.removeprefix(".")
        if stream is None:
            yield Unpacked(kind, file, packed=False)
        else:
            counted = _Counted(stream, path.name, max(FREE_BYTES, LARGEST_RATIO * size))
            yield Unpacked(kind, stack.enter_context(io.BufferedReader(counted, 2**16)), packed=True)


def unpacked(content: bytes, name: str) -> bytes:
    """Return what is gzipped in some bytes.

    Raises
    ------
    InputError
        If they are damaged, or unpack to too much.

    Examples
    --------
    >>> unpacked(gzip.compress(b"week,region"), "counts.csv.gz")
    b'week,region'
    """
    if not content.startswith(_GZIP):
        raise InputError("the file is not gzip", where=name)
    counted = _Counted(gzip.GzipFile(fileobj=io.BytesIO(content)), name, max(FREE_BYTES, LARGEST_RATIO * len(content)))
    with io.BufferedReader(counted, 2**16) as stream:
        return stream.read()


class _Counted(io.RawIOBase):
    """Bytes that are unpacked, counted, so that a small file cannot fill the machine."""

    def __init__(self, stream: gzip.GzipFile | IO[bytes], name: str, limit: int) -> None:
        super().__init__()
        self._stream, self._name, self._left = stream, name, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the stub names a private buffer type
        try:
            content = self._stream.read(len(buffer))
        except _FAULTS as error:
            raise InputError(_CUT.format(error), where=self._name, hint=_AGAIN) from None
        self._left -= len(content)
        if self._left < 0:
            raise InputError(
                f"unpacks to more than {LARGEST_RATIO} times its size",
                where=self._name,
                expected="a packed table",
                hint="unpack it, and look at what is inside",
            )
        buffer[: len(content)] = content
        return len(content)


def _only_table(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """Return the one table of an archive."""
    members = [
        member for member in archive.infolist() if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    if len(members) > MOST_MEMBERS:
        raise InputError(f"{len(members)} files inside", where=name, expected=f"at most {MOST_MEMBERS}")
    tables = [member for member in members if member.filename.lower().endswith(ZIPPED)]
    if len(tables) != 1:
        found = ", ".join(repr(member.filename) for member in (tables or members)[:9]) or "nothing"
        raise InputError(
            f"{len(tables)} tables inside" if tables else "no table inside",
            where=name,
            expected=f"one file that ends with {', '.join(ZIPPED[:-1])} or {ZIPPED[-1]}; found {found}",
            hint="unpack it, and import the one that is meant" if tables else "",
        )
    (table,) = tables
    inner = PurePosixPath(table.filename.replace("\\", "/"))
    if inner.is_absolute() or ".." in inner.parts or ":" in table.filename:
        raise InputError(f"the path {table.filename!r} leads out of the archive", where=name)
    if table.flag_bits & 1:
        raise InputError("the archive has a password", where=name, hint="unpack it first")
    return table
