"""The index of an event store: one entry a vintage, each with the hash of its file and of the entry before."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from forecast.errors import InputError
from forecast.events.record import Scope
from forecast.provenance import hash_json
from forecast.storage import write_file

INDEX_NAME = "index.json"
FORMAT = 1


class ScopeEntry(BaseModel):
    """A `forecast.events.record.Scope` as the index holds it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    countries: tuple[str, ...]
    first: dt.date
    last: dt.date

    @classmethod
    def of(cls, scope: Scope) -> ScopeEntry:
        """Take a scope."""
        return cls(countries=scope.countries, first=scope.first.date(), last=scope.last.date())


class Vintage(BaseModel):
    """One import: what came, from where, and on which day it became known.

    Parameters
    ----------
    name : str
        Number, source and the start of the input's hash: ``"0001-ucdp-5f0c21aa"``; the file is called so.
    source : str
    known_at : date
        The day on which this became known to the user of the store.
    input_hash : str
        sha256 of what was imported.
    scope : ScopeEntry, optional
        What the import spoke for as a whole.
    covers_from, covers_until : date, optional
        First and last day of which the import tells: as it says itself, those of its scope, or its first and last
        event; never after `known_at`. None if it had no event and says nothing.
    new, changed, deleted : int
        Events against what was known before.
    rows : int
        Rows of the file; more than new, changed and deleted where a later release repeats what was known.
    file_hash : str
        sha256 of the parquet file.
    dropped : int, optional
        Rows of the input that were left out; None if an earlier version imported it.
    countries : tuple of str, optional
        Of the events that came, new or not, if that of each is known; None if an earlier version imported it.
    previous : str
        Hash of the entry before; empty for the first.
    hash : str
        sha256 of all of the above.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    source: str
    known_at: dt.date
    input_hash: str
    scope: ScopeEntry | None
    covers_from: dt.date | None
    covers_until: dt.date | None
    new: int
    changed: int
    deleted: int
    rows: int
    file_hash: str
    dropped: int | None = None
    countries: tuple[str, ...] | None = None
    previous: str
    hash: str = ""

    @property
    def file(self) -> str:
        """Name of the parquet file."""
        return f"{self.name}.parquet"

    def sealed(self) -> Vintage:
        """Return the entry with its own hash."""
        return self.model_copy(update={"hash": self._own_hash()})

    def is_intact(self) -> bool:
        """Return whether the entry is as it was sealed."""
        return self.hash == self._own_hash()

    def tells_of(self) -> tuple[str, ...] | None:
        """Return the countries of which the import tells; None for all of the world, or if that is not known.

        Those that its scope names. Without a scope those of its events: a file that is a part of something may have
        left out the others.
        """
        if self.scope is not None:
            return self.scope.countries or None
        return self.countries or None

    def _own_hash(self) -> str:
        unsaid = {name for name in ("dropped", "countries") if getattr(self, name) is None}
        return hash_json(self.model_dump(mode="json", exclude={"hash"} | unsaid))


def read_index(folder: Path) -> tuple[Vintage, ...]:
    """Return the vintages of the store in a folder, in order; none if there is no store.

    Raises
    ------
    InputError
        If the index is broken, or an entry is not what was written.
    """
    path = folder / INDEX_NAME
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return ()
    except ValueError as error:
        raise _broken(path, f"not valid JSON: {error}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _broken(path, f"not an index of format {FORMAT}")
    try:
        vintages = tuple(Vintage.model_validate(entry) for entry in content["vintages"])
    except (KeyError, TypeError, ValidationError) as error:
        raise _broken(path, f"an entry is not readable: {str(error).splitlines()[0]}") from None
    previous = ""
    for vintage in vintages:
        if not vintage.is_intact() or vintage.previous != previous:
            raise _broken(path, f"the entry of vintage {vintage.name!r} was changed after it was written")
        previous = vintage.hash
    return vintages


def write_index(folder: Path, vintages: Sequence[Vintage]) -> None:
    """Replace the index, whole or not at all: the moment at which an import counts."""
    content: dict[str, Any] = {"format": FORMAT, "vintages": [vintage.model_dump(mode="json") for vintage in vintages]}
    write_file(folder / INDEX_NAME, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())


def index_frame(vintages: Sequence[Vintage]) -> pd.DataFrame:
    """Return the entries as a table, one row a vintage, without the hashes of the chain."""
    names = [name for name in Vintage.model_fields if name not in {"scope", "previous", "hash"}]
    frame = pd.DataFrame([vintage.model_dump(include=set(names)) for vintage in vintages], columns=names)
    return frame.astype({"known_at": "datetime64[s]", "covers_from": "datetime64[s]", "covers_until": "datetime64[s]"})


def _broken(path: Path, what: str) -> InputError:
    return InputError(
        what, where=str(path), expected="an index that only imports have written", hint="bring it back from a backup"
    )
