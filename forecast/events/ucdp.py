"""UCDP's event datasets from files: the Georeferenced Event Dataset (GED) and the Candidate Events Dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from forecast.errors import InputError
from forecast.events.imprecise import ImprecisePolicy
from forecast.events.record import Batch
from forecast.events.row_faults import RowFaults
from forecast.events.table_rows import open_rows
from forecast.events.ucdp_release import Release, release_of, ucdp_scope
from forecast.events.ucdp_rows import Translator, pick_columns

__all__ = ["Release", "read_ucdp", "read_ucdp_releases", "release_in", "release_of", "ucdp_scope"]

_VERSION_COLUMNS = ("version", "release", "dataset_version")


def read_ucdp(path: Path, policy: ImprecisePolicy, *, release: Release | None = None) -> Iterator[Batch]:
    """Yield the events of a GED or Candidate file in canonical form, up to 50,000 rows at a time.

    Of the 49 columns only id, date_start, date_end or date_prec, latitude, longitude, country, where_prec and best
    (or best_est) are needed; names of actors and texts of sources are not read. How rows are judged is told at
    `forecast.events.ucdp_rows.Translator.batch`. The first report of an event is the earliest day of source_date from
    a day before date_start to three years after.

    Parameters
    ----------
    path : Path
        CSV, Excel or parquet; gzipped, or alone in a zip file, as well.
    policy : ImprecisePolicy
    release : Release, optional
        By default what `release_in` finds, if anything.

    Raises
    ------
    InputError
        If the file is damaged, has no text or lacks a column. It can come after the first batches.
    """
    yield from _translated(Path(path), Translator(policy), release or release_in(path))


def read_ucdp_releases(paths: Sequence[Path], policy: ImprecisePolicy, *, complete: bool = False) -> Iterator[Batch]:
    """Yield the events of several releases, each event once, from the release of the highest precedence.

    Parameters
    ----------
    paths : sequence of Path
        In any order; the names tell the releases.
    policy : ImprecisePolicy
    complete : bool
        Whether all files are whole releases (or cut to the same countries). Then an event of a lower release is left
        out as well if it lies within the days of a higher one that lacks it: UCDP has withdrawn it or given it
        another id.

    Raises
    ------
    InputError
        As `read_ucdp`; also if one of several files does not tell its release, or two are of the same.
    """
    known = [(release_in(path), Path(path)) for path in paths]
    releases: dict[Release, Path] = {}
    for release, path in known:
        if release is None and len(known) > 1:
            release_of(path.name)  # refuses the name
        if release in releases:
            raise InputError(f"two files of release {release.version}", where=f"{releases[release]}, {path}")
        if release is not None:
            releases[release] = path
    translator = Translator(policy)
    for release, path in sorted(known, reverse=True) if len(known) > 1 else known:
        yield from _translated(path, translator, release)
        if complete and release is not None:
            translator.speaks_for(release)


def release_in(path: Path) -> Release | None:
    """Return the release that a file's name tells, or else a column called version, release or dataset_version.

    Returns
    -------
    Release or None
        None if neither does.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        return release_of(Path(path).name)
    except InputError:
        pass
    rows = open_rows(Path(path))
    column = next((name for name in rows.columns if name.casefold() in _VERSION_COLUMNS), None)
    if column is None:
        return None
    for block in rows.blocks({column: column}):
        for version in block.texts[column][:1]:
            try:
                return release_of(version)
            except InputError:
                return None
    return None


def _translated(path: Path, translator: Translator, release: Release | None) -> Iterator[Batch]:
    rows = open_rows(path)
    chosen = pick_columns(rows.columns, rows.name)
    empty = True
    for block in rows.blocks(chosen):
        empty = False
        faults = RowFaults(block.rows, path.name, block.numbers, block.ragged)
        yield translator.batch(pd.DataFrame(block.texts), release.version if release else "", faults)
    if empty:
        raise InputError("the table has a header only", where=rows.name, expected="at least one event")
